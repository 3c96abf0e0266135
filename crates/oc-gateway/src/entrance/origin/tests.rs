#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn rule() -> OriginRule {
    OriginRule {
        allowed: vec!["https://Console.example.com".into(), "http://box:3000".into(), "not an origin".into()],
        own: vec!["192.168.1.10".parse().unwrap(), "fe80::1".parse().unwrap()],
    }
}

fn page(origin: Option<&str>, host: &str) -> bool {
    may_connect(Client::Page, origin, Some(host), &rule())
}

#[test]
fn sp_334_origins_that_may_connect() {
    for (origin, host) in [
        ("http://localhost:18789", "localhost:18789"),
        ("http://127.0.0.1:5173", "localhost:18789"),
        ("http://[::1]:18789", "127.0.0.1:18789"),
        ("https://console.example.com", "anything.example:1"),
        ("https://CONSOLE.example.com:443", "x"),
        ("http://box:3000", "x"),
        ("http://192.168.1.10:18789", "192.168.1.10:18789"),
        ("http://[fe80::1]:18789", "[fe80::1]:18789"),
        ("https://box.tail1.ts.net", "box.tail1.ts.net"),
    ] {
        assert!(page(Some(origin), host), "{origin} {host}");
    }
}

#[test]
fn sp_334_origins_that_may_not() {
    for (origin, host) in [
        ("null", "localhost:18789"),
        ("", "localhost:18789"),
        ("file://", "localhost:18789"),
        ("http://evil.example", "localhost:18789"),
        ("http://evil.example:18789", "evil.example:18789"),
        ("http://console.example.com", "x"),
        ("https://console.example.com:8443", "x"),
        ("https://console.example.com.evil.example", "x"),
        ("http://box", "x"),
        ("http://192.168.1.11:18789", "192.168.1.11:18789"),
        ("http://192.168.1.10:1", "192.168.1.10:18789"),
        ("http://192.168.1.10", "192.168.1.10:18789"),
        ("http://localhost.evil.example", "localhost:18789"),
        ("http://localhost:18789", "evil.example:18789"),
        ("http://user@localhost", "localhost"),
        ("http://localhost/path", "localhost"),
        ("ws://localhost:18789", "localhost:18789"),
    ] {
        assert!(!page(Some(origin), host), "{origin} {host}");
    }
    assert!(!page(None, "localhost:18789"), "a page always has an origin");
}

#[test]
fn a_program_with_an_origin_is_a_browser() {
    assert!(may_connect(Client::Program, None, Some("x"), &rule()));
    assert!(!may_connect(Client::Program, Some("http://evil.example"), Some("localhost"), &rule()));
    assert!(may_connect(Client::Program, Some("http://localhost:1"), Some("localhost"), &rule()));
}
