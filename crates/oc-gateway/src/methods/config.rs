//! `config.*`: the configuration as it may be shown, and its changes over the wire (gateway 6, logging-redaction 4).
//!
//! Every view hides the same leaves; the marker that stands for them, sent back, means "keep what is stored". A write goes through
//! `oc_fs::config_store` like every other one: locked, checked as a whole, backed up, recorded, comments and includes kept.

mod difference;
mod read;
mod schema;
mod sentinel;
#[cfg(test)]
mod tests;
mod write;

pub use read::get;
pub use schema::schema;
pub use write::{apply, patch, set};

use oc_config::load::LoadRequest;
use oc_config::{Issue, Loaded, defaults, view};
use oc_types::KeyPath;
use serde_json::{Value, json};

/// What the methods of the configuration work with.
#[derive(Clone, Debug)]
pub struct ConfigContext {
    /// How the configuration is found: the one that the gateway was started with.
    pub request: LoadRequest,
    /// The moment, in milliseconds since 1970.
    pub now_ms: u64,
    /// Who writes, for the change log: `gateway (<client>)`.
    pub writer: String,
    /// The version of this program.
    pub version: &'static str,
}

/// Issues as the wire has them.
fn issues(issues: &[Issue]) -> Vec<Value> {
    let redactor = oc_text::Redactor::standard();
    issues
        .iter()
        .map(|i| {
            let fix = i.fix.as_deref().and_then(|f| f.lines().next());
            let message = match (&i.nearest, fix) {
                (Some(n), _) => format!("{}; nearest valid key: {n}", i.message),
                (None, Some(fix)) => format!("{}; {fix}", i.message),
                (None, None) => i.message.clone(),
            };
            json!({ "path": i.path.to_string(), "message": redactor.redact(&message) })
        })
        .collect()
}

/// The resolved configuration with its defaults, credentials hidden.
fn shown(loaded: &Loaded) -> Value {
    let mut shown = view::redacted_node(&KeyPath::root(), &defaults::apply(&loaded.tree));
    for (path, value) in FILLED {
        fill(&mut shown, path, value);
    }
    shown
}

/// What upstream's clients find filled in although no file says it.
const FILLED: [(&[&str], Filled); 6] = [
    (&["logging", "redactSensitive"], Filled::Word("tools")),
    (&["commands", "native"], Filled::Word("auto")),
    (&["commands", "nativeSkills"], Filled::Word("auto")),
    (&["agents", "defaults", "maxConcurrent"], Filled::Number(4)),
    (&["agents", "defaults", "subagents", "maxConcurrent"], Filled::Number(8)),
    (&["messages", "ackReactionScope"], Filled::Word("group-mentions")),
];

#[derive(Clone, Copy)]
enum Filled {
    Word(&'static str),
    Number(u64),
}

/// Puts a value where there is none; what is there and no section stays as it is.
fn fill(into: &mut Value, path: &[&str], value: Filled) {
    let (Some(members), Some((key, rest))) = (into.as_object_mut(), path.split_first()) else { return };
    let slot = members.entry((*key).to_owned());
    if rest.is_empty() {
        slot.or_insert_with(|| match value {
            Filled::Word(word) => word.into(),
            Filled::Number(number) => number.into(),
        });
    } else {
        fill(slot.or_insert_with(|| json!({})), rest, value);
    }
}
