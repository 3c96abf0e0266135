//! The head of a request as the decisions want it: owned, bounded, each header once.

use std::net::IpAddr;

use hyper::header::{HeaderMap, HeaderValue};

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
    /// Reads the headers, in one walk.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let mut head = Self::default();
        for (name, value) in headers {
            let name = name.as_str();
            let (text, forwarding) = match name {
                "host" => (Some(&mut head.host), false),
                "origin" => (Some(&mut head.origin), false),
                "user-agent" => (Some(&mut head.user_agent), false),
                "tailscale-user-login" => (Some(&mut head.tailscale_login), false),
                "x-forwarded-for" => (Some(&mut head.forwarded_for), false),
                "x-real-ip" => (Some(&mut head.real_ip), false),
                "x-forwarded-proto" => (Some(&mut head.forwarded_proto), true),
                "x-forwarded-host" => (Some(&mut head.forwarded_host), true),
                _ => (None, FORWARDING_HEADERS.contains(&name)),
            };
            head.other_forwarding |= forwarding;
            if let Some(text) = text {
                add(text, value);
            }
        }
        head
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

/// One more line of a header; all of them are joined. A header that is there and cannot be read is there all the same: it becomes a text
/// that nothing accepts.
fn add(text: &mut Option<String>, line: &HeaderValue) {
    let line = line.to_str().ok().filter(|t| t.len() <= LONGEST).unwrap_or("\u{0}");
    match text {
        None => *text = Some(line.to_owned()),
        Some(text) => {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(line);
        }
    }
}
