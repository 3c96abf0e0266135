//! Where older keys, and keys that people look for in the wrong place, stand today.

use oc_types::{KeyPath, Segment};

/// One key that has moved.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    /// The older path; `*` is any one step.
    pub from: &'static str,
    /// Where it stands today; `<id>` is the default agent's entry.
    pub to: &'static str,
    /// Whether [`crate::migrate::migrate`] moves it. The others only earn a hint.
    pub migrated: bool,
}

const fn migrated(from: &'static str, to: &'static str) -> Move {
    Move { from, to, migrated: true }
}

const fn hint(from: &'static str, to: &'static str) -> Move {
    Move { from, to, migrated: false }
}

/// The listed moves, more specific ones first.
pub const MOVES: &[Move] = &[
    migrated("gateway.token", "gateway.auth.token"),
    migrated("messages.tts.enabled", "messages.tts.auto"),
    migrated("tools.bash", "tools.exec"),
    migrated("agents.list.*.tools.bash", "agents.list[].tools.exec"),
    migrated("telegram.requireMention", "channels.telegram.groups.*.requireMention"),
    migrated("channels.telegram.requireMention", "channels.telegram.groups.*.requireMention"),
    migrated("whatsapp", "channels.whatsapp"),
    migrated("telegram", "channels.telegram"),
    migrated("discord", "channels.discord"),
    migrated("slack", "channels.slack"),
    migrated("signal", "channels.signal"),
    migrated("imessage", "channels.imessage"),
    migrated("msteams", "channels.msteams"),
    migrated("identity", "agents.list[].identity"),
    migrated("routing.allowFrom", "channels.whatsapp.allowFrom"),
    migrated("routing.bindings", "bindings"),
    migrated("routing.agents", "agents.list"),
    migrated("routing.defaultAgentId", "agents.list[].default"),
    migrated("routing.agentToAgent", "tools.agentToAgent"),
    migrated("routing.queue", "messages.queue"),
    migrated("routing.transcribeAudio", "audio.transcription"),
    migrated("routing.groupChat.requireMention", "channels.<channel>.groups.*.requireMention"),
    migrated("routing.groupChat.mentionPatterns", "messages.groupChat.mentionPatterns"),
    migrated("agent.model", "agents.defaults.model.primary"),
    migrated("agent.imageModel", "agents.defaults.imageModel.primary"),
    migrated("agent.allowedModels", "agents.defaults.models"),
    migrated("agent.modelAliases", "agents.defaults.models.*.alias"),
    migrated("agent.modelFallbacks", "agents.defaults.model.fallbacks"),
    migrated("agent.imageModelFallbacks", "agents.defaults.imageModel.fallbacks"),
    migrated("agent.tools", "tools"),
    migrated("agent.elevated", "tools.elevated"),
    migrated("agent.bash", "tools.exec"),
    migrated("agent", "agents.defaults"),
    hint("routing", "bindings, agents.list, messages and tools"),
    hint("channels.discord.dmPolicy", "channels.discord.dm.policy"),
    hint("channels.discord.allowFrom", "channels.discord.dm.allowFrom"),
    hint("channels.slack.dmPolicy", "channels.slack.dm.policy"),
    hint("channels.slack.allowFrom", "channels.slack.dm.allowFrom"),
    hint("channels.googlechat.dmPolicy", "channels.googlechat.dm.policy"),
    hint("channels.googlechat.allowFrom", "channels.googlechat.dm.allowFrom"),
    hint("channels.matrix.dmPolicy", "channels.matrix.dm.policy"),
    hint("channels.matrix.allowFrom", "channels.matrix.dm.allowFrom"),
    hint("channels.*.dm.policy", "channels.<channel>.dmPolicy"),
    hint("channels.*.dm.allowFrom", "channels.<channel>.allowFrom"),
    hint("channels.*.dm", "channels.<channel>.dmPolicy"),
    hint("agents.defaults.tools", "tools"),
    hint("sandbox", "agents.defaults.sandbox"),
    hint("mdns", "discovery.mdns"),
    hint("elevated", "tools.elevated"),
];

/// Where the key at a path stands today, if it is one of [`MOVES`].
#[must_use]
pub fn target(path: &KeyPath) -> Option<String> {
    let found = MOVES.iter().find(|m| matches(m.from, path))?;
    let channel = match path.segments().get(1) {
        Some(Segment::Key(k)) => k.as_str(),
        _ => "<channel>",
    };
    Some(found.to.replace("<channel>", channel))
}

fn matches(pattern: &str, path: &KeyPath) -> bool {
    let mut parts = pattern.split('.');
    let agree = path.segments().iter().all(|s| match (parts.next(), s) {
        (Some("*"), _) => true,
        (Some(want), Segment::Key(have)) => want == have,
        (_, Segment::Index(_)) | (None, Segment::Key(_)) => false,
    });
    agree && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{lookup, places};

    #[test]
    fn sp_050_no_moved_key_is_still_a_key_and_every_target_is_one() {
        for m in MOVES {
            let old = KeyPath::dotted(&m.from.replace(".*", ".0"));
            if !m.from.starts_with("channels.*") {
                assert!(lookup(&old).is_none(), "{} still exists", m.from);
            }
            if !m.to.contains('<') && !m.to.contains(' ') {
                let want = m.to.replace(".*", "");
                assert!(places().iter().any(|p| p.pattern.replace(".*", "") == want), "{} is no key", m.to);
            }
        }
    }

    #[test]
    fn targets_name_the_channel() {
        assert_eq!(
            target(&KeyPath::dotted("channels.signal.dm.policy")).unwrap(),
            "channels.signal.dmPolicy"
        );
        assert_eq!(target(&KeyPath::dotted("gateway.token")).unwrap(), "gateway.auth.token");
        assert_eq!(target(&KeyPath::dotted("gateway.auth.token")), None);
    }
}
