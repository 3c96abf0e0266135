#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn key(text: &str) -> Option<Key> {
    Key::new(&Secret::new(text.to_owned()))
}

#[test]
fn sp_320_without_a_secret_nobody_enters() {
    for (accepts, why) in [
        (Accepts::Token(key("")), Refused::TokenMissingConfig),
        (Accepts::Token(key("  ")), Refused::TokenMissingConfig),
        (Accepts::Password(None), Refused::PasswordMissingConfig),
    ] {
        assert!(!accepts.is_usable());
        for shown in [None, Some(""), Some("  "), Some("x")] {
            assert_eq!(accepts.judge(Shown { token: shown, password: shown }), Err(why), "{shown:?}");
        }
    }
}

#[test]
fn only_the_modes_own_field_counts() {
    let token = Accepts::Token(key("right"));
    assert_eq!(token.judge(Shown { token: Some("right"), password: None }), Ok(()));
    assert_eq!(token.judge(Shown { token: None, password: Some("right") }), Err(Refused::TokenMissing));
    let password = Accepts::Password(key("right"));
    assert_eq!(password.judge(Shown { token: Some("right"), password: None }), Err(Refused::PasswordMissing));
    assert_eq!(password.judge(Shown { token: None, password: Some("right") }), Ok(()));
}

#[test]
fn sp_344_every_wrong_secret_gets_the_same_answer() {
    let accepts = Accepts::Token(key("a-long-secret-value"));
    for wrong in ["a", "a-long-secret-valu", "a-long-secret-value ", "A-long-secret-value", "\0", "zzz"] {
        assert_eq!(
            accepts.judge(Shown { token: Some(wrong), password: None }),
            Err(Refused::TokenMismatch),
            "{wrong:?}"
        );
    }
}

#[test]
fn sp_337_only_wrong_secrets_count() {
    assert!(Refused::TokenMismatch.counts() && Refused::PasswordMismatch.counts());
    assert!(!Refused::TokenMissing.counts() && !Refused::PasswordMissingConfig.counts());
}

#[test]
fn sp_012_a_key_shows_nothing() {
    assert_eq!(format!("{:?}", Accepts::Token(key("canary-value"))), "Token(Some(Key(not shown)))");
}
