//! `channels.zalo`. The era release leaves this section to its plugin, so its reading accepts any key here.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("enabled", BOOL),
    key("markdown", shared::MARKDOWN),
    key("botToken", SECRET),
    key("tokenFile", TEXT),
    key("webhookUrl", TEXT),
    key("webhookSecret", SECRET),
    key("webhookPath", TEXT),
    key("dmPolicy", shared::DM_POLICY),
    key("allowFrom", ENTRIES),
    key("mediaMaxMb", NUMBER),
    key("proxy", TEXT),
    key("responsePrefix", TEXT),
];

/// One account.
const ACCOUNT: Kind = Kind::Loose(&[KEYS, shared::EVERY]);

/// `channels.zalo`.
pub(super) const CHANNEL: Kind =
    Kind::Loose(&[KEYS, shared::EVERY, &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT)]]);
