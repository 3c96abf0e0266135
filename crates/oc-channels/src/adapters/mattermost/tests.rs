use oc_policy::inbound::{ConversationKind, EventKind};
use oc_types::{Node, Origin};
use serde_json::{Value, json};

use super::*;
use crate::account::Setup;
use crate::adapter::Event;
use crate::adapters::conformance::suite::{self, Wanted};

const OWN: &str = "bot0bot0bot0bot0bot0bot0bo";
const ALICE: &str = "ali0ali0ali0ali0ali0ali0al";
const ROOM: &str = "chn0chn0chn0chn0chn0chn0ch";

fn make(section: &Value) -> Result<Mattermost, AdapterFailure> {
    let config = Node::from_json(&json!({ "channels": { "mattermost": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("mattermost").unwrap(), IDENTITY);
    Mattermost::from_settings(&accounts[0])
}

fn bot() -> Mattermost {
    make(&json!({ "baseUrl": "https://chat.example.org", "botToken": "made-up-token" })).unwrap()
}

fn posted(kind: &str, channel_type: &Value, post: Value) -> Value {
    let mut p = json!({ "id": "p1", "channel_id": ROOM, "user_id": ALICE, "message": "hello", "create_at": 5, "type": "", "props": {} });
    p.as_object_mut().unwrap().extend(post.as_object().unwrap().clone());
    json!({ "event": kind, "seq": 3, "broadcast": { "channel_id": ROOM }, "data": {
        "channel_type": channel_type, "channel_name": "town", "sender_name": "@alice", "post": p.to_string() } })
}

fn read_with(bot: &Mattermost, frame: &Value) -> Option<Event> {
    let own = SelfIdentity { id: OWN.to_owned(), username: Some("ourbot".to_owned()) };
    event::read(frame, bot, &own)
}

fn read(channel_type: &str, post: Value) -> Event {
    read_with(&bot(), &posted("posted", &json!(channel_type), post)).unwrap()
}

#[test]
fn a_direct_message_is_of_its_sender_and_answered_in_its_channel() {
    let e = read("D", json!({}));
    assert_eq!((e.message.kind, e.message.event), (ConversationKind::Direct, EventKind::Message));
    assert_eq!((e.message.conversation.as_str(), e.reply.conversation.as_str()), (ALICE, ROOM));
    assert_eq!((e.id.as_str(), e.message.text.as_str(), e.message.sent_ms), ("p1", "hello", Some(5)));
    assert!(read("D", json!({ "user_id": OWN })).message.from_me);
}

#[test]
fn sp_415_a_channel_that_does_not_say_what_it_is_has_no_known_kind() {
    for (word, expected) in [
        (json!("D"), ConversationKind::Direct),
        (json!("G"), ConversationKind::Group),
        (json!("O"), ConversationKind::Channel),
        (json!("P"), ConversationKind::Channel),
        (json!("X"), ConversationKind::Unknown),
        (json!(null), ConversationKind::Unknown),
    ] {
        assert_eq!(
            read_with(&bot(), &posted("posted", &word, json!({}))).unwrap().message.kind,
            expected,
            "{word}"
        );
    }
    // What was said before counts for what does not repeat it.
    let bot = bot();
    read_with(&bot, &posted("posted", &json!("O"), json!({}))).unwrap();
    let edit = read_with(&bot, &posted("post_edited", &json!(null), json!({ "edit_at": 9 }))).unwrap();
    assert_eq!((edit.message.kind, edit.message.event), (ConversationKind::Channel, EventKind::Edit));
    assert_eq!(edit.id, "p1:9");
}

#[test]
fn sp_401_every_kind_of_event_has_its_name() {
    let reaction =
        json!({ "user_id": ALICE, "post_id": "p1", "emoji_name": "eyes", "create_at": 4 }).to_string();
    for (frame, expected) in [
        (posted("post_deleted", &json!("O"), json!({})), EventKind::Delete),
        (posted("posted", &json!("O"), json!({ "type": "system_join_channel" })), EventKind::Membership),
        (posted("posted", &json!("O"), json!({ "type": "custom_thing" })), EventKind::Unknown),
        (posted("post_edited", &json!("O"), json!({ "type": "custom_thing" })), EventKind::Unknown),
        (posted("post_unread", &json!("O"), json!({})), EventKind::Unknown),
        (
            json!({ "event": "reaction_added", "seq": 1, "broadcast": { "channel_id": ROOM }, "data": { "reaction": reaction } }),
            EventKind::Reaction,
        ),
        (
            json!({ "event": "user_added", "seq": 1, "broadcast": { "channel_id": ROOM }, "data": { "user_id": ALICE } }),
            EventKind::Membership,
        ),
        (json!({ "event": "ephemeral_message", "seq": 1, "broadcast": {}, "data": {} }), EventKind::Unknown),
    ] {
        assert_eq!(read_with(&bot(), &frame).unwrap().message.event, expected, "{frame}");
    }
    for state in ["typing", "status_change", "channel_viewed", "hello"] {
        assert!(
            read_with(&bot(), &json!({ "event": state, "data": {}, "broadcast": {} })).is_none(),
            "{state}"
        );
    }
    assert!(
        read_with(&bot(), &json!({ "event": "posted", "data": { "post": "{" }, "broadcast": {} })).is_none()
    );
}

#[test]
fn mentions_threads_and_webhooks_are_told_apart() {
    let e = read("O", json!({ "message": "@ourbot: /status", "root_id": "r1" }));
    assert_eq!((e.message.mentions.bot, e.message.mentions.others), (Some(true), false));
    assert_eq!((e.message.text.as_str(), e.reply.thread.as_deref()), ("/status", Some("r1")));
    let other = read("O", json!({ "message": "@ourbot2 and mail@ourbot.example" }));
    assert_eq!((other.message.mentions.bot, other.message.mentions.others), (Some(false), true));
    assert_eq!(other.message.text, "@ourbot2 and mail@ourbot.example");
    let hook = read("O", json!({ "props": { "from_webhook": "true" } }));
    assert!(hook.message.sender.is_bot && hook.message.sender.id.is_none(), "SP-403");
    assert!(read("O", json!({ "props": { "from_bot": "true" } })).message.sender.is_bot);
}

#[test]
fn nobody_is_called() {
    assert_eq!(
        send::quiet("@all @Channel @here @alice a@b"),
        "@\u{200b}all @\u{200b}Channel @\u{200b}here @alice a@b"
    );
}

#[test]
fn settings_name_their_key() {
    let said = |section: Value| make(&section).unwrap_err().to_string();
    assert!(said(json!({ "botToken": "t" })).starts_with("channels.mattermost.baseUrl: "));
    assert!(
        said(json!({ "baseUrl": "https://chat.example.org" })).starts_with("channels.mattermost.botToken: ")
    );
    assert!(
        said(json!({ "baseUrl": "http://chat.example.org", "botToken": "t" }))
            .starts_with("channels.mattermost.baseUrl: ")
    );
    assert!(!format!("{:?}", bot()).contains("made-up-token"));
}

/// Reads what the server would send, with a bot that heard nothing before: it would remember what kind a channel is.
struct Subject;

impl suite::Subject for Subject {
    fn channel(&self) -> &'static str {
        "mattermost"
    }

    fn event(&self, w: &Wanted<'_>) -> Option<Event> {
        let word = match w.kind {
            ConversationKind::Direct => json!("D"),
            ConversationKind::Group => json!("G"),
            ConversationKind::Channel => json!("O"),
            ConversationKind::Unknown => Value::Null,
        };
        let frame = |kind: &str, post_type: &str| {
            let post = json!({ "id": w.id, "channel_id": w.place, "user_id": w.sender, "message": w.text, "type": post_type });
            json!({ "event": kind, "seq": 1, "broadcast": { "channel_id": w.place }, "data": { "channel_type": word, "post": post.to_string() } })
        };
        let frame = match w.event {
            EventKind::Message => frame("posted", ""),
            EventKind::Edit => frame("post_edited", ""),
            EventKind::Delete => frame("post_deleted", ""),
            EventKind::Membership => frame("posted", "system_join_channel"),
            EventKind::Unknown => frame("posted", "something_new"),
            EventKind::Reaction => {
                let reaction =
                    json!({ "user_id": w.sender, "post_id": w.id, "emoji_name": "x", "create_at": 1 })
                        .to_string();
                json!({ "event": "reaction_added", "seq": 1, "broadcast": { "channel_id": w.place }, "data": { "reaction": reaction } })
            }
            EventKind::Pin
            | EventKind::Button
            | EventKind::SlashCommand
            | EventKind::Card
            | EventKind::Poll
            | EventKind::Voice
            | EventKind::Verification => return None,
        };
        read_with(&bot(), &frame)
    }
}

#[tokio::test]
async fn it_passes_the_conformance_suite() {
    assert_eq!(suite::check(&Subject).await, Vec::<String>::new());
}
