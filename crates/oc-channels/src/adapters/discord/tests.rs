use oc_policy::inbound::{ConversationKind, EventKind};
use oc_types::{Node, Origin};
use serde_json::{Value, json};

use super::event::{Who, read};
use super::room::Rooms;
use super::*;
use crate::account::Setup;
use crate::adapter::{Event, MediaKind};
use crate::adapters::conformance::suite::{self, Wanted};

const OWN: &str = "4242";

fn rooms() -> Rooms {
    let mut rooms = Rooms::default();
    rooms.learn(&json!({ "id": "11", "type": 1 }), None);
    rooms.learn(&json!({ "id": "12", "type": 3, "name": "friends" }), None);
    rooms.learn_guild(&json!({ "id": "900", "name": "Team",
        "channels": [{ "id": "901", "type": 0, "name": "general", "parent_id": "899" }],
        "threads": [{ "id": "902", "type": 11, "name": "a thread", "parent_id": "901" },
                    { "id": "903", "type": 11, "name": "an orphan" }] }));
    rooms
}

fn event(kind: &str, d: &Value) -> Option<Event> {
    let channel = ChannelId::parse("discord").unwrap();
    let own = SelfIdentity { id: OWN.to_owned(), username: Some("ourbot".to_owned()) };
    let who = Who { channel: &channel, account: "default", own: &own };
    let (place, guild) = event::place_of(d);
    read(kind, d, &who, &rooms().around(place.unwrap_or_default(), guild))
}

fn message(extra: Value) -> Value {
    let mut m = json!({ "id": "175928847299117063", "channel_id": "11", "type": 0, "content": "hello",
        "author": { "id": "77", "username": "alice", "global_name": "Alice", "discriminator": "0" }, "mentions": [] });
    m.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    m
}

fn in_guild(extra: Value) -> Value {
    let mut m = message(json!({ "channel_id": "901", "guild_id": "900" }));
    m.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    m
}

fn made(m: &Value) -> Event {
    event("MESSAGE_CREATE", m).unwrap()
}

