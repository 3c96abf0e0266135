//! Where a client goes and what it presents there (gateway 9, SP-353).

mod address;
mod configured;
mod pin;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use oc_config::Environment;
use oc_config::credential::Credential;
use oc_types::{KeyPath, Node, Secret};
use thiserror::Error;

use crate::entrance::peer::is_tailnet;

pub use address::parse;
pub use configured::of_configuration;
pub use pin::Pin;

/// The port when nothing names one.
pub const DEFAULT_PORT: u16 = 18_789;

/// What is presented. Its `Debug` shows nothing.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The gateway token.
    pub token: Option<Secret>,
    /// The gateway password.
    pub password: Option<Secret>,
}

impl Credentials {
    /// Whether there is nothing to present.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.token.is_none() && self.password.is_none()
    }
}

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `ws://`.
    Plain,
    /// `wss://`.
    Tls,
    /// Neither, or no address at all.
    Invalid,
}

/// What named the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--url`.
    Flag,
    /// `gateway.remote.url`.
    Remote,
    /// The gateway of this machine on loopback.
    Local,
    /// The gateway of this machine on one of its other addresses (`gateway.bind` `tailnet` or `custom`).
    LocalAddress,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Flag => "--url",
            Self::Remote => "gateway.remote.url",
            Self::Local => "this machine, loopback",
            Self::LocalAddress => "this machine, the address of gateway.bind",
        })
    }
}

/// Whom TLS trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The roots of the system.
    System,
    /// One certificate.
    Pin(Pin),
    /// The certificate in this file: the local gateway's own.
    File(PathBuf),
}

/// Why a target is not contacted. Nothing was sent then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// `--url` without credentials.
    #[error(
        "--url needs --token or --password beside it: the configured credentials belong to the configured gateway and are not sent elsewhere"
    )]
    NeedsCredentials,
    /// No address.
    #[error("{key} is not a ws:// or wss:// address")]
    NotAnAddress {
        /// The flag or key.
        key: &'static str,
    },
    /// Credentials would be readable on the way.
    #[error(
        "not contacted: {host} is not this machine and ws:// is not encrypted, so credentials would be readable on the way; use wss://, a tunnel to 127.0.0.1, or run this on the gateway's host"
    )]
    Plaintext {
        /// The host.
        host: String,
    },
    /// A pin that is no SHA-256.
    #[error("{key} is not a SHA-256 fingerprint: 64 hexadecimal digits, colons and `sha256:` allowed")]
    BadPin {
        /// The flag or key.
        key: &'static str,
    },
    /// A pin for a connection without TLS.
    #[error("{key} is set, but the address is ws://: a pin needs wss://")]
    PinWithoutTls {
        /// The flag or key.
        key: &'static str,
    },
    /// A configured credential that is not there.
    #[error("{0}")]
    Credential(String),
}

/// One target.
#[derive(Clone, Debug)]
pub struct Target {
    /// How the connection is protected.
    pub scheme: Scheme,
    /// Host name or address, brackets removed.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path, `/` when none.
    pub path: String,
    /// The address for people: no user info, no query.
    pub display: String,
    /// What is presented.
    pub credentials: Credentials,
    /// Whether the credentials are those of the command line: then nothing stored takes their place.
    pub explicit: bool,
    /// What named it.
    pub source: Source,
    /// Whom TLS trusts.
    pub trust: Trust,
    /// The configuration file in use, for messages.
    pub config: Option<PathBuf>,
    /// Why it is not contacted, as far as reading it already tells.
    pub problem: Option<TargetError>,
}

/// What the command line says about the target.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `--url`.
    pub url: Option<String>,
    /// `--token`, `--password`.
    pub credentials: Credentials,
    /// `--tls-fingerprint`.
    pub fingerprint: Option<String>,
    /// The gateway of this machine, whatever `gateway.mode` says.
    pub local: bool,
}

