#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn sp_352_a_spoofed_record_gives_no_pin_and_nothing_that_a_terminal_obeys() {
    let heard = Heard {
        full_name: format!("bank\u{1b}[2J\u{202e}.{SERVICE}"),
        host: "evil\n.local.".into(),
        port: 4443,
        addresses: vec!["10.0.0.9".parse().unwrap(), "fe80::1".parse().unwrap(), "10.0.0.9".parse().unwrap()],
        txt: vec![
            ("gatewayTls".into(), "1".into()),
            ("gatewayTlsSha256".into(), "deadbeef".repeat(8)),
            ("token".into(), "canary".into()),
            ("displayName".into(), "x".repeat(10_000)),
            ("ROLE".into(), "gateway\u{7}".into()),
        ],
    };
    let found = Found::of(heard);
    let shown = serde_json::to_string(&found).unwrap();
    assert!(!shown.contains("deadbeef") && !shown.contains("canary"), "{shown}");
    assert!(!found.instance.contains(['\u{1b}', '\u{202e}']) && !found.host.contains('\n'), "{found:?}");
    assert!(found.hints.get("displayName").unwrap().chars().count() <= SHOWN + 1);
    assert!(!found.hints.get("role").unwrap().contains('\u{7}'));
    assert_eq!(found.url_hint().unwrap(), "wss://10.0.0.9:4443");
    assert_eq!(found.addresses.len(), 2);
    assert_eq!(Found::of(Heard::default()).url_hint(), None);
}
