use oc_policy::inbound::{ConversationKind, EventKind};
use oc_types::{Node, Origin};
use ring::hmac;
use serde_json::{Value, json};

use super::*;
use crate::account::Setup;
use crate::adapter::{Event, WebhookRefusal, WebhookRequest};
use crate::adapters::conformance::suite::{self, Wanted};

const SECRET: &str = "made-up-app-secret";
const VERIFY: &str = "made-up-verify-token";

fn section() -> Value {
    json!({ "cloud": { "phoneNumberId": "1055", "accessToken": "made-up-access-token", "appSecret": SECRET, "verifyToken": VERIFY } })
}

fn make(section: &Value) -> Result<WhatsApp, AdapterFailure> {
    let config = Node::from_json(&json!({ "channels": { "whatsapp": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("whatsapp").unwrap(), IDENTITY);
    WhatsApp::from_settings(&accounts[0])
}

fn own() -> WhatsApp {
    make(&section()).unwrap()
}

fn call(messages: Value) -> Value {
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": {
        "metadata": { "display_phone_number": "1 555 000 1111", "phone_number_id": "1055" },
        "contacts": [{ "wa_id": "15552223333", "profile": { "name": "Alice" } }], "messages": messages } }] }] })
}

fn message(extra: Value) -> Value {
    let mut m = json!({ "from": "15552223333", "id": "wamid.A", "timestamp": "1700000000", "type": "text", "text": { "body": "hello" } });
    m.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    m
}

fn read(extra: Value) -> Event {
    event::read(&call(json!([message(extra)])), &own()).remove(0)
}

fn ask(
    method: &str,
    query: &str,
    signature: Option<&str>,
    body: &str,
) -> Result<crate::adapter::Verified, WebhookRefusal> {
    let headers: Vec<(String, String)> =
        signature.into_iter().map(|s| ("x-hub-signature-256".to_owned(), s.to_owned())).collect();
    ask_at(0, method, query, &headers, body)
}

fn ask_at(
    now_ms: i64,
    method: &str,
    query: &str,
    headers: &[(String, String)],
    body: &str,
) -> Result<crate::adapter::Verified, WebhookRefusal> {
    own().verify(&WebhookRequest { method, query, headers, body: body.as_bytes(), now_ms })
}

fn signed(body: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
    format!("sha256={}", data_encoding::HEXLOWER.encode(tag.as_ref()))
}

#[test]
fn sp_414_a_signature_covers_the_raw_bytes_of_a_call() {
    let body = call(json!([message(json!({})), message(json!({ "id": "wamid.B" }))])).to_string();
    let good = ask("POST", "", Some(&signed(&body)), &body).unwrap();
    assert_eq!((good.events.len(), good.answer.status), (2, 200));
    for (what, signature, body) in [
        ("none", None, body.clone()),
        ("another body", Some(signed(&body)), format!("{body} ")),
        ("no prefix", signed(&body).strip_prefix("sha256=").map(str::to_owned), body.clone()),
        ("a part", signed(&body).get(..20).map(str::to_owned), body.clone()),
    ] {
        assert_eq!(
            ask("POST", "", signature.as_deref(), &body).unwrap_err(),
            WebhookRefusal::Signature,
            "{what}"
        );
    }
    assert_eq!(ask("POST", "", Some(&signed("{")), "{").unwrap_err(), WebhookRefusal::Body);
    let other = json!({ "object": "page", "entry": [] }).to_string();
    assert_eq!(ask("POST", "", Some(&signed(&other)), &other).unwrap_err(), WebhookRefusal::Body);
    assert_eq!(ask("DELETE", "", Some(&signed(&body)), &body).unwrap_err(), WebhookRefusal::Method);
}

#[test]
fn sp_414_a_message_of_long_ago_is_a_replay() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let body = call(json!([
        message(json!({})),
        message(json!({ "id": "wamid.B", "timestamp": "1699500000" })),
        message(json!({ "id": "wamid.C", "timestamp": null })),
    ]));
    let body = body.to_string();
    let headers = [("x-hub-signature-256".to_owned(), signed(&body))];
    let ids = |now_ms: i64| -> Vec<String> {
        let verified = ask_at(now_ms, "POST", "", &headers, &body).unwrap();
        assert_eq!(verified.answer.status, 200, "it does not come again");
        verified.events.into_iter().map(|e| e.id).collect()
    };
    let said = 1_700_000_000_000;
    assert_eq!(ids(said), ["wamid.A", "wamid.B"]);
    assert_eq!(ids(said + 7 * DAY), ["wamid.A"], "as long as Meta tries again");
    assert!(ids(said + 7 * DAY + 1).is_empty());
}

