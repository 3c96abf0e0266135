//! The head of a request as the decisions want it: owned, bounded, each header once.

use std::net::IpAddr;

use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN, USER_AGENT};

use crate::entrance::peer::{self, Caller, FORWARDING_HEADERS, Forwarding, Own, TrustedProxies};

/// Longest value of a header that is looked at, in bytes; a longer one counts as malformed.
const LONGEST: usize = 4096;

/// What a request's head says.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// `Host`.
    pub host: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// `X-Forwarded-For`, every line of it.
    pub forwarded_for: Option<String>,
    /// `X-Real-IP`.
    pub real_ip: Option<String>,
    /// `X-Forwarded-Proto`.
    pub forwarded_proto: Option<String>,
    /// `X-Forwarded-Host`.
    pub forwarded_host: Option<String>,
    /// `Tailscale-User-Login`.
    pub tailscale_login: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// Whether any other forwarding header is there.
    pub other_forwarding: bool,
}

impl Head {
    /// Reads the headers.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let named = |name: &'static str| value(headers, &HeaderName::from_static(name));
        let chains = ["x-forwarded-for", "x-real-ip"];
        let other = FORWARDING_HEADERS
            .iter()
            .filter(|n| !chains.contains(n))
            .any(|n| headers.contains_key(HeaderName::from_static(n)));
        Self {
            host: value(headers, &HOST),
            origin: value(headers, &ORIGIN),
            forwarded_for: named("x-forwarded-for"),
            real_ip: named("x-real-ip"),
            forwarded_proto: named("x-forwarded-proto"),
            forwarded_host: named("x-forwarded-host"),
            tailscale_login: named("tailscale-user-login"),
            user_agent: value(headers, &USER_AGENT),
            other_forwarding: other,
        }
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self, remote: IpAddr, proxies: &TrustedProxies, own: &Own) -> Caller {
        let head = peer::Head {
            host: self.host.as_deref(),
            forwarded_for: self.forwarded_for.as_deref(),
            real_ip: self.real_ip.as_deref(),
            other_forwarding: if self.other_forwarding { Forwarding::Present } else { Forwarding::Absent },
        };
        peer::caller(remote, &head, proxies, own)
    }
}

/// All lines of a header, joined. A header that is there and cannot be read is there all the same: it becomes a text that nothing accepts.
fn value(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut all = headers.get_all(name).iter().peekable();
    all.peek()?;
    let mut out = String::new();
    for one in all {
        let text = one.to_str().ok().filter(|t| t.len() <= LONGEST).unwrap_or("\u{0}");
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(text);
    }
    Some(out)
}
