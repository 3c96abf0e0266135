//! Who is there: the presence list (gateway 12). Pure; time is an argument.

use serde::Serialize;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// How long an entry lives without news, in milliseconds.
pub const TTL_MS: u64 = 300_000;
/// Most entries.
pub const MAX: usize = 200;

/// One entry, as the protocol has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members of the protocol name themselves")]
pub struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_family: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_input_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    pub ts: u64,
}

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    entries: Vec<(String, Entry)>,
    version: u64,
}

impl Presence {
    /// Adds or replaces an entry. The key is compared without regard to case; roles and scopes of an earlier entry are kept beside the new
    /// ones.
    pub fn put(&mut self, key: &str, entry: Entry, now_ms: u64) {
        let key = key.to_lowercase();
        let mut entry = Entry { ts: now_ms, ..entry };
        if let Some(at) = self.entries.iter().position(|(k, _)| *k == key) {
            let (_, old) = self.entries.remove(at);
            for role in old.roles {
                if !entry.roles.contains(&role) {
                    entry.roles.push(role);
                }
            }
            for scope in old.scopes {
                if !entry.scopes.contains(&scope) {
                    entry.scopes.push(scope);
                }
            }
        }
        if entry.text.is_none() {
            entry.text = Some(sentence(&entry));
        }
        self.entries.insert(0, (key, entry));
        self.expire(now_ms);
        self.entries.truncate(MAX);
        self.version = self.version.saturating_add(1);
    }

    /// Says why an entry changed, when there is one.
    pub fn note(&mut self, key: &str, reason: &str, now_ms: u64) {
        let key = key.to_lowercase();
        if let Some((_, mut entry)) = self.take(&key) {
            entry.reason = Some(reason.to_owned());
            entry.ts = now_ms;
            self.entries.insert(0, (key, entry));
        }
        self.version = self.version.saturating_add(1);
    }

    fn take(&mut self, key: &str) -> Option<(String, Entry)> {
        let at = self.entries.iter().position(|(k, _)| k == key)?;
        Some(self.entries.remove(at))
    }

    fn expire(&mut self, now_ms: u64) {
        self.entries.retain(|(_, e)| now_ms.saturating_sub(e.ts) < TTL_MS);
    }

    /// The list, the gateway's own entry first, then the newest.
    #[must_use]
    pub fn list(&mut self, own: &Entry, now_ms: u64) -> Vec<Entry> {
        self.expire(now_ms);
        let own = Entry { ts: now_ms, text: Some(sentence(own)), ..own.clone() };
        std::iter::once(own).chain(self.entries.iter().map(|(_, e)| e.clone())).collect()
    }

    /// Counts the changes.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }
}

/// One line for people.
fn sentence(entry: &Entry) -> String {
    let name = entry.host.as_deref().unwrap_or("unknown");
    let mode = entry.mode.as_deref().unwrap_or("unknown");
    let kind = if mode == "gateway" { "Gateway" } else { "Client" };
    format!("{kind}: {} · mode {}", oc_text::visible(name, 60), oc_text::visible(mode, 20))
}

/// The list as the protocol sends it.
#[must_use]
pub fn as_json(entries: &[Entry]) -> Value {
    serde_json::to_value(entries).unwrap_or_default()
}
