use oc_policy::inbound::{ConversationKind, EventKind};
use oc_types::{Node, Origin};

use super::*;
use crate::account::Setup;
use crate::adapter::Event;

const PASSWORD: &str = "bubbles pw+1";

fn server() -> BlueBubbles {
    make(&json!({ "serverUrl": "http://mac.local:1234", "password": PASSWORD })).unwrap()
}

fn make(section: &Value) -> Result<BlueBubbles, AdapterFailure> {
    let config = Node::from_json(&json!({ "channels": { "bluebubbles": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("bluebubbles").unwrap(), IDENTITY);
    BlueBubbles::from_settings(&accounts[0])
}

fn message(extra: Value) -> Value {
    let mut data = json!({ "guid": "G1", "text": "hi", "isFromMe": false, "dateCreated": 5, "handle": { "address": "+15552223333" },
        "chats": [{ "guid": "iMessage;-;+15552223333", "chatIdentifier": "+15552223333", "style": 45 }] });
    data.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    data
}

fn event(kind: &str, data: &Value) -> Option<Event> {
    update::read(&json!({ "type": kind, "data": data }), &server())
}

fn ask(method: &str, query: &str, headers: &[(String, String)], body: &str) -> Result<usize, WebhookRefusal> {
    let request = WebhookRequest { method, query, headers, body: body.as_bytes(), now_ms: 0 };
    server().verify(&request).map(|v| v.events.len())
}

#[test]
fn sp_414_a_call_without_the_password_is_not_read() {
    let body = json!({ "type": "new-message", "data": message(json!({})) }).to_string();
    let header = [("x-password".to_owned(), PASSWORD.to_owned())];
    assert_eq!(ask("POST", "password=bubbles%20pw%2B1", &[], &body), Ok(1));
    assert_eq!(ask("POST", "", &header, &body), Ok(1));
    assert_eq!(ask("POST", "", &[], &body), Err(WebhookRefusal::Signature));
    assert_eq!(ask("POST", "password=", &[], "{"), Err(WebhookRefusal::Signature), "not parsed before");
    assert_eq!(
        ask("POST", "password=a&password=bubbles%20pw%2B1", &[], &body),
        Err(WebhookRefusal::Signature)
    );
    assert_eq!(ask("GET", "password=bubbles%20pw%2B1", &[], &body), Err(WebhookRefusal::Method));
    assert_eq!(ask("POST", "password=bubbles%20pw%2B1", &[], "[]"), Err(WebhookRefusal::Body));
}

#[test]
fn direct_chats_are_with_a_person_and_answered_in_the_chat() {
    let e = event("new-message", &message(json!({}))).unwrap();
    assert_eq!((e.message.kind, e.message.conversation.as_str()), (ConversationKind::Direct, "+15552223333"));
    assert_eq!((e.reply.conversation.as_str(), e.id.as_str()), ("iMessage;-;+15552223333", "G1"));
    assert_eq!(e.message.place.chat_guid.as_deref(), Some("iMessage;-;+15552223333"));
    let group =
        event("new-message", &message(json!({ "chats": [{ "guid": "iMessage;+;chat9", "style": 43 }] })))
            .unwrap();
    assert_eq!(
        (group.message.kind, group.message.conversation.as_str()),
        (ConversationKind::Group, "iMessage;+;chat9")
    );
    assert!(event("new-message", &message(json!({ "isFromMe": true }))).unwrap().message.from_me);
    let short = event("new-message", &message(json!({ "handle": { "address": "12345" } }))).unwrap();
    assert!(short.message.sender.phone.is_none());
}

#[test]
fn sp_415_a_chat_that_contradicts_itself_has_no_known_kind() {
    for chats in [
        json!([]),
        json!([{ "guid": "iMessage;-;+1555222", "style": 43 }]),
        json!([{ "guid": "iMessage;+;chat9", "style": 45 }]),
        json!([{ "guid": "iMessage;+;chat9", "style": 1 }]),
        json!([{ "guid": "chat9" }]),
        json!([{ "guid": "iMessage;-;a" }, { "guid": "iMessage;-;b" }]),
    ] {
        let e = event("new-message", &message(json!({ "chats": chats }))).unwrap();
        assert_eq!(e.message.kind, ConversationKind::Unknown, "{chats}");
    }
}

#[test]
fn sp_401_every_type_of_notification_has_its_place() {
    let kind = |name: &str, extra: Value| event(name, &message(extra)).map(|e| e.message.event);
    assert_eq!(kind("new-message", json!({})), Some(EventKind::Message));
    assert_eq!(
        kind("new-message", json!({ "associatedMessageGuid": "G0", "associatedMessageType": "love" })),
        Some(EventKind::Reaction)
    );
    assert_eq!(
        kind("new-message", json!({ "associatedMessageGuid": "G0", "associatedMessageType": 2001 })),
        Some(EventKind::Reaction)
    );
    assert_eq!(kind("new-message", json!({ "itemType": 1 })), Some(EventKind::Membership));
    assert_eq!(kind("updated-message", json!({ "dateEdited": 9 })), Some(EventKind::Edit));
    assert_eq!(kind("updated-message", json!({ "dateRetracted": 9 })), Some(EventKind::Delete));
    assert_eq!(kind("updated-message", json!({ "dateDelivered": 9 })), None);
    assert_eq!(kind("participant-added", json!({})), Some(EventKind::Membership));
    assert_eq!(kind("incoming-facetime", json!({})), Some(EventKind::Voice));
    assert_eq!(kind("typing-indicator", json!({})), None);
    assert_eq!(kind("group-name-change", json!({})), Some(EventKind::Unknown));
    assert_eq!(kind("something-new", json!({})), Some(EventKind::Unknown));
}

#[test]
fn settings_that_cannot_work_name_their_key() {
    for (section, key) in [
        (json!({}), "channels.bluebubbles.serverUrl"),
        (
            json!({ "serverUrl": "http://bubbles.example.org", "password": "x" }),
            "channels.bluebubbles.serverUrl",
        ),
        (json!({ "serverUrl": "https://b.example.org" }), "channels.bluebubbles.password"),
        (
            json!({ "serverUrl": "https://b.example.org", "password": "x", "webhookPath": "x" }),
            "channels.bluebubbles.webhookPath",
        ),
    ] {
        let e = make(&section).unwrap_err().to_string();
        assert!(e.starts_with(key), "{e}");
    }
    assert!(!format!("{:?}", server()).contains("bubbles pw"));
}
