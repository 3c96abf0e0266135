//! Canonical names and group members of the entries of a sandbox tool list.

/// The names an entry stands for: itself in canonical form, or the members of the group it names.
pub(super) fn expand_entry(entry: &str) -> Vec<String> {
    let name = entry.trim().to_lowercase();
    let members: &[&str] = match name.as_str() {
        "bash" => &["exec"],
        "apply-patch" => &["apply_patch"],
        "group:runtime" => &["exec", "process"],
        "group:fs" => &["read", "write", "edit", "apply_patch"],
        "group:sessions" => {
            &["sessions_list", "sessions_history", "sessions_send", "sessions_spawn", "session_status"]
        }
        "group:memory" => &["memory_search", "memory_get"],
        "group:web" => &["web_search", "web_fetch"],
        "group:ui" => &["browser", "canvas"],
        "group:automation" => &["cron", "gateway"],
        "group:messaging" => &["message"],
        "group:nodes" => &["nodes"],
        "group:agents" => &["agents_list"],
        "group:media" => &["image", "tts"],
        "group:openclaw" => &[
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
        _ => return vec![name],
    };
    members.iter().map(|m| (*m).to_owned()).collect()
}
