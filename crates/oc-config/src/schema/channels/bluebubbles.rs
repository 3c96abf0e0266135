//! `channels.bluebubbles`.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("enabled", BOOL),
    key("markdown", shared::MARKDOWN),
    key("serverUrl", TEXT),
    key("password", SECRET),
    key("webhookPath", TEXT),
    key("dmPolicy", shared::DM_POLICY).default(Literal::Text("pairing")),
    key("allowFrom", ENTRIES),
    key("groupAllowFrom", ENTRIES),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("mediaMaxMb", POSITIVE),
    key("sendReadReceipts", BOOL),
    key("blockStreaming", BOOL),
    key(
        "groups",
        map(&object(&[
            key("requireMention", BOOL),
            key("tools", shared::ROOM_POLICY),
            key("toolsBySender", shared::SENDER_POLICIES).product(),
        ])),
    ),
];

/// One account.
const ACCOUNT: Kind = joined(&[KEYS, shared::EVERY, &[]]);

/// `channels.bluebubbles`.
pub(super) const CHANNEL: Kind = Kind::Joined(&[
    KEYS,
    shared::EVERY,
    &[
        key(
            "actions",
            object(&[
                key("reactions", BOOL).default(Literal::Bool(true)),
                key("edit", BOOL).default(Literal::Bool(true)),
                key("unsend", BOOL).default(Literal::Bool(true)),
                key("reply", BOOL).default(Literal::Bool(true)),
                key("sendWithEffect", BOOL).default(Literal::Bool(true)),
                key("renameGroup", BOOL).default(Literal::Bool(true)),
                key("setGroupIcon", BOOL).default(Literal::Bool(true)),
                key("addParticipant", BOOL).default(Literal::Bool(true)),
                key("removeParticipant", BOOL).default(Literal::Bool(true)),
                key("leaveGroup", BOOL).default(Literal::Bool(true)),
                key("sendAttachment", BOOL).default(Literal::Bool(true)),
            ]),
        ),
        key("accounts", map(&ACCOUNT)),
        key("defaultAccount", TEXT).product(),
    ],
]);
