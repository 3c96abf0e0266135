//! The entries of the registry file `sandbox/containers.json`; the file itself belongs to `oc-fs`.

use serde::{Deserialize, Serialize};

/// A container that was made for a scope key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The container's name.
    pub container_name: String,
    /// The scope key. The file calls it `sessionKey`.
    pub session_key: String,
    /// When it was created, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// When it was last used, in milliseconds since 1970.
    pub last_used_at_ms: u64,
    /// The image it was made from.
    pub image: String,
    /// Upstream's configuration hash; absent in entries of older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_hash: Option<String>,
}

/// The registry file's content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// The containers.
    pub entries: Vec<Entry>,
}

impl Registry {
    /// The scope key that owns a container name.
    #[must_use]
    pub fn owner(&self, container_name: &str) -> Option<&str> {
        self.entries.iter().find(|e| e.container_name == container_name).map(|e| e.session_key.as_str())
    }
}
