//! The tool lists of a sandboxed session (tool-policy 6), layer 8 of the chain.

use oc_types::{AgentId, KeyPath, Node, Origin};
use serde::Serialize;

use super::expand::expand_entry;
use super::key::{Found, Places};

/// What a sandboxed session may use when nothing is configured.
pub const DEFAULT_ALLOW: [&str; 12] = [
    "exec",
    "process",
    "read",
    "write",
    "edit",
    "apply_patch",
    "image",
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "session_status",
];

/// What a sandboxed session may not use when nothing is configured: what reaches the host, and every built-in channel.
pub const DEFAULT_DENY: [&str; 12] = [
    "browser",
    "canvas",
    "nodes",
    "cron",
    "gateway",
    "telegram",
    "whatsapp",
    "discord",
    "googlechat",
    "slack",
    "signal",
    "imessage",
];

/// The level that a list comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceLevel {
    /// The agent's entry.
    Agent,
    /// `agents.defaults` or `tools`.
    Global,
    /// Nothing is configured.
    Default,
}

/// Where a list comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct ListSource {
    /// The level.
    pub level: SourceLevel,
    /// The key as `sandbox explain` prints it: list positions left out (`agents.list[].sandbox.tools.allow`).
    pub key: String,
    /// The key with its position; for the default the key that would set it.
    pub key_path: KeyPath,
    /// Where that key stands; [`Origin::Default`] when nothing is configured.
    pub origin: Origin,
    /// The other spelling of the same level, when it is set too: united for deny, without effect for allow.
    pub other: Option<(KeyPath, Origin)>,
}

/// The two lists in force, entries normalised and groups expanded, in order, without duplicates.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolLists {
    /// What is permitted.
    pub allow: Vec<String>,
    /// What is refused; wins over `allow`.
    pub deny: Vec<String>,
    /// Where `allow` comes from.
    pub allow_source: ListSource,
    /// Where `deny` comes from.
    pub deny_source: ListSource,
    /// What the operator should know: two spellings at one level, an empty allow list.
    pub warnings: Vec<String>,
}

/// The lists of an agent's sandboxed sessions. Allow and deny are looked up independently: the first level with a list replaces the
/// ones below. Of the two spellings of one level, `allow` is taken from the seed's and `deny` is united.
#[must_use]
pub fn tool_lists(config: &Node, agent: &AgentId) -> ToolLists {
    let places = Places::new(config, agent);
    let mut warnings = Vec::new();
    let (allow_raw, allow_source) = resolve(&places, "allow", &DEFAULT_ALLOW, &mut warnings);
    let (deny_raw, deny_source) = resolve(&places, "deny", &DEFAULT_DENY, &mut warnings);
    let mut allow = expand(&allow_raw);
    let deny = expand(&deny_raw);
    if allow.is_empty() {
        warnings.push(format!(
            "{} is empty: in a sandbox that blocks every tool but image; leave it out to get the default list",
            allow_source.key_path
        ));
    }
    if !allow.iter().chain(&deny).any(|t| t == "image") {
        // Era behaviour, kept because it is the tighter reading of an empty list (tool-policy 6).
        allow.push("image".to_owned());
    }
    ToolLists { allow, deny, allow_source, deny_source, warnings }
}

fn resolve(
    places: &Places<'_>,
    field: &str,
    default: &[&str],
    warnings: &mut Vec<String>,
) -> (Vec<String>, ListSource) {
    let seed = ["sandbox", "tools", field];
    let upstream = ["tools", "sandbox", "tools", field];
    let levels = [
        (SourceLevel::Agent, places.agent(&seed), places.agent(&upstream), "agents.list[]."),
        (SourceLevel::Global, places.defaults(&seed), places.root(&upstream), "agents.defaults."),
    ];
    for (level, seed_found, upstream_found, prefix) in levels {
        let (seed_found, upstream_found) = (list_only(seed_found), list_only(upstream_found));
        let seed_key = format!("{prefix}sandbox.tools.{field}");
        let upstream_key = match level {
            SourceLevel::Agent => format!("agents.list[].tools.sandbox.tools.{field}"),
            SourceLevel::Global | SourceLevel::Default => format!("tools.sandbox.tools.{field}"),
        };
        let (first, key, second) = match (seed_found, upstream_found) {
            (Some(a), b) => (a, seed_key, b),
            (None, Some(b)) => (b, upstream_key, None),
            (None, None) => continue,
        };
        let mut entries = first.node.entries().unwrap_or_default();
        if let Some(other) = &second {
            let what = if field == "deny" { "both count" } else { "the first counts" };
            warnings.push(format!("{} and {} set the same list: {what}", first.key, other.key));
            if field == "deny" {
                entries.extend(other.node.entries().unwrap_or_default());
            }
        }
        let other = second.map(|f| (f.key, f.node.origin.clone()));
        let source = ListSource { level, key, key_path: first.key, origin: first.node.origin.clone(), other };
        return (entries, source);
    }
    let source = ListSource {
        level: SourceLevel::Default,
        key: format!("tools.sandbox.tools.{field}"),
        key_path: KeyPath::keys(["tools", "sandbox", "tools", field]),
        origin: Origin::Default,
        other: None,
    };
    (default.iter().map(|s| (*s).to_owned()).collect(), source)
}

/// Only a list defines a level; anything else is as if it were not there (the schema reports it).
fn list_only(found: Option<Found<'_>>) -> Option<Found<'_>> {
    found.filter(|f| f.node.as_array().is_some())
}

/// Normalises, expands groups and drops blanks and repeats, keeping the order.
fn expand(entries: &[String]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    entries.iter().flat_map(|e| expand_entry(e)).filter(|e| !e.is_empty() && seen.insert(e.clone())).collect()
}