#[test]
fn sp_414_the_challenge_is_given_back_for_the_verify_token_alone() {
    let good = format!("hub.mode=subscribe&hub.verify_token={VERIFY}&hub.challenge=1158201444");
    assert_eq!(ask("GET", &good, None, "").unwrap().answer.body, "1158201444");
    for (query, expected) in [
        ("hub.mode=subscribe&hub.verify_token=x&hub.challenge=1".to_owned(), WebhookRefusal::Signature),
        ("hub.mode=subscribe&hub.challenge=1".to_owned(), WebhookRefusal::Signature),
        (format!("{good}&hub.verify_token={VERIFY}"), WebhookRefusal::Signature),
        (
            format!("hub.mode=subscribe&hub.verify_token={VERIFY}&hub.challenge=%3Cscript%3E"),
            WebhookRefusal::Body,
        ),
        (format!("hub.mode=x&hub.verify_token={VERIFY}&hub.challenge=1"), WebhookRefusal::Body),
    ] {
        assert_eq!(ask("GET", &query, None, "").unwrap_err(), expected, "{query}");
    }
}

#[test]
fn sp_414_without_its_secrets_an_account_does_not_start() {
    for key in ["phoneNumberId", "accessToken", "appSecret", "verifyToken"] {
        let mut section = section();
        section["cloud"].as_object_mut().unwrap().remove(key);
        let said = make(&section).unwrap_err().to_string();
        assert!(said.starts_with(&format!("channels.whatsapp.cloud.{key}: ")), "{said}");
    }
    assert!(
        make(&json!({ "dmPolicy": "pairing" }))
            .unwrap_err()
            .to_string()
            .starts_with("channels.whatsapp.cloud.phoneNumberId: ")
    );
    let shown = format!("{:?}", own());
    assert!(!shown.contains("made-up"), "{shown}");
}

