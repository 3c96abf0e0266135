//! The settings of a channel's account, account before channel, for whoever carries a decision out.

use oc_types::{ChannelId, KeyPath, Node};

use super::settings::Settings;

/// Reads settings of one account.
#[derive(Clone, Debug)]
pub struct AccountSettings<'a> {
    settings: Settings<'a>,
    channel: ChannelId,
}

impl<'a> AccountSettings<'a> {
    /// The settings of an account.
    #[must_use]
    pub fn of(config: &'a Node, channel: &ChannelId, account: &str) -> Self {
        Self { settings: Settings::of(config, channel, account), channel: channel.clone() }
    }

    /// The value of a key: the account's if it is there, else the channel's.
    #[must_use]
    pub fn value(&self, key: &'a str) -> Option<&'a Node> {
        self.settings.get(key).node
    }

    /// A number that counts something.
    #[must_use]
    pub fn count(&self, key: &'a str) -> Option<u64> {
        count(self.value(key)?)
    }

    /// The key that keeps the account out of use: its own or the channel's switch, or the section that is missing (SP-423, SP-406).
    #[must_use]
    pub fn out_of_use(&self) -> Option<KeyPath> {
        if !self.settings.exists() {
            return Some(KeyPath::dotted("channels").key(self.channel.as_str()));
        }
        self.settings.switched_off().map(|s| s.path())
    }
}

/// A whole number that is not negative.
#[must_use]
pub fn count(node: &Node) -> Option<u64> {
    let number = node.as_number().filter(|n| *n >= 0.0 && *n <= 9e15)?;
    // In range, so nothing is cut off but a fraction.
    Some(number as u64)
}
