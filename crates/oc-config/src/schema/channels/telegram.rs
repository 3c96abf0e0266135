//! `channels.telegram`.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key(
        "capabilities",
        either(&[TEXTS, object(&[key("inlineButtons", word(&["off", "dm", "group", "all", "allowlist"]))])]),
    ),
    key("markdown", shared::MARKDOWN),
    key("enabled", BOOL),
    key("commands", shared::CHANNEL_COMMANDS),
    key(
        "customCommands",
        list(&object(&[
            key("command", form(Form::CommandName)).required(),
            key("description", FILLED).required(),
        ])),
    ),
    key("configWrites", BOOL),
    key("dmPolicy", shared::DM_POLICY).default(Literal::Text("pairing")),
    key("botToken", SECRET),
    key("tokenFile", TEXT),
    key("replyToMode", shared::REPLY_TO),
    key(
        "groups",
        map(&object(&[
            key("requireMention", BOOL),
            key("groupPolicy", shared::GROUP_POLICY),
            key("tools", shared::ROOM_POLICY),
            key("toolsBySender", shared::SENDER_POLICIES),
            key("skills", TEXTS),
            key("enabled", BOOL),
            key("allowFrom", ENTRIES),
            key("systemPrompt", TEXT),
            key(
                "topics",
                map(&object(&[
                    key("requireMention", BOOL),
                    key("groupPolicy", shared::GROUP_POLICY),
                    key("skills", TEXTS),
                    key("enabled", BOOL),
                    key("allowFrom", ENTRIES),
                    key("systemPrompt", TEXT),
                ])),
            ),
        ])),
    ),
    key("allowFrom", ENTRIES),
    key("groupAllowFrom", ENTRIES),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("dms", shared::DMS),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("blockStreaming", BOOL),
    key("draftChunk", shared::CHUNK),
    key("blockStreamingCoalesce", shared::COALESCE),
    key("streamMode", word(&["off", "partial", "block"])).default(Literal::Text("partial")),
    key("mediaMaxMb", ABOVE_ZERO),
    key("timeoutSeconds", POSITIVE),
    key("retry", shared::RETRY),
    key("network", object(&[key("autoSelectFamily", BOOL)])),
    key("proxy", TEXT),
    key("webhookUrl", TEXT),
    key("webhookSecret", SECRET),
    key("webhookPath", TEXT),
    key(
        "actions",
        object(&[
            key("reactions", BOOL),
            key("sendMessage", BOOL),
            key("deleteMessage", BOOL),
            key("sticker", BOOL),
        ]),
    ),
    key("reactionNotifications", word(&["off", "own", "all"])),
    key("reactionLevel", word(&["off", "ack", "minimal", "extensive"])),
    key("heartbeat", shared::VISIBILITY),
    key("linkPreview", BOOL),
    key("responsePrefix", TEXT),
    key("execApprovals", shared::APPROVERS).product(),
    key("apiRoot", form(Form::HttpUrl)).product(),
];

/// One account.
const ACCOUNT: Kind = joined(&[KEYS, shared::EVERY, &[]]);

/// `channels.telegram`.
pub(super) const CHANNEL: Kind = Kind::Joined(&[
    KEYS,
    shared::EVERY,
    &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT).product()],
]);
