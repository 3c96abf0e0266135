//! `channels.googlechat`.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("capabilities", TEXTS),
    key("enabled", BOOL),
    key("configWrites", BOOL),
    key("allowBots", BOOL),
    key("requireMention", BOOL),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("groupAllowFrom", ENTRIES),
    key(
        "groups",
        map(&object(&[
            key("enabled", BOOL),
            key("allow", BOOL),
            key("requireMention", BOOL),
            key("users", ENTRIES),
            key("tools", shared::ROOM_POLICY).product(),
            key("toolsBySender", shared::SENDER_POLICIES).product(),
            key("systemPrompt", TEXT),
        ])),
    ),
    key("serviceAccount", either(&[SECRET, OPEN])).secret(),
    key("serviceAccountFile", TEXT),
    key("audienceType", word(&["app-url", "project-number"])),
    key("audience", TEXT),
    key("webhookPath", TEXT),
    key("webhookUrl", TEXT),
    key("botUser", TEXT),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("dms", shared::DMS),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("blockStreaming", BOOL),
    key("blockStreamingCoalesce", shared::COALESCE),
    key("mediaMaxMb", ABOVE_ZERO),
    key("replyToMode", shared::REPLY_TO),
    key("actions", object(&[key("reactions", BOOL)])),
    key(
        "dm",
        object(&[
            key("enabled", BOOL),
            key("policy", shared::DM_POLICY).default(Literal::Text("pairing")),
            key("allowFrom", ENTRIES),
        ]),
    ),
    key("typingIndicator", word(&["none", "message", "reaction"])),
    key("responsePrefix", TEXT),
];

/// One account.
const ACCOUNT: Kind = joined(&[KEYS, shared::EVERY, &[]]);

/// `channels.googlechat`.
pub(super) const CHANNEL: Kind =
    Kind::Joined(&[KEYS, shared::EVERY, &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT)]]);
