//! Matrix without end-to-end encryption: `channels.matrix`, over the client-server API.
//!
//! A room with exactly two members is a direct chat, counted anew whenever somebody came or left; what `m.direct` says is not believed,
//! because a third person may have joined since (channels 3). Encrypted messages cannot be read and are dropped.
//!
//! Invariant: the place in the stream of events is written down only after the door has taken everything before it.
//! Invariant: an invitation is followed only as `autoJoin` says; without the key, never.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use oc_types::{AccountId, ChannelId, Secret};

use crate::account::{AccountSettings, settings};
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
};
use crate::http_client::{ApiRoot, PlainHttp};

mod api;
mod event;
mod invite;
mod position;
mod send;
mod sync;
#[cfg(test)]
mod tests;

use api::{Api, Sign};
use invite::AutoJoin;
use position::Position;

const SERVICE: &str = "Matrix";
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["accessToken", "password"];
/// Own messages that are remembered, to see answers to them.
const OWN: usize = 1024;
/// Messages whose fate is not known; a second try takes the same transaction.
const UNCERTAIN: usize = 128;

/// Whether answers go into threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Threads {
    Off,
    Inbound,
    Always,
}

/// One account on one homeserver.
#[derive(Debug)]
pub struct Matrix {
    channel: ChannelId,
    account: String,
    api: Api,
    auto_join: AutoJoin,
    threads: Threads,
    position: Position,
    state: Mutex<State>,
}

/// What is known while it runs.
#[derive(Debug, Default)]
struct State {
    /// Rooms and how many have joined them; a room is taken out when that changes.
    members: HashMap<String, usize>,
    /// Aliases of rooms, as far as the stream told them.
    aliases: HashMap<String, String>,
    own: VecDeque<String>,
    own_set: HashSet<String>,
    uncertain: VecDeque<(u64, String)>,
    count: u64,
}

impl State {
    fn sent(&mut self, id: &str) {
        if self.own_set.insert(id.to_owned()) {
            self.own.push_back(id.to_owned());
            if self.own.len() > OWN
                && let Some(old) = self.own.pop_front()
            {
                self.own_set.remove(&old);
            }
        }
    }
}

impl Matrix {
    /// Makes the adapter of an account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`].
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let home =
            account.needed("homeserver", "the address of the homeserver, `https://matrix.example.org`")?;
        let root = ApiRoot::parse(&account.get("homeserver").1, home, PlainHttp::Private)?;
        let user = account.text("userId")?;
        if let Some(user) = user
            && !is_user(user)
        {
            return Err(settings(
                &account.get("userId").1,
                "it is no user id; write `@name:server`".to_owned(),
            ));
        }
        let sign = match account.credential("accessToken")? {
            Some(token) => Sign::Token(token),
            None => {
                let password = account
                    .credential("password")?
                    .ok_or_else(|| account.credential_missing("accessToken"))?;
                let user = account
                    .needed("userId", "the bot's user id, `@name:server`, to sign in with a password")?;
                let device = account.text("deviceName")?.unwrap_or("OpenClaw").to_owned();
                Sign::Password { user: user.to_owned(), password, device }
            }
        };
        let key = match &sign {
            Sign::Token(_) => account.get("accessToken").1,
            Sign::Password { .. } => account.get("password").1,
        };
        let threads = match account.text("threadReplies")? {
            Some("off") => Threads::Off,
            None | Some("inbound") => Threads::Inbound,
            Some("always") => Threads::Always,
            Some(_) => {
                return Err(settings(
                    &account.get("threadReplies").1,
                    "write `off`, `inbound` or `always`".to_owned(),
                ));
            }
        };
        let file: PathBuf = account
            .state_dir()
            .join("channels")
            .join(format!("matrix-{}.json", AccountId::normalized(account.id())));
        Ok(Self {
            channel: account.channel().clone(),
            account: account.id().to_owned(),
            position: Position::new(file, home),
            api: Api::new(root, sign, key.to_string(), user.map(str::to_owned))?,
            auto_join: AutoJoin::from_settings(account)?,
            threads,
            state: Mutex::new(State::default()),
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Adapter for Matrix {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn features(&self) -> Features {
        Features { typing: true, buttons: false, edits: true, media: true }
    }

    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(async move {
            let id = self.api.who().await?;
            Ok(SelfIdentity { username: Some(id.clone()), id })
        })
    }

    fn receive<'a>(&'a self, door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(sync::run(self, door))
    }

    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(send::message(self, to, message))
    }

    fn typing<'a>(&'a self, to: &'a Destination) -> Pending<'a, ()> {
        Box::pin(send::typing(self, to))
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(self.api.media(&attachment.handle, most))
    }
}

/// `@local:server`.
fn is_user(text: &str) -> bool {
    has_sigil(text, '@')
}

/// `!local:server`, or `!opaque` in the newest room versions.
fn is_room(text: &str) -> bool {
    text.strip_prefix('!').is_some_and(|rest| !rest.is_empty()) && is_plain_id(text)
}

fn has_sigil(text: &str, sigil: char) -> bool {
    let parts = text.strip_prefix(sigil).and_then(|rest| rest.split_once(':'));
    parts.is_some_and(|(local, server)| !local.is_empty() && !server.is_empty()) && is_plain_id(text)
}

fn is_plain_id(text: &str) -> bool {
    text.len() <= 255 && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A credential's text.
type Token = Secret;
