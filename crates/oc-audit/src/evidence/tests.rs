#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use oc_config::change_log::{Access, Entry, How};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn masks(secrets: &[&str]) -> Masks {
    Masks::new(secrets.iter().map(|s| (*s).to_owned()), Redactor::standard())
}

#[test]
fn sp_014_a_known_secret_is_gone_in_every_common_spelling() {
    let secret = "can\"ary/se+cret value";
    let masks = masks(&[secret, "can\"ary"]);
    let inner = json!({ "said": format!("it is {secret}!") }).to_string();
    let line = json!({ "text": inner, "url": "https://x/?q=can%22ary%2Fse%2Bcret%20value", secret: 1, "apiToken": "short" });
    let out = masks.line(&line.to_string()).to_string();
    for part in ["ary/se", "cret", "ary%2F", "short"] {
        assert!(!out.contains(part), "{part} in {out}");
    }
    let words = masks.text("Basic Y2FuImFyeS9zZStjcmV0IHZhbHVl and sk-abcdefghijklmnopqrstuvwx");
    assert!(!words.contains("Y2FuImFyeS9zZStjcmV0") && !words.contains("sk-abcdefghijkl"), "{words}");
    assert!(masks.leaks(secret) && !masks.leaks(&out));
    assert!(!format!("{masks:?}").contains("ary"));
}

#[test]
fn numbers_of_tokens_and_plain_words_stay_and_long_texts_are_cut() {
    let masks = masks(&["abc", "  "]);
    assert_eq!(masks.count(), 0, "too short to look for");
    let data = json!({ "totalTokens": 12, "token": "", "text": "abc", "more": [null, true] });
    assert_eq!(masks.json(&data), data);
    let long = masks.text(&"x".repeat(9_000));
    assert_eq!(long.len(), 9_000);
    let cut = masks.json(&json!("x".repeat(9_000)));
    assert!(cut.as_str().unwrap().ends_with("… (1000 characters more)"));
}

#[test]
fn what_a_credential_file_holds_is_known() {
    let file = json!({ "profiles": { "x": { "type": "api_key", "provider": "anthropic", "key": "short-key" } },
        "odd": "01234567890123456789", "pem": "-----BEGIN\nline-one\n-----END" });
    let found = secrets_in(&file);
    assert!(found.contains(&"short-key".to_owned()) && found.contains(&"01234567890123456789".to_owned()));
    assert!(found.contains(&"line-one".to_owned()));
    assert!(!found.contains(&"anthropic".to_owned()));
    let device = json!({ "d": { "deviceId": "0123456789abcdef0123456789abcdef", "publicKey": "k".repeat(43), "tokens": { "node": { "token": "t" } } } });
    assert_eq!(secrets_in(&device), ["t"]);
    assert_eq!(secrets_in_text("{broken: \"abcdefghijklm\""), ["abcdefghijklm"]);
}

#[test]
fn the_exposure_history_holds_the_changes_that_tell_about_it() {
    let entry = |path: &str| Entry {
        path: path.into(),
        how: How::Changed,
        access: Access::Widens,
        why: String::new(),
    };
    let record = |paths: &[&str]| Record {
        time: "t".into(),
        writer: "w".into(),
        file: "f".into(),
        before: String::new(),
        after: String::new(),
        forced: false,
        access: Access::Widens,
        changes: paths.iter().map(|p| entry(p)).collect(),
        more: 0,
    };
    let history = exposure_history(&[
        record(&["gateway.bind", "agents.list[0].name"]),
        record(&["gateway.bindings", "hooksy"]),
        record(&["hooks.enabled", "gateway.trustedProxies[0]"]),
    ]);
    assert_eq!(history.len(), 2);
    assert_eq!(history[0].changes.len(), 1);
    assert_eq!(history[1].changes.len(), 2);
}

proptest! {
    #[test]
    fn sp_014_no_known_secret_survives_anywhere(secret in "[ -~]{6,40}", before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
        let secret = secret.trim();
        prop_assume!(secret.len() >= 6 && !secret.contains('*'));
        let masks = masks(&[secret]);
        let text = format!("{before}{secret}{after}");
        let data = json!({ "a": [text], secret: { "b": json!({ "c": secret }).to_string() } });
        let out = masks.json(&data).to_string();
        let plain = serde_json::Value::from(secret).to_string();
        prop_assert!(!out.contains(plain.trim_matches('"')) || plain.contains('*'), "{out}");
    }
}
