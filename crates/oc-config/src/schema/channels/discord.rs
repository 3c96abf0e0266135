//! `channels.discord`.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("capabilities", TEXTS),
    key("markdown", shared::MARKDOWN),
    key("enabled", BOOL),
    key("commands", shared::CHANNEL_COMMANDS),
    key("configWrites", BOOL),
    key("token", SECRET),
    key("allowBots", BOOL),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("dms", shared::DMS),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("blockStreaming", BOOL),
    key("blockStreamingCoalesce", shared::COALESCE),
    key("maxLinesPerMessage", POSITIVE),
    key("mediaMaxMb", ABOVE_ZERO),
    key("retry", shared::RETRY),
    key(
        "actions",
        object(&[
            key("reactions", BOOL),
            key("stickers", BOOL),
            key("emojiUploads", BOOL),
            key("stickerUploads", BOOL),
            key("polls", BOOL),
            key("permissions", BOOL),
            key("messages", BOOL),
            key("threads", BOOL),
            key("pins", BOOL),
            key("search", BOOL),
            key("memberInfo", BOOL),
            key("roleInfo", BOOL),
            key("roles", BOOL),
            key("channelInfo", BOOL),
            key("voiceStatus", BOOL),
            key("events", BOOL),
            key("moderation", BOOL),
            key("channels", BOOL),
            key("presence", BOOL),
        ]),
    ),
    key("replyToMode", shared::REPLY_TO),
    key(
        "dm",
        object(&[
            key("enabled", BOOL),
            key("policy", shared::DM_POLICY).default(Literal::Text("pairing")),
            key("allowFrom", ENTRIES),
            key("groupEnabled", BOOL),
            key("groupChannels", ENTRIES),
        ]),
    ),
    key(
        "guilds",
        map(&object(&[
            key("slug", TEXT),
            key("requireMention", BOOL),
            key("tools", shared::ROOM_POLICY),
            key("toolsBySender", shared::SENDER_POLICIES),
            key("reactionNotifications", word(&["off", "own", "all", "allowlist"])),
            key("users", ENTRIES),
            key(
                "channels",
                map(&object(&[
                    key("allow", BOOL),
                    key("requireMention", BOOL),
                    key("tools", shared::ROOM_POLICY),
                    key("toolsBySender", shared::SENDER_POLICIES),
                    key("skills", TEXTS),
                    key("enabled", BOOL),
                    key("users", ENTRIES),
                    key("systemPrompt", TEXT),
                    key("includeThreadStarter", BOOL),
                    key("autoThread", BOOL),
                ])),
            ),
        ])),
    ),
    key("heartbeat", shared::VISIBILITY),
    key(
        "execApprovals",
        object(&[
            key("enabled", BOOL),
            key("approvers", ENTRIES),
            key("agentFilter", TEXTS),
            key("sessionFilter", TEXTS),
        ]),
    ),
    key("intents", object(&[key("presence", BOOL), key("guildMembers", BOOL)])),
    key("pluralkit", object(&[key("enabled", BOOL), key("token", SECRET)])),
    key("responsePrefix", TEXT),
    key("apiRoot", form(Form::HttpUrl)).product(),
];

/// One account.
const ACCOUNT: Kind = joined(&[KEYS, shared::EVERY, &[]]);

/// `channels.discord`.
pub(super) const CHANNEL: Kind = Kind::Joined(&[
    KEYS,
    shared::EVERY,
    &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT).product()],
]);
