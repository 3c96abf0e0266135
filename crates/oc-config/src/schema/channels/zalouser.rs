//! `channels.zalouser`. The era release leaves this section to its plugin, so its reading accepts any key here.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("name", TEXT),
    key("enabled", BOOL),
    key("markdown", shared::MARKDOWN),
    key("profile", TEXT),
    key("dmPolicy", shared::DM_POLICY),
    key("allowFrom", ENTRIES),
    key("groupPolicy", shared::GROUP_POLICY),
    key(
        "groups",
        map(&object(&[
            key("allow", BOOL),
            key("enabled", BOOL),
            key("tools", shared::ROOM_POLICY),
            key("toolsBySender", shared::SENDER_POLICIES).product(),
        ])),
    ),
    key("messagePrefix", TEXT),
    key("responsePrefix", TEXT),
];

/// One account.
const ACCOUNT: Kind = Kind::Loose(&[KEYS, shared::EVERY]);

/// `channels.zalouser`.
pub(super) const CHANNEL: Kind =
    Kind::Loose(&[KEYS, shared::EVERY, &[key("accounts", map(&ACCOUNT)), key("defaultAccount", TEXT)]]);
