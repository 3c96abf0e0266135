//! Tools over HTTP (`POST /tools/invoke`): a deny list in front of the layers (SP-117; tool-policy 9).
//!
//! Only the product's own tools are offered there, and of those not the file and shell tools. Whatever `gateway.tools.allow`
//! re-enables still has to pass every layer.

use oc_types::{KeyPath, Node};

use crate::inventory::{Inventory, Tool};
use crate::tool_name::canonical;
use crate::tool_policy::list::{List, Place};
use crate::tool_policy::matcher::{Candidate, Side, entry_matches};

/// Refused over HTTP unless `gateway.tools.allow` names it: control of sessions, of the gateway, of nodes; logins; anything that
/// runs or writes.
pub const DEFAULT_DENY: &[&str] = &[
    "exec",
    "spawn",
    "shell",
    "process",
    "fs_write",
    "fs_delete",
    "fs_move",
    "apply_patch",
    "terminal",
    "portal",
    "sessions_spawn",
    "sessions_send",
    "conversations_list",
    "conversations_send",
    "conversations_turn",
    "cron",
    "gateway",
    "plugins",
    "nodes",
    "computer",
    "mobile_ui",
    "openclaw",
    "whatsapp_login",
];

/// Never offered over HTTP, whatever is configured: they belong to the agent's own turn.
pub const NOT_OFFERED: &[&str] = &["read", "write", "edit", "apply_patch", "exec", "process"];

/// Why a tool is not offered over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpRefusal {
    /// One of [`NOT_OFFERED`].
    NotOffered,
    /// In [`DEFAULT_DENY`], and `gateway.tools.allow` does not name it.
    DefaultDeny,
    /// In `gateway.tools.deny`.
    ConfiguredDeny,
}

/// The HTTP door's own rule: which tools may be asked for at all. Denied wins over re-enabled.
#[must_use]
pub fn refusal(config: &Node, inventory: &Inventory, tool: &str) -> Option<HttpRefusal> {
    let name = canonical(tool);
    if NOT_OFFERED.contains(&&*name) {
        return Some(HttpRefusal::NotOffered);
    }
    let place = Place::root(KeyPath::keys(["gateway", "tools"]));
    let rules = config.path(&["gateway", "tools"]);
    let list = |key: &str| rules.and_then(|r| List::read(r, key, &place));
    let candidate = Candidate { id: inventory.id(&name), name: &name };
    let names =
        |list: &List, side| list.entries.iter().any(|e| entry_matches(&e.text, candidate, inventory, side));
    if list("deny").is_some_and(|l| l.malformed || names(&l, Side::Deny)) {
        return Some(HttpRefusal::ConfiguredDeny);
    }
    if !DEFAULT_DENY.contains(&&*name) {
        return None;
    }
    // Re-enabling takes the tool's own name: neither a pattern nor a group opens this door.
    let named = |l: &List| l.entries.iter().any(|e| canonical(&e.text) == name);
    if list("allow").is_some_and(|l| named(&l)) { None } else { Some(HttpRefusal::DefaultDeny) }
}

/// The candidates that the HTTP door lets through to the layers.
#[must_use]
pub fn offered(config: &Node, inventory: &Inventory) -> Vec<Tool> {
    inventory.tools().iter().filter(|t| refusal(config, inventory, t.name()).is_none()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use oc_types::Origin;
    use serde_json::json;

    fn ask(config: serde_json::Value, tool: &str) -> Option<HttpRefusal> {
        refusal(&Node::from_json(&config, &Origin::Default), &Inventory::standard(), tool)
    }

    #[test]
    fn sp_117_http_starts_from_a_deny_list() {
        for tool in
            ["sessions_spawn", "Sessions_Send", "cron", "automations", "gateway", "nodes", "whatsapp_login"]
        {
            assert_eq!(ask(json!({}), tool), Some(HttpRefusal::DefaultDeny), "{tool}");
            let name = canonical(tool).into_owned();
            assert_eq!(ask(json!({"gateway": {"tools": {"allow": [name.clone()]}}}), tool), None);
            let both = json!({"gateway": {"tools": {"allow": [name.clone()], "deny": [name]}}});
            assert_eq!(ask(both, tool), Some(HttpRefusal::ConfiguredDeny));
            for wide in ["*", "group:openclaw", "group:sessions", "c*"] {
                let config = json!({"gateway": {"tools": {"allow": [wide]}}});
                assert_eq!(ask(config, tool), Some(HttpRefusal::DefaultDeny), "{wide} opens {tool}");
            }
        }
        for tool in NOT_OFFERED {
            let config = json!({"gateway": {"tools": {"allow": [tool]}}});
            assert_eq!(ask(config, tool), Some(HttpRefusal::NotOffered));
        }
        assert_eq!(ask(json!({}), "sessions_list"), None);
        assert_eq!(
            ask(json!({"gateway": {"tools": {"deny": "oops"}}}), "sessions_list"),
            Some(HttpRefusal::ConfiguredDeny)
        );
    }
}
