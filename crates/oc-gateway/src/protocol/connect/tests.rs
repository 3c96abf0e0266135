#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;

fn params() -> Value {
    json!({
        "minProtocol": 3, "maxProtocol": 3,
        "client": {"id": "cli", "version": "1", "platform": "linux", "mode": "cli"},
        "auth": {"token": "canary-token"},
    })
}

fn with(path: &str, value: Value) -> Value {
    let mut all = params();
    *all.pointer_mut(path).unwrap() = value;
    all
}

#[test]
fn versions_and_roles() {
    assert_eq!(Connect::read(params()).unwrap().1, Role::Operator);
    let mut node = params();
    node["role"] = json!("node");
    assert_eq!(Connect::read(node.clone()).unwrap().1, Role::Node);
    node["role"] = json!("admin");
    assert_eq!(Connect::read(node).unwrap_err().cause, "invalid-role");
    for (min, max, ok) in
        [(1, 3, true), (3, 9, true), (4, 4, false), (1, 2, false), (0, 3, false), (5, 3, false)]
    {
        let mut p = with("/minProtocol", json!(min));
        p["maxProtocol"] = json!(max);
        let got = Connect::read(p);
        assert_eq!(got.is_ok(), ok, "{min}..{max}");
        if let Err(refused) = got {
            assert_eq!((refused.close, refused.cause), (Close::Protocol, "protocol-mismatch"));
            assert_eq!(refused.failure.details, Some(json!({"expectedProtocol": 3})));
        }
    }
}

#[test]
fn closed_objects() {
    for (path, value) in [
        ("/client/id", json!("someone")),
        ("/client/mode", json!("root")),
        ("/minProtocol", json!("3")),
        ("/auth", json!({"token": "x", "approved": true})),
        ("/client", json!({"id": "cli", "version": "1", "platform": "l", "mode": "cli", "scopes": []})),
    ] {
        assert_eq!(Connect::read(with(path, value)).unwrap_err().cause, "invalid-handshake", "{path}");
    }
    let mut extra = params();
    extra["isOwner"] = json!(true);
    assert_eq!(Connect::read(extra).unwrap_err().cause, "invalid-handshake");
}

#[test]
fn sp_011_a_handshake_shows_no_secret() {
    let (connect, _) = Connect::read(params()).unwrap();
    assert!(!format!("{connect:?}").contains("canary"));
}