/// What a target is read from.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The configuration.
    pub tree: &'a Node,
    /// The environment; `None`: an empty one.
    pub env: Option<&'a Environment>,
    /// The file it came from, for messages.
    pub config: Option<&'a Path>,
    /// The state directory: the local gateway's certificate lies there.
    pub state_dir: &'a Path,
    /// Folders that agents write: no credential is read from there.
    pub workspaces: &'a [PathBuf],
    /// The addresses of this machine's interfaces.
    pub own: &'a [IpAddr],
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("config", &self.config).finish_non_exhaustive()
    }
}

impl<'a> Surroundings<'a> {
    /// A configuration and nothing else.
    #[must_use]
    pub fn of(tree: &'a Node) -> Self {
        Self { tree, env: None, config: None, state_dir: Path::new(""), workspaces: &[], own: &[] }
    }

    fn text(&self, keys: &[&str]) -> Option<&'a str> {
        self.tree.path(keys).and_then(Node::as_str).map(str::trim).filter(|s| !s.is_empty())
    }

    fn var(&self, name: &str) -> Option<&'a str> {
        ["OPENCLAW_GATEWAY_", "CLAWDBOT_GATEWAY_"].iter().find_map(|p| self.env?.text(&format!("{p}{name}")))
    }

    fn secret_var(&self, name: &str) -> Option<Secret> {
        self.var(name).map(|s| Secret::new(s.to_owned()))
    }

    /// A credential key, wherever it is kept. What cannot be resolved is an error: nothing takes its place (SP-066).
    fn secret(&self, keys: &[&str]) -> Result<Option<Secret>, TargetError> {
        let path = KeyPath::keys(keys.iter().copied());
        let unresolved = |e: oc_config::credential::Unresolved| TargetError::Credential(e.to_string());
        let Some(credential) = Credential::of(&path, self.tree.path(keys)).map_err(unresolved)? else {
            return Ok(None);
        };
        let secret = oc_fs::credential::resolve(&path, &credential, self.workspaces).map_err(unresolved)?;
        Ok(Some(Secret::new(secret.expose().trim().to_owned())))
    }
}

/// Decides where to go. What is wrong with the target stands in [`Target::problem`].
///
/// `--url` goes there with the credentials of the command line only. Remote mode with a `gateway.remote.url` goes there with
/// `gateway.remote.*`. Otherwise it is the gateway of this machine, with the environment's token before `gateway.auth.token`. The
/// environment's password comes first for both. Credentials of the command line replace the others.
#[must_use]
pub fn resolve(around: &Surroundings<'_>, asked: &Asked) -> Target {
    let remote = remote_url(around).filter(|_| !asked.local);
    let mut target = match (&asked.url, remote) {
        (Some(url), _) => parse(url.trim(), Source::Flag),
        (None, Some(url)) => parse(url, Source::Remote),
        (None, None) => local(around),
    };
    target.config = around.config.map(Path::to_owned);
    if target.problem.is_none() {
        target.problem = fill(&mut target, around, asked).err();
    }
    target
}

fn remote_url<'a>(around: &Surroundings<'a>) -> Option<&'a str> {
    (around.text(&["gateway", "mode"]) == Some("remote"))
        .then(|| around.text(&["gateway", "remote", "url"]))
        .flatten()
}

/// Credentials and trust.
fn fill(target: &mut Target, around: &Surroundings<'_>, asked: &Asked) -> Result<(), TargetError> {
    let given = &asked.credentials;
    target.explicit = !given.is_empty();
    target.credentials = match target.source {
        _ if !given.is_empty() => given.clone(),
        Source::Flag => return Err(TargetError::NeedsCredentials),
        Source::Remote => Credentials {
            token: around.secret(&["gateway", "remote", "token"])?,
            password: password(around, &["gateway", "remote", "password"])?,
        },
        Source::Local | Source::LocalAddress => Credentials {
            token: match around.secret_var("TOKEN") {
                Some(token) => Some(token),
                None => around.secret(&["gateway", "auth", "token"])?,
            },
            password: password(around, &["gateway", "auth", "password"])?,
        },
    };
    let configured = (target.source == Source::Remote)
        .then(|| around.text(&["gateway", "remote", "tlsFingerprint"]))
        .flatten();
    let (text, key) = match (&asked.fingerprint, configured) {
        (Some(text), _) => (text.as_str(), "--tls-fingerprint"),
        (None, Some(text)) => (text, "gateway.remote.tlsFingerprint"),
        (None, None) => return Ok(()),
    };
    let pin = Pin::parse(text).ok_or(TargetError::BadPin { key })?;
    if target.scheme == Scheme::Plain {
        return Err(TargetError::PinWithoutTls { key });
    }
    target.trust = Trust::Pin(pin);
    Ok(())
}

