//! The special-use ranges of the IANA registries, and IPv6 forms that carry an IPv4 address.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::v4;

/// Why an address is no public destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Special {
    /// `0.0.0.0/8`, `::`.
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// RFC 1918, `fc00::/7`, the retired site-local `fec0::/10`.
    Private,
    /// Carrier-grade NAT, `100.64.0.0/10`.
    Shared,
    /// `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// Protocol assignments and relays.
    Protocol,
    /// Documentation.
    Documentation,
    /// Benchmarking.
    Benchmark,
    /// Multicast.
    Multicast,
    /// Reserved, broadcast, or outside the space that is in use.
    Reserved,
    /// An IPv6 form that carries an IPv4 address: NAT64, 6to4, Teredo, ISATAP, IPv4-compatible.
    Embedded,
}

const V4: &[(Ipv4Addr, u32, Special)] = &[
    (v4(0, 0, 0, 0), 8, Special::Unspecified),
    (v4(10, 0, 0, 0), 8, Special::Private),
    (v4(100, 64, 0, 0), 10, Special::Shared),
    (v4(127, 0, 0, 0), 8, Special::Loopback),
    (v4(169, 254, 0, 0), 16, Special::LinkLocal),
    (v4(172, 16, 0, 0), 12, Special::Private),
    (v4(192, 0, 0, 0), 24, Special::Protocol),
    (v4(192, 0, 2, 0), 24, Special::Documentation),
    (v4(192, 88, 99, 0), 24, Special::Protocol),
    (v4(192, 168, 0, 0), 16, Special::Private),
    (v4(198, 18, 0, 0), 15, Special::Benchmark),
    (v4(198, 51, 100, 0), 24, Special::Documentation),
    (v4(203, 0, 113, 0), 24, Special::Documentation),
    (v4(224, 0, 0, 0), 4, Special::Multicast),
    (v4(240, 0, 0, 0), 4, Special::Reserved),
];

const fn v6(a: u16, b: u16, c: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)
}

/// More precise ranges first.
const V6: &[(Ipv6Addr, u32, Special)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, Special::Unspecified),
    (Ipv6Addr::LOCALHOST, 128, Special::Loopback),
    (v6(0, 0, 0), 96, Special::Embedded),
    (v6(0x64, 0xff9b, 0), 96, Special::Embedded),
    (v6(0x64, 0xff9b, 1), 48, Special::Embedded),
    (v6(0x100, 0, 0), 64, Special::Reserved),
    (v6(0x2001, 0, 0), 32, Special::Embedded),
    (v6(0x2001, 2, 0), 48, Special::Benchmark),
    (v6(0x2001, 0xdb8, 0), 32, Special::Documentation),
    (v6(0x2001, 0, 0), 23, Special::Protocol),
    (v6(0x2002, 0, 0), 16, Special::Embedded),
    (v6(0x3fff, 0, 0), 20, Special::Documentation),
    (v6(0xfc00, 0, 0), 7, Special::Private),
    (v6(0xfe80, 0, 0), 10, Special::LinkLocal),
    (v6(0xfec0, 0, 0), 10, Special::Private),
    (v6(0xff00, 0, 0), 8, Special::Multicast),
];

pub(super) fn special_v4(address: Ipv4Addr) -> Option<Special> {
    let bits = u32::from(address);
    let within = |net: Ipv4Addr, length: u32| (bits ^ u32::from(net)).leading_zeros() >= length;
    V4.iter().find(|(net, length, _)| within(*net, *length)).map(|(_, _, special)| *special)
}

pub(super) fn special_v6(address: Ipv6Addr) -> Option<Special> {
    let bits = u128::from(address);
    let within = |net: Ipv6Addr, length: u32| (bits ^ u128::from(net)).leading_zeros() >= length;
    let listed = V6.iter().find(|(net, length, _)| within(*net, *length)).map(|(_, _, special)| *special);
    let [_, _, _, _, a, b, _, _] = address.segments();
    let isatap = b == 0x5efe && matches!(a, 0 | 0x200);
    let global = within(v6(0x2000, 0, 0), 3);
    listed.or(isatap.then_some(Special::Embedded)).or((!global).then_some(Special::Reserved))
}
