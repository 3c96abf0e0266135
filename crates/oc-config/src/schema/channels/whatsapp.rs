//! `channels.whatsapp`.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("capabilities", TEXTS),
    key("markdown", shared::MARKDOWN),
    key("configWrites", BOOL),
    key("sendReadReceipts", BOOL),
    key("dmPolicy", shared::DM_POLICY).default(Literal::Text("pairing")),
    key("messagePrefix", TEXT),
    key("responsePrefix", TEXT),
    key("selfChatMode", BOOL),
    key("allowFrom", TEXTS),
    key("groupAllowFrom", TEXTS),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("dms", shared::DMS),
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
    key(
        "ackReaction",
        object(&[
            key("emoji", TEXT),
            key("direct", BOOL).default(Literal::Bool(true)),
            key("group", word(&["always", "mentions", "never"])).default(Literal::Text("mentions")),
        ]),
    ),
    key("debounceMs", COUNT).default(Literal::Number(0.0)),
    key("heartbeat", shared::VISIBILITY),
    key("execApprovals", shared::APPROVERS).product(),
    key(
        "cloud",
        object(&[
            key("phoneNumberId", TEXT),
            key("accessToken", SECRET),
            key("appSecret", SECRET),
            key("verifyToken", SECRET),
            key("webhookPath", TEXT),
            key("apiRoot", form(Form::HttpUrl)),
        ]),
    )
    .product(),
];

/// One account.
const ACCOUNT: Kind = joined(&[
    KEYS,
    shared::EVERY,
    &[key("name", TEXT), key("enabled", BOOL), key("authDir", TEXT), key("mediaMaxMb", POSITIVE)],
]);

/// `channels.whatsapp`.
pub(super) const CHANNEL: Kind = Kind::Joined(&[
    KEYS,
    shared::EVERY,
    &[
        key("actions", object(&[key("reactions", BOOL), key("sendMessage", BOOL), key("polls", BOOL)])),
        key("mediaMaxMb", POSITIVE).default(Literal::Number(50.0)),
        key("enabled", BOOL).product(),
        key("authDir", TEXT).product(),
        key("name", TEXT).product(),
        key("accounts", map(&ACCOUNT)),
        key("defaultAccount", TEXT).product(),
    ],
]);
