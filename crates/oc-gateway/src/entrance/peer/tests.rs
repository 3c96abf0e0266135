#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn proxies(entries: &[&str]) -> TrustedProxies {
    let (proxies, wrong) = TrustedProxies::read(entries.iter().copied());
    assert_eq!(wrong, Vec::<String>::new());
    proxies
}

fn direct(remote: &str, host: &str) -> Caller {
    let own = Own { tailnet: vec![ip("100.101.1.2"), ip("fd7a:115c:a1e0::5")] };
    caller(ip(remote), &Head { host: Some(host), ..Head::default() }, &TrustedProxies::default(), &own)
}

#[test]
fn sp_329_local_needs_the_socket_and_the_host_header() {
    for (remote, host) in [
        ("127.0.0.1", "localhost:18789"),
        ("127.8.9.1", "127.0.0.1"),
        ("::1", "[::1]:18789"),
        ("::ffff:127.0.0.1", "LOCALHOST."),
        ("127.0.0.1", "box.tail1234.ts.net"),
        ("100.101.1.2", "100.101.1.2:18789"),
        ("100.101.1.2", "box.tail1234.ts.net"),
        ("fd7a:115c:a1e0::5", "[fd7a:115c:a1e0::5]:18789"),
    ] {
        assert!(direct(remote, host).is_local_direct(), "{remote} {host}");
    }
    for (remote, host) in [
        ("127.0.0.1", "example.com"),
        ("127.0.0.1", ""),
        ("127.0.0.1", "localhost.example.com"),
        ("127.0.0.1", "evilts.net"),
        ("127.0.0.1", "localhost:x"),
        ("127.0.0.1", "192.168.1.2"),
        ("127.0.0.1", "0.0.0.0"),
        ("192.168.1.7", "localhost"),
        ("100.101.1.3", "100.101.1.2"),
        ("100.101.1.2", "localhost"),
        ("100.101.1.2", "example.com"),
        ("203.0.113.9", "box.tail1234.ts.net"),
    ] {
        assert!(!direct(remote, host).is_local_direct(), "{remote} {host}");
    }
    let no_host = caller(ip("127.0.0.1"), &Head::default(), &TrustedProxies::default(), &Own::default());
    assert_eq!(no_host, Caller::At(ip("127.0.0.1")));
}

#[test]
fn sp_329_any_forwarding_header_takes_locality_away() {
    let heads = [
        Head { host: Some("localhost"), forwarded_for: Some("127.0.0.1"), ..Head::default() },
        Head { host: Some("localhost"), real_ip: Some("127.0.0.1"), ..Head::default() },
        Head { host: Some("localhost"), other_forwarding: Forwarding::Present, ..Head::default() },
        Head { host: Some("localhost"), forwarded_for: Some(""), ..Head::default() },
    ];
    for trusted in [TrustedProxies::default(), proxies(&["127.0.0.1", "::1"])] {
        for head in &heads {
            assert!(!caller(ip("127.0.0.1"), head, &trusted, &Own::default()).is_local_direct(), "{head:?}");
        }
    }
}

#[test]
fn sp_330_the_chain_is_walked_from_the_right() {
    let trusted = proxies(&["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]);
    let walk = |chain: &str| {
        let head = Head { host: Some("x"), forwarded_for: Some(chain), ..Head::default() };
        caller(ip("127.0.0.1"), &head, &trusted, &Own::default())
    };
    // A proxy that appends: what the client wrote stands further left and is not believed.
    assert_eq!(walk("127.0.0.1, 203.0.113.9"), Caller::At(ip("203.0.113.9")));
    assert_eq!(walk("198.51.100.1, 203.0.113.9, 10.1.2.3, 2001:db8::7"), Caller::At(ip("203.0.113.9")));
    assert_eq!(walk("203.0.113.9:4711"), Caller::At(ip("203.0.113.9")));
    assert_eq!(walk("[2001:4860::1]:4711"), Caller::At(ip("2001:4860::1")));
    assert_eq!(walk("::ffff:203.0.113.9"), Caller::At(ip("203.0.113.9")));
    for bad in
        ["", " , ", "unknown", "203.0.113.9, x", "203.0.113.9:99999", "1.2.3", "[::1", "_hidden", "10.0.0.1"]
    {
        assert_eq!(walk(bad), Caller::Unknown, "{bad}");
    }
    let only_real = Head { host: Some("x"), real_ip: Some("203.0.113.9"), ..Head::default() };
    assert_eq!(caller(ip("127.0.0.1"), &only_real, &trusted, &Own::default()), Caller::At(ip("203.0.113.9")));
    let loopback_inside = walk("127.0.0.5");
    assert!(!loopback_inside.is_local_direct(), "an address inside a header never yields loopback status");
}

#[test]
fn sp_331_headers_of_an_untrusted_peer_change_nothing_else() {
    let head = Head { host: Some("localhost"), forwarded_for: Some("203.0.113.9"), ..Head::default() };
    let got = caller(ip("192.168.1.5"), &head, &proxies(&["192.168.1.6"]), &Own::default());
    assert_eq!(got, Caller::At(ip("192.168.1.5")));
}

#[test]
fn ranges_of_proxies() {
    let trusted = proxies(&["192.168.1.0/24", "10.0.0.1", "::ffff:172.16.0.9", "2001:db8::/33", "0.0.0.0/0"]);
    assert!(trusted.contains(ip("192.168.1.255")) && trusted.contains(ip("::ffff:192.168.1.1")));
    assert!(trusted.contains(ip("2001:db8:7fff::1")) && !trusted.contains(ip("2001:db8:8000::1")));
    assert!(trusted.contains(ip("8.8.8.8")) && !trusted.contains(ip("::1")));
    let (_, wrong) = TrustedProxies::read([
        "",
        "x",
        "1.2.3.4/33",
        "1.2.3.4/",
        "1.2.3.4/+8",
        "::/129",
        "::ffff:1.2.3.4/96",
    ]);
    assert_eq!(wrong.len(), 7);
}
