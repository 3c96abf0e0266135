//! IRC: `channels.irc`. One connection an account, TLS unless it is switched off.
//!
//! Nobody on IRC has an id that cannot change hands; the nearest is `nick!user@host`, and that is the sender's id here. A nick alone never
//! admits anybody. Before a direct answer goes out the server is asked who has the nick now (SP-418).
//!
//! Invariant: no text can end a line: control characters never reach the connection.
//! Invariant: credentials go over TLS, or stay on this machine and in private networks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oc_text::address::is_blocked_host;
use oc_types::{ChannelId, KeyPath, Secret};
use rustls::ClientConfig;

use crate::account::{AccountSettings, settings};
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
};
use crate::http_client::scrub;
use crate::tls;

mod event;
mod line;
mod link;
mod register;
mod send;
mod session;
#[cfg(test)]
mod tests;

use link::Link;

const SERVICE: &str = "IRC";
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["nick"];
/// Largest file with the authorities of a private server, in bytes.
const CA_LIMIT: u64 = 1024 * 1024;

/// One account on one server.
#[derive(Debug)]
pub struct Irc {
    channel: ChannelId,
    account: String,
    server: Server,
    names: Names,
    password: Option<Secret>,
    sasl: Option<Sasl>,
    credential_key: String,
    rooms: Vec<String>,
    link: Mutex<Option<Arc<Link>>>,
    /// One message at a time, so that an error of the server is of that message.
    turn: tokio::sync::Mutex<()>,
}

/// Where the server is.
#[derive(Debug)]
struct Server {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
}

/// How the account calls itself.
#[derive(Debug)]
struct Names {
    nick: String,
    user: String,
    real: String,
}

/// A services account.
#[derive(Debug)]
struct Sasl {
    user: String,
    password: Secret,
}

impl Irc {
    /// Makes the adapter of an account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`].
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let at = |key: &str| account.get(key).1;
        let host = account.needed("host", "the name of the IRC server")?;
        if host.contains(|c: char| c.is_whitespace() || c == '/' || c.is_control()) {
            return Err(settings(&at("host"), "it is no name of a host".to_owned()));
        }
        let use_tls = account.flag("tls")? != Some(false);
        let port = account.whole("port")?.unwrap_or(if use_tls { 6697 } else { 6667 });
        let port =
            u16::try_from(port).map_err(|_| settings(&at("port"), "a port is 1 to 65535".to_owned()))?;
        let nick = account.needed("nick", "the bot's nick")?;
        if !line::is_nick(nick) {
            return Err(settings(
                &at("nick"),
                "it is no nick: letters, digits and []\\`_^{|}-, no digit first".to_owned(),
            ));
        }
        let user = account.text("username")?.unwrap_or(nick);
        if !line::is_nick(user) {
            return Err(settings(&at("username"), "it is no user name".to_owned()));
        }
        let password = account.credential_or_file("password", "passwordFile")?;
        let sasl = match account.credential_or_file("saslPassword", "saslPasswordFile")? {
            Some(password) => {
                let user = account.text("saslUsername")?.unwrap_or(nick).to_owned();
                Some(Sasl { user, password })
            }
            None => None,
        };
        let near = host == "localhost" || !host.contains('.') || is_blocked_host(host);
        if !use_tls && !near && (password.is_some() || sasl.is_some()) {
            return Err(settings(
                &at("tls"),
                "a password goes over TLS only; remove `tls: false`".to_owned(),
            ));
        }
        let rooms = account.entries("channels");
        if let Some(bad) = rooms.iter().find(|r| !line::is_target(r) || !r.starts_with(['#', '&', '+', '!']))
        {
            return Err(settings(&at("channels"), format!("{bad:?} is no channel; write `#name`")));
        }
        Ok(Self {
            channel: account.channel().clone(),
            account: account.id().to_owned(),
            server: Server {
                host: host.to_owned(),
                port,
                tls: use_tls.then(|| authorities(account)).transpose()?,
            },
            names: Names {
                nick: nick.to_owned(),
                user: user.to_owned(),
                real: account.text("realname")?.unwrap_or("OpenClaw").to_owned(),
            },
            password,
            credential_key: at(if sasl.is_some() { "saslPassword" } else { "password" }).to_string(),
            sasl,
            rooms,
            link: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
        })
    }

    fn link(&self) -> Option<Arc<Link>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_link(&self, link: Option<Arc<Link>>) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }

    fn unavailable(&self, why: &str) -> AdapterFailure {
        AdapterFailure::Unavailable { service: SERVICE, why: self.scrub(why) }
    }

    fn refused_credential(&self, why: &str) -> AdapterFailure {
        AdapterFailure::Credential {
            service: SERVICE,
            key: self.credential_key.clone(),
            why: self.scrub(why),
        }
    }

    fn scrub(&self, text: &str) -> String {
        let hidden: Vec<Secret> =
            self.password.iter().chain(self.sasl.iter().map(|s| &s.password)).cloned().collect();
        scrub(text, &hidden)
    }
}

impl Adapter for Irc {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn features(&self) -> Features {
        Features::default()
    }

    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(async move {
            if let Some(link) = self.link() {
                return Ok(identity(&link.nick()));
            }
            session::test(self).await.map(|nick| identity(&nick))
        })
    }

    fn receive<'a>(&'a self, door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(session::run(self, door))
    }

    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(send::message(self, to, message))
    }

    fn fetch<'a>(
        &'a self,
        _attachment: &'a Attachment,
        _most: u64,
    ) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        let why = "IRC has no files".to_owned();
        Box::pin(std::future::ready(Err(AdapterFailure::Refused { service: SERVICE, why })))
    }
}

fn identity(nick: &str) -> SelfIdentity {
    SelfIdentity { id: nick.to_ascii_lowercase(), username: Some(nick.to_owned()) }
}

/// The system's authorities, or those of `tlsCaFile` alone.
fn authorities(account: &AccountSettings<'_>) -> Result<Arc<ClientConfig>, AdapterFailure> {
    let (key, file): (KeyPath, _) = (account.get("tlsCaFile").1, account.text("tlsCaFile")?);
    let Some(file) = file else {
        return tls::client_config()
            .map_err(|e| AdapterFailure::Unavailable { service: SERVICE, why: e.to_string() });
    };
    let pem = oc_fs::bounded_read::bytes(std::path::Path::new(file), CA_LIMIT)
        .map_err(|e| settings(&key, format!("{file}: {e}")))?;
    tls::with_authority(&pem).map_err(|e| settings(&key, format!("{file}: {e}")))
}

/// Now, Unix milliseconds.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// How long the server may take for one step.
const STEP: Duration = Duration::from_secs(30);
