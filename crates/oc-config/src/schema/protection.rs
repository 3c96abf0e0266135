//! Which keys are protected (SP-062): who may change them, and which changes the change log shows first.

use oc_types::{KeyPath, Segment};

use super::lookup;

/// Keys that decide who may talk, what may be used, where it runs, what is seen from outside, and what is recorded.
/// A pattern covers everything below it; `*` is any one step.
const PROTECTED: &[&[&str]] = &[
    &["gateway"],
    &["security"],
    &["tools"],
    &["approvals"],
    &["plugins"],
    &["hooks"],
    &["channels"],
    &["auth"],
    &["mcp"],
    &["browser"],
    &["nodeHost"],
    &["discovery"],
    &["canvasHost"],
    &["bindings"],
    &["broadcast"],
    &["commands"],
    &["env"],
    &["cron"],
    &["skills"],
    &["web"],
    &["update"],
    &["diagnostics"],
    &["memory"],
    &["models"],
    &["logging"],
    &["audio"],
    &["session", "dmScope"],
    &["session", "groupScope"],
    &["session", "scope"],
    &["session", "mainKey"],
    &["session", "identityLinks"],
    &["session", "store"],
    &["session", "sendPolicy"],
    &["session", "agentToAgent"],
    &["agents", "defaults", "sandbox"],
    &["agents", "defaults", "elevatedDefault"],
    &["agents", "defaults", "verboseDefault"],
    &["agents", "defaults", "reasoningDefault"],
    &["agents", "defaults", "readOnlyMode"],
    &["agents", "defaults", "workspace"],
    &["agents", "defaults", "repoRoot"],
    &["agents", "defaults", "cliBackends"],
    &["agents", "defaults", "memorySearch"],
    &["agents", "defaults", "skills"],
    &["agents", "defaults", "subagents"],
    &["agents", "defaults", "heartbeat"],
    &["agents", "list", "*", "id"],
    &["agents", "list", "*", "default"],
    &["agents", "list", "*", "sandbox"],
    &["agents", "list", "*", "tools"],
    &["agents", "list", "*", "verboseDefault"],
    &["agents", "list", "*", "reasoningDefault"],
    &["agents", "list", "*", "readOnlyMode"],
    &["agents", "list", "*", "workspace"],
    &["agents", "list", "*", "agentDir"],
    &["agents", "list", "*", "memorySearch"],
    &["agents", "list", "*", "skills"],
    &["agents", "list", "*", "subagents"],
    &["agents", "list", "*", "heartbeat"],
];

/// The only keys that a model, a chat command or a client without the admin scope may ever write.
const CHAT_WRITABLE: &[&[&str]] = &[
    &["ui"],
    &["messages", "messagePrefix"],
    &["messages", "responsePrefix"],
    &["messages", "ackReaction"],
    &["messages", "ackReactionScope"],
    &["messages", "removeAckAfterReply"],
    &["messages", "queue"],
    &["messages", "inbound"],
    &["media", "preserveFilenames"],
    &["session", "reset"],
    &["session", "resetByType"],
    &["session", "resetByChannel"],
    &["session", "idleMinutes"],
    &["session", "typingIntervalSeconds"],
    &["session", "typingMode"],
    &["agents", "defaults", "userTimezone"],
    &["agents", "defaults", "timeFormat"],
    &["agents", "defaults", "envelopeTimezone"],
    &["agents", "defaults", "envelopeTimestamp"],
    &["agents", "defaults", "envelopeElapsed"],
    &["agents", "defaults", "thinkingDefault"],
    &["agents", "defaults", "blockStreamingDefault"],
    &["agents", "defaults", "blockStreamingBreak"],
    &["agents", "defaults", "blockStreamingChunk"],
    &["agents", "defaults", "blockStreamingCoalesce"],
    &["agents", "defaults", "humanDelay"],
    &["agents", "defaults", "typingIntervalSeconds"],
    &["agents", "defaults", "typingMode"],
    &["agents", "list", "*", "name"],
    &["agents", "list", "*", "humanDelay"],
];

/// Whether a key is protected: its changes are shown first in the change log, and a write needs an operator with the
/// admin scope. A path above a protected key (`agents`, the root) counts, since replacing it replaces the key; so does a
/// path that the vocabulary does not know.
#[must_use]
pub fn is_security_key(path: &KeyPath) -> bool {
    lookup(path).is_none() || PROTECTED.iter().any(|pattern| related(pattern, path.segments()))
}

/// Whether a write that comes from a model, a chat command or a client without the admin scope may touch this key. To be
/// asked for every key path of the resulting difference, not for the request (SP-062).
#[must_use]
pub fn is_chat_writable(path: &KeyPath) -> bool {
    !is_security_key(path) && CHAT_WRITABLE.iter().any(|pattern| covers(pattern, path.segments()))
}

/// Whether a path equals a pattern or lies below it.
fn covers(pattern: &[&str], path: &[Segment]) -> bool {
    path.len() >= pattern.len() && agree(pattern, path)
}

/// Whether a path lies below a pattern, equals it, or lies above it.
fn related(pattern: &[&str], path: &[Segment]) -> bool {
    agree(pattern, path)
}

fn agree(pattern: &[&str], path: &[Segment]) -> bool {
    pattern.iter().zip(path).all(|(want, have)| match have {
        Segment::Key(name) => *want == "*" || want == name,
        Segment::Index(_) => *want == "*",
    })
}
