//! What every adapter holds, one row a channel: switches, credentials, unreachable services, unsigned calls, conversations that are none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "support/door.rs"]
mod door;

use std::path::Path;
use std::sync::Arc;

use door::{TestDoor, all, one, soon, text, to};
use oc_channels::adapter::{Adapter, AdapterFailure, Attachment, MediaKind, WebhookRefusal, WebhookRequest};
use oc_channels::adapters::{AccountState, built};
use serde_json::{Value, json};

/// A channel, a section that can be used (its service listens nowhere), the credentials in it, and a key without which it cannot.
struct Row {
    channel: &'static str,
    section: Value,
    secrets: &'static [&'static str],
    needed: &'static str,
}

/// Port 9 of loopback: nothing listens there.
fn rows() -> Vec<Row> {
    let row = |channel, section, secrets, needed| Row { channel, section, secrets, needed };
    vec![
        row(
            "telegram",
            json!({ "botToken": "4242:AAbb_cc-dd", "apiRoot": "http://127.0.0.1:9", "webhookUrl": "https://bot.example.org/t",
                "webhookSecret": "hook-secret-0123456789" }),
            &["AAbb_cc-dd", "hook-secret-0123456789"],
            "botToken",
        ),
        row(
            "matrix",
            json!({ "homeserver": "http://127.0.0.1:9", "accessToken": "syt_matrix_token" }),
            &["syt_matrix_token"],
            "accessToken",
        ),
        row(
            "irc",
            json!({ "host": "127.0.0.1", "port": 9, "tls": false, "nick": "bot", "password": "irc-pw-1", "saslPassword": "irc-pw-2" }),
            &["irc-pw-1", "irc-pw-2"],
            "nick",
        ),
        row("signal", json!({ "account": "+15550001111", "httpUrl": "http://127.0.0.1:9" }), &[], "account"),
        row("imessage", json!({ "cliPath": "/nowhere/imsg", "service": "auto" }), &[], ""),
        row(
            "bluebubbles",
            json!({ "serverUrl": "http://127.0.0.1:9", "password": "bubbles-pw-1" }),
            &["bubbles-pw-1"],
            "password",
        ),
        row(
            "discord",
            json!({ "token": "made-up-discord-token", "apiRoot": "http://127.0.0.1:9" }),
            &["made-up-discord-token"],
            "token",
        ),
        row(
            "slack",
            json!({ "botToken": "xoxb-made-up-1", "mode": "http", "signingSecret": "made-up-signing", "apiRoot": "http://127.0.0.1:9" }),
            &["xoxb-made-up-1", "made-up-signing"],
            "signingSecret",
        ),
        row(
            "mattermost",
            json!({ "baseUrl": "http://127.0.0.1:9", "botToken": "made-up-mattermost-token" }),
            &["made-up-mattermost-token"],
            "baseUrl",
        ),
        row(
            "whatsapp",
            json!({ "cloud": { "phoneNumberId": "1055", "accessToken": "made-up-access-token", "appSecret": "made-up-app-secret",
                "verifyToken": "made-up-verify-token", "apiRoot": "http://127.0.0.1:9" } }),
            &["made-up-access-token", "made-up-app-secret", "made-up-verify-token"],
            "cloud.appSecret",
        ),
        row(
            "msteams",
            json!({ "appId": "app-1", "appPassword": "made-up-app-password", "apiRoot": "http://127.0.0.1:9",
                "loginRoot": "http://127.0.0.1:9", "openIdRoot": "http://127.0.0.1:9" }),
            &["made-up-app-password"],
            "appPassword",
        ),
    ]
}

fn adapter(row: &Row) -> Arc<dyn Adapter> {
    one(&json!({ row.channel: row.section }), Path::new("/nowhere"))
}

fn state(channel: &str, section: &Value) -> AccountState {
    all(&json!({ channel: section }), Path::new("/nowhere")).remove(0).state
}

fn with(section: &Value, key: &str, value: Value) -> Value {
    let mut section = section.clone();
    let (outer, last) = key.rsplit_once('.').unwrap_or(("", key));
    let object = outer.split('.').filter(|k| !k.is_empty()).fold(&mut section, |at, k| &mut at[k]);
    object.as_object_mut().unwrap().insert(last.to_owned(), value);
    section
}

fn shows_no_secret(row: &Row, text: &str) {
    for secret in row.secrets {
        assert!(!text.contains(secret), "{}: {text}", row.channel);
    }
}

#[test]
fn every_channel_that_is_built_has_a_row() {
    let rows: Vec<&str> = rows().iter().map(|r| r.channel).collect();
    assert_eq!(rows, built().collect::<Vec<_>>());
}

