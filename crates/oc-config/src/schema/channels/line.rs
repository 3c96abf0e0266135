//! `channels.line`. The era release leaves this section to its plugin, so its reading accepts any key here.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("enabled", BOOL),
    key("channelAccessToken", SECRET),
    key("channelSecret", SECRET),
    key("tokenFile", TEXT),
    key("secretFile", TEXT),
    key("name", TEXT),
    key("allowFrom", ENTRIES),
    key("groupAllowFrom", ENTRIES),
    key("dmPolicy", shared::DM_POLICY).default(Literal::Text("pairing")),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("responsePrefix", TEXT),
    key("mediaMaxMb", NUMBER),
    key("webhookPath", TEXT),
    key(
        "groups",
        map(&object(&[
            key("enabled", BOOL),
            key("allowFrom", ENTRIES),
            key("requireMention", BOOL),
            key("systemPrompt", TEXT),
            key("skills", TEXTS),
            key("tools", shared::ROOM_POLICY).product(),
            key("toolsBySender", shared::SENDER_POLICIES).product(),
        ])),
    ),
];

/// One account.
const ACCOUNT: Kind = Kind::Loose(&[KEYS, shared::EVERY]);

/// `channels.line`.
pub(super) const CHANNEL: Kind =
    Kind::Loose(&[KEYS, shared::EVERY, &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT)]]);
