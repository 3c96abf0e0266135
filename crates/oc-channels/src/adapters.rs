//! The adapters there are, and the accounts that a configuration asks for.

use std::sync::Arc;

use oc_types::{ChannelId, KeyPath};

use crate::account::{AccountSettings, Setup};
use crate::adapter::{Adapter, AdapterFailure};

pub mod bluebubbles;
#[cfg(test)]
mod conformance;
pub mod discord;
pub mod imessage;
pub mod irc;
pub mod matrix;
pub mod mattermost;
pub mod msteams;
mod offering;
mod ourselves;
mod presses;
mod recent;
pub mod signal;
pub mod slack;
pub mod telegram;
mod token_api;
pub mod whatsapp;

/// One account of the configuration.
#[derive(Clone, Debug)]
pub struct Account {
    /// The channel.
    pub channel: ChannelId,
    /// The account, as configured.
    pub id: String,
    /// What can be done with it.
    pub state: AccountState,
}

/// What can be done with an account.
#[derive(Clone, Debug)]
pub enum AccountState {
    /// It can be started.
    Ready(Arc<dyn Adapter>),
    /// A key switches it off: nothing of it comes in or goes out (SP-423).
    Off(KeyPath),
    /// Nothing says whose account it is: the section holds rules alone, such as a template's. What is missing.
    NotSetUp(AdapterFailure),
    /// Its settings cannot be used.
    Unusable(AdapterFailure),
}

type Make = fn(&AccountSettings<'_>) -> Result<Arc<dyn Adapter>, AdapterFailure>;

/// A built channel: its id, the keys of which one makes an account, and how its adapter is made.
const BUILT: &[(&str, &[&str], Make)] = &[
    ("telegram", telegram::IDENTITY, |a| Ok(Arc::new(telegram::Telegram::from_settings(a)?))),
    ("matrix", matrix::IDENTITY, |a| Ok(Arc::new(matrix::Matrix::from_settings(a)?))),
    ("irc", irc::IDENTITY, |a| Ok(Arc::new(irc::Irc::from_settings(a)?))),
    ("signal", signal::IDENTITY, |a| Ok(Arc::new(signal::Signal::from_settings(a)?))),
    ("imessage", imessage::IDENTITY, |a| Ok(Arc::new(imessage::IMessage::from_settings(a)?))),
    ("bluebubbles", bluebubbles::IDENTITY, |a| Ok(Arc::new(bluebubbles::BlueBubbles::from_settings(a)?))),
    ("discord", discord::IDENTITY, |a| Ok(Arc::new(discord::Discord::from_settings(a)?))),
    ("slack", slack::IDENTITY, |a| Ok(Arc::new(slack::Slack::from_settings(a)?))),
    ("mattermost", mattermost::IDENTITY, |a| Ok(Arc::new(mattermost::Mattermost::from_settings(a)?))),
    ("whatsapp", whatsapp::IDENTITY, |a| Ok(Arc::new(whatsapp::WhatsApp::from_settings(a)?))),
    ("msteams", msteams::IDENTITY, |a| Ok(Arc::new(msteams::Teams::from_settings(a)?))),
];

/// The channels that have an adapter.
pub fn built() -> impl Iterator<Item = &'static str> {
    BUILT.iter().map(|(id, ..)| *id)
}

/// Every account of every channel that has an adapter and a section in the configuration. Reads credential files; connects nothing.
#[must_use]
pub fn accounts(setup: Setup<'_>) -> Vec<Account> {
    let mut out = Vec::new();
    for (id, identity, make) in BUILT {
        let Ok(channel) = ChannelId::parse(id) else { continue };
        for account in AccountSettings::list(setup, &channel, identity) {
            let state = match account.switched_off() {
                Some(key) => AccountState::Off(key),
                None => match make(&account) {
                    Ok(adapter) => AccountState::Ready(adapter),
                    Err(e) if account.is_set_up(identity) => AccountState::Unusable(e),
                    Err(e) => AccountState::NotSetUp(e),
                },
            };
            out.push(Account { channel: channel.clone(), id: account.id().to_owned(), state });
        }
    }
    out
}
