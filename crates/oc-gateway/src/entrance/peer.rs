//! The caller's address and whether it is local-direct (gateway 2, SP-329 to SP-331).

use std::net::IpAddr;

use oc_text::address::Host;

#[cfg(test)]
mod tests;

/// Addresses whose forwarding headers count: single addresses and CIDR ranges of `gateway.trustedProxies`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Range>);

/// An address range; a single address is a range of full length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    base: IpAddr,
    bits: u8,
}

impl TrustedProxies {
    /// Reads the entries of `gateway.trustedProxies`. An entry that is no address or range is returned for the operator and trusts nobody.
    #[must_use]
    pub fn read<'a>(entries: impl IntoIterator<Item = &'a str>) -> (Self, Vec<String>) {
        let mut ranges = Vec::new();
        let mut wrong = Vec::new();
        for entry in entries {
            match Range::read(entry.trim()) {
                Some(range) => ranges.push(range),
                None => wrong.push(entry.to_owned()),
            }
        }
        (Self(ranges), wrong)
    }

    /// Whether an address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = normal(address);
        self.0.iter().any(|r| r.contains(address))
    }
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) if !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit()) => {
                (address, Some(bits.parse::<u8>().ok()?))
            }
            Some(_) => return None,
        };
        let written = address.parse::<IpAddr>().ok()?;
        let base = normal(written);
        let full = width(base);
        // A range over mapped addresses would mean another length after normalisation.
        let bits = match bits {
            Some(_) if width(written) != full => return None,
            Some(bits) if bits > full => return None,
            Some(bits) => bits,
            None => full,
        };
        Some(Self { base, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        let kept = |value: u128, width: u8| {
            value.checked_shr(u32::from(width.saturating_sub(self.bits))).unwrap_or_default()
        };
        match (self.base, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                kept(u128::from(u32::from(a)), 32) == kept(u128::from(u32::from(b)), 32)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => kept(u128::from(a), 128) == kept(u128::from(b), 128),
            _ => false,
        }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// IPv4 mapped into IPv6 is IPv4 (SP-009).
fn normal(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What the socket and the request's head say. Header values are as received; a header that came more than once is joined by `, `.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    /// `Host`.
    pub host: Option<&'a str>,
    /// `X-Forwarded-For`.
    pub forwarded_for: Option<&'a str>,
    /// `X-Real-IP`.
    pub real_ip: Option<&'a str>,
    /// Whether any other forwarding header is there: `Forwarded`, `X-Forwarded-Host`, `X-Forwarded-Proto`, `Via` and the like.
    pub other_forwarding: Forwarding,
}

/// Whether a header of a kind is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forwarding {
    /// No such header.
    #[default]
    Absent,
    /// At least one.
    Present,
}

/// Names of headers that only something between the caller and the gateway sets, lower case.
pub const FORWARDING_HEADERS: [&str; 9] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
    "cf-connecting-ip",
];

/// This machine, as the listener knows it.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Addresses of the machine's own interfaces in the tailnet ranges on which the gateway listens.
    pub tailnet: Vec<IpAddr>,
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A program of this machine, connected without anything in between.
    LocalDirect(IpAddr),
    /// Somebody at this address.
    At(IpAddr),
    /// Behind a trusted proxy that does not say whom it speaks for. Trusted with nothing, and limited as one caller.
    Unknown,
}

impl Caller {
    /// Whether it is local-direct.
    #[must_use]
    pub fn is_local_direct(self) -> bool {
        matches!(self, Self::LocalDirect(_))
    }

    /// The address, for limits and logs.
    #[must_use]
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::LocalDirect(a) | Self::At(a) => Some(a),
            Self::Unknown => None,
        }
    }
}

/// Decides who calls.
///
/// With a trusted proxy at the other end of the socket, the chain of `X-Forwarded-For` is walked from the right past trusted hops; a
/// malformed entry makes the caller unknown. Headers from anybody else change nothing but take locality away.
#[must_use]
pub fn caller(remote: IpAddr, head: &Head<'_>, proxies: &TrustedProxies, own: &Own) -> Caller {
    let remote = normal(remote);
    let forwarded = head.forwarded_for.is_some()
        || head.real_ip.is_some()
        || head.other_forwarding == Forwarding::Present;
    if !forwarded {
        return if is_local(remote, head.host, own) {
            Caller::LocalDirect(remote)
        } else {
            Caller::At(remote)
        };
    }
    if !proxies.contains(remote) {
        return Caller::At(remote);
    }
    let chain = match (head.forwarded_for, head.real_ip) {
        (Some(chain), _) => chain,
        (None, Some(one)) => one,
        (None, None) => return Caller::Unknown,
    };
    for entry in chain.rsplit(',') {
        match hop(entry) {
            None => return Caller::Unknown,
            Some(address) if proxies.contains(address) => {}
            Some(address) => return Caller::At(address),
        }
    }
    Caller::Unknown
}

/// One entry of the chain: an address, perhaps with a port.
fn hop(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    if let Some(rest) = entry.strip_prefix('[') {
        let (inner, port) = rest.split_once(']')?;
        let port_ok = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return port_ok.then(|| inner.parse().ok().map(normal)).flatten();
    }
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(normal(address));
    }
    let (address, port) = entry.split_once(':')?;
    is_port(port).then(|| address.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4)).flatten()
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The socket and the `Host` header both name this machine.
fn is_local(remote: IpAddr, host: Option<&str>, own: &Own) -> bool {
    let Some(named) = host.and_then(host_name) else { return false };
    let tailnet_name = matches!(&named, Host::Name(n) if n.ends_with(".ts.net"));
    if remote.is_loopback() {
        return named.is_loopback() || tailnet_name;
    }
    let own_address = own.tailnet.iter().any(|a| normal(*a) == remote) && is_tailnet(remote);
    own_address && (tailnet_name || named == Host::Address(remote))
}

/// The host of a `Host` header, without its port.
pub(super) fn host_name(header: &str) -> Option<Host> {
    let header = header.trim();
    if header.starts_with('[') {
        let end = header.find(']')?;
        let (inside, port) = header.split_at_checked(end.checked_add(1)?)?;
        let port_ok = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return port_ok.then(|| Host::parse(inside)).flatten();
    }
    match header.split_once(':') {
        None => Host::parse(header),
        Some((name, port)) if is_port(port) => Host::parse(name),
        Some(_) => None,
    }
}

/// Whether an address lies in the ranges that tailnets use: 100.64.0.0/10 and fd7a:115c:a1e0::/48.
#[must_use]
pub fn is_tailnet(address: IpAddr) -> bool {
    match normal(address) {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            a == 100 && (64..128).contains(&b)
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            (a, b, c) == (0xfd7a, 0x115c, 0xa1e0)
        }
    }
}
