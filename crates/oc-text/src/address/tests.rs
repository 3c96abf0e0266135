use proptest::prelude::*;

use super::*;

/// One address of each range of the IANA special-purpose registries, its edges, and its neighbours.
#[test]
fn sp_010_every_special_range_is_blocked_and_its_neighbours_are_not() {
    let table = include_str!("../../../../fixtures/text/special-addresses.txt");
    for line in table.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
        let (address, class) = line.split_once(' ').unwrap();
        let public = class.trim() == "public";
        assert_eq!(classify(address).is_public(), public, "{line}");
    }
}

#[test]
fn sp_010_legacy_and_broken_forms_are_blocked() {
    for text in [
        "",
        " ",
        "1",
        "127.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.4%eth0",
        "::g",
        "[::1",
        "8.8.8.8.",
    ] {
        assert!(!classify(text).is_public(), "{text}");
        assert!(is_blocked_host(text), "{text}");
    }
    for host in
        ["example.com", "EXAMPLE.com.", "8.8.8.8", "[2606:4700::1111]", "internal", "local", "a_b.example"]
    {
        assert!(!is_blocked_host(host), "{host}");
    }
    for host in [
        "localhost",
        "LocalHost.",
        "a.localhost",
        "x.internal",
        "printer.local.",
        "[fe80::1%eth0]",
        "::ffff:10.0.0.1",
        "a b",
        "a..b",
        "exa\u{212a}mple",
        "evil.0x7f",
    ] {
        assert!(is_blocked_host(host), "{host}");
    }
}

#[test]
fn sp_009_wildcard_binds_are_never_loopback() {
    for text in ["0.0.0.0", "::", "[::]", "::ffff:0.0.0.0", "*"] {
        assert!(!Host::parse(text).is_some_and(|h| h.is_loopback()), "{text}");
    }
    for text in ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1", "LOCALHOST.", "::1%lo"] {
        assert!(Host::parse(text).unwrap().is_loopback(), "{text}");
    }
}

proptest! {
    #[test]
    fn sp_009_all_forms_of_an_address_are_one(bits: u32, zone in "[a-z0-9]{1,4}") {
        let v4 = Ipv4Addr::from(bits);
        let mapped = v4.to_ipv6_mapped();
        let hex = mapped.segments();
        let host = Host::parse(&v4.to_string());
        for text in [
            mapped.to_string(),
            format!("[{mapped}]"),
            format!("0:0:0:0:0:FFFF:{:x}:{:X}", hex[6], hex[7]),
            format!("{mapped}%{zone}"),
        ] {
            prop_assert_eq!(&Host::parse(&text), &host, "{}", text);
        }
        prop_assert_eq!(classify(&v4.to_string()), classify(&mapped.to_string()));
    }

    #[test]
    fn parsing_never_panics(text in ".{0,40}") {
        let _ = (Host::parse(&text), classify(&text), is_blocked_host(&text));
    }
}
