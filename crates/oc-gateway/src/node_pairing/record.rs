//! The entries of the two files, as upstream writes them. Members that this program does not know are kept.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a node says of itself. Nothing of it is trusted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// For lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Its program's release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The release of the program's core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_version: Option<String>,
    /// The release of its surface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui_version: Option<String>,
    /// Its kind of device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_family: Option<String>,
    /// Its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_identifier: Option<String>,
    /// Groups of commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caps: Option<Vec<String>>,
    /// Commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<String>>,
    /// Where from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_ip: Option<String>,
    /// Whether it asks that nobody be asked. It is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<bool>,
}

/// A node that asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodePending {
    /// Names the request.
    pub request_id: String,
    /// The node.
    pub node_id: String,
    /// What it says of itself.
    #[serde(flatten)]
    pub about: About,
    /// Whether it was paired before.
    #[serde(default)]
    pub is_repair: bool,
    /// When, in milliseconds since 1970.
    pub ts: u64,
    /// Members of other releases.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A node that was paired. Its `Debug` shows no token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PairedNode {
    /// The node.
    pub node_id: String,
    /// Its token.
    pub token: String,
    /// What it said of itself when it was approved.
    #[serde(flatten)]
    pub about: About,
    /// When it was first paired, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// When it was last approved.
    pub approved_at_ms: u64,
    /// When it was last connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_connected_at_ms: Option<u64>,
    /// Members of other releases.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl PairedNode {
    /// For lists: everything but the token.
    #[must_use]
    pub fn shown(&self) -> Value {
        let mut out = serde_json::to_value(self).unwrap_or(Value::Null);
        if let Value::Object(members) = &mut out {
            members.shift_remove("token");
        }
        out
    }
}

impl std::fmt::Debug for PairedNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairedNode").field("node_id", &self.node_id).finish_non_exhaustive()
    }
}