#[test]
fn an_account_has_its_own_cloud_and_takes_nothing_from_the_channel() {
    let mut section = section();
    section["accounts"] = json!({ "work": { "cloud": { "phoneNumberId": "2", "accessToken": "t" } } });
    let config = Node::from_json(&json!({ "channels": { "whatsapp": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("whatsapp").unwrap(), IDENTITY);
    assert_eq!(accounts.iter().map(AccountSettings::id).collect::<Vec<_>>(), ["default", "work"]);
    let said = WhatsApp::from_settings(&accounts[1]).unwrap_err().to_string();
    assert!(said.starts_with("channels.whatsapp.accounts.work.cloud.appSecret: "), "{said}");
}

#[test]
fn sp_425_a_message_is_of_a_full_number() {
    let e = read(json!({}));
    assert_eq!((e.message.kind, e.message.event), (ConversationKind::Direct, EventKind::Message));
    assert_eq!(
        (e.message.conversation.as_str(), e.reply.conversation.as_str()),
        ("+15552223333", "+15552223333")
    );
    assert_eq!(e.message.sender.phone.unwrap().as_str(), "+15552223333");
    assert_eq!(
        (e.id.as_str(), e.message.text.as_str(), e.message.sent_ms),
        ("wamid.A", "hello", Some(1_700_000_000_000))
    );
    assert_eq!(e.message.self_phone.unwrap().as_str(), "+15550001111");
    for from in [json!(null), json!(""), json!("alice"), json!("1555@lid")] {
        let e = read(json!({ "from": from }));
        assert!(e.message.sender.id.is_none() && e.message.sender.phone.is_none());
        assert_eq!(e.message.kind, ConversationKind::Unknown, "SP-415");
    }
    assert!(read(json!({ "from": "15550001111" })).message.from_me);
    assert_eq!(read(json!({ "group_id": "G1" })).message.kind, ConversationKind::Group);
    assert_eq!(read(json!({ "group_id": null })).message.kind, ConversationKind::Direct);
    for group in [json!(5), json!(""), json!(" "), json!({}), json!(["G1"]), json!(true)] {
        let e = read(json!({ "group_id": group }));
        assert_eq!(e.message.kind, ConversationKind::Unknown, "SP-415, {group}");
    }
}

#[test]
fn sp_405_a_call_for_another_number_is_not_ours() {
    let mut body = call(json!([message(json!({}))]));
    body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = json!("9");
    assert!(event::read(&body, &own()).is_empty());
}

#[test]
fn sp_401_every_kind_of_message_has_its_name() {
    for (extra, kind, text) in [
        (
            json!({ "type": "image", "image": { "id": "7", "mime_type": "image/jpeg", "caption": "look" } }),
            EventKind::Message,
            "look",
        ),
        (
            json!({ "type": "location", "location": { "latitude": 1.5, "longitude": 2.0 } }),
            EventKind::Message,
            "[location 1.500000, 2.000000]",
        ),
        (
            json!({ "type": "reaction", "reaction": { "message_id": "x", "emoji": "+" } }),
            EventKind::Reaction,
            "+",
        ),
        (
            json!({ "type": "interactive", "interactive": { "type": "button_reply", "button_reply": { "id": "oc1-x", "title": "/stop" } } }),
            EventKind::Button,
            "",
        ),
        (json!({ "type": "interactive", "interactive": { "type": "nfm_reply" } }), EventKind::Card, ""),
        (json!({ "type": "system" }), EventKind::Membership, ""),
        (json!({ "type": "unsupported" }), EventKind::Unknown, ""),
        (json!({ "type": null }), EventKind::Unknown, ""),
    ] {
        let e = read(extra.clone());
        assert_eq!((e.message.event, e.message.text.as_str()), (kind, text), "{extra}");
        assert_eq!(e.payload.as_deref(), (kind == EventKind::Button).then_some("oc1-x"));
    }
    assert_eq!(read(json!({ "type": "image", "image": { "id": "7" } })).attachments[0].handle, "7");
    assert!(read(json!({ "type": "image", "image": { "id": "../7" } })).attachments.is_empty());
}

#[test]
fn what_is_forwarded_is_quoted() {
    let e = read(json!({ "context": { "forwarded": true }, "text": { "body": "/stop" } }));
    assert_eq!((e.message.text.as_str(), e.quoted.unwrap().text.as_str()), ("", "/stop"));
    assert!(read(json!({ "context": { "from": "15550001111", "id": "x" } })).message.mentions.reply_to_bot);
}

/// Reads what the service would send.
struct Subject;

impl suite::Subject for Subject {
    fn channel(&self) -> &'static str {
        "whatsapp"
    }

    fn id(&self, plain: &str) -> String {
        if plain.starts_with('-') { plain.to_owned() } else { format!("+{plain}") }
    }

    fn event(&self, w: &Wanted<'_>) -> Option<Event> {
        let (kind, key, content) = match w.event {
            EventKind::Message => ("text", "text", json!({ "body": w.text })),
            EventKind::Reaction => ("reaction", "reaction", json!({ "message_id": "x", "emoji": w.text })),
            EventKind::Button => (
                "interactive",
                "interactive",
                json!({ "type": "button_reply", "button_reply": { "id": "oc1-x" } }),
            ),
            EventKind::Card => ("interactive", "interactive", json!({ "type": "nfm_reply" })),
            EventKind::Membership => ("system", "system", json!({ "body": w.text })),
            EventKind::Unknown => ("something_new", "text", json!({ "body": w.text })),
            EventKind::Edit
            | EventKind::Delete
            | EventKind::Pin
            | EventKind::SlashCommand
            | EventKind::Poll
            | EventKind::Voice
            | EventKind::Verification => return None,
        };
        let mut m = json!({ "id": w.id, "timestamp": "1700000000", "type": kind });
        m[key] = content;
        if w.kind != ConversationKind::Unknown {
            m["from"] = json!(w.sender);
        }
        if w.kind == ConversationKind::Group {
            m["group_id"] = json!(w.place);
        }
        event::read(&call(json!([m])), &own()).pop()
    }
}

#[tokio::test]
async fn it_passes_the_conformance_suite() {
    assert_eq!(suite::check(&Subject).await, Vec::<String>::new());
}
