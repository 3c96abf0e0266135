use std::path::Path;

use oc_policy::inbound::{ConversationKind, EventKind};
use oc_types::{Node, Origin};
use serde_json::{Value, json};

use super::api::media_parts;
use super::event::{View, invitation, read, without_fallback};
use super::*;
use crate::account::Setup;
use crate::adapter::{Event, MediaKind};

const OWN: &str = "@bot:test.local";
const ROOM: &str = "!room:test.local";

fn matrix(more: &Value) -> Result<Matrix, AdapterFailure> {
    let mut section = json!({ "homeserver": "https://matrix.example.org", "accessToken": "syt_secret" });
    section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let config = Node::from_json(&json!({ "channels": { "matrix": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("matrix").unwrap(), IDENTITY);
    Matrix::from_settings(&accounts[0])
}

fn event(e: &Value, members: Option<usize>) -> Event {
    let matrix = matrix(&json!({})).unwrap();
    matrix.state().sent("$own");
    read(&View { matrix: &matrix, own_id: OWN }, ROOM, e, members)
}

fn said(content: Value) -> Value {
    json!({ "event_id": "$1", "type": "m.room.message", "sender": "@alice:test.local", "origin_server_ts": 5, "content": content })
}

#[test]
fn a_direct_chat_is_with_its_person_and_answered_in_its_room() {
    let e = event(&said(json!({ "msgtype": "m.text", "body": "hi" })), Some(2));
    assert_eq!(
        (e.message.kind, e.message.conversation.as_str()),
        (ConversationKind::Direct, "@alice:test.local")
    );
    assert_eq!((e.reply.conversation.as_str(), e.reply.reply_to.as_deref()), (ROOM, Some("$1")));
    assert_eq!((e.id.as_str(), e.message.text.as_str(), e.message.sent_ms), ("$1", "hi", Some(5)));
    let e = event(&said(json!({ "msgtype": "m.text", "body": "hi" })), Some(3));
    assert_eq!((e.message.kind, e.message.conversation.as_str()), (ConversationKind::Group, ROOM));
}

#[test]
fn sp_415_a_room_whose_members_are_not_known_has_no_known_kind() {
    assert_eq!(event(&said(json!({ "msgtype": "m.text" })), None).message.kind, ConversationKind::Unknown);
}

#[test]
fn sp_401_every_type_of_event_has_its_kind() {
    for (kind, content, expected) in [
        ("m.room.message", json!({ "msgtype": "m.text", "body": "x" }), EventKind::Message),
        ("m.room.message", json!({ "msgtype": "m.new", "body": "x" }), EventKind::Message),
        ("m.room.message", json!({}), EventKind::Delete),
        ("m.room.message", json!({ "msgtype": "m.key.verification.request" }), EventKind::Verification),
        (
            "m.room.message",
            json!({ "msgtype": "m.text", "m.relates_to": { "rel_type": "m.replace" }, "m.new_content": { "msgtype": "m.text", "body": "y" } }),
            EventKind::Edit,
        ),
        ("m.sticker", json!({ "url": "mxc://a/b" }), EventKind::Message),
        ("m.reaction", json!({ "m.relates_to": { "key": "x", "event_id": "$own" } }), EventKind::Reaction),
        ("m.room.redaction", json!({}), EventKind::Delete),
        ("m.room.member", json!({ "membership": "join" }), EventKind::Membership),
        ("m.room.pinned_events", json!({}), EventKind::Pin),
        ("m.poll.start", json!({}), EventKind::Poll),
        ("org.matrix.msc3381.poll.response", json!({}), EventKind::Poll),
        ("m.call.invite", json!({}), EventKind::Voice),
        ("m.key.verification.start", json!({}), EventKind::Verification),
        ("m.room.encrypted", json!({ "ciphertext": "x" }), EventKind::Unknown),
        ("m.room.topic", json!({ "topic": "/stop" }), EventKind::Unknown),
        ("org.example.new", json!({}), EventKind::Unknown),
    ] {
        let e =
            event(&json!({ "event_id": "$1", "type": kind, "sender": "@a:b", "content": content }), Some(3));
        assert_eq!(e.message.event, expected, "{kind}");
    }
    let nothing = event(&json!({}), Some(3));
    assert_eq!((nothing.message.event, nothing.message.sender.id.is_none()), (EventKind::Unknown, true));
    let m = matrix(&json!({})).unwrap();
    let invited = invitation(&View { matrix: &m, own_id: OWN }, ROOM, Some("@a:b"), "i");
    assert_eq!(
        (invited.message.event, invited.message.kind),
        (EventKind::Membership, ConversationKind::Unknown)
    );
}

#[test]
fn own_messages_and_notices_are_marked() {
    let mut own = said(json!({ "msgtype": "m.text", "body": "x" }));
    own["sender"] = json!(OWN);
    assert!(event(&own, Some(3)).message.from_me);
    assert!(event(&said(json!({ "msgtype": "m.notice", "body": "x" })), Some(3)).message.sender.is_bot);
}

#[test]
fn mentions_are_those_the_client_meant() {
    for (content, (bot, others)) in [
        (json!({ "m.mentions": { "user_ids": [OWN] } }), (true, false)),
        (json!({ "m.mentions": { "user_ids": ["@x:y", OWN] } }), (true, true)),
        (json!({ "m.mentions": { "room": true } }), (false, true)),
        (json!({ "m.mentions": {}, "body": OWN }), (false, false)),
        (json!({ "body": "hi @bot:test.local!" }), (true, false)),
        (json!({ "body": "hi @bot:test.local.evil" }), (false, false)),
        (
            json!({ "formatted_body": "<a href=\"https://matrix.to/#/@bot:test.local\">Bot</a>" }),
            (true, false),
        ),
        (
            json!({ "formatted_body": "<a href=\"https://matrix.to/#/%40bot%3Atest.local\">Bot</a>" }),
            (true, false),
        ),
        (
            json!({ "formatted_body": "<a href=\"https://matrix.to/#/@bot:test.local.evil\">Bot</a>" }),
            (false, true),
        ),
    ] {
        let mut full = json!({ "msgtype": "m.text" });
        full.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        let m = event(&said(full), Some(3)).message.mentions;
        assert_eq!((m.bot, m.others), (Some(bot), others), "{content}");
    }
}

#[test]
fn answers_threads_and_edits() {
    let reply = |relation: Value| {
        event(
            &said(json!({ "msgtype": "m.text", "body": "> <@x:y> old\n\nnew", "m.relates_to": relation })),
            Some(3),
        )
    };
    let e = reply(json!({ "m.in_reply_to": { "event_id": "$own" } }));
    assert!(e.message.mentions.reply_to_bot);
    assert_eq!((e.message.text.as_str(), e.quoted.unwrap().text.as_str()), ("new", "<@x:y> old"));
    assert!(!reply(json!({ "m.in_reply_to": { "event_id": "$other" } })).message.mentions.reply_to_bot);
    let thread = reply(
        json!({ "rel_type": "m.thread", "event_id": "$root", "is_falling_back": true, "m.in_reply_to": { "event_id": "$own" } }),
    );
    assert!(!thread.message.mentions.reply_to_bot);
    assert_eq!(
        (thread.reply.thread.as_deref(), thread.message.place.thread.as_deref()),
        (Some("$root"), Some("$root"))
    );
    let edit = event(
        &said(
            json!({ "msgtype": "m.text", "body": "* y", "m.relates_to": { "rel_type": "m.replace", "event_id": "$0" },
        "m.new_content": { "msgtype": "m.text", "body": "y" } }),
        ),
        Some(2),
    );
    assert_eq!((edit.message.text.as_str(), edit.reply.reply_to.as_deref()), ("y", Some("$0")));
    assert_eq!(without_fallback("> a\n> b"), (Some("a\nb".to_owned()), ""));
}

#[test]
fn files_are_named_and_not_fetched() {
    let e = event(
        &said(
            json!({ "msgtype": "m.image", "body": "cat.png", "url": "mxc://test.local/abc", "info": { "size": 9, "mimetype": "image/png" } }),
        ),
        Some(2),
    );
    assert_eq!(
        (e.message.text.as_str(), e.attachments[0].kind, e.attachments[0].bytes),
        ("", MediaKind::Image, Some(9))
    );
    let e = event(
        &said(
            json!({ "msgtype": "m.file", "body": "look at this", "filename": "a.pdf", "url": "mxc://test.local/abc" }),
        ),
        Some(2),
    );
    assert_eq!((e.message.text.as_str(), e.attachments[0].name.as_deref()), ("look at this", Some("a.pdf")));
    for bad in [
        "https://e.org/x",
        "mxc://",
        "mxc://a",
        "mxc://a/../b",
        "mxc://a/b/c",
        "mxc://a b/c",
        "mxc://a/b?x",
        "mxc://a%2f/b",
    ] {
        assert_eq!(media_parts(bad), None, "{bad}");
        assert!(
            event(&said(json!({ "msgtype": "m.image", "body": "x", "url": bad })), Some(2))
                .attachments
                .is_empty()
        );
    }
}

#[test]
fn invitations_are_followed_only_as_the_key_says() {
    let room = json!({ "invite_state": { "events": [
        { "type": "m.room.member", "state_key": OWN, "sender": "@alice:test.local" },
        { "type": "m.room.canonical_alias", "state_key": "", "content": { "alias": "#team:test.local" } } ] } });
    for (keys, follows) in [
        (json!({}), false),
        (json!({ "autoJoin": "off" }), false),
        (json!({ "autoJoin": "always" }), true),
        (json!({ "autoJoin": "allowlist" }), false),
        (json!({ "autoJoin": "allowlist", "autoJoinAllowlist": [ROOM] }), true),
        (json!({ "autoJoin": "allowlist", "autoJoinAllowlist": ["#team:test.local"] }), true),
        (json!({ "autoJoin": "allowlist", "autoJoinAllowlist": ["@alice:test.local"] }), true),
        (
            json!({ "autoJoin": "allowlist", "autoJoinAllowlist": ["@mallory:test.local", "#other:test.local", "team"] }),
            false,
        ),
        (json!({ "autoJoin": "allowlist", "autoJoinAllowlist": ["*"] }), true),
    ] {
        assert_eq!(matrix(&keys).unwrap().auto_join.follows(ROOM, &room, OWN), follows, "{keys}");
    }
    assert!(!matrix(&json!({ "autoJoin": "always" })).unwrap().auto_join.follows("#alias:x", &room, OWN));
}

#[test]
fn settings_that_cannot_work_name_their_key() {
    for (more, key) in [
        (json!({ "homeserver": "http://matrix.example.org" }), "channels.matrix.homeserver"),
        (json!({ "userId": "bot" }), "channels.matrix.userId"),
        (json!({ "accessToken": "" }), "channels.matrix.accessToken"),
        (json!({ "accessToken": "", "password": "pw-secret" }), "channels.matrix.userId"),
        (json!({ "autoJoin": "yes" }), "channels.matrix.autoJoin"),
        (json!({ "threadReplies": "sometimes" }), "channels.matrix.threadReplies"),
    ] {
        let e = matrix(&more).unwrap_err().to_string();
        assert!(e.starts_with(key) && !e.contains("secret"), "{e}");
    }
    let shown = format!("{:?}", matrix(&json!({})).unwrap());
    assert!(!shown.contains("syt_secret"), "{shown}");
}

#[test]
fn sp_008_a_position_that_cannot_be_read_is_an_error_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("channels/matrix-default.json");
    let position = Position::new(file.clone(), "https://h");
    assert_eq!(position.load(OWN).unwrap(), None);
    position.save(OWN, "s1").unwrap();
    assert_eq!(position.load(OWN).unwrap().as_deref(), Some("s1"));
    assert_eq!(position.load("@other:test.local").unwrap(), None, "of another user");
    assert_eq!(Position::new(file.clone(), "https://other").load(OWN).unwrap(), None, "of another server");
    std::fs::write(&file, "{").unwrap();
    let e = position.load(OWN).unwrap_err().to_string();
    assert!(e.contains("matrix-default.json"), "{e}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{");
}
