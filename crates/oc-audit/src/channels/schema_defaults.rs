//! What the configuration schema fills in for a channel section before accounts are laid over it.

/// Channels whose section the core schema knows.
const CORE: [&str; 9] = [
    "telegram",
    "whatsapp",
    "discord",
    "googlechat",
    "slack",
    "signal",
    "imessage",
    "msteams",
    "bluebubbles",
];

/// Whether the core schema knows this channel's section.
#[must_use]
pub fn is_core(channel: &str) -> bool {
    CORE.contains(&channel)
}

/// The group policy that an unset key of a known channel means.
#[must_use]
pub fn group_policy(channel: &str) -> Option<&'static str> {
    is_core(channel).then_some("allowlist")
}

/// The DM policy that an unset key of a known channel means.
#[must_use]
pub fn dm_policy(channel: &str) -> Option<&'static str> {
    is_core(channel).then_some("pairing")
}
