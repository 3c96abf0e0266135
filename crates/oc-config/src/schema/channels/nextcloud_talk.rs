//! `channels.nextcloud-talk`. The era release leaves this section to its plugin, so its reading accepts any key here.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("enabled", BOOL),
    key("markdown", shared::MARKDOWN),
    key("baseUrl", TEXT),
    key("botSecret", SECRET),
    key("botSecretFile", TEXT),
    key("apiUser", TEXT),
    key("apiPassword", SECRET),
    key("apiPasswordFile", TEXT),
    key("dmPolicy", shared::DM_POLICY).default(Literal::Text("pairing")),
    key("webhookPort", POSITIVE),
    key("webhookHost", TEXT),
    key("webhookPath", TEXT),
    key("webhookPublicUrl", TEXT),
    key("allowFrom", TEXTS),
    key("groupAllowFrom", TEXTS),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key(
        "rooms",
        map(&object(&[
            key("requireMention", BOOL),
            key("tools", shared::ROOM_POLICY),
            key("toolsBySender", shared::SENDER_POLICIES).product(),
            key("skills", TEXTS),
            key("enabled", BOOL),
            key("allowFrom", TEXTS),
            key("systemPrompt", TEXT),
        ])),
    ),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("dms", shared::DMS),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("blockStreaming", BOOL),
    key("blockStreamingCoalesce", shared::COALESCE),
    key("responsePrefix", TEXT),
    key("mediaMaxMb", ABOVE_ZERO),
];

/// One account.
const ACCOUNT: Kind = Kind::Loose(&[KEYS, shared::EVERY]);

/// `channels.nextcloud-talk`.
pub(super) const CHANNEL: Kind =
    Kind::Loose(&[KEYS, shared::EVERY, &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT)]]);
