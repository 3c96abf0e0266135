//! `channels.signal`.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("capabilities", TEXTS),
    key("markdown", shared::MARKDOWN),
    key("enabled", BOOL),
    key("configWrites", BOOL),
    key("account", TEXT),
    key("httpUrl", TEXT),
    key("httpHost", TEXT),
    key("httpPort", POSITIVE),
    key("cliPath", TEXT),
    key("autoStart", BOOL),
    key("startupTimeoutMs", integer(1000.0, 120000.0)),
    key("receiveMode", word(&["on-start", "manual"])),
    key("ignoreAttachments", BOOL),
    key("ignoreStories", BOOL),
    key("sendReadReceipts", BOOL),
    key("dmPolicy", shared::DM_POLICY).default(Literal::Text("pairing")),
    key("allowFrom", ENTRIES),
    key("groupAllowFrom", ENTRIES),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("dms", shared::DMS),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("blockStreaming", BOOL),
    key("blockStreamingCoalesce", shared::COALESCE),
    key("mediaMaxMb", POSITIVE),
    key("reactionNotifications", word(&["off", "own", "all", "allowlist"])),
    key("reactionAllowlist", ENTRIES),
    key("actions", object(&[key("reactions", BOOL)])),
    key("reactionLevel", word(&["off", "ack", "minimal", "extensive"])),
    key("heartbeat", shared::VISIBILITY),
    key("responsePrefix", TEXT),
    key(
        "groups",
        map(&object(&[
            key("requireMention", BOOL),
            key("tools", shared::ROOM_POLICY),
            key("toolsBySender", shared::SENDER_POLICIES),
        ])),
    )
    .product(),
];

/// One account.
const ACCOUNT: Kind = joined(&[KEYS, shared::EVERY, &[]]);

/// `channels.signal`.
pub(super) const CHANNEL: Kind = Kind::Joined(&[
    KEYS,
    shared::EVERY,
    &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT).product()],
]);
