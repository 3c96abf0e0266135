//! Names that belong to the gate and never come from a caller (SP-176).

use serde_json::{Map, Value as Json};

/// Members that decide, approve or say who asks. Compared without case, `_` and `-`.
const INTERNAL: &[&str] = &[
    "approved",
    "approval",
    "approvalid",
    "approvaldecision",
    "decision",
    "verdict",
    "authorized",
    "authorizedcall",
    "binding",
    "consumed",
    "resolvedby",
    "resolvedpath",
    "resolvedat",
    "runid",
    // A second spelling of the command (SP-146).
    "argv",
    "rawcommand",
    "commandargv",
    "plan",
    "systemrunplan",
    "trusted",
    "bypass",
    "owner",
    "isowner",
    "senderisowner",
    "sender",
    "senderid",
    "agentid",
    "sessionkey",
    "spawnedby",
    "sandboxed",
    "issandboxed",
    "place",
    "backend",
    "workspacedir",
    "elevatedallowed",
    "elevatedlevel",
];

/// The first internal name among a core tool's arguments.
#[must_use]
pub fn internal_name(arguments: &Map<String, Json>) -> Option<&str> {
    let plain = |name: &str| -> String {
        name.trim().chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
    };
    arguments.keys().map(String::as_str).find(|name| INTERNAL.contains(&plain(name).as_str()))
}
