//! The entries of the two files, as upstream writes them. Members that this program does not know are kept.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::authority::Scopes;
use crate::protocol::connect::Role;

/// How long a request waits, in milliseconds.
pub const PENDING_TTL_MS: u64 = 300_000;
/// Most requests that wait at a time.
pub const MAX_PENDING: usize = 64;

/// A device that asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// Names the request.
    pub request_id: String,
    /// The device.
    pub device_id: String,
    /// Its key.
    pub public_key: String,
    /// For lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Its program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// How it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_mode: Option<String>,
    /// The role it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The scopes it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The commands that it offers as a node, sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<String>>,
    /// Where from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_ip: Option<String>,
    /// Whether nobody is to be asked.
    #[serde(default)]
    pub silent: bool,
    /// Whether the device was paired before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_repair: Option<bool>,
    /// When, in milliseconds since 1970.
    pub ts: u64,
    /// Members of other releases.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A device that was let in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paired {
    /// The device.
    pub device_id: String,
    /// Its key; a device with this id and another key is another device.
    pub public_key: String,
    /// For lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its system, pinned at pairing (SP-346).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Its program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// How it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_mode: Option<String>,
    /// The role it was first paired for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Every role it has.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Every scope it has.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The commands that it may offer as a node, pinned at pairing (SP-346); `None`: paired by a release that does not pin them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<String>>,
    /// Where from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_ip: Option<String>,
    /// Its tokens, by role.
    #[serde(default)]
    pub tokens: IndexMap<String, Token>,
    /// When it was first paired, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// When it was last approved.
    pub approved_at_ms: u64,
    /// Members of other releases.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A device's credential for one role. Its `Debug` shows no token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// 128 random bits, hexadecimal.
    pub token: String,
    /// The role.
    pub role: String,
    /// What it opens, sorted.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at_ms: u64,
    /// When it was made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at_ms: Option<u64>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<u64>,
    /// When it last opened the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at_ms: Option<u64>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("role", &self.role)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl Paired {
    /// As clients see it: of the tokens only what is no secret.
    #[must_use]
    pub fn as_wire(&self) -> Value {
        let mut out = serde_json::to_value(self).unwrap_or_default();
        let tokens: Vec<Value> = self.tokens.values().map(Token::as_wire).collect();
        if let Some(members) = out.as_object_mut() {
            members.insert("tokens".to_owned(), Value::Array(tokens));
        }
        out
    }

    /// Whether it was approved for a role.
    #[must_use]
    pub fn has_role(&self, role: Role) -> bool {
        self.role.iter().chain(&self.roles).any(|r| r == role.word())
    }

    /// What it was approved for.
    #[must_use]
    pub fn granted(&self) -> Scopes {
        Scopes::read(self.scopes.iter().map(String::as_str))
    }
}

impl Pending {
    /// As clients see it.
    #[must_use]
    pub fn as_wire(&self) -> Value {
        let mut out = serde_json::to_value(self).unwrap_or_default();
        if let Some(members) = out.as_object_mut() {
            members.insert("roles".to_owned(), self.role.iter().cloned().collect());
            members.entry("scopes").or_insert_with(|| Value::Array(Vec::new()));
            members.insert("isRepair".to_owned(), self.is_repair.unwrap_or(false).into());
        }
        out
    }

    /// What it asks for.
    #[must_use]
    pub fn wanted(&self) -> Scopes {
        Scopes::read(self.scopes.iter().flatten().map(String::as_str))
    }

    /// The role it asks for; without one, `operator`.
    #[must_use]
    pub fn wanted_role(&self) -> Option<Role> {
        self.role.as_deref().map_or(Some(Role::Operator), Role::parse)
    }
}

impl Token {
    /// What is no secret of it.
    #[must_use]
    pub fn as_wire(&self) -> Value {
        let mut out = serde_json::to_value(self).unwrap_or_default();
        if let Some(members) = out.as_object_mut() {
            members.shift_remove("token");
        }
        out
    }

    /// Whether it still opens the door.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.revoked_at_ms.is_none()
    }
}
