//! Where the probe goes and what it presents there.

use std::net::IpAddr;

use oc_types::{Node, Secret};

/// The port when nothing names one.
const DEFAULT_PORT: u16 = 18_789;

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
}

/// Reads the configuration and the environment. Credentials given on the command line (`given`) replace the configured ones.
///
/// Remote mode with a non-blank `gateway.remote.url` goes there with `gateway.remote.*`; otherwise `ws://127.0.0.1:<port>`
/// with the environment's token before `gateway.auth.token`. The environment's password comes first for both.
pub fn from_config<'e>(config: &Node, env: impl Fn(&str) -> Option<&'e str>, given: &Credentials) -> Target {
    let text = |keys: &[&str]| config.path(keys).and_then(Node::as_str).filter(|s| !s.trim().is_empty());
    let var = |names: [&str; 2]| names.iter().find_map(|n| env(n).filter(|s| !s.trim().is_empty()));
    let secret = |s: &str| Secret::new(s.trim().to_owned());
    let env_password = var(["OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD"]);
    let remote =
        (text(&["gateway", "mode"]) == Some("remote")).then(|| text(&["gateway", "remote", "url"])).flatten();
    let (mut target, token, password) = match remote {
        Some(url) => (
            parse(url.trim()),
            text(&["gateway", "remote", "token"]),
            env_password.or_else(|| text(&["gateway", "remote", "password"])),
        ),
        None => (
            local(port(config, &env)),
            var(["OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN"])
                .or_else(|| text(&["gateway", "auth", "token"])),
            env_password.or_else(|| text(&["gateway", "auth", "password"])),
        ),
    };
    target.credentials = Credentials { token: token.map(secret), password: password.map(secret) };
    if !given.is_empty() {
        target.credentials = given.clone();
    }
    target
}

fn port<'e>(config: &Node, env: &impl Fn(&str) -> Option<&'e str>) -> u16 {
    let from_env = ["OPENCLAW_GATEWAY_PORT", "CLAWDBOT_GATEWAY_PORT"]
        .iter()
        .find_map(|n| env(n)?.trim().parse::<u16>().ok().filter(|p| *p > 0));
    let configured = config
        .path(&["gateway", "port"])
        .and_then(Node::as_number)
        .and_then(|n| oc_types::tree::number_text(n).parse::<u16>().ok())
        .filter(|p| *p > 0);
    from_env.or(configured).unwrap_or(DEFAULT_PORT)
}

fn local(port: u16) -> Target {
    Target {
        scheme: Scheme::Plain,
        host: "127.0.0.1".to_owned(),
        port,
        path: "/".to_owned(),
        display: format!("ws://127.0.0.1:{port}"),
        credentials: Credentials::default(),
    }
}

/// Reads a gateway address. Anything that is no address becomes [`Scheme::Invalid`] and is never contacted.
#[must_use]
pub fn parse(url: &str) -> Target {
    let invalid = || Target {
        scheme: Scheme::Invalid,
        host: String::new(),
        port: 0,
        path: String::new(),
        display: "(not an address)".to_owned(),
        credentials: Credentials::default(),
    };
    let Ok(uri) = url.parse::<tokio_tungstenite::tungstenite::http::Uri>() else { return invalid() };
    let (scheme, word, default_port) = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
        Some("ws" | "http") => (Scheme::Plain, "ws", 80),
        Some("wss" | "https") => (Scheme::Tls, "wss", 443),
        _ => return invalid(),
    };
    let Some(host) = uri.host().filter(|h| !h.is_empty()) else { return invalid() };
    let port = uri.port_u16();
    let path = if uri.path().is_empty() { "/" } else { uri.path() };
    let shown_path = if path == "/" { "" } else { path };
    Target {
        scheme,
        host: host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase(),
        port: port.unwrap_or(default_port),
        path: path.to_owned(),
        display: format!("{word}://{host}{}{shown_path}", port.map(|p| format!(":{p}")).unwrap_or_default()),
        credentials: Credentials::default(),
    }
}

impl Target {
    /// Whether the host is this machine by name or literal. `0.0.0.0` and the like are not: what they reach is the system's choice.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => super::is_loopback(address),
            Err(_) => self.host == "localhost",
        }
    }

    /// Host and port for the `Host` header.
    pub(super) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}
