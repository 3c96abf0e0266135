//! Tool groups: short names for sets of tools (seed: tool groups; tool-policy 1.3).
//!
//! Group names are compared in canonical form (any case). A pattern with `*` never names a group.

/// Expands to every plugin-owned tool present; only layers that know the inventory can expand it.
pub const PLUGINS: &str = "group:plugins";

/// Every fixed group with its members, canonical names.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("group:runtime", &["exec", "process"]),
    ("group:fs", &["read", "write", "edit", "apply_patch"]),
    (
        "group:sessions",
        &["sessions_list", "sessions_history", "sessions_send", "sessions_spawn", "session_status"],
    ),
    ("group:memory", &["memory_search", "memory_get"]),
    ("group:web", &["web_search", "web_fetch"]),
    ("group:ui", &["browser", "canvas"]),
    ("group:automation", &["cron", "gateway"]),
    ("group:messaging", &["message"]),
    ("group:nodes", &["nodes"]),
    ("group:agents", &["agents_list"]),
    ("group:media", &["image", "tts"]),
    (
        "group:openclaw",
        &[
            "browser",
            "canvas",
            "nodes",
            "cron",
            "message",
            "gateway",
            "agents_list",
            "sessions_list",
            "sessions_history",
            "sessions_send",
            "sessions_spawn",
            "session_status",
            "memory_search",
            "memory_get",
            "web_search",
            "web_fetch",
            "image",
        ],
    ),
];

/// The members of a group, `None` when the canonical name is no fixed group.
#[must_use]
pub fn members(canonical: &str) -> Option<&'static [&'static str]> {
    if !canonical.starts_with("group:") {
        return None;
    }
    GROUPS.iter().find(|(name, _)| *name == canonical).map(|(_, tools)| *tools)
}

/// The groups that a tool belongs to, for suggestions.
pub fn groups_of(tool: &str) -> impl Iterator<Item = &'static str> + '_ {
    GROUPS.iter().filter(move |(_, tools)| tools.contains(&tool)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool_name::{CORE, MEMORY};

    #[test]
    fn every_member_is_a_shipped_tool() {
        for (group, tools) in GROUPS {
            for t in *tools {
                assert!(CORE.contains(t) || MEMORY.contains(t), "{group} names {t}");
            }
        }
    }

    #[test]
    fn a_glob_or_an_unknown_word_is_no_group() {
        assert_eq!(members("group:*"), None);
        assert_eq!(members("group:nope"), None);
        assert_eq!(members("exec"), None);
    }
}
