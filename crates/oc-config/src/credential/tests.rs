use oc_types::Origin;
use serde_json::json;

use super::*;

fn of(value: serde_json::Value) -> Result<Option<Credential>, Unresolved> {
    let node = Node::from_json(&value, &Origin::CommandLine);
    Credential::of(&KeyPath::dotted("gateway.auth.token"), Some(&node))
}

#[test]
fn sp_066_references_are_read_or_refused_never_skipped() {
    assert!(matches!(of(json!("text")), Ok(Some(Credential::Text(_)))));
    assert!(matches!(of(json!({ "file": "/run/secrets/token" })), Ok(Some(Credential::File(_)))));
    let keychain = json!({ "keychain": { "service": "openclaw", "account": "gateway" } });
    assert!(matches!(of(keychain), Ok(Some(Credential::Keychain { .. }))));
    assert!(matches!(of(json!(null)), Ok(None)));
    assert!(matches!(of(json!("  ")), Ok(None)));
    for bad in [
        json!({}),
        json!({ "file": "relative" }),
        json!({ "file": 1 }),
        json!({ "file": "/a", "keychain": {} }),
        json!({ "keychain": { "service": "x" } }),
        json!({ "keychain": { "service": "x", "account": " " } }),
        json!({ "vault": "x" }),
        json!(["x"]),
        json!(12),
        json!(true),
        json!("${UNSET_TOKEN}"),
    ] {
        assert!(of(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn sp_053_a_variable_that_was_put_in_may_look_like_one() {
    let origin = Origin::Env { names: vec!["X".into()].into(), behind: None, via: None };
    let node = Node::from_json(&json!("${LITERAL}"), &origin);
    assert!(matches!(Credential::of(&KeyPath::dotted("t"), Some(&node)), Ok(Some(Credential::Text(_)))));
}

#[test]
fn sp_066_a_credential_file_is_owner_only_and_outside_workspaces() {
    let path = KeyPath::dotted("channels.telegram.tokenFile");
    let good = FileFacts {
        regular: true,
        mode: 0o600,
        owner: 1000,
        links: 1,
        real: PathBuf::from("/home/u/.secrets/t"),
    };
    let judge =
        |facts: &FileFacts| judge_file(&path, Path::new("/x"), facts, 1000, &[PathBuf::from("/home/u/work")]);
    assert_eq!(judge(&good), Ok(()));
    assert_eq!(judge(&FileFacts { mode: 0o400, ..good.clone() }), Ok(()));
    for bad in [
        FileFacts { regular: false, ..good.clone() },
        FileFacts { mode: 0o640, ..good.clone() },
        FileFacts { mode: 0o604, ..good.clone() },
        FileFacts { mode: 0o700, ..good.clone() },
        FileFacts { owner: 0, ..good.clone() },
        FileFacts { links: 2, ..good.clone() },
        FileFacts { real: PathBuf::from("/home/u/work/t"), ..good.clone() },
    ] {
        let refused = judge(&bad).unwrap_err().to_string();
        assert!(refused.starts_with("channels.telegram.tokenFile: /x: "), "{refused}");
    }
    // A neighbour whose name only starts alike is no workspace.
    assert_eq!(judge(&FileFacts { real: PathBuf::from("/home/u/workshop/t"), ..good }), Ok(()));
}

#[test]
fn sp_012_comparison_is_by_digest() {
    let s = |t: &str| Secret::new(t.to_owned());
    assert_eq!(compare(&s("token"), &s("token")), Comparison::Same);
    for other in ["", "token ", "Token", "toke", "tokenn"] {
        assert_eq!(compare(&s("token"), &s(other)), Comparison::Different, "{other:?}");
    }
}

#[test]
fn sp_011_a_credential_does_not_show_its_text() {
    let shown = format!("{:?}", of(json!("canary-0001")));
    assert!(!shown.contains("canary"), "{shown}");
}
