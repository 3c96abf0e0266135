//! Hosts and addresses: one normal form, and whether a destination is public (SP-009, SP-010).
//!
//! An address is public only when it is written in full and lies in no special-use range; whatever cannot be parsed is blocked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

mod special;
#[cfg(test)]
mod tests;

pub use special::Special;
use special::{special_v4, special_v6};

/// What an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// Globally routable.
    Public,
    /// In a special-use range.
    Special(Special),
    /// No address in its full form: blocked. Short, octal, hexadecimal and integer IPv4 forms are here too.
    Unparseable,
}

impl AddressClass {
    /// Whether a connection to it may be made for untrusted input.
    #[must_use]
    pub fn is_public(self) -> bool {
        self == Self::Public
    }
}

/// A host in normal form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address; an IPv4 address mapped into IPv6 is the IPv4 address.
    Address(IpAddr),
    /// A name: lower case, no dot at the end.
    Name(String),
}

impl Host {
    /// Reads a host: name, address, or address in brackets; a zone id is removed. `None` for anything else, also for a name whose last
    /// part is a number without being an IPv4 address in full (some resolvers read those as addresses).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bracketed = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        if let Some(inner) = bracketed {
            return without_zone(inner)
                .parse::<Ipv6Addr>()
                .ok()
                .map(|a| Self::Address(unmapped(IpAddr::V6(a))));
        }
        if let Some(address) = parse_address(text) {
            return Some(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let label = |l: &str| {
            !l.is_empty()
                && l.len() <= 63
                && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let numeric = |l: &str| {
            let hex = l.strip_prefix("0x").is_some_and(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
            hex || l.bytes().all(|b| b.is_ascii_digit())
        };
        let ok =
            name.len() <= 253 && name.split('.').all(label) && !name.rsplit('.').next().is_some_and(numeric);
        ok.then_some(Self::Name(name))
    }

    /// Whether it is this machine: 127.0.0.0/8, `::1`, `localhost`. A wildcard bind (`0.0.0.0`, `::`) is not.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }
}

/// An address without zone id, IPv4-mapped IPv6 as IPv4.
fn parse_address(text: &str) -> Option<IpAddr> {
    let address = match without_zone(text).parse::<IpAddr>().ok()? {
        IpAddr::V4(_) if text.contains('%') => return None,
        address => address,
    };
    Some(unmapped(address))
}

fn without_zone(text: &str) -> &str {
    text.split_once('%').map_or(text, |(address, _)| address)
}

fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Classifies an address given as text; brackets and a zone id are allowed.
#[must_use]
pub fn classify(text: &str) -> AddressClass {
    match Host::parse(text) {
        Some(Host::Address(address)) => classify_address(address),
        Some(Host::Name(_)) | None => AddressClass::Unparseable,
    }
}

/// Classifies a parsed address: the one that is then connected to.
#[must_use]
pub fn classify_address(address: IpAddr) -> AddressClass {
    let special = match unmapped(address) {
        IpAddr::V4(v4) => special_v4(v4),
        IpAddr::V6(v6) => special_v6(v6),
    };
    special.map_or(AddressClass::Public, AddressClass::Special)
}

/// Whether a host name must not be fetched for untrusted input: names of this machine and of private networks, addresses that are not
/// public, and whatever is no host. A name that passes still has to resolve to public addresses only.
#[must_use]
pub fn is_blocked_host(text: &str) -> bool {
    match Host::parse(text) {
        None => true,
        Some(Host::Address(address)) => !classify_address(address).is_public(),
        Some(Host::Name(name)) => {
            matches!(name.as_str(), "localhost" | "metadata.google.internal")
                || [".localhost", ".local", ".internal"].iter().any(|suffix| name.ends_with(suffix))
        }
    }
}

/// An IPv4 address from its octets; for the tables.
const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}
