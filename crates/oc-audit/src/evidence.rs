//! What goes into an evidence bundle, and what must not: masks over everything, and which configuration changes tell about exposure.
//!
//! Invariant: of a secret that is known nothing is left, in whatever common spelling; what only looks like one is masked by its pattern.

use oc_config::change_log::Record;
use oc_text::Redactor;
use oc_text::redact::is_sensitive_name;
use serde_json::Value;

mod spellings;
#[cfg(test)]
mod tests;

/// What stands in place of a known secret.
const MASK: &str = "***";
/// Shortest text that is looked for as a secret, in characters: shorter ones stand in every second word.
const SHORTEST: usize = 6;
/// Longest text of one member, in characters; longer ones are cut.
const LONGEST: usize = 8_000;

/// The masks of one set-up.
pub struct Masks {
    /// Longest first, so that no part of a longer one is masked before the whole.
    known: Vec<String>,
    redactor: Redactor,
}

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masks({} secrets, not shown)", self.known.len())
    }
}

impl Masks {
    /// Masks these secrets, and what the patterns find.
    #[must_use]
    pub fn new<I: IntoIterator<Item = String>>(secrets: I, redactor: Redactor) -> Self {
        let mut known: Vec<String> = secrets
            .into_iter()
            .map(|s| s.trim().to_owned())
            .filter(|s| s.chars().count() >= SHORTEST)
            .flat_map(|s| spellings::of(&s))
            .collect();
        known.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        known.dedup();
        Self { known, redactor }
    }

    /// How many secrets are known, every spelling counted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// A text without them.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for secret in self.known.iter().filter(|s| text.contains(s.as_str())) {
            out = out.replace(secret.as_str(), MASK);
        }
        self.redactor.redact(&out)
    }

    /// Data without them: keys and values, and everything under a key that is named like a credential. Long texts are cut.
    #[must_use]
    pub fn json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(cut(&self.text(text))),
            Value::Array(items) => items.iter().map(|v| self.json(v)).collect(),
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(k, v)| {
                        let hide = is_sensitive_name(k) && matches!(v, Value::String(s) if !s.is_empty());
                        (self.text(k), if hide { MASK.into() } else { self.json(v) })
                    })
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// A line of a log or transcript: masked as data when it is JSON, else as text.
    #[must_use]
    pub fn line(&self, line: &str) -> Value {
        match serde_json::from_str::<Value>(line) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => self.json(&value),
            _ => Value::String(cut(&self.text(line))),
        }
    }

    /// Whether a known secret stands in a text all the same. The bundle is not written then.
    #[must_use]
    pub fn leaks(&self, text: &str) -> bool {
        self.known.iter().any(|s| text.contains(s.as_str()))
    }
}

fn cut(text: &str) -> String {
    let length = text.chars().count();
    if length <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST).collect();
    format!("{kept}… ({} characters more)", length - LONGEST)
}

/// The texts in the data of a credential file that may be secrets: everything under a key that is named like one, and every long word.
#[must_use]
pub fn secrets_in(value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    collect(value, false, &mut out);
    out
}

/// Members of the stores that name somebody and open nothing: a report is about them.
const PUBLIC: [&str; 4] = ["deviceId", "nodeId", "requestId", "publicKey"];

fn collect(value: &Value, named: bool, out: &mut Vec<String>) {
    /// A word of this many characters is taken for a secret whatever its key is called.
    const LONG_WORD: usize = 20;
    match value {
        Value::String(text) => {
            let word = text.chars().count() >= LONG_WORD && !text.contains([' ', '/', '\n']);
            if named || word {
                out.push(text.clone());
                // Keys in several lines are quoted line by line.
                out.extend(
                    text.lines()
                        .filter(|l| text.contains('\n') && !l.starts_with("-----"))
                        .map(str::to_owned),
                );
            }
        }
        Value::Array(items) => items.iter().for_each(|v| collect(v, named, out)),
        Value::Object(members) => {
            for (k, v) in members.iter().filter(|(k, _)| !PUBLIC.contains(&k.as_str())) {
                collect(v, named || is_named(k), out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_named(key: &str) -> bool {
    let key = key.to_lowercase();
    let words =
        ["key", "pem", "private", "access", "refresh", "cookie", "cred", "passw", "auth", "noise", "signed"];
    is_sensitive_name(&key) || words.iter().any(|w| key.contains(w))
}

/// The texts in a credential file that is no JSON: every word that is long enough.
#[must_use]
pub fn secrets_in_text(text: &str) -> Vec<String> {
    let mark = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '{' | '}' | '[' | ']');
    text.split(mark).filter(|w| w.chars().count() >= 12).map(str::to_owned).collect()
}

/// What decides who reaches the gateway and who may write, by the start of the key path (seed A: changes that may have widened access).
const EXPOSURE: [&str; 10] = [
    "gateway.bind",
    "gateway.customBindHost",
    "gateway.port",
    "gateway.auth",
    "gateway.tailscale",
    "gateway.trustedProxies",
    "gateway.controlUi",
    "gateway.tls",
    "discovery",
    "hooks",
];

/// The records that changed who reaches the gateway, with only those keys.
#[must_use]
pub fn exposure_history(records: &[Record]) -> Vec<Record> {
    let mut out = Vec::new();
    for record in records {
        let mut kept = record.clone();
        kept.changes.retain(|c| EXPOSURE.iter().any(|start| starts(&c.path, start)));
        if !kept.changes.is_empty() {
            out.push(kept);
        }
    }
    out
}

fn starts(path: &str, start: &str) -> bool {
    path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
