#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use oc_types::Secret;

use super::*;
use crate::entrance::device::{NonceRule, Proof, Signed, verify};

/// A public key as Node 22 wrote it (`generateKeyPairSync("ed25519")`), made for this test.
const NODE_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAk+wpGX7FCPyCnoHvBp4cXqjPhIhEMH5jhaDvAFVMZ9E=
-----END PUBLIC KEY-----
";

fn store() -> (tempfile::TempDir, IdentityStore) {
    let home = tempfile::tempdir().unwrap();
    let store = IdentityStore::of(home.path());
    (home, store)
}

#[test]
fn the_proof_is_what_the_entrance_checks() {
    let (_home, store) = store();
    let identity = Identity::of(&store, 5).unwrap();
    let profile = Profile::cli();
    let proof = identity.proof(&profile, "tok", "nonce", 1_000);
    let text = |name: &str| proof.get(name).and_then(Value::as_str).unwrap();
    let received = Proof {
        id: text("id"),
        public_key: text("publicKey"),
        signature: text("signature"),
        signed_at_ms: 1_000,
        nonce: Some(text("nonce")),
    };
    let signed = Signed {
        client_id: "cli",
        client_mode: "cli",
        role: "operator",
        scopes: &profile.scopes,
        token: "tok",
        platform: "linux",
        device_family: "",
    };
    let device = verify(&received, &signed, "nonce", NonceRule::Required, 1_500).unwrap();
    assert_eq!(device.id, identity.id());
    assert!(
        verify(&received, &Signed { token: "other", ..signed }, "nonce", NonceRule::Required, 1_500).is_err()
    );
}

#[test]
fn the_same_identity_comes_back() {
    let (_home, store) = store();
    let first = Identity::of(&store, 5).unwrap();
    let second = Identity::of(&store, 6).unwrap();
    assert_eq!(first.id(), second.id());
    assert_eq!(store.device().unwrap().unwrap().created_at_ms, 5);
    assert!(format!("{first:?}").contains(first.id()));
}

#[test]
fn keys_are_written_as_node_reads_them() {
    let key = pem::read_public(NODE_PUBLIC).unwrap();
    assert_eq!(pem::write_public(&key), NODE_PUBLIC);
    let seed = [7u8; 32];
    let text = pem::write_private(&seed);
    assert_eq!(*pem::read_private(text.expose()).unwrap(), seed);
    let lines: Vec<&str> = text.expose().lines().collect();
    assert_eq!(lines.len(), 3);
    for bad in ["", "-----BEGIN PUBLIC KEY-----", NODE_PUBLIC] {
        assert!(pem::read_private(bad).is_none(), "{bad}");
    }
}

#[test]
fn keys_that_do_not_belong_together_are_no_identity() {
    let good = make(1).unwrap();
    let other = make(1).unwrap();
    assert!(Identity::read(&good).is_ok());
    let swapped = DeviceFile { public_key_pem: other.public_key_pem.clone(), ..good.clone() };
    assert!(Identity::read(&swapped).unwrap_err().contains("together"));
    let renamed = DeviceFile { device_id: other.device_id, ..good.clone() };
    assert!(Identity::read(&renamed).unwrap_err().contains("id"));
    let broken = DeviceFile { private_key_pem: Secret::new("canary".to_owned()), ..good };
    assert!(Identity::read(&broken).unwrap_err().contains("private"));
}
