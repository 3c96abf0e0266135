#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn made(id: &str) -> DeviceFile {
    DeviceFile {
        device_id: id.to_owned(),
        public_key_pem: "public".to_owned(),
        private_key_pem: Secret::new("private-canary".to_owned()),
        created_at_ms: 7,
    }
}

fn token(text: &str, gateway: Option<&str>) -> StoredToken {
    StoredToken {
        token: Secret::new(text.to_owned()),
        role: "operator".to_owned(),
        scopes: vec!["operator.admin".to_owned()],
        updated_at_ms: 9,
        gateway: gateway.map(str::to_owned),
    }
}

#[test]
fn the_identity_is_made_once_and_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let store = IdentityStore::of(home.path());
    assert!(store.device().unwrap().is_none());
    assert!(!home.path().join("identity").exists(), "looking makes nothing");
    assert_eq!(store.device_or(|| Some(made("a"))).unwrap().device_id, "a");
    assert_eq!(store.device_or(|| Some(made("b"))).unwrap().device_id, "a");
    let read = store.device().unwrap().unwrap();
    assert_eq!((read.private_key_pem.expose(), read.created_at_ms), ("private-canary", 7));
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&store.device_path()), 0o600);
    assert_eq!(mode(&home.path().join("identity")), 0o700);
    assert!(!format!("{read:?}").contains("canary"));
}

#[test]
fn without_randomness_nothing_is_made() {
    let home = tempfile::tempdir().unwrap();
    let store = IdentityStore::of(home.path());
    assert!(matches!(store.device_or(|| None), Err(IdentityFailure::Random)));
    assert!(store.device().unwrap().is_none());
}

#[test]
fn a_damaged_identity_stays_and_is_named_without_its_content() {
    let home = tempfile::tempdir().unwrap();
    let store = IdentityStore::of(home.path());
    std::fs::create_dir(home.path().join("identity")).unwrap();
    for text in ["canary", "{\"version\":1,\"privateKeyPem\":\"canary\"}", "[\"canary\"]"] {
        std::fs::write(store.device_path(), text).unwrap();
        let error = store.device_or(|| Some(made("a"))).unwrap_err().to_string();
        assert!(error.contains("device.json") && !error.contains("canary"), "{error}");
        assert_eq!(std::fs::read_to_string(store.device_path()).unwrap(), text);
    }
}

#[test]
fn tokens_belong_to_a_device_a_role_and_a_gateway() {
    let home = tempfile::tempdir().unwrap();
    let store = IdentityStore::of(home.path());
    assert!(store.token("a", "operator").unwrap().is_none());
    store.keep_token("a", &token("t1", Some("wss://one:1"))).unwrap();
    let read = store.token("a", "operator").unwrap().unwrap();
    assert_eq!((read.token.expose(), read.gateway.as_deref()), ("t1", Some("wss://one:1")));
    assert!(store.token("a", "node").unwrap().is_none());
    assert!(store.token("b", "operator").unwrap().is_none(), "another device's");
    // An old token is not taken for the new one.
    store.keep_token("a", &token("t2", None)).unwrap();
    store.forget_token("a", &read).unwrap();
    assert_eq!(store.token("a", "operator").unwrap().unwrap().token.expose(), "t2");
    store.forget_token("a", &token("t2", None)).unwrap();
    assert!(store.token("a", "operator").unwrap().is_none());
    assert_eq!(std::fs::metadata(store.token_path()).unwrap().permissions().mode() & 0o777, 0o600);
}
