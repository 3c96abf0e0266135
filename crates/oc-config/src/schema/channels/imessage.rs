//! `channels.imessage`.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("capabilities", TEXTS),
    key("markdown", shared::MARKDOWN),
    key("enabled", BOOL),
    key("configWrites", BOOL),
    key("cliPath", TEXT),
    key("dbPath", TEXT),
    key("remoteHost", TEXT),
    key("service", word(&["imessage", "sms", "auto"])),
    key("region", TEXT),
    key("dmPolicy", shared::DM_POLICY).default(Literal::Text("pairing")),
    key("allowFrom", ENTRIES),
    key("groupAllowFrom", ENTRIES),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("dms", shared::DMS),
    key("includeAttachments", BOOL),
    key("mediaMaxMb", POSITIVE),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("blockStreaming", BOOL),
    key("blockStreamingCoalesce", shared::COALESCE),
    key(
        "groups",
        map(&object(&[
            key("requireMention", BOOL),
            key("tools", shared::ROOM_POLICY),
            key("toolsBySender", shared::SENDER_POLICIES),
        ])),
    ),
    key("heartbeat", shared::VISIBILITY),
    key("responsePrefix", TEXT),
];

/// One account.
const ACCOUNT: Kind = joined(&[KEYS, shared::EVERY, &[]]);

/// `channels.imessage`.
pub(super) const CHANNEL: Kind = Kind::Joined(&[
    KEYS,
    shared::EVERY,
    &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT).product()],
]);
