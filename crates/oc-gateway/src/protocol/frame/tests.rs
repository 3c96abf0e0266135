#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::json;

use super::*;

#[test]
fn a_request_has_nothing_but_its_members() {
    let good = read(r#"{"type":"req","id":"r1","method":"health"}"#).unwrap();
    assert_eq!((good.id.as_str(), good.method.as_str(), good.params), ("r1", "health", json!({})));
    for (text, id) in [
        (r#"{"type":"req","id":"r1","method":"health","x":1}"#, "r1"),
        (r#"{"type":"res","id":"r1","method":"health"}"#, "r1"),
        (r#"{"type":"req","id":"","method":"health"}"#, ""),
        (r#"{"type":"req","id":"r1","method":""}"#, "r1"),
        (r#"{"type":"req","id":1,"method":"health"}"#, "invalid"),
        (r#"{"type":"req","method":"health"}"#, "invalid"),
        ("[]", "invalid"),
        ("1", "invalid"),
    ] {
        match read(text) {
            Err(NotARequest::Shape { id: got, .. }) => assert_eq!(got, id, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(read("{"), Err(NotARequest::NotJson));
    assert_eq!(read(""), Err(NotARequest::NotJson));
}

#[test]
fn sp_016_a_deep_frame_is_no_request() {
    assert_eq!(read(&"[".repeat(MAX_FRAME)), Err(NotARequest::NotJson));
}

#[test]
fn answers_and_events_on_the_wire() {
    let text = |frame: &Outgoing| serde_json::to_string(frame).unwrap();
    assert_eq!(
        text(&Outgoing::answer("r1", Ok(json!({"ok": true})))),
        r#"{"type":"res","id":"r1","ok":true,"payload":{"ok":true}}"#
    );
    assert_eq!(
        text(&Outgoing::answer("r2", Err(Failure::missing_scope("operator.admin")))),
        r#"{"type":"res","id":"r2","ok":false,"error":{"code":"INVALID_REQUEST","message":"missing scope: operator.admin"}}"#
    );
    let event = Outgoing::Event {
        event: "tick".into(),
        payload: Some(json!({"ts": 1})),
        seq: Some(7),
        state_version: Some(StateVersion { presence: 1, health: 2 }),
    };
    assert_eq!(
        text(&event),
        r#"{"type":"event","event":"tick","payload":{"ts":1},"seq":7,"stateVersion":{"presence":1,"health":2}}"#
    );
}

#[test]
fn close_reasons_fit_the_wire() {
    assert_eq!(close_reason("pairing required"), "pairing required");
    assert_eq!(close_reason(&"a".repeat(200)).len(), 120);
    assert_eq!(close_reason(&"日".repeat(100)).len(), 120);
    assert_eq!(close_reason(""), "");
}
