//! `channels.matrix`. The era release leaves this section to its plugin, so its reading accepts any key here.

use super::super::kind::*;
use super::super::shared;

/// One room.
const ROOM: Kind = object(&[
    key("enabled", BOOL),
    key("allow", BOOL),
    key("requireMention", BOOL),
    key("autoReply", BOOL),
    key("users", ENTRIES),
    key("tools", shared::ROOM_POLICY),
    key("toolsBySender", shared::SENDER_POLICIES),
    key("skills", TEXTS),
    key("systemPrompt", TEXT),
]);

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("enabled", BOOL),
    key("homeserver", TEXT),
    key("userId", TEXT),
    key("accessToken", SECRET),
    key("password", SECRET),
    key("deviceName", TEXT),
    key("initialSyncLimit", COUNT),
    key("encryption", BOOL),
    key("allowlistOnly", BOOL),
    key("groupPolicy", shared::GROUP_POLICY),
    key("groupAllowFrom", ENTRIES),
    key("groups", map(&ROOM)),
    key("rooms", map(&ROOM)),
    key("dm", object(&[key("enabled", BOOL), key("policy", shared::DM_POLICY), key("allowFrom", ENTRIES)])),
    key("replyToMode", shared::REPLY_TO),
    key("threadReplies", word(&["off", "inbound", "always"])),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("responsePrefix", TEXT),
    key("mediaMaxMb", ABOVE_ZERO),
    key("autoJoin", word(&["always", "allowlist", "off"])),
    key("autoJoinAllowlist", ENTRIES),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("markdown", shared::MARKDOWN),
    key(
        "actions",
        object(&[
            key("reactions", BOOL),
            key("messages", BOOL),
            key("pins", BOOL),
            key("memberInfo", BOOL),
            key("channelInfo", BOOL),
        ]),
    ),
];

/// One account.
const ACCOUNT: Kind = Kind::Loose(&[KEYS, shared::EVERY]);

/// `channels.matrix`.
pub(super) const CHANNEL: Kind =
    Kind::Loose(&[KEYS, shared::EVERY, &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT)]]);
