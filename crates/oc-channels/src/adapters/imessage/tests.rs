use oc_policy::inbound::{ConversationId, ConversationKind, EventKind};
use oc_types::{Node, Origin};

use super::message::{below, read};
use super::*;
use crate::account::Setup;

fn account(section: &Value) -> Result<IMessage, AdapterFailure> {
    let config = Node::from_json(&json!({ "channels": { "imessage": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("imessage").unwrap(), IDENTITY);
    IMessage::from_settings(&accounts[0])
}

fn event(extra: Value) -> crate::adapter::Event {
    let mut m = json!({ "id": 3, "guid": "G", "chat_id": 7, "sender": "+15552223333", "is_from_me": false, "text": "hi",
        "created_at": "2024-01-02T03:04:05Z", "chat_guid": "iMessage;-;+15552223333", "chat_identifier": "+15552223333", "is_group": false });
    m.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    read(&m, &account(&json!({})).unwrap())
}

#[test]
fn direct_chats_are_with_a_person_and_answered_in_the_chat() {
    let e = event(json!({}));
    assert_eq!((e.message.kind, e.message.conversation.as_str()), (ConversationKind::Direct, "+15552223333"));
    assert_eq!((e.reply.conversation.as_str(), e.id.as_str()), ("chat_id:7", "G"));
    assert_eq!(e.message.place.chat_id.as_deref(), Some("7"));
    assert_eq!(e.message.sent_ms, Some(1_704_164_645_000));
    let group = event(json!({ "is_group": true }));
    assert_eq!((group.message.kind, group.message.conversation.as_str()), (ConversationKind::Group, "7"));
    let mail = event(json!({ "sender": "a@example.org" }));
    assert!(mail.message.sender.phone.is_none() && mail.message.sender.id.is_some());
    assert!(event(json!({ "is_from_me": true })).message.from_me);
}

#[test]
fn sp_415_a_chat_that_does_not_say_whether_it_is_a_group_has_no_known_kind() {
    assert_eq!(event(json!({ "is_group": null })).message.kind, ConversationKind::Unknown);
    assert_eq!(event(json!({ "is_group": "no" })).message.kind, ConversationKind::Unknown);
    assert_eq!(event(json!({ "is_group": true, "chat_id": null })).message.kind, ConversationKind::Unknown);
}

#[test]
fn sp_401_every_kind_of_message_has_its_place() {
    assert_eq!(event(json!({ "is_reaction": true })).message.event, EventKind::Reaction);
    assert_eq!(event(json!({ "is_retracted": true })).message.event, EventKind::Delete);
    assert_eq!(event(json!({ "is_edited": true })).message.event, EventKind::Edit);
    assert_eq!(event(json!({ "text": null })).message.event, EventKind::Unknown);
    assert_eq!(
        event(json!({ "text": null, "attachments": [{ "original_path": "/x" }] })).message.event,
        EventKind::Message
    );
}

#[test]
fn sp_418_a_message_goes_to_a_chat_or_a_whole_address() {
    let to = |text: &str| {
        addressed(&Destination { conversation: ConversationId::new(text), thread: None, reply_to: None })
            .map(Value::Object)
    };
    assert_eq!(to("chat_id:7"), Some(json!({ "chat_id": 7 })));
    assert_eq!(to("+15552223333"), Some(json!({ "to": "+15552223333" })));
    assert_eq!(to("a@example.org"), Some(json!({ "to": "a@example.org" })));
    for bad in ["", "7", "chat_id:x", "chat_id:-1", "12345", "Alice", "-x@example.org", "a b@example.org"] {
        assert_eq!(to(bad), None, "{bad}");
    }
}

#[test]
fn only_files_of_messages_are_read_and_only_so_much() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("Attachments");
    std::fs::create_dir_all(folder.join("a")).unwrap();
    std::fs::write(folder.join("a/x.png"), b"12345").unwrap();
    std::fs::write(dir.path().join("secret"), b"secret").unwrap();
    std::os::unix::fs::symlink(dir.path().join("secret"), folder.join("link")).unwrap();
    let name = |rest: &str| folder.join(rest).display().to_string();
    assert_eq!(below(&folder, &name("a/x.png"), 5).unwrap(), b"12345");
    assert!(below(&folder, &name("a/x.png"), 4).unwrap_err().to_string().contains("larger"));
    for bad in [
        name("../secret"),
        name("link"),
        dir.path().join("secret").display().to_string(),
        "/etc/passwd".to_owned(),
        "~/x".to_owned(),
    ] {
        let e = below(&folder, &bad, 100).unwrap_err().to_string();
        assert!(!e.contains("secret"), "{e}");
    }
}

#[test]
fn settings_that_cannot_work_name_their_key() {
    let e = account(&json!({ "service": "fax" })).unwrap_err().to_string();
    assert!(e.starts_with("channels.imessage.service"), "{e}");
}

#[tokio::test]
async fn a_helper_that_is_not_there_is_said() {
    let e = account(&json!({ "cliPath": "/nowhere/imsg" })).unwrap().who().await.unwrap_err().to_string();
    assert!(e.contains("channels.imessage.cliPath") && e.contains("/nowhere/imsg"), "{e}");
}
