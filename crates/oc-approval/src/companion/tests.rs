use super::*;

const NOW: u64 = 1_700_000_000_000;

fn token() -> Secret {
    Secret::new("made-up-token".to_owned())
}

fn line(nonce: u8, ts: u64) -> String {
    request(&token(), "r1", [nonce; 16], ts, "{\"command\":\"ls\"}")
}

fn verify(line: &str) -> Result<Verified, Rejected> {
    Verifier::default().verify(line.trim_end().as_bytes(), &token(), NOW)
}

#[test]
fn a_signed_request_is_taken_once() {
    let mut verifier = Verifier::default();
    let line = line(1, NOW);
    let got = verifier.verify(line.trim_end().as_bytes(), &token(), NOW + 5).unwrap();
    assert_eq!((got.id.as_str(), got.request.as_str()), ("r1", "{\"command\":\"ls\"}"));
    assert_eq!(verifier.verify(line.trim_end().as_bytes(), &token(), NOW + 6), Err(Rejected::Replay));
    // Also with its nonce spelled otherwise: the signature covers the spelling.
    let upper = line.replace(&"01".repeat(16), &"01".repeat(16).to_uppercase());
    assert_eq!(verifier.verify(upper.trim_end().as_bytes(), &token(), NOW + 6), Err(Rejected::Replay));
}

#[test]
fn every_change_of_a_message_is_refused() {
    let honest: Value = serde_json::from_str(&line(1, NOW)).unwrap();
    assert!(verify(&honest.to_string()).is_ok());
    for (member, value, want) in [
        ("requestJson", json!("{\"command\":\"rm\"}"), Rejected::Signature),
        ("ts", json!(NOW + 1), Rejected::Signature),
        ("nonce", json!("02".repeat(16)), Rejected::Signature),
        ("hmac", json!("00".repeat(32)), Rejected::Signature),
        ("hmac", json!(""), Rejected::Form),
        ("hmac", json!("zz".repeat(32)), Rejected::Form),
        ("nonce", json!("01"), Rejected::Form),
        ("nonce", json!("g1".repeat(16)), Rejected::Form),
        ("type", json!("exec-res"), Rejected::Form),
        ("id", json!(""), Rejected::Form),
        ("ts", json!("now"), Rejected::Form),
        ("approved", json!(true), Rejected::Form),
    ] {
        let mut changed = honest.clone();
        changed[member] = value;
        assert_eq!(verify(&changed.to_string()), Err(want), "{member}");
    }
    let other = request(&Secret::new("other".to_owned()), "r1", [1; 16], NOW, "{}");
    assert_eq!(verify(&other), Err(Rejected::Signature));
    assert_eq!(verify("not json"), Err(Rejected::Form));
    let blank = Secret::new(String::new());
    let unsigned = request(&blank, "r1", [1; 16], NOW, "{}");
    assert_eq!(
        Verifier::default().verify(unsigned.trim_end().as_bytes(), &blank, NOW),
        Err(Rejected::NoToken),
        "no token admits nobody"
    );
}

#[test]
fn old_and_future_messages_are_refused() {
    for (ts, taken) in [
        (NOW - WINDOW_MS, true),
        (NOW + WINDOW_MS, true),
        (NOW - WINDOW_MS - 1, false),
        (NOW + WINDOW_MS + 1, false),
        (0, false),
        (u64::MAX, false),
    ] {
        let got = verify(&line(1, ts));
        assert_eq!(got.is_ok(), taken, "{ts}");
        if !taken {
            assert_eq!(got, Err(Rejected::Time));
        }
    }
    // From the future, seen, and played again when it is present.
    let mut verifier = Verifier::default();
    let early = line(1, NOW + WINDOW_MS);
    assert!(verifier.verify(early.trim_end().as_bytes(), &token(), NOW).is_ok());
    let later = NOW + 2 * WINDOW_MS;
    assert_eq!(verifier.verify(early.trim_end().as_bytes(), &token(), later), Err(Rejected::Replay));
}

#[test]
fn long_and_many_messages_are_refused() {
    let long = request(&token(), "r1", [1; 16], NOW, &"x".repeat(MAX_LINE));
    assert_eq!(verify(&long), Err(Rejected::TooLong));
    let mut verifier = Verifier::default();
    for _ in 0..MAX_IN_WINDOW {
        assert_eq!(verifier.verify(b"x", &token(), NOW), Err(Rejected::Form));
    }
    let honest = line(9, NOW);
    assert_eq!(verifier.verify(honest.trim_end().as_bytes(), &token(), NOW), Err(Rejected::TooMany));
    let honest = line(9, NOW + WINDOW_MS);
    assert!(verifier.verify(honest.trim_end().as_bytes(), &token(), NOW + WINDOW_MS).is_ok());
}

#[test]
fn replies_are_read_back() {
    for answer in [Ok(json!({ "exitCode": 0 })), Err("denied".to_owned())] {
        assert_eq!(read_reply(reply(&answer).trim_end().as_bytes()), Ok(answer));
    }
    for wrong in ["", "{}", "{\"type\":\"exec-res\"}", "{\"type\":\"exec\",\"ok\":true}"] {
        assert_eq!(read_reply(wrong.as_bytes()), Err(Rejected::Form), "{wrong}");
    }
}