fn bot(section: &Value) -> Result<Discord, AdapterFailure> {
    let config = Node::from_json(&json!({ "channels": { "discord": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("discord").unwrap(), IDENTITY);
    Discord::from_settings(&accounts[0])
}

#[test]
fn a_direct_message_is_of_its_sender_and_answered_in_its_channel() {
    let e = made(&message(json!({})));
    assert_eq!((e.message.kind, e.message.event), (ConversationKind::Direct, EventKind::Message));
    assert_eq!((e.message.conversation.as_str(), e.reply.conversation.as_str()), ("77", "11"));
    assert_eq!(e.message.sender.id.as_ref().unwrap().as_str(), "77");
    assert_eq!((e.id.as_str(), e.message.text.as_str()), ("175928847299117063", "hello"));
    assert_eq!(e.message.sent_ms, Some(1_462_015_105_796));
    assert_eq!(e.message.mentions.bot, Some(false));
    assert_eq!(e.reply.reply_to.as_deref(), Some("175928847299117063"));
}

#[test]
fn sp_415_a_conversation_is_what_is_known_of_its_channel() {
    let kind = |extra: Value| made(&message(extra)).message.kind;
    for (extra, expected) in [
        (json!({ "channel_id": "11" }), ConversationKind::Direct),
        (json!({ "channel_id": "12" }), ConversationKind::Group),
        (json!({ "channel_id": "901", "guild_id": "900" }), ConversationKind::Channel),
        (json!({ "channel_id": "902", "guild_id": "900" }), ConversationKind::Channel),
        // Not known, of two minds, or a thread of which the channel is not known.
        (json!({ "channel_id": "999" }), ConversationKind::Unknown),
        (json!({ "channel_id": "999", "guild_id": "900" }), ConversationKind::Unknown),
        (json!({ "channel_id": "11", "guild_id": "900" }), ConversationKind::Unknown),
        (json!({ "channel_id": "901" }), ConversationKind::Unknown),
        (json!({ "channel_id": "901", "guild_id": "800" }), ConversationKind::Unknown),
        (json!({ "channel_id": "903", "guild_id": "900" }), ConversationKind::Unknown),
    ] {
        assert_eq!(kind(extra.clone()), expected, "{extra}");
    }
}

#[test]
fn a_thread_hangs_below_its_channel() {
    let e = made(&in_guild(json!({ "channel_id": "902" })));
    let place = &e.message.place;
    assert_eq!(place.thread_parent.as_ref().unwrap().as_str(), "901");
    assert_eq!(place.thread_parent_name.as_deref(), Some("general"));
    assert_eq!((place.guild.as_deref(), place.guild_name.as_deref()), (Some("900"), Some("Team")));
    assert_eq!((e.message.conversation.as_str(), e.reply.conversation.as_str()), ("902", "902"));
    let plain = made(&in_guild(json!({})));
    assert!(plain.message.place.thread_parent.is_none(), "a category is no parent");
    assert_eq!(plain.message.place.name.as_deref(), Some("general"));
}

#[test]
fn mentions_and_answers_are_told_apart() {
    let m = made(&in_guild(json!({ "content": "<@!4242> /status", "mentions": [{ "id": OWN }] }))).message;
    assert_eq!((m.mentions.bot, m.mentions.others), (Some(true), false));
    assert_eq!(m.text, "/status");
    let others = made(&in_guild(json!({ "content": "<@5> hi", "mentions": [{ "id": "5" }] }))).message;
    assert_eq!((others.mentions.bot, others.mentions.others), (Some(false), true));
    assert_eq!(others.text, "<@5> hi");
    let answer =
        json!({ "type": 19, "referenced_message": { "author": { "id": OWN }, "content": "before" } });
    let e = made(&in_guild(answer));
    assert!(e.message.mentions.reply_to_bot);
    assert_eq!(e.quoted.unwrap().text, "before");
    let forward = json!({ "content": "", "message_reference": { "type": 1 },
        "message_snapshots": [{ "message": { "content": "/stop" } }] });
    let e = made(&in_guild(forward));
    assert_eq!((e.message.text.as_str(), e.quoted.unwrap().text.as_str()), ("", "/stop"));
}

#[test]
fn sp_403_a_webhook_is_nobody() {
    let e = made(&in_guild(json!({ "webhook_id": "77" })));
    assert!(e.message.sender.id.is_none() && e.message.sender.is_bot);
    let own = made(&in_guild(json!({ "author": { "id": OWN, "bot": true } })));
    assert!(own.message.from_me && own.message.sender.is_bot);
}

#[test]
fn sp_401_every_kind_of_dispatch_becomes_an_event() {
    for (kind, d, expected) in [
        ("MESSAGE_CREATE", in_guild(json!({ "type": 6 })), EventKind::Pin),
        ("MESSAGE_CREATE", in_guild(json!({ "type": 7 })), EventKind::Membership),
        ("MESSAGE_CREATE", in_guild(json!({ "type": 3 })), EventKind::Voice),
        ("MESSAGE_CREATE", in_guild(json!({ "poll": { "question": { "text": "q" } } })), EventKind::Poll),
        ("MESSAGE_CREATE", in_guild(json!({ "type": 999 })), EventKind::Unknown),
        ("MESSAGE_UPDATE", in_guild(json!({ "edited_timestamp": "t" })), EventKind::Edit),
        ("MESSAGE_UPDATE", in_guild(json!({ "edited_timestamp": "t", "type": 999 })), EventKind::Unknown),
        ("MESSAGE_DELETE", json!({ "id": "1", "channel_id": "901", "guild_id": "900" }), EventKind::Delete),
        (
            "MESSAGE_DELETE_BULK",
            json!({ "ids": ["1"], "channel_id": "901", "guild_id": "900" }),
            EventKind::Delete,
        ),
        (
            "MESSAGE_REACTION_ADD",
            json!({ "user_id": "7", "channel_id": "901", "guild_id": "900", "message_id": "1",
            "emoji": { "name": "x" } }),
            EventKind::Reaction,
        ),
        (
            "MESSAGE_POLL_VOTE_ADD",
            json!({ "user_id": "7", "channel_id": "901", "guild_id": "900", "message_id": "1",
            "answer_id": 1 }),
            EventKind::Poll,
        ),
        ("CHANNEL_PINS_UPDATE", json!({ "channel_id": "901", "guild_id": "900" }), EventKind::Pin),
        ("GUILD_MEMBER_ADD", json!({ "guild_id": "900", "user": { "id": "7" } }), EventKind::Membership),
        (
            "VOICE_STATE_UPDATE",
            json!({ "guild_id": "900", "channel_id": "901", "user_id": "7", "session_id": "s" }),
            EventKind::Voice,
        ),
        (
            "INTERACTION_CREATE",
            json!({ "id": "1", "type": 5, "channel_id": "901", "guild_id": "900" }),
            EventKind::Unknown,
        ),
        ("SOMETHING_NEW", json!({ "id": "1", "channel_id": "901", "guild_id": "900" }), EventKind::Unknown),
    ] {
        let e = event(kind, &d).unwrap_or_else(|| panic!("{kind}"));
        assert_eq!(e.message.event, expected, "{kind} {d}");
        assert!(!e.id.is_empty());
    }
    for state in ["READY", "GUILD_CREATE", "PRESENCE_UPDATE", "TYPING_START", "THREAD_CREATE"] {
        assert!(event(state, &json!({})).is_none(), "{state}");
    }
    // A preview that was added to a message: nobody said anything.
    assert!(event("MESSAGE_UPDATE", &in_guild(json!({ "edited_timestamp": null }))).is_none());
}

#[test]
fn an_edit_is_an_event_of_its_own_and_stays_one() {
    let edit = |at: &str| event("MESSAGE_UPDATE", &in_guild(json!({ "edited_timestamp": at }))).unwrap().id;
    assert_eq!(edit("a"), edit("a"));
    assert_ne!(edit("a"), edit("b"));
}

#[test]
fn interactions_are_of_the_one_who_acts() {
    let press = json!({ "id": "175928847299117063", "type": 3, "channel_id": "901", "guild_id": "900", "token": "t",
        "member": { "user": { "id": "77" } }, "message": { "author": { "id": OWN } },
        "data": { "component_type": 2, "custom_id": "oc1-abc" } });
    let e = event("INTERACTION_CREATE", &press).unwrap();
    assert_eq!((e.message.event, e.payload.as_deref()), (EventKind::Button, Some("oc1-abc")));
    assert_eq!(e.message.sender.id.unwrap().as_str(), "77");
    let slash = json!({ "id": "2", "type": 2, "channel_id": "11", "token": "t", "user": { "id": "77" },
        "data": { "name": "think", "options": [{ "name": "level", "value": "high" }] } });
    let e = event("INTERACTION_CREATE", &slash).unwrap();
    assert_eq!((e.message.event, e.message.text.as_str()), (EventKind::SlashCommand, "/think high"));
    assert_eq!((e.message.kind, e.message.conversation.as_str()), (ConversationKind::Direct, "77"));
}

#[test]
fn files_are_named_and_left_alone() {
    let file = json!({ "attachments": [{ "id": "1", "filename": "a.png", "content_type": "image/png", "size": 5,
        "url": "https://cdn.discordapp.com/attachments/1/2/a.png?ex=1" }, { "id": "2" }] });
    let e = made(&message(file));
    assert_eq!(e.attachments.len(), 1);
    assert_eq!((e.attachments[0].kind, e.attachments[0].bytes), (MediaKind::Image, Some(5)));
}

#[test]
fn what_is_known_of_channels_is_bounded_and_can_be_forgotten() {
    let mut rooms = rooms();
    assert_eq!(rooms.missing("901"), None);
    assert_eq!(rooms.missing("5"), Some("5".to_owned()));
    rooms.learn(&json!({ "id": "6", "type": 11, "parent_id": "7", "guild_id": "900" }), None);
    assert_eq!(rooms.missing("6"), Some("7".to_owned()));
    rooms.unknown("7");
    assert_eq!(rooms.missing("6"), None);
    rooms.forget_guild("900");
    assert_eq!(rooms.missing("901"), Some("901".to_owned()));
}

#[test]
fn a_nonce_is_short_and_steady() {
    assert_eq!(send::nonce("a-key"), send::nonce("a-key"));
    assert_ne!(send::nonce("a-key"), send::nonce("another"));
    assert_eq!(send::nonce("x").len(), 25);
}

#[test]
fn settings_name_their_key() {
    let said = |section: Value| bot(&section).unwrap_err().to_string();
    assert!(said(json!({})).starts_with("channels.discord.token: "));
    assert!(
        said(json!({ "token": "t", "apiRoot": "http://example.org" }))
            .starts_with("channels.discord.apiRoot: ")
    );
    let made = bot(&json!({ "token": "secret-token", "intents": { "guildMembers": true } })).unwrap();
    assert_eq!(made.intents & 0b10, 0b10);
    assert!(!format!("{made:?}").contains("secret-token"));
}

/// Reads what the service would send.
struct Subject;

impl suite::Subject for Subject {
    fn channel(&self) -> &'static str {
        "discord"
    }

    fn event(&self, w: &Wanted<'_>) -> Option<Event> {
        let mut rooms = Rooms::default();
        let number = match w.kind {
            ConversationKind::Direct => json!(1),
            ConversationKind::Group => json!(3),
            ConversationKind::Channel | ConversationKind::Unknown => Value::Null,
        };
        rooms.learn(&json!({ "id": w.place, "type": number }), None);
        let user = json!({ "id": w.sender, "username": "somebody" });
        let message = |number: u64| json!({ "id": w.id, "channel_id": w.place, "type": number, "content": w.text, "author": user, "mentions": [] });
        let with = |mut m: Value, key: &str, value: Value| {
            m[key] = value;
            m
        };
        let interaction = |number: u64, data: Value| json!({ "id": w.id, "channel_id": w.place, "type": number, "user": user, "token": "t", "data": data });
        let (kind, d) = match w.event {
            EventKind::Message => ("MESSAGE_CREATE", message(0)),
            EventKind::Edit => ("MESSAGE_UPDATE", with(message(0), "edited_timestamp", json!("t"))),
            EventKind::Delete => ("MESSAGE_DELETE", json!({ "id": w.id, "channel_id": w.place })),
            EventKind::Reaction => (
                "MESSAGE_REACTION_ADD",
                json!({ "user_id": w.sender, "channel_id": w.place, "message_id": w.id, "emoji": { "name": "x" } }),
            ),
            EventKind::Pin => ("MESSAGE_CREATE", message(6)),
            EventKind::Membership => ("MESSAGE_CREATE", message(7)),
            EventKind::Voice => ("MESSAGE_CREATE", message(3)),
            EventKind::Poll => {
                ("MESSAGE_CREATE", with(message(0), "poll", json!({ "question": { "text": "q" } })))
            }
            EventKind::Button => {
                ("INTERACTION_CREATE", interaction(3, json!({ "component_type": 2, "custom_id": "oc1-x" })))
            }
            EventKind::SlashCommand => ("INTERACTION_CREATE", interaction(2, json!({ "name": "stop" }))),
            EventKind::Unknown => ("SOMETHING_NEW", message(0)),
            EventKind::Card | EventKind::Verification => return None,
        };
        let channel = ChannelId::parse("discord").unwrap();
        let own = SelfIdentity { id: OWN.to_owned(), username: Some("ourbot".to_owned()) };
        let who = Who { channel: &channel, account: "default", own: &own };
        read(kind, &d, &who, &rooms.around(w.place, None))
    }
}

#[tokio::test]
async fn it_passes_the_conformance_suite() {
    assert_eq!(suite::check(&Subject).await, Vec::<String>::new());
}
