//! `channels.feishu`. The era release leaves this section to its plugin, so its reading accepts any key here.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("enabled", BOOL),
    key("appId", TEXT),
    key("appSecret", SECRET),
    key("encryptKey", SECRET),
    key("verificationToken", SECRET),
    key("domain", TEXT),
    key("name", TEXT),
    key("connectionMode", word(&["websocket", "webhook"])),
    key("webhookPath", TEXT),
    key("webhookPort", POSITIVE),
    key("dmPolicy", shared::DM_POLICY),
    key("allowFrom", ENTRIES),
    key("groupPolicy", shared::GROUP_POLICY),
    key("groupAllowFrom", ENTRIES),
    key("requireMention", BOOL),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("mediaMaxMb", number(0.0, f64::MAX)),
    key("renderMode", word(&["auto", "raw", "card"])),
];

/// One account.
const ACCOUNT: Kind = Kind::Loose(&[KEYS, shared::EVERY]);

/// `channels.feishu`.
pub(super) const CHANNEL: Kind =
    Kind::Loose(&[KEYS, shared::EVERY, &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT)]]);
