use oc_policy::inbound::{ConversationKind, EventKind};
use oc_types::{Node, Origin};
use ring::hmac;
use serde_json::{Value, json};

use super::*;
use crate::account::Setup;
use crate::adapter::{Event, WebhookRefusal, WebhookRequest};
use crate::adapters::conformance::suite::{self, Wanted};

const SIGNING: &str = "made-up-signing-secret";
const NOW: i64 = 1_700_000_000_000;

fn make(section: &Value) -> Result<Slack, AdapterFailure> {
    let config = Node::from_json(&json!({ "channels": { "slack": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("slack").unwrap(), IDENTITY);
    Slack::from_settings(&accounts[0])
}

fn own() -> Own {
    Own {
        user: "U0BOT".to_owned(),
        name: Some("ourbot".to_owned()),
        bot: Some("B0BOT".to_owned()),
        team: "T1".to_owned(),
        enterprise: None,
    }
}

fn bot() -> Slack {
    let bot = make(&json!({ "botToken": "xoxb-1", "mode": "http", "signingSecret": SIGNING })).unwrap();
    *bot.own.write().unwrap() = Some(own());
    bot
}

fn callback(event: Value) -> Value {
    json!({ "type": "event_callback", "event_id": "Ev1", "team_id": "T1", "event": event })
}

fn message(extra: Value) -> Value {
    let mut m = json!({ "type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": "hello", "ts": "1700000000.000100" });
    m.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    m
}

fn read(bot: &Slack, event: Value) -> Option<Event> {
    bot.reader(&own()).callback(&callback(event))
}

fn event(extra: Value) -> Event {
    read(&bot(), message(extra)).unwrap()
}

#[test]
fn a_direct_message_is_of_its_sender_and_answered_in_its_conversation() {
    let e = event(json!({}));
    assert_eq!((e.message.kind, e.message.event), (ConversationKind::Direct, EventKind::Message));
    assert_eq!((e.message.conversation.as_str(), e.reply.conversation.as_str()), ("U1", "D1"));
    assert_eq!(e.message.sender.id.as_ref().unwrap().as_str(), "U1");
    assert_eq!((e.id.as_str(), e.message.text.as_str()), ("1700000000.000100", "hello"));
    assert_eq!(e.message.sent_ms, Some(1_700_000_000_000));
    assert_eq!(e.message.place.team.as_deref(), Some("T1"));
}

#[test]
fn sp_415_a_conversation_that_does_not_say_what_it_is_has_no_known_kind() {
    for (word, expected) in [
        (json!("im"), ConversationKind::Direct),
        (json!("mpim"), ConversationKind::Group),
        (json!("channel"), ConversationKind::Channel),
        (json!("group"), ConversationKind::Channel),
        (json!("new"), ConversationKind::Unknown),
        (json!(null), ConversationKind::Unknown),
    ] {
        assert_eq!(event(json!({ "channel_type": word })).message.kind, expected, "{word}");
    }
    // What was said before counts for what does not repeat it.
    let bot = bot();
    let reaction = || json!({ "type": "reaction_added", "user": "U1", "reaction": "eyes", "event_ts": "1", "item": { "channel": "C1", "ts": "2" } });
    assert_eq!(read(&bot, reaction()).unwrap().message.kind, ConversationKind::Unknown);
    read(&bot, message(json!({ "channel": "C1", "channel_type": "channel" }))).unwrap();
    assert_eq!(read(&bot, reaction()).unwrap().message.kind, ConversationKind::Channel);
}

#[test]
fn sp_401_every_kind_of_event_has_its_name() {
    for (e, expected) in [
        (message(json!({ "subtype": "file_share" })), EventKind::Message),
        (
            message(
                json!({ "subtype": "message_changed", "message": { "user": "U1", "text": "x", "ts": "1.0", "edited": { "ts": "2.0" } } }),
            ),
            EventKind::Edit,
        ),
        (
            message(
                json!({ "subtype": "message_deleted", "deleted_ts": "1.0", "previous_message": { "user": "U1", "ts": "1.0" } }),
            ),
            EventKind::Delete,
        ),
        (message(json!({ "subtype": "channel_join" })), EventKind::Membership),
        (message(json!({ "subtype": "channel_topic" })), EventKind::Unknown),
        (
            json!({ "type": "reaction_removed", "user": "U1", "reaction": "x", "item": { "channel": "C1", "ts": "2" } }),
            EventKind::Reaction,
        ),
        (json!({ "type": "member_joined_channel", "user": "U1", "channel": "C1" }), EventKind::Membership),
        (json!({ "type": "pin_added", "user": "U1", "channel_id": "C1" }), EventKind::Pin),
        (json!({ "type": "call_rejected", "channel": "C1" }), EventKind::Unknown),
    ] {
        assert_eq!(read(&bot(), e.clone()).unwrap().message.event, expected, "{e}");
    }
    assert!(
        read(&bot(), json!({ "type": "app_mention", "channel": "C1", "user": "U1", "ts": "1" })).is_none()
    );
    let preview =
        json!({ "subtype": "message_changed", "message": { "user": "U1", "text": "x", "ts": "1.0" } });
    assert!(read(&bot(), message(preview)).is_none());
    let deleted =
        message(json!({ "subtype": "message_deleted", "previous_message": { "user": "U1", "ts": "1.0" } }));
    assert!(read(&bot(), deleted).unwrap().message.sender.id.is_none());
}

#[test]
fn mentions_threads_and_bots_are_told_apart() {
    let room = |extra: Value| {
        let mut all = json!({ "channel": "C1", "channel_type": "channel" });
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        event(all)
    };
    let e = room(json!({ "text": "<@U0BOT> /status &amp; <@U2|bob>" }));
    assert_eq!((e.message.mentions.bot, e.message.mentions.others), (Some(true), true));
    assert_eq!(e.message.text, "/status & <@U2>");
    assert_eq!(room(json!({ "text": "<!here> hi" })).message.text, "@here hi");
    assert_eq!(
        room(json!({ "text": "<https://a.example|a> &amp;lt;" })).message.text,
        "a (https://a.example) &lt;"
    );
    let thread = room(json!({ "thread_ts": "1699.1", "parent_user_id": "U0BOT" }));
    assert!(thread.message.mentions.reply_to_bot);
    assert_eq!(
        (thread.reply.thread.as_deref(), thread.message.place.thread.as_deref()),
        (Some("1699.1"), Some("1699.1"))
    );
    assert!(room(json!({ "thread_ts": "1700000000.000100" })).reply.thread.is_none(), "it opens the thread");
    let other = room(json!({ "bot_id": "B9", "subtype": "bot_message", "user": null }));
    assert!(other.message.sender.is_bot && !other.message.from_me && other.message.sender.id.is_none());
    assert!(room(json!({ "bot_id": "B0BOT", "user": null })).message.from_me);
    assert!(room(json!({ "user": "U0BOT" })).message.from_me);
}

#[test]
fn buttons_and_slash_commands_are_of_the_one_who_acts() {
    let bot = bot();
    let press = json!({ "type": "block_actions", "trigger_id": "t1", "team": { "id": "T1" }, "user": { "id": "U1", "username": "alice" },
        "channel": { "id": "D1", "name": "directmessage" }, "message": { "ts": "1.0", "user": "U0BOT" },
        "actions": [{ "type": "button", "value": "oc1-x", "action_ts": "2.0" }] });
    let e = bot.reader(&own()).interactive(&press).unwrap();
    assert_eq!((e.message.event, e.payload.as_deref()), (EventKind::Button, Some("oc1-x")));
    assert_eq!((e.message.kind, e.message.conversation.as_str()), (ConversationKind::Direct, "U1"));
    let mut shortcut = press;
    shortcut["type"] = json!("shortcut");
    let e = bot.reader(&own()).interactive(&shortcut).unwrap();
    assert_eq!((e.message.event, e.payload), (EventKind::Unknown, None));
    // A channel that is called like a direct chat is none.
    shortcut["channel"] = json!({ "id": "C1", "name": "directmessage" });
    assert_eq!(bot.reader(&own()).interactive(&shortcut).unwrap().message.kind, ConversationKind::Unknown);
    for (command, words, expected) in
        [("/openclaw", "status", "/status"), ("/openclaw", "/new", "/new"), ("/think", "high", "/think high")]
    {
        let fields = json!({ "command": command, "text": words, "channel_id": "C1", "channel_name": "general", "user_id": "U1", "team_id": "T1", "trigger_id": "t" });
        let e = bot.reader(&own()).slash(&|n| fields[n].as_str().map(str::to_owned)).unwrap();
        assert_eq!((e.message.event, e.message.text.as_str()), (EventKind::SlashCommand, expected));
        assert_eq!(e.message.kind, ConversationKind::Channel);
    }
}

#[test]
fn sp_405_what_another_installation_of_the_app_hears_is_not_ours() {
    let bot = bot();
    let own = own();
    // A signature and the app's token prove the app, which may be installed in many workspaces.
    let heard = |outer: Value| {
        let mut body = callback(message(json!({ "channel": "C7", "channel_type": "channel" })));
        body.as_object_mut().unwrap().extend(outer.as_object().unwrap().clone());
        bot.reader(&own).callback(&body).is_some()
    };
    assert!(!heard(json!({ "team_id": "T2" })) && !heard(json!({ "team_id": null })));
    let reaction = json!({ "type": "reaction_added", "user": "U1", "reaction": "eyes", "event_ts": "1", "item": { "channel": "C7", "ts": "2" } });
    assert_eq!(
        read(&bot, reaction).unwrap().message.kind,
        ConversationKind::Unknown,
        "nothing is learnt of it"
    );
    let authorized = |team: Value, enterprise: Value, wide: bool| {
        json!({ "team_id": "T2", "authorizations": [
        { "team_id": team, "enterprise_id": enterprise, "is_enterprise_install": wide }] })
    };
    // In a shared channel the workspace of the one who writes stands outside.
    assert!(heard(authorized(json!("T1"), Value::Null, false)));
    assert!(!heard(authorized(json!("T2"), Value::Null, false)));
    assert!(!heard(json!({ "team_id": "T1", "authorizations": [{ "team_id": "T2" }] })));
    assert!(!heard(authorized(json!("T1"), json!("E1"), true)), "of an organisation, and ours is none");
    assert!(heard(json!({ "team_id": "T1", "authorizations": [] })));

    let press = |extra: Value| {
        let mut p = json!({ "type": "block_actions", "trigger_id": "t", "user": { "id": "U1" },
            "channel": { "id": "D1", "name": "directmessage" }, "actions": [{ "type": "button", "value": "oc1-x" }] });
        p.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        bot.reader(&own).interactive(&p).is_some()
    };
    assert!(press(json!({ "team": { "id": "T1" } })));
    for other in [
        json!({}),
        json!({ "team": { "id": "T2" } }),
        json!({ "team": null, "enterprise": { "id": "E1" }, "is_enterprise_install": true }),
    ] {
        assert!(!press(other.clone()), "{other}");
    }
    for (team, expected) in [(json!("T1"), true), (json!("T2"), false), (Value::Null, false)] {
        let fields = json!({ "command": "/openclaw", "text": "status", "channel_id": "D1", "channel_name": "directmessage",
            "user_id": "U1", "team_id": team, "trigger_id": "t" });
        let read = bot.reader(&own).slash(&|n| fields[n].as_str().map(str::to_owned));
        assert_eq!(read.is_some(), expected, "{team}");
    }
}

#[test]
fn sp_405_an_installation_of_an_organisation_is_known_by_it() {
    let bot = bot();
    let own = Own { enterprise: Some("E1".to_owned()), ..own() };
    let heard = |enterprise: &str| {
        let mut body = callback(message(json!({})));
        body["authorizations"] =
            json!([{ "team_id": null, "enterprise_id": enterprise, "is_enterprise_install": true }]);
        bot.reader(&own).callback(&body).is_some()
    };
    assert!(heard("E1") && !heard("E2"));
    let fields = |enterprise: &'static str| {
        move |n: &str| {
            let f = json!({ "command": "/openclaw", "text": "x", "channel_id": "D1", "user_id": "U1", "team_id": "T9",
                "enterprise_id": enterprise, "is_enterprise_install": "true", "trigger_id": "t" });
            f[n].as_str().map(str::to_owned)
        }
    };
    assert!(
        bot.reader(&own).slash(&fields("E1")).is_some() && bot.reader(&own).slash(&fields("E2")).is_none()
    );
}

#[test]
fn a_file_that_lies_elsewhere_is_not_one_of_slack() {
    let files = json!({ "files": [
        { "name": "a", "url_private": "https://files.slack.com/files-pri/T1-F1/a" },
        { "name": "b", "is_external": true, "url_private": "https://slack.com/b" },
        { "name": "c", "mode": "external", "url_private": "https://slack.com/c" }] });
    let names: Vec<_> = event(files).attachments.into_iter().filter_map(|a| a.name).collect();
    assert_eq!(names, ["a"]);
}

fn signed(stamp: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SIGNING.as_bytes());
    let tag = hmac::sign(&key, format!("v0:{stamp}:{body}").as_bytes());
    format!("v0={}", data_encoding::HEXLOWER.encode(tag.as_ref()))
}

fn ask(
    bot: &Slack,
    stamp: i64,
    signature: &str,
    kind: &str,
    body: &str,
) -> Result<crate::adapter::Verified, WebhookRefusal> {
    let headers = [
        ("x-slack-request-timestamp".to_owned(), stamp.to_string()),
        ("x-slack-signature".to_owned(), signature.to_owned()),
        ("content-type".to_owned(), kind.to_owned()),
    ];
    bot.verify(&WebhookRequest {
        method: "POST",
        query: "",
        headers: &headers,
        body: body.as_bytes(),
        now_ms: NOW,
    })
}

#[test]
fn sp_414_a_signature_covers_the_time_and_the_raw_bytes() {
    let bot = bot();
    let now = NOW / 1000;
    let body = callback(message(json!({}))).to_string();
    let good = ask(&bot, now, &signed(now, &body), "application/json", &body).unwrap();
    assert_eq!((good.events.len(), good.delivery.as_deref(), good.answer.status), (1, Some("Ev1"), 200));
    let refused = |stamp: i64, signature: &str, body: &str| {
        ask(&bot, stamp, signature, "application/json", body).unwrap_err()
    };
    assert_eq!(refused(now, &signed(now, &body), &format!("{body} ")), WebhookRefusal::Signature);
    assert_eq!(refused(now + 1, &signed(now, &body), &body), WebhookRefusal::Signature, "another time");
    assert_eq!(refused(now - 301, &signed(now - 301, &body), &body), WebhookRefusal::Stale, "a replay");
    assert_eq!(refused(now + 301, &signed(now + 301, &body), &body), WebhookRefusal::Stale);
    for bad in ["", "v0=", "v0=00", signed(now, &body).trim_start_matches("v0="), "v1=00"] {
        assert_eq!(refused(now, bad, &body), WebhookRefusal::Signature, "{bad}");
    }
    assert_eq!(refused(now, &signed(now, "{"), "{"), WebhookRefusal::Body);
    let get = WebhookRequest { method: "GET", query: "", headers: &[], body: b"", now_ms: NOW };
    assert_eq!(bot.verify(&get).unwrap_err(), WebhookRefusal::Method);
}

#[test]
fn the_other_bodies_of_the_events_api() {
    let bot = bot();
    let now = NOW / 1000;
    let hello = json!({ "type": "url_verification", "challenge": "abc" }).to_string();
    let verified = ask(&bot, now, &signed(now, &hello), "application/json", &hello).unwrap();
    assert_eq!((verified.answer.body.as_str(), verified.events.len()), ("abc", 0));
    let form = "application/x-www-form-urlencoded";
    let press = "payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%22t%22%2C%22team%22%3A%7B%22id%22%3A%22T1%22%7D%2C%22user%22%3A%7B%22id%22%3A%22U1%22%7D%2C%22channel%22%3A%7B%22id%22%3A%22D1%22%2C%22name%22%3A%22directmessage%22%7D%2C%22actions%22%3A%5B%7B%22type%22%3A%22button%22%2C%22value%22%3A%22oc1-x%22%7D%5D%7D";
    let verified = ask(&bot, now, &signed(now, press), form, press).unwrap();
    assert_eq!(verified.events[0].payload.as_deref(), Some("oc1-x"));
    let slash = "command=%2Fopenclaw&text=think+high&channel_id=D1&channel_name=directmessage&user_id=U1&team_id=T1&trigger_id=t";
    let verified = ask(&bot, now, &signed(now, slash), form, slash).unwrap();
    assert_eq!(verified.events[0].message.text, "/think high");
    // Before it is known who the bot is, nothing is read and Slack tries again.
    *bot.own.write().unwrap() = None;
    let verified = ask(&bot, now, &signed(now, slash), form, slash).unwrap();
    assert_eq!((verified.answer.status, verified.events.len()), (503, 0));
}

#[test]
fn sp_414_without_its_secret_an_account_does_not_start() {
    let said = |section: Value| make(&section).unwrap_err().to_string();
    assert!(said(json!({ "botToken": "x", "mode": "http" })).starts_with("channels.slack.signingSecret: "));
    assert!(said(json!({ "botToken": "x" })).starts_with("channels.slack.appToken: "));
    assert!(said(json!({ "botToken": "x", "mode": "tcp" })).starts_with("channels.slack.mode: "));
    assert!(
        said(json!({ "botToken": "x", "mode": "http", "signingSecret": "s", "webhookPath": "x" }))
            .starts_with("channels.slack.webhookPath: ")
    );
    assert!(said(json!({ "botToken": "", "appToken": "x" })).starts_with("channels.slack.botToken: "));
    let socket = make(&json!({ "botToken": "xoxb-secret", "appToken": "xapp-secret" })).unwrap();
    assert!(socket.webhook().is_none());
    let shown = format!("{socket:?}");
    assert!(!shown.contains("xoxb-secret") && !shown.contains("xapp-secret"), "{shown}");
    // Without a secret of its own nothing is believed.
    let request = WebhookRequest { method: "POST", query: "", headers: &[], body: b"{}", now_ms: NOW };
    assert_eq!(socket.verify(&request).unwrap_err(), WebhookRefusal::Signature);
}

#[test]
fn what_goes_out_names_nobody() {
    let out = crate::markdown::render(
        "**b** _i_ `<!channel>` <!here> [a|b](https://x.example) & <@U1>",
        &mrkdwn::Mrkdwn,
    );
    insta::assert_snapshot!(out, @"*b* _i_ `&lt;!channel&gt;` &lt;!here&gt; <https://x.example|a│b> &amp; &lt;@U1&gt;");
}

/// Reads what the service would send.
struct Subject(Slack);

impl suite::Subject for Subject {
    fn channel(&self) -> &'static str {
        "slack"
    }

    fn id(&self, plain: &str) -> String {
        format!("U{plain}")
    }

    fn event(&self, w: &Wanted<'_>) -> Option<Event> {
        let (place, sender) = (suite::Subject::id(self, w.place), suite::Subject::id(self, w.sender));
        // In a direct chat the conversation has an id of its own.
        let channel = if w.kind == ConversationKind::Direct { format!("D{}", w.place) } else { place };
        let word = match w.kind {
            ConversationKind::Direct => json!("im"),
            ConversationKind::Group => json!("mpim"),
            ConversationKind::Channel => json!("channel"),
            ConversationKind::Unknown => Value::Null,
        };
        let bare = json!({ "type": "message", "channel": channel, "channel_type": word, "user": sender, "text": w.text, "ts": w.id });
        let with = |key: &str, value: Value| {
            let mut m = bare.clone();
            m[key] = value;
            m
        };
        let own = own();
        let reader = self.0.reader(&own);
        // What does not say where it is, comes after something that did.
        reader.callback(&callback(bare.clone()));
        let e = match w.event {
            EventKind::Message => bare,
            EventKind::Edit => {
                let inner = json!({ "user": sender, "text": w.text, "ts": w.id, "edited": { "ts": "2" } });
                let mut m = with("subtype", json!("message_changed"));
                m["message"] = inner;
                m
            }
            EventKind::Delete => with("subtype", json!("message_deleted")),
            EventKind::Reaction => {
                json!({ "type": "reaction_added", "user": sender, "reaction": "x", "event_ts": w.id, "item": { "channel": channel, "ts": "1" } })
            }
            EventKind::Pin => with("subtype", json!("pinned_item")),
            EventKind::Membership => with("subtype", json!("channel_join")),
            EventKind::Unknown => with("subtype", json!("something_new")),
            EventKind::Button => {
                let press = json!({ "type": "block_actions", "trigger_id": w.id, "team": { "id": "T1" }, "user": { "id": sender }, "channel": { "id": channel },
                    "actions": [{ "type": "button", "value": "oc1-x" }] });
                return reader.interactive(&press);
            }
            EventKind::SlashCommand => {
                let fields = json!({ "command": "/openclaw", "text": "stop", "channel_id": channel, "user_id": sender, "team_id": "T1", "trigger_id": w.id });
                return reader.slash(&|n| fields[n].as_str().map(str::to_owned));
            }
            EventKind::Card | EventKind::Poll | EventKind::Voice | EventKind::Verification => return None,
        };
        reader.callback(&callback(e))
    }
}

#[tokio::test]
async fn it_passes_the_conformance_suite() {
    assert_eq!(suite::check(&Subject(bot())).await, Vec::<String>::new());
}
