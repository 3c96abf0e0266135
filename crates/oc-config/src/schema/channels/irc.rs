//! `channels.irc`. The era release leaves this section to a plugin, so its reading accepts any key here.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("enabled", BOOL),
    key("markdown", shared::MARKDOWN),
    key("configWrites", BOOL),
    key("host", TEXT),
    key("port", Kind::Port),
    key("tls", BOOL),
    key("tlsCaFile", TEXT),
    key("nick", TEXT),
    key("username", TEXT),
    key("realname", TEXT),
    key("password", SECRET),
    key("passwordFile", TEXT),
    key("saslUsername", TEXT),
    key("saslPassword", SECRET),
    key("saslPasswordFile", TEXT),
    key("channels", TEXTS),
    key("dmPolicy", shared::DM_POLICY),
    key("allowFrom", ENTRIES),
    key("groupAllowFrom", ENTRIES),
    key("groupPolicy", shared::GROUP_POLICY),
    key(
        "groups",
        map(&object(&[
            key("enabled", BOOL),
            key("requireMention", BOOL),
            key("allowFrom", ENTRIES),
            key("tools", shared::ROOM_POLICY),
            key("toolsBySender", shared::SENDER_POLICIES),
            key("skills", TEXTS),
            key("systemPrompt", TEXT),
        ])),
    ),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("dms", shared::DMS),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("heartbeat", shared::VISIBILITY),
    key("responsePrefix", TEXT),
];

/// One account.
const ACCOUNT: Kind = Kind::Loose(&[KEYS, shared::EVERY]);

/// `channels.irc`.
pub(super) const CHANNEL: Kind =
    Kind::Loose(&[KEYS, shared::EVERY, &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT)]]);
