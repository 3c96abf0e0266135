#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::*;

const NOW: u64 = 1_700_000_000_000;

struct Handshake {
    id: String,
    key: String,
    signature: String,
    signed_at: u64,
    nonce: Option<String>,
    client_id: String,
    mode: String,
    role: String,
    scopes: Vec<String>,
    token: String,
    platform: String,
    family: String,
}

/// A handshake of a device, signed over the text of a version.
fn handshake(seed: u8, version: &str) -> Handshake {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key pair");
    let key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
    let mut out = Handshake {
        id: device_id(&key),
        key: BASE64URL_NOPAD.encode(&key),
        signature: String::new(),
        signed_at: NOW,
        nonce: (version != "v1").then(|| "nonce-1".to_owned()),
        client_id: "cli".into(),
        mode: "cli".into(),
        role: "operator".into(),
        scopes: vec!["operator.read".into(), "operator.write".into()],
        token: "tok".into(),
        platform: " Linux ".into(),
        family: "Desktop".into(),
    };
    let head = format!("{version}|{}|cli|cli|operator|operator.read,operator.write|{NOW}|tok", out.id);
    let text = match version {
        "v1" => head,
        "v2" => format!("{head}|nonce-1"),
        _ => format!("{head}|nonce-1|linux|desktop"),
    };
    out.signature = BASE64URL_NOPAD.encode(pair.sign(text.as_bytes()).as_ref());
    out
}

fn check(h: &Handshake, challenge: &str, rule: NonceRule) -> Result<Device, Refused> {
    let proof = Proof {
        id: &h.id,
        public_key: &h.key,
        signature: &h.signature,
        signed_at_ms: h.signed_at,
        nonce: h.nonce.as_deref(),
    };
    let signed = Signed {
        client_id: &h.client_id,
        client_mode: &h.mode,
        role: &h.role,
        scopes: &h.scopes,
        token: &h.token,
        platform: &h.platform,
        device_family: &h.family,
    };
    verify(&proof, &signed, challenge, rule, NOW)
}

#[test]
fn the_three_versions_of_the_signed_text() {
    for version in ["v2", "v3"] {
        assert!(check(&handshake(1, version), "nonce-1", NonceRule::Required).is_ok(), "{version}");
    }
    assert!(check(&handshake(1, "v1"), "nonce-1", NonceRule::MayBeMissing).is_ok());
    let refused = check(&handshake(1, "v1"), "nonce-1", NonceRule::Required);
    assert_eq!(refused, Err(Refused::DeviceNonceMissing));
}

#[test]
fn sp_345_every_field_is_covered() {
    let tampers: [fn(&mut Handshake); 9] = [
        |h| h.client_id = "webchat".into(),
        |h| h.mode = "ui".into(),
        |h| h.role = "node".into(),
        |h| h.scopes.push("operator.admin".into()),
        |h| h.scopes.reverse(),
        |h| h.token = String::new(),
        |h| h.signed_at += 1,
        |h| h.platform = "ios".into(),
        |h| h.family = "phone".into(),
    ];
    for (index, tamper) in tampers.iter().enumerate() {
        let mut h = handshake(1, "v3");
        tamper(&mut h);
        assert_eq!(check(&h, "nonce-1", NonceRule::Required), Err(Refused::DeviceSignature), "field {index}");
    }
    let mut other = handshake(1, "v2");
    other.key = handshake(2, "v2").key;
    assert_eq!(check(&other, "nonce-1", NonceRule::Required), Err(Refused::DeviceIdMismatch));
    other.id = handshake(2, "v2").id;
    assert_eq!(check(&other, "nonce-1", NonceRule::Required), Err(Refused::DeviceSignature));
}

#[test]
fn sp_345_a_nonce_of_another_socket_and_an_old_signature_are_refused() {
    let h = handshake(1, "v2");
    for rule in [NonceRule::Required, NonceRule::MayBeMissing] {
        assert_eq!(check(&h, "nonce-2", rule), Err(Refused::DeviceNonceMismatch));
    }
    for (signed_at, stale) in
        [(NOW - MAX_SKEW_MS, false), (NOW - MAX_SKEW_MS - 1, true), (NOW + MAX_SKEW_MS + 1, true)]
    {
        let h = Handshake { signed_at, ..handshake(1, "v2") };
        let got = check(&h, "nonce-1", NonceRule::Required);
        assert_eq!(got == Err(Refused::DeviceSignatureStale), stale, "{signed_at}: {got:?}");
    }
}

#[test]
fn keys_of_small_order_and_second_encodings_are_no_keys() {
    let encode = |bytes: [u8; 32]| BASE64URL_NOPAD.encode(&bytes);
    for y in SMALL_ORDER {
        let mut negative = y;
        negative[31] |= 0x80;
        assert_eq!(public_key(&encode(y)), None);
        assert_eq!(public_key(&encode(negative)), None);
    }
    for first in 0xed..=0xffu8 {
        let mut over = [0xff; 32];
        (over[0], over[31]) = (first, 0x7f);
        assert_eq!(public_key(&encode(over)), None, "{first:x}");
    }
    let good = handshake(3, "v2").key;
    assert!(public_key(&good).is_some());
    for bad in
        [format!("{good}="), format!("{good}A"), good.replace(['-', '_'], "+"), String::new(), " ".into()]
    {
        assert!(bad == good || public_key(&bad).is_none(), "{bad}");
    }
}

proptest! {
    #[test]
    fn sp_345_no_text_is_a_signature(signature in "[A-Za-z0-9_-]{0,90}", id in "[0-9a-f]{0,64}") {
        let mut h = handshake(1, "v2");
        h.signature = signature;
        prop_assert_eq!(check(&h, "nonce-1", NonceRule::Required), Err(Refused::DeviceSignature));
        h.id = id;
        prop_assert_eq!(check(&h, "nonce-1", NonceRule::Required), Err(Refused::DeviceIdMismatch));
    }
}
