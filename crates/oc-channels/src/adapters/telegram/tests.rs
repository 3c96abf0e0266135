use oc_policy::inbound::{ConversationKind, EventKind};
use oc_types::{Node, Origin};
use serde_json::{Value, json};

use super::update::read;
use super::*;
use crate::account::Setup;
use crate::adapter::{Event, MediaKind, WebhookRefusal, WebhookRequest};

const TOKEN: &str = "4242:AAbb_cc-dd";
const SECRET: &str = "hook-secret-0123456789";

fn who() -> Who {
    Who {
        channel: ChannelId::parse("telegram").unwrap(),
        account: "default".to_owned(),
        bot_id: "4242".to_owned(),
    }
}

fn event(update: &Value) -> Event {
    read(update, &who(), Some("OurBot")).unwrap().event
}

fn message(extra: Value) -> Value {
    let mut m =
        json!({ "message_id": 7, "date": 100, "from": alice(), "chat": { "id": 11, "type": "private" } });
    m.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    json!({ "update_id": 5, "message": m })
}

fn alice() -> Value {
    json!({ "id": 11, "is_bot": false, "first_name": "Alice", "username": "alice" })
}

fn group() -> Value {
    json!({ "id": -100_200, "type": "supergroup", "title": "Team" })
}

fn bot(channel: Value) -> Result<Telegram, AdapterFailure> {
    let config = Node::from_json(&json!({ "channels": { "telegram": channel } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("telegram").unwrap(), IDENTITY);
    Telegram::from_settings(&accounts[0])
}

#[test]
fn a_direct_message_is_of_its_sender() {
    let e = event(&message(json!({ "text": "hello" })));
    assert_eq!(e.id, "u5");
    assert_eq!(e.message.kind, ConversationKind::Direct);
    assert_eq!(e.message.event, EventKind::Message);
    assert_eq!(e.message.sender.id.as_ref().unwrap().as_str(), "11");
    assert_eq!((e.message.conversation.as_str(), e.message.text.as_str()), ("11", "hello"));
    assert_eq!(e.message.sent_ms, Some(100_000));
    assert!(!e.message.from_me && !e.message.sender.is_bot);
    assert_eq!(e.reply.reply_to.as_deref(), Some("7"));
    assert_eq!(e.message.mentions.bot, Some(false));
}

#[test]
fn own_messages_and_other_bots_are_marked() {
    let own = event(&message(json!({ "text": "x", "from": { "id": 4242, "is_bot": true } })));
    assert!(own.message.from_me && own.message.sender.is_bot);
    let other = event(&message(json!({ "text": "x", "from": { "id": 9, "is_bot": true } })));
    assert!(!other.message.from_me && other.message.sender.is_bot);
}

#[test]
fn sp_401_every_kind_of_update_becomes_an_event() {
    let c = group();
    for (kind, body, expected, chat) in [
        (
            "message",
            json!({ "chat": c, "from": alice(), "text": "x" }),
            EventKind::Message,
            ConversationKind::Group,
        ),
        (
            "edited_message",
            json!({ "chat": c, "from": alice(), "text": "x" }),
            EventKind::Edit,
            ConversationKind::Group,
        ),
        (
            "channel_post",
            json!({ "chat": { "id": -1, "type": "channel" }, "text": "x" }),
            EventKind::Message,
            ConversationKind::Channel,
        ),
        (
            "edited_channel_post",
            json!({ "chat": { "id": -1, "type": "channel" }, "caption": "x" }),
            EventKind::Edit,
            ConversationKind::Channel,
        ),
        (
            "message_reaction",
            json!({ "chat": c, "user": alice(), "message_id": 1, "old_reaction": [], "new_reaction": [{ "type": "emoji", "emoji": "x" }] }),
            EventKind::Reaction,
            ConversationKind::Group,
        ),
        (
            "message_reaction_count",
            json!({ "chat": c, "message_id": 1 }),
            EventKind::Reaction,
            ConversationKind::Group,
        ),
        (
            "callback_query",
            json!({ "id": "q", "from": alice(), "data": "d", "message": { "chat": c, "message_id": 3 } }),
            EventKind::Button,
            ConversationKind::Group,
        ),
        (
            "callback_query",
            json!({ "id": "q", "from": alice(), "data": "d", "inline_message_id": "i" }),
            EventKind::Button,
            ConversationKind::Unknown,
        ),
        (
            "my_chat_member",
            json!({ "chat": c, "from": alice(), "old_chat_member": {}, "new_chat_member": { "status": "kicked" } }),
            EventKind::Membership,
            ConversationKind::Group,
        ),
        (
            "chat_member",
            json!({ "chat": c, "from": alice() }),
            EventKind::Membership,
            ConversationKind::Group,
        ),
        (
            "chat_join_request",
            json!({ "chat": c, "from": alice() }),
            EventKind::Membership,
            ConversationKind::Group,
        ),
        (
            "poll_answer",
            json!({ "poll_id": "1", "user": alice() }),
            EventKind::Poll,
            ConversationKind::Unknown,
        ),
        ("poll", json!({ "id": "1" }), EventKind::Unknown, ConversationKind::Unknown),
        (
            "inline_query",
            json!({ "id": "1", "from": alice(), "query": "/stop" }),
            EventKind::Unknown,
            ConversationKind::Unknown,
        ),
        ("chosen_inline_result", json!({ "from": alice() }), EventKind::Unknown, ConversationKind::Unknown),
        (
            "business_message",
            json!({ "chat": c, "from": alice(), "text": "x" }),
            EventKind::Unknown,
            ConversationKind::Group,
        ),
        ("business_connection", json!({ "id": "1" }), EventKind::Unknown, ConversationKind::Unknown),
        ("pre_checkout_query", json!({ "from": alice() }), EventKind::Unknown, ConversationKind::Unknown),
        ("shipping_query", json!({ "from": alice() }), EventKind::Unknown, ConversationKind::Unknown),
        ("chat_boost", json!({ "chat": c }), EventKind::Unknown, ConversationKind::Group),
        (
            "something_new",
            json!({ "chat": c, "from": alice(), "text": "x" }),
            EventKind::Unknown,
            ConversationKind::Group,
        ),
    ] {
        let e = event(&json!({ "update_id": 1, kind: body }));
        assert_eq!((e.message.event, e.message.kind), (expected, chat), "{kind}");
    }
    for (member, expected) in [
        ("pinned_message", EventKind::Pin),
        ("new_chat_members", EventKind::Membership),
        ("left_chat_member", EventKind::Membership),
        ("video_chat_started", EventKind::Voice),
        ("poll", EventKind::Poll),
        ("successful_payment", EventKind::Unknown),
        ("voice", EventKind::Message),
    ] {
        assert_eq!(event(&message(json!({ member: {} }))).message.event, expected, "{member}");
    }
    assert!(read(&json!({ "message": {} }), &who(), None).is_none());
    assert!(read(&json!({ "update_id": 1 }), &who(), None).is_none());
}

#[test]
fn sp_415_a_chat_of_an_unknown_type_has_no_known_kind() {
    for chat in [
        json!({ "id": 11 }),
        json!({ "id": 11, "type": "secret" }),
        json!({ "id": 11, "type": 1 }),
        json!(null),
    ] {
        assert_eq!(
            event(&message(json!({ "text": "x", "chat": chat }))).message.kind,
            ConversationKind::Unknown
        );
    }
}

#[test]
fn sp_403_a_message_in_the_name_of_a_chat_has_no_sender() {
    let e = event(&message(json!({ "text": "x", "chat": group(), "sender_chat": { "id": -5 },
        "from": { "id": 1_087_968_824, "is_bot": true, "username": "GroupAnonymousBot" } })));
    assert!(e.message.sender.id.is_none() && e.message.sender.is_bot);
    let post = event(
        &json!({ "update_id": 1, "channel_post": { "text": "x", "chat": { "id": -1, "type": "channel" }, "sender_chat": { "id": -1 } } }),
    );
    assert!(post.message.sender.id.is_none());
}

#[test]
fn mentions_are_read_from_entities() {
    let cases = [
        ("hi @OurBot", json!([{ "type": "mention", "offset": 3, "length": 7 }]), (true, false)),
        ("\u{1f600} @ourbot", json!([{ "type": "mention", "offset": 3, "length": 7 }]), (true, false)),
        ("hi @OurBotX", json!([{ "type": "mention", "offset": 3, "length": 8 }]), (false, true)),
        ("hi @OurBot", json!([]), (false, false)),
        (
            "hi Bot",
            json!([{ "type": "text_mention", "offset": 3, "length": 3, "user": { "id": 4242 } }]),
            (true, false),
        ),
        (
            "hi Bob",
            json!([{ "type": "text_mention", "offset": 3, "length": 3, "user": { "id": 5 } }]),
            (false, true),
        ),
        ("/stop@OurBot", json!([{ "type": "bot_command", "offset": 0, "length": 12 }]), (true, false)),
        ("/stop@other", json!([{ "type": "bot_command", "offset": 0, "length": 11 }]), (false, true)),
        ("/stop", json!([{ "type": "bot_command", "offset": 0, "length": 5 }]), (false, false)),
        (
            "x",
            json!([{ "type": "mention", "offset": 18_446_744_073_709_551_615u64, "length": 2 }]),
            (false, true),
        ),
    ];
    for (text, entities, (bot, others)) in cases {
        let m =
            event(&message(json!({ "text": text, "entities": entities, "chat": group() }))).message.mentions;
        assert_eq!((m.bot, m.others), (Some(bot), others), "{text}");
    }
}

#[test]
fn an_answer_to_the_bot_counts_but_not_the_message_that_opened_a_topic() {
    let answered = |extra: Value| {
        let mut m = json!({ "text": "x", "chat": { "id": -1, "type": "supergroup", "is_forum": true }, "message_thread_id": 3, "is_topic_message": true });
        m.as_object_mut().unwrap().insert("reply_to_message".to_owned(), extra);
        event(&message(m))
    };
    let own = answered(json!({ "message_id": 9, "from": { "id": 4242 }, "text": "earlier" }));
    assert!(own.message.mentions.reply_to_bot);
    assert_eq!(own.quoted.as_ref().unwrap().text, "earlier");
    assert_eq!((own.reply.thread.as_deref(), own.message.place.topic.as_deref()), (Some("3"), Some("3")));
    assert!(!answered(json!({ "message_id": 3, "from": { "id": 4242 } })).message.mentions.reply_to_bot);
    assert!(
        !answered(json!({ "message_id": 9, "from": { "id": 4242 }, "forum_topic_created": {} }))
            .message
            .mentions
            .reply_to_bot
    );
    assert!(!answered(json!({ "message_id": 9, "from": { "id": 5 } })).message.mentions.reply_to_bot);
}

#[test]
fn a_forwarded_text_is_quoted_and_not_said() {
    let e = event(&message(
        json!({ "text": "/approve abc", "forward_origin": { "type": "user", "sender_user": { "id": 99 } },
        "entities": [{ "type": "bot_command", "offset": 0, "length": 8 }] }),
    ));
    assert_eq!(e.message.text, "");
    let quoted = e.quoted.unwrap();
    assert_eq!((quoted.sender.as_deref(), quoted.text.as_str()), (Some("99"), "/approve abc"));
}

#[test]
fn files_stay_unopened_with_their_ids() {
    let e = event(&message(json!({ "caption": "look", "photo": [
        { "file_id": "small", "width": 10, "height": 10 }, { "file_id": "large", "width": 90, "height": 90, "file_size": 4 }] })));
    assert_eq!((e.attachments.len(), e.attachments[0].handle.as_str()), (1, "large"));
    assert_eq!((e.attachments[0].kind, e.attachments[0].bytes), (MediaKind::Image, Some(4)));
    let gif = event(&message(json!({ "animation": { "file_id": "a" }, "document": { "file_id": "a" } })));
    assert_eq!((gif.attachments.len(), gif.attachments[0].kind), (1, MediaKind::Video));
    let e = event(&message(
        json!({ "document": { "file_id": "d", "file_name": "../../x.pdf", "mime_type": "application/pdf" } }),
    ));
    assert_eq!(e.attachments[0].name.as_deref(), Some("../../x.pdf"), "untrusted, as it came");
}

#[test]
fn settings_that_cannot_work_name_their_key() {
    for (channel, key) in [
        (json!({}), "channels.telegram.botToken"),
        (json!({ "botToken": "no token" }), "channels.telegram.botToken"),
        (json!({ "botToken": "1:a/../b" }), "channels.telegram.botToken"),
        (json!({ "botToken": TOKEN, "apiRoot": "http://example.org" }), "channels.telegram.apiRoot"),
        (json!({ "botToken": TOKEN, "webhookUrl": "https://e.org/hook" }), "channels.telegram.webhookSecret"),
        (
            json!({ "botToken": TOKEN, "webhookUrl": "https://e.org/hook", "webhookSecret": "short" }),
            "channels.telegram.webhookSecret",
        ),
        (
            json!({ "botToken": TOKEN, "webhookUrl": "http://e.org/hook", "webhookSecret": SECRET }),
            "channels.telegram.webhookUrl",
        ),
        (json!({ "botToken": TOKEN, "proxy": "socks5://127.0.0.1:1" }), "channels.telegram.proxy"),
    ] {
        let e = bot(channel).unwrap_err().to_string();
        assert!(e.starts_with(key), "{e}");
        assert!(!e.contains(TOKEN) && !e.contains(SECRET), "{e}");
    }
}

#[test]
fn sp_011_debug_shows_neither_token_nor_secret() {
    let b = bot(json!({ "botToken": TOKEN, "webhookUrl": "https://e.org/hook", "webhookSecret": SECRET }))
        .unwrap();
    let shown = format!("{b:?}");
    assert!(!shown.contains("AAbb") && !shown.contains(SECRET), "{shown}");
}

#[test]
fn sp_414_a_request_without_the_secret_is_not_read() {
    let b = bot(json!({ "botToken": TOKEN, "webhookUrl": "https://e.org/hook", "webhookSecret": SECRET }))
        .unwrap();
    let hook = b.webhook().unwrap();
    assert_eq!(hook.path(), "/hook");
    let body = message(json!({ "text": "x" })).to_string();
    let ask = |method, headers: &[(&str, &str)], body: &str| {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let request =
            WebhookRequest { method, query: "", headers: &headers, body: body.as_bytes(), now_ms: 0 };
        hook.verify(&request).map(|v| v.events.len())
    };
    let name = "x-telegram-bot-api-secret-token";
    assert_eq!(ask("POST", &[(name, SECRET)], &body), Ok(1));
    assert_eq!(ask("POST", &[], &body), Err(WebhookRefusal::Signature));
    assert_eq!(ask("POST", &[(name, "other")], "{"), Err(WebhookRefusal::Signature), "not parsed before");
    assert_eq!(ask("POST", &[(name, SECRET), (name, SECRET)], &body), Err(WebhookRefusal::Signature));
    assert_eq!(ask("GET", &[(name, SECRET)], &body), Err(WebhookRefusal::Method));
    assert_eq!(ask("POST", &[(name, SECRET)], "{"), Err(WebhookRefusal::Body));
    assert_eq!(ask("POST", &[(name, SECRET)], "{}"), Err(WebhookRefusal::Body));
    assert!(bot(json!({ "botToken": TOKEN })).unwrap().webhook().is_none());
}

#[test]
fn sp_418_a_message_goes_to_a_chat_id_and_never_to_a_name() {
    let to = |conversation: &str| Destination {
        conversation: oc_policy::inbound::ConversationId::new(conversation),
        thread: Some("1".to_owned()),
        reply_to: Some("9".to_owned()),
    };
    assert!(send::addressed(&to("@channel")).is_none() && send::addressed(&to("")).is_none());
    let base = Value::Object(send::addressed(&to("-100")).unwrap());
    assert_eq!(base["chat_id"], json!(-100));
    assert!(base["message_thread_id"].is_null(), "the general topic is not named");
    assert_eq!(base["reply_parameters"]["message_id"], json!(9));
}