#[test]
fn sp_423_an_account_that_is_switched_off_is_not_made() {
    for row in rows() {
        let off = state(row.channel, &with(&row.section, "enabled", json!(false)));
        assert!(
            matches!(&off, AccountState::Off(key) if key.to_string() == format!("channels.{}.enabled", row.channel)),
            "{off:?}"
        );
        let account = json!({ "work": with(&row.section, "enabled", json!("yes")) });
        let off = state(row.channel, &json!({ "accounts": account }));
        assert!(matches!(off, AccountState::Off(_)), "{off:?}");
        assert!(all(&json!({}), Path::new("/nowhere")).is_empty());
    }
}

#[test]
fn a_section_that_says_nothing_of_an_account_is_not_set_up() {
    let rules = json!({ "dmPolicy": "pairing", "groups": { "*": { "requireMention": true } } });
    for channel in ["whatsapp", "telegram", "discord", "slack", "matrix", "mattermost", "irc"] {
        let found = state(channel, &rules);
        assert!(matches!(&found, AccountState::NotSetUp(_)), "{channel}: {found:?}");
        let found = state(channel, &json!({ "accounts": { "work": rules } }));
        assert!(matches!(&found, AccountState::NotSetUp(_)), "{channel}: {found:?}");
        assert!(matches!(state(channel, &with(&rules, "enabled", json!(false))), AccountState::Off(_)));
    }
    let half = with(&rules, "cloud", json!({ "phoneNumberId": "1055" }));
    let found = state("whatsapp", &half);
    assert!(matches!(&found, AccountState::Unusable(_)), "{found:?}");
}

#[test]
fn an_account_without_what_it_needs_says_which_key() {
    for row in rows().iter().filter(|r| !r.needed.is_empty()) {
        let found = state(row.channel, &with(&row.section, row.needed, json!("")));
        let (AccountState::Unusable(e) | AccountState::NotSetUp(e)) = found else {
            panic!("{}: {found:?}", row.channel)
        };
        assert!(e.to_string().starts_with(&format!("channels.{}.{}: ", row.channel, row.needed)), "{e}");
        shows_no_secret(row, &e.to_string());
    }
}

#[test]
fn sp_011_no_adapter_shows_its_credentials() {
    for row in rows() {
        let adapter = adapter(&row);
        shows_no_secret(&row, &format!("{adapter:?}"));
        assert_eq!((adapter.channel().as_str(), adapter.account()), (row.channel, "default"));
    }
}

#[tokio::test]
async fn sp_011_a_service_that_is_not_there_is_said_without_credentials() {
    for row in rows() {
        let adapter = adapter(&row);
        let door = TestDoor::default();
        let file = Attachment {
            kind: MediaKind::Image,
            name: None,
            media_type: None,
            bytes: None,
            handle: "mxc://a/b".to_owned(),
        };
        for e in [
            soon(adapter.who()).await.unwrap_err(),
            soon(adapter.receive(&door)).await,
            soon(adapter.fetch(&file, 10)).await.unwrap_err(),
        ] {
            shows_no_secret(&row, &e.to_string());
            assert!(
                !matches!(e, AdapterFailure::Credential { .. }),
                "{}: not there is not refused: {e}",
                row.channel
            );
        }
        assert!(door.is_empty(), "{}", row.channel);
    }
}

#[tokio::test]
async fn sp_418_nothing_goes_to_a_conversation_that_is_none() {
    for row in rows() {
        let adapter = adapter(&row);
        for bad in ["", " ", "@everyone", "Team chat", "a,b", "#x\r\nQUIT", "../..", "-"] {
            let e = soon(adapter.send(&to(bad), &text("x"))).await.unwrap_err();
            // A connection that is not there is all that may be said instead.
            let fine = matches!(&e, AdapterFailure::Refused { .. })
                || matches!(&e, AdapterFailure::Unavailable { why, .. } if why == "not connected");
            assert!(fine, "{} {bad:?}: {e}", row.channel);
            adapter.typing(&to(bad)).await;
        }
    }
}

#[test]
fn sp_414_a_call_that_proves_nothing_is_not_read() {
    for row in rows() {
        let adapter = adapter(&row);
        let Some(hook) = adapter.webhook() else { continue };
        assert!(hook.path().starts_with('/'), "{}", row.channel);
        let bodies: [&[u8]; 4] = [b"", b"{}", b"{", b"\xff\xfe"];
        for method in ["POST", "GET", "PUT", ""] {
            for body in bodies {
                for headers in [Vec::new(), vec![("authorization".to_owned(), "Bearer x".to_owned())]] {
                    for query in ["", "password=", "password=x", "token=x&secret=x"] {
                        let request = WebhookRequest { method, query, headers: &headers, body, now_ms: 0 };
                        let refusal = hook.verify(&request).unwrap_err();
                        let expected = matches!(refusal, WebhookRefusal::Signature | WebhookRefusal::Method);
                        assert!(expected, "{}: {refusal}", row.channel);
                    }
                }
            }
        }
    }
}
