//! Where pages may be (`browser.ssrfPolicy`). Pure.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use oc_text::address::{AddressClass, Host, Special, classify_address, is_blocked_host};
use oc_types::Node;

#[cfg(test)]
mod tests;

/// Names that stand for the metadata service of a cloud: refused whatever is switched on.
const METADATA: [&str; 2] = ["metadata.google.internal", "metadata"];
/// Their addresses that lie in private ranges; the others are link-local.
const METADATA_AT: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// The destinations of pages and of everything that pages load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// `dangerouslyAllowPrivateNetwork`.
    private: bool,
    /// `allowedHostnames`: hosts, in normal form, that may be inside.
    named: BTreeSet<String>,
    /// `hostnameAllowlist`: when it says something, no host but these and the named ones. What it says may be nothing that can be used;
    /// then there are none of these.
    only: Option<Vec<String>>,
}

impl Reach {
    /// Reads `browser.ssrfPolicy`. What is no text is left out: nothing is permitted by it.
    pub fn of(policy: Option<&Node>) -> Self {
        let texts = |name: &str| {
            let list = policy.and_then(|p| p.get(name)).and_then(Node::as_array);
            list.unwrap_or_default().iter().filter_map(Node::as_str).map(str::trim).filter(|t| !t.is_empty())
        };
        let private = policy.and_then(|p| p.get("dangerouslyAllowPrivateNetwork")).and_then(Node::as_bool)
            == Some(true);
        Self {
            private,
            named: texts("allowedHostnames").filter_map(normal).collect(),
            only: says_something(policy.and_then(|p| p.get("hostnameAllowlist")))
                .then(|| texts("hostnameAllowlist").map(str::to_ascii_lowercase).collect()),
        }
    }

    /// Whether a host may be asked for at all, by its name or literal address.
    pub fn permits_host(&self, host: &str) -> bool {
        let Some(name) = normal(host) else { return false };
        if self.named.contains(&name) {
            return true;
        }
        if METADATA.contains(&name.as_str()) {
            return false;
        }
        if self.only.as_ref().is_some_and(|only| !only.iter().any(|pattern| fits(pattern, &name))) {
            return false;
        }
        match Host::parse(host) {
            Some(Host::Address(address)) => self.permits_address(host, address),
            Some(Host::Name(_)) => self.private || !is_blocked_host(host),
            None => false,
        }
    }

    /// Whether a connection to an address of a host may be made.
    pub fn permits_address(&self, host: &str, address: IpAddr) -> bool {
        if METADATA_AT.contains(&address.to_canonical()) {
            return false;
        }
        let inside = self.private || normal(host).is_some_and(|name| self.named.contains(&name));
        match classify_address(address) {
            AddressClass::Public => true,
            AddressClass::Special(Special::Loopback | Special::Private | Special::Shared) => inside,
            // Link-local holds the metadata services; the rest are no destinations.
            AddressClass::Special(
                Special::Unspecified
                | Special::LinkLocal
                | Special::Protocol
                | Special::Documentation
                | Special::Benchmark
                | Special::Multicast
                | Special::Reserved
                | Special::Embedded,
            )
            | AddressClass::Unparseable => false,
        }
    }
}

/// Whether a list is more than an empty one. What is no list says something that nobody can read.
fn says_something(list: Option<&Node>) -> bool {
    list.is_some_and(|l| !l.is_null() && l.as_array().is_none_or(|entries| !entries.is_empty()))
}

fn normal(host: &str) -> Option<String> {
    Some(match Host::parse(host)? {
        Host::Address(address) => address.to_string(),
        Host::Name(name) => name,
    })
}

/// `*.example.org` stands for every name below, a plain name for itself.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => name.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => normal(pattern).as_deref() == Some(name),
    }
}