fn password(around: &Surroundings<'_>, keys: &[&str]) -> Result<Option<Secret>, TargetError> {
    match around.secret_var("PASSWORD") {
        Some(password) => Ok(Some(password)),
        None => around.secret(keys),
    }
}

/// The port of the local gateway: environment, `gateway.port`, 18789.
#[must_use]
pub fn port(around: &Surroundings<'_>) -> u16 {
    let valid = |text: &str| text.parse::<u16>().ok().filter(|p| *p > 0);
    let configured = around
        .tree
        .path(&["gateway", "port"])
        .and_then(Node::as_number)
        .and_then(|n| valid(&oc_types::tree::number_text(n)));
    around.var("PORT").and_then(valid).or(configured).unwrap_or(DEFAULT_PORT)
}

/// The gateway of this machine. `lan` listens on loopback too, so its traffic need not leave the machine either.
fn local(around: &Surroundings<'_>) -> Target {
    let bound = match around.text(&["gateway", "bind"]) {
        Some("tailnet") => around.own.iter().find(|a| is_tailnet(**a)).copied(),
        Some("custom") => around
            .text(&["gateway", "customBindHost"])
            .and_then(|h| h.parse::<IpAddr>().ok())
            .filter(|h| around.own.contains(h)),
        _ => None,
    };
    let bound = bound.filter(|a| !a.is_loopback() && !a.is_unspecified());
    let host = bound.map_or_else(|| "127.0.0.1".to_owned(), |a| a.to_string());
    let tls = around.tree.path(&["gateway", "tls", "enabled"]).and_then(Node::as_bool) == Some(true);
    let (scheme, word) = if tls { (Scheme::Tls, "wss") } else { (Scheme::Plain, "ws") };
    let mut target = address::blank(if bound.is_some() { Source::LocalAddress } else { Source::Local });
    target.scheme = scheme;
    target.host = host;
    target.port = port(around);
    target.path = "/".to_owned();
    target.display = format!("{word}://{}", target.authority());
    if tls {
        let file = around.text(&["gateway", "tls", "certPath"]).map(PathBuf::from);
        let default = || around.state_dir.join("gateway").join("tls").join("gateway-cert.pem");
        target.trust = Trust::File(file.unwrap_or_else(default));
    }
    target
}

impl Target {
    /// Whether the host is this machine by name or literal. `0.0.0.0` and the like are not: what they reach is the system's choice.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => is_loopback(address),
            Err(_) => self.host == "localhost",
        }
    }

    /// Why it is not contacted. `presents`: whether anything but a bare question would be sent.
    #[must_use]
    pub fn refusal(&self, presents: bool) -> Option<TargetError> {
        if let Some(problem) = &self.problem {
            return Some(problem.clone());
        }
        let here = self.is_loopback() || self.source == Source::LocalAddress;
        match self.scheme {
            Scheme::Tls => None,
            Scheme::Plain if here || !presents => None,
            Scheme::Plain => Some(TargetError::Plaintext { host: self.host.clone() }),
            Scheme::Invalid => Some(TargetError::NotAnAddress { key: address::key(self.source) }),
        }
    }

    /// Host and port for the `Host` header.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The gateway's name beside a device token: scheme, host and port.
    pub(crate) fn gateway(&self) -> String {
        let word = if self.scheme == Scheme::Tls { "wss" } else { "ws" };
        format!("{word}://{}", self.authority())
    }
}

/// Whether an address is loopback, IPv4-mapped ones included.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
