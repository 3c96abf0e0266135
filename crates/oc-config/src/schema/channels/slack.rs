//! `channels.slack`.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("signingSecret", SECRET),
    key("capabilities", TEXTS),
    key("markdown", shared::MARKDOWN),
    key("enabled", BOOL),
    key("commands", shared::CHANNEL_COMMANDS),
    key("configWrites", BOOL),
    key("botToken", SECRET),
    key("appToken", SECRET),
    key("userToken", SECRET),
    key("userTokenReadOnly", BOOL).default(Literal::Bool(true)),
    key("allowBots", BOOL),
    key("requireMention", BOOL),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("dms", shared::DMS),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("blockStreaming", BOOL),
    key("blockStreamingCoalesce", shared::COALESCE),
    key("mediaMaxMb", ABOVE_ZERO),
    key("reactionNotifications", word(&["off", "own", "all", "allowlist"])),
    key("reactionAllowlist", ENTRIES),
    key("replyToMode", shared::REPLY_TO),
    key(
        "replyToModeByChatType",
        object(&[
            key("direct", shared::REPLY_TO),
            key("group", shared::REPLY_TO),
            key("channel", shared::REPLY_TO),
        ]),
    ),
    key("thread", object(&[key("historyScope", word(&["thread", "channel"])), key("inheritParent", BOOL)])),
    key(
        "actions",
        object(&[
            key("reactions", BOOL),
            key("messages", BOOL),
            key("pins", BOOL),
            key("search", BOOL),
            key("permissions", BOOL),
            key("memberInfo", BOOL),
            key("channelInfo", BOOL),
            key("emojiList", BOOL),
        ]),
    ),
    key(
        "slashCommand",
        object(&[
            key("enabled", BOOL),
            key("name", TEXT),
            key("sessionPrefix", TEXT),
            key("ephemeral", BOOL),
        ]),
    ),
    key(
        "dm",
        object(&[
            key("enabled", BOOL),
            key("policy", shared::DM_POLICY).default(Literal::Text("pairing")),
            key("allowFrom", ENTRIES),
            key("groupEnabled", BOOL),
            key("groupChannels", ENTRIES),
            key("replyToMode", shared::REPLY_TO),
        ]),
    ),
    key(
        "channels",
        map(&object(&[
            key("enabled", BOOL),
            key("allow", BOOL),
            key("requireMention", BOOL),
            key("tools", shared::ROOM_POLICY),
            key("toolsBySender", shared::SENDER_POLICIES),
            key("allowBots", BOOL),
            key("users", ENTRIES),
            key("skills", TEXTS),
            key("systemPrompt", TEXT),
        ])),
    ),
    key("heartbeat", shared::VISIBILITY),
    key("responsePrefix", TEXT),
    key("execApprovals", shared::APPROVERS).product(),
    key("apiRoot", form(Form::HttpUrl)).product(),
];

/// One account.
const ACCOUNT: Kind =
    joined(&[KEYS, shared::EVERY, &[key("mode", word(&["socket", "http"])), key("webhookPath", TEXT)]]);

/// `channels.slack`.
pub(super) const CHANNEL: Kind = Kind::Joined(&[
    KEYS,
    shared::EVERY,
    &[
        key("mode", word(&["socket", "http"])).default(Literal::Text("socket")),
        key("webhookPath", TEXT).default(Literal::Text("/slack/events")),
        key("accounts", map(&ACCOUNT)),
        key("defaultAccount", TEXT).product(),
    ],
]);
