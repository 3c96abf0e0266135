//! Tool names: one canonical form for policies, candidates and reports (SP-102).
//!
//! Canonical = trimmed, lower case, alias resolved. What is shown keeps the spelling it came with; what is compared never does.

use std::borrow::Cow;

/// `(alias, canonical name)`. The seeds say `bash` and `cron`; newer configurations say `automations`.
pub const ALIASES: &[(&str, &str)] =
    &[("bash", "exec"), ("apply-patch", "apply_patch"), ("automations", "cron")];

/// The tools the product itself offers, in the order reports list them.
pub const CORE: &[&str] = &[
    "read",
    "edit",
    "write",
    "apply_patch",
    "exec",
    "process",
    "browser",
    "canvas",
    "nodes",
    "cron",
    "message",
    "tts",
    "gateway",
    "agents_list",
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "session_status",
    "web_search",
    "web_fetch",
    "image",
];

/// Tools of the shipped memory plugin, `memory-core`.
pub const MEMORY: &[&str] = &["memory_search", "memory_get"];

/// The plugin that owns [`MEMORY`].
pub const MEMORY_PLUGIN: &str = "memory-core";

/// The login tool of the WhatsApp channel: owner-only.
pub const WHATSAPP_LOGIN: &str = "whatsapp_login";

/// Channel ids that are known names in tool lists: there they say where `message` may go (tool-policy 2.2).
pub const CHANNELS: &[&str] = &[
    "telegram",
    "whatsapp",
    "discord",
    "googlechat",
    "slack",
    "signal",
    "imessage",
    "bluebubbles",
    "feishu",
    "irc",
    "line",
    "matrix",
    "mattermost",
    "msteams",
    "nextcloud-talk",
    "nostr",
    "tlon",
    "twitch",
    "webchat",
    "zalo",
    "zalouser",
];

/// Longest text looked at when a name is compared or suggested; a longer one is no tool's name.
pub const MAX_NAME: usize = 256;

/// The canonical form: trimmed, lower case, alias resolved. Allocates only when the case has to change.
#[must_use]
pub fn canonical(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let folded: Cow<'_, str> = if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    };
    match ALIASES.iter().find(|(alias, _)| *alias == folded) {
        Some((_, name)) => Cow::Borrowed(*name),
        None => folded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sp_102_aliases_meet_in_one_form_from_both_directions() {
        for (alias, name) in ALIASES {
            assert_eq!(canonical(alias), *name);
            assert_eq!(canonical(name), *name, "a canonical name is no alias");
            assert_eq!(canonical(&format!("  {}\t", alias.to_uppercase())), *name);
        }
        assert_eq!(canonical(" Read "), "read");
        assert_eq!(canonical("ÄRGER"), "ärger");
        assert_eq!(canonical(""), "");
    }
}
