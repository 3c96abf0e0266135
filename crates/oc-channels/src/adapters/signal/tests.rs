use oc_types::{Node, Origin};

use super::*;
use crate::account::Setup;
use crate::adapter::Event;
use oc_policy::inbound::{ConversationKind, EventKind};

const GROUP: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

fn signal(more: &Value) -> Result<Signal, AdapterFailure> {
    let mut section = json!({ "account": "+15550001111" });
    section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let config = Node::from_json(&json!({ "channels": { "signal": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("signal").unwrap(), IDENTITY);
    Signal::from_settings(&accounts[0])
}

fn event(part: Value) -> Option<Event> {
    let mut envelope = json!({ "source": "+15552223333", "sourceNumber": "+15552223333", "sourceUuid": UUID, "sourceName": "Alice", "timestamp": 7 });
    envelope.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    envelope::read(&json!({ "account": "+15550001111", "envelope": envelope }), &signal(&json!({})).unwrap())
}

fn data(part: Value) -> Event {
    event(json!({ "dataMessage": part })).unwrap()
}

#[test]
fn people_are_known_by_number_and_id() {
    let e = data(json!({ "timestamp": 8, "message": "hi" }));
    assert_eq!((e.message.kind, e.message.conversation.as_str()), (ConversationKind::Direct, "+15552223333"));
    assert_eq!(e.message.sender.id.as_ref().unwrap().as_str(), UUID);
    assert_eq!((e.id.as_str(), e.message.sent_ms), ("+15552223333:8", Some(8)));
    let hidden =
        event(json!({ "sourceNumber": null, "source": UUID, "dataMessage": { "message": "x" } })).unwrap();
    assert_eq!(hidden.message.conversation.as_str(), format!("uuid:{UUID}"));
    assert!(hidden.message.sender.phone.is_none());
    let bare = event(json!({ "sourceUuid": null, "dataMessage": { "message": "x" } })).unwrap();
    assert_eq!(bare.message.sender.id.as_ref().unwrap().as_str(), "+15552223333");
    let group = data(json!({ "message": "x", "groupInfo": { "groupId": GROUP, "type": "DELIVER" } }));
    assert_eq!((group.message.kind, group.reply.conversation.as_str()), (ConversationKind::Group, GROUP));
}

#[test]
fn sp_425_a_number_without_its_plus_is_nobodys() {
    for number in ["15552223333", "+1", "+1555x", "", "+12345678901234567"] {
        let e = event(json!({ "sourceNumber": number, "dataMessage": { "message": "x" } })).unwrap();
        assert!(e.message.sender.phone.is_none(), "{number}");
        let bare = json!({ "sourceNumber": number, "sourceUuid": null, "dataMessage": { "message": "x" } });
        assert!(event(bare).unwrap().message.sender.id.is_none(), "{number}");
    }
    assert!(signal(&json!({ "account": "15550001111" })).is_err());
}

#[test]
fn sp_401_every_kind_of_envelope_has_its_place() {
    for (part, kind) in [
        (json!({ "message": "x" }), EventKind::Message),
        (json!({ "attachments": [{ "id": "a" }] }), EventKind::Message),
        (json!({ "sticker": {} }), EventKind::Message),
        (json!({ "reaction": { "emoji": "x" }, "message": null }), EventKind::Reaction),
        (json!({ "remoteDelete": { "timestamp": 1 } }), EventKind::Delete),
        (json!({ "pollCreate": {} }), EventKind::Poll),
        (json!({ "pinMessage": {} }), EventKind::Pin),
        (json!({ "groupInfo": { "groupId": GROUP, "type": "UPDATE" } }), EventKind::Membership),
        (json!({ "expiresInSeconds": 5 }), EventKind::Unknown),
    ] {
        assert_eq!(data(part.clone()).message.event, kind, "{part}");
    }
    let kind = |part: Value| event(part).map(|e| e.message.event);
    assert_eq!(kind(json!({ "editMessage": { "dataMessage": { "message": "x" } } })), Some(EventKind::Edit));
    assert_eq!(kind(json!({ "callMessage": {} })), Some(EventKind::Voice));
    assert_eq!(kind(json!({ "storyMessage": {} })), Some(EventKind::Unknown));
    assert_eq!(kind(json!({ "somethingNew": {} })), Some(EventKind::Unknown));
    assert_eq!(kind(json!({ "typingMessage": {} })), None);
    assert_eq!(kind(json!({ "receiptMessage": {} })), None);
    assert!(event(json!({ "syncMessage": { "sentMessage": { "message": "x" } } })).unwrap().message.from_me);
    assert!(
        event(json!({ "sourceNumber": "+15550001111", "dataMessage": { "message": "x" } }))
            .unwrap()
            .message
            .from_me
    );
    let other = json!({ "account": "+19998887777", "envelope": { "sourceNumber": "+15552223333", "dataMessage": { "message": "x" } } });
    assert!(envelope::read(&other, &signal(&json!({})).unwrap()).is_none(), "of another account");
}

#[test]
fn sp_415_a_group_without_an_id_has_no_known_kind() {
    assert_eq!(data(json!({ "message": "x", "groupInfo": {} })).message.kind, ConversationKind::Unknown);
    let nobody = event(json!({ "sourceNumber": null, "sourceUuid": null, "source": null, "dataMessage": { "message": "x" } })).unwrap();
    assert_eq!((nobody.message.kind, nobody.id.as_str()), (ConversationKind::Unknown, ""));
}

#[test]
fn mentions_and_quotes() {
    let e = data(json!({ "message": "x", "mentions": [{ "number": "+15550001111" }, { "uuid": "x" }],
        "quote": { "authorNumber": "+15550001111", "text": "old" } }));
    assert_eq!(
        (e.message.mentions.bot, e.message.mentions.others, e.message.mentions.reply_to_bot),
        (Some(true), true, true)
    );
    assert_eq!(e.quoted.unwrap().text, "old");
    assert_eq!(data(json!({ "message": "x" })).message.mentions.bot, None);
}

#[test]
fn a_conversation_is_a_number_an_id_or_a_group() {
    assert_eq!(target("+15552223333"), Some(Target::Person("+15552223333")));
    assert_eq!(target(&format!("uuid:{UUID}")), Some(Target::Person(UUID)));
    assert_eq!(target(GROUP), Some(Target::Group(GROUP)));
    for bad in ["", "15552223333", "uuid:", "uuid:x", "Alice", "+1 555 222 3333", "AAAA", "u:name.01"] {
        assert_eq!(target(bad), None, "{bad}");
    }
}

#[test]
fn settings_that_cannot_work_name_their_key() {
    for (more, key) in [
        (json!({ "account": "" }), "channels.signal.account"),
        (json!({ "autoStart": true }), "channels.signal.autoStart"),
        (json!({ "httpUrl": "http://signal.example.org" }), "channels.signal.httpUrl"),
    ] {
        let e = signal(&more).unwrap_err().to_string();
        assert!(e.starts_with(key), "{e}");
    }
    assert!(signal(&json!({ "httpHost": "10.0.0.5", "httpPort": 9000 })).is_ok());
}
