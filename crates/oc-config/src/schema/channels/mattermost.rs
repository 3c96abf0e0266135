//! `channels.mattermost`.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("capabilities", TEXTS),
    key("markdown", shared::MARKDOWN),
    key("enabled", BOOL),
    key("configWrites", BOOL),
    key("botToken", SECRET),
    key("baseUrl", TEXT),
    key("chatmode", word(&["oncall", "onmessage", "onchar"])),
    key("oncharPrefixes", TEXTS),
    key("requireMention", BOOL),
    key("dmPolicy", shared::DM_POLICY).default(Literal::Text("pairing")),
    key("allowFrom", ENTRIES),
    key("groupAllowFrom", ENTRIES),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("blockStreaming", BOOL),
    key("blockStreamingCoalesce", shared::COALESCE),
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
const ACCOUNT: Kind = Kind::Loose(&[KEYS, shared::EVERY, &[]]);

/// `channels.mattermost`.
pub(super) const CHANNEL: Kind = Kind::Loose(&[
    KEYS,
    shared::EVERY,
    &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT).product()],
]);
