//! May a page in a browser talk to this gateway? (gateway 10, SP-334)

use std::net::IpAddr;

use oc_text::address::Host;

use super::peer::host_name;

#[cfg(test)]
mod tests;

/// What the operator and the machine say about origins.
#[derive(Clone, Debug, Default)]
pub struct OriginRule {
    /// `gateway.controlUi.allowedOrigins`, as written.
    pub allowed: Vec<String>,
    /// Addresses of the machine's own interfaces.
    pub own: Vec<IpAddr>,
}

/// What kind of client sent the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The console or web chat: an origin is expected.
    Page,
    /// Anything else: an origin means that it is a browser after all.
    Program,
}

/// A web origin in normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Origin {
    fn read(text: &str) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let (scheme, rest) = match lower.split_once("://")? {
            ("http", rest) => (Scheme::Http, rest),
            ("https", rest) => (Scheme::Https, rest),
            _ => return None,
        };
        let (host, port) = host_and_port(rest)?;
        Some(Self { scheme, host, port: port.unwrap_or(scheme.default_port()) })
    }
}

fn host_and_port(text: &str) -> Option<(Host, Option<u16>)> {
    let host = host_name(text)?;
    let port = match text.rsplit_once(':') {
        Some((before, port)) if !before.starts_with('[') || before.ends_with(']') => Some(port.parse().ok()?),
        _ => None,
    };
    Some((host, port))
}

/// Whether the origin may connect. `header` is the request's `Origin`, `host` its `Host`; `scheme_is_tls` says how the gateway serves.
///
/// An origin equal to the `Host` header counts only when that host is this machine: otherwise a rebound name would pass.
#[must_use]
pub fn may_connect(client: Client, header: Option<&str>, host: Option<&str>, rule: &OriginRule) -> bool {
    let Some(header) = header else { return client == Client::Program };
    let Some(origin) = Origin::read(header) else { return false };
    if rule.allowed.iter().filter_map(|a| Origin::read(a)).any(|a| a == origin) {
        return true;
    }
    let Some((named, port)) = host.and_then(host_and_port) else { return false };
    if origin.host.is_loopback() && named.is_loopback() {
        return true;
    }
    let same = origin.host == named && origin.port == port.unwrap_or(origin.scheme.default_port());
    same && is_own(&named, rule)
}

fn is_own(host: &Host, rule: &OriginRule) -> bool {
    match host {
        Host::Address(address) => rule.own.iter().any(|o| o.to_canonical() == *address),
        Host::Name(name) => name.ends_with(".ts.net"),
    }
}
