//! `channels`: one section a chat service.

use super::kind::*;
use super::shared;

mod bluebubbles;
mod discord;
mod feishu;
mod googlechat;
mod imessage;
mod irc;
mod line;
mod matrix;
mod mattermost;
mod msteams;
mod nextcloud_talk;
mod signal;
mod slack;
mod telegram;
mod whatsapp;
mod zalo;
mod zalouser;

/// Where a channel keeps its rules for direct messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectKeys {
    /// `dmPolicy` and `allowFrom`.
    Flat,
    /// `dm.policy` and `dm.allowFrom`.
    Nested,
    /// The channel has none.
    None,
}

/// One channel that this product knows the keys of.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    /// Its id.
    pub id: &'static str,
    /// Its section.
    pub section: Kind,
    /// Where its rules for direct messages stand.
    pub direct: DirectKeys,
    /// Whether the era release checks the section itself, with defaults, instead of leaving it to a plugin.
    pub core: bool,
}

const fn channel(id: &'static str, section: Kind, direct: DirectKeys, core: bool) -> Channel {
    Channel { id, section, direct, core }
}

/// The channels whose keys are known, in the order in which they are shown.
pub const CHANNELS: &[Channel] = &[
    channel("telegram", telegram::CHANNEL, DirectKeys::Flat, true),
    channel("whatsapp", whatsapp::CHANNEL, DirectKeys::Flat, true),
    channel("discord", discord::CHANNEL, DirectKeys::Nested, true),
    channel("googlechat", googlechat::CHANNEL, DirectKeys::Nested, true),
    channel("slack", slack::CHANNEL, DirectKeys::Nested, true),
    channel("signal", signal::CHANNEL, DirectKeys::Flat, true),
    channel("imessage", imessage::CHANNEL, DirectKeys::Flat, true),
    channel("msteams", msteams::CHANNEL, DirectKeys::Flat, true),
    channel("mattermost", mattermost::CHANNEL, DirectKeys::Flat, false),
    channel("nextcloud-talk", nextcloud_talk::CHANNEL, DirectKeys::Flat, false),
    channel("matrix", matrix::CHANNEL, DirectKeys::Nested, false),
    channel("feishu", feishu::CHANNEL, DirectKeys::Flat, false),
    channel("irc", irc::CHANNEL, DirectKeys::Flat, false),
    channel("bluebubbles", bluebubbles::CHANNEL, DirectKeys::Flat, true),
    channel("line", line::CHANNEL, DirectKeys::Flat, false),
    channel("zalo", zalo::CHANNEL, DirectKeys::Flat, false),
    channel("zalouser", zalouser::CHANNEL, DirectKeys::Flat, false),
];

/// Channels of bundled plugins whose keys are not described; their sections are accepted unseen.
pub const UNDESCRIBED: &[&str] = &["nostr", "tlon", "twitch"];

/// What holds for every channel that says nothing itself.
const DEFAULTS: Kind =
    object(&[key("groupPolicy", shared::GROUP_POLICY), key("heartbeat", shared::VISIBILITY)]);

/// `channels`.
pub(super) const SECTION: Kind = entries(
    &[
        key("defaults", DEFAULTS),
        key("telegram", telegram::CHANNEL),
        key("whatsapp", whatsapp::CHANNEL),
        key("discord", discord::CHANNEL),
        key("googlechat", googlechat::CHANNEL),
        key("slack", slack::CHANNEL),
        key("signal", signal::CHANNEL),
        key("imessage", imessage::CHANNEL),
        key("msteams", msteams::CHANNEL),
        key("mattermost", mattermost::CHANNEL),
        key("nextcloud-talk", nextcloud_talk::CHANNEL),
        key("matrix", matrix::CHANNEL),
        key("feishu", feishu::CHANNEL),
        key("irc", irc::CHANNEL),
        key("bluebubbles", bluebubbles::CHANNEL),
        key("line", line::CHANNEL),
        key("zalo", zalo::CHANNEL),
        key("zalouser", zalouser::CHANNEL),
    ],
    &OPEN,
);

/// The channel of an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Channel> {
    CHANNELS.iter().find(|c| c.id == id)
}
