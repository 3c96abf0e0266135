//! `session` and `bindings`: which conversation a message belongs to and which agent answers it.

use super::kind::*;

/// Who shares a direct conversation.
pub(super) const DM_SCOPE: Kind = word(&["main", "per-peer", "per-channel-peer", "per-account-channel-peer"]);

/// Who shares a room.
pub(super) const GROUP_SCOPE: Kind = word(&["main", "per-group"]);

/// When a session starts afresh.
pub(super) const RESET: Kind = object(&[
    key("mode", word(&["daily", "idle"])),
    key("atHour", integer(0.0, 23.0)),
    key("idleMinutes", POSITIVE),
]);

/// `session`.
pub(super) const SESSION: Kind = object(&[
    key("scope", word(&["per-sender", "global"])),
    key("dmScope", DM_SCOPE),
    key("groupScope", GROUP_SCOPE).product(),
    key("identityLinks", map(&TEXTS)),
    key("resetTriggers", TEXTS),
    key("idleMinutes", POSITIVE),
    key("reset", RESET),
    key(
        "resetByType",
        object(&[key("direct", RESET), key("dm", RESET), key("group", RESET), key("thread", RESET)]),
    ),
    key("resetByChannel", map(&RESET)),
    key("store", TEXT),
    key("retention", either(&[word(&["off"]), form(Form::Span)])).product(),
    key("typingIntervalSeconds", POSITIVE),
    key("typingMode", word(&["never", "instant", "thinking", "message"])),
    key("mainKey", TEXT),
    key(
        "sendPolicy",
        object(&[
            key("default", word(&["allow", "deny"])),
            key(
                "rules",
                list(&object(&[
                    key("action", word(&["allow", "deny"])).required(),
                    key(
                        "match",
                        object(&[
                            key("channel", TEXT),
                            key("chatType", word(&["direct", "group", "channel", "dm"])),
                            key("keyPrefix", TEXT),
                        ]),
                    ),
                ])),
            ),
        ]),
    ),
    key("agentToAgent", object(&[key("maxPingPongTurns", integer(0.0, 5.0))])),
]);

/// `bindings`.
pub(super) const BINDINGS: Kind = list(&object(&[
    key("agentId", TEXT).required(),
    key("session", object(&[key("dmScope", DM_SCOPE), key("groupScope", GROUP_SCOPE)])).product(),
    key(
        "match",
        object(&[
            key("channel", TEXT).required(),
            key("accountId", TEXT),
            key(
                "peer",
                object(&[
                    key("kind", word(&["direct", "group", "channel", "dm"])).required(),
                    key("id", TEXT).required(),
                ]),
            ),
            key("guildId", TEXT),
            key("teamId", TEXT),
        ]),
    )
    .required(),
]));
