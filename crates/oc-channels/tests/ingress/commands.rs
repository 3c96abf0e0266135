//! Commands: who may, what happens, what is said.

use std::sync::Arc;

use oc_channels::approval_door::{ApprovalReply, SenderListing, Via};
use oc_channels::approval_prompt::ApprovalPrompt;
use oc_channels::inbox::Route;
use oc_channels::turn::StopCause;
use oc_policy::command::approve::ApproveWord;
use oc_policy::inbound::{EventKind, SenderId};
use oc_types::ChannelId;
use serde_json::json;

use super::doubles::*;

fn config() -> serde_json::Value {
    json!({
        "commands": { "ownerAllowFrom": ["telegram:1"] },
        "tools": { "elevated": { "allowFrom": { "telegram": ["1"] } } },
        "channels": { "telegram": {
            "dmPolicy": "allowlist", "allowFrom": ["1", "2"], "groupPolicy": "open", "groupAllowFrom": ["1", "2"],
            "groups": { "-1": { "requireMention": true } } } },
    })
}

async fn ask(w: &World, text: &str) -> String {
    let before = w.service.sends.get();
    let id = format!("{}-{text}", w.observer.decided.get());
    w.offer(direct("telegram", &id, "1", text)).await;
    w.idle().await;
    if w.service.sends.get() == before { String::new() } else { w.service.last().text }
}

#[tokio::test]
async fn what_is_said_to_commands() {
    let w = world(config());
    let mut out = String::new();
    for text in [
        "/help",
        "/commands",
        "/whoami",
        "/status",
        "/approve",
        "/approve 1234abcd",
        "/approve 1234abcd always",
        "/deny 1234abcd",
        "/exec",
        "/exec host=gateway ask=always",
        "/exec host=mars",
        "/elevated",
        "/elevated ask",
        "/elevated loud",
        "/think high",
        "/verbose on",
        "/reasoning stream",
        "/reasoning off",
        "/model openai/gpt-5.2",
        "/model default",
        "/queue steer",
        "/send off",
        "/send inherit",
        "/activation always",
        "/compact keep the plan",
        "/tts on",
        "/models",
        "/stop",
        "/new",
    ] {
        let said = ask(&w, text).await;
        out.push_str(&format!("> {text}\n{said}\n\n"));
    }
    insta::assert_snapshot!(out);
}

#[tokio::test]
async fn what_is_said_to_answers_of_the_queue() {
    let w = world(config());
    let code = || "1234abcd".to_owned();
    let mut out = String::new();
    for reply in [
        ApprovalReply::Recorded { code: code() },
        ApprovalReply::Already { code: code() },
        ApprovalReply::Otherwise { code: code(), stands: "denied".to_owned() },
        ApprovalReply::Unknown,
        ApprovalReply::Ambiguous,
        ApprovalReply::Expired { code: code() },
        ApprovalReply::NeedsTarget { code: code() },
        ApprovalReply::NotOffered { code: code() },
        ApprovalReply::NotApprover,
        ApprovalReply::Muted,
        ApprovalReply::Unavailable,
        ApprovalReply::Silent,
    ] {
        *w.approvals.reply.lock().unwrap() = Some(reply.clone());
        let said = ask(&w, "/approve 1234abcd").await;
        out.push_str(&format!("{reply:?}\n  {said}\n"));
    }
    insta::assert_snapshot!(out);
}

#[tokio::test]
async fn sp_413_a_command_of_somebody_without_the_right_is_as_if_it_had_not_been_written() {
    let w = world(config());
    // Two is listed, but there is an owner list and two is not on it.
    for (i, text) in [
        "/status",
        "/stop",
        "/new hello",
        "/approve 1234abcd",
        "/exec host=gateway",
        "/verbose on",
        "/activation always",
    ]
    .iter()
    .enumerate()
    {
        w.offer(direct("telegram", &format!("d{i}"), "2", text)).await;
        let mut native = direct("telegram", &format!("n{i}"), "2", text);
        native.message.event = EventKind::SlashCommand;
        w.offer(native).await;
    }
    assert!(w.words().iter().all(|w| w == "drop command_unauthorized"), "{:?}", w.words());
    assert_eq!(w.service.sends.get() + w.turns.begun.get() + w.turns.stops.lock().unwrap().len(), 0);
    assert!(w.settings.changes.lock().unwrap().is_empty() && w.settings.renewed.lock().unwrap().is_empty());
    assert!(w.approvals.answers.lock().unwrap().is_empty());
    // Inside other text a directive and a bare word are text.
    for (id, text) in [("t1", "/think high about my day"), ("t2", "stop"), ("t3", "hello /status")] {
        w.offer(direct("telegram", id, "2", text)).await;
        w.idle().await;
        assert_eq!(w.turns.last().messages[0].text, text);
    }
    assert_eq!(w.turns.stops.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_directive_before_other_text_is_taken_out_and_changes_nothing() {
    let w = world(config());
    for (text, heard) in [
        ("/exec host=gateway list the files", "list the files"),
        ("/think high what is this?", "what is this?"),
        ("/verbose on\nhello", "hello"),
        ("what do you know? /whoami", "what do you know?"),
        ("/new first words\nand more", "first words\nand more"),
    ] {
        w.offer(direct("telegram", text, "1", text)).await;
        w.idle().await;
        assert_eq!(w.turns.last().messages[0].text, heard, "{text}");
    }
    assert!(w.settings.changes.lock().unwrap().is_empty());
    assert_eq!(w.settings.renewed.lock().unwrap().len(), 1);
    assert!(
        w.service.texts().iter().any(|t| t.starts_with("Channel: telegram")),
        "the inline command is answered"
    );
}

#[tokio::test]
async fn elevated_names_the_gates_that_fail() {
    let mut c = config();
    c["tools"]["elevated"]["allowFrom"]["telegram"] = json!(["9"]);
    c["commands"]["ownerAllowFrom"] = json!(["*"]);
    let w = world(c);
    let said = ask(&w, "/elevated on").await;
    assert!(said.contains("allowFrom (tools.elevated.allowFrom.telegram)"), "{said}");
    assert!(w.settings.changes.lock().unwrap().is_empty());
    assert!(ask(&w, "/elevated off").await.starts_with("Elevated is off"));
}

#[tokio::test]
async fn in_a_room_reasoning_and_verbose_are_set_by_an_authorised_sender_who_names_the_bot_or_not_at_all() {
    let w = world(config());
    for (i, (sender, text, changes)) in [
        ("666", "@bot_name /verbose on", 0),
        ("2", "/verbose on", 0),
        ("1", "/verbose on", 1),
        ("1", "/exec security=full", 1),
        ("1", "/exec security=deny", 2),
        ("1", "/elevated full", 2),
    ]
    .into_iter()
    .enumerate()
    {
        w.offer(room("telegram", &i.to_string(), "-1", sender, text)).await;
        w.idle().await;
        assert_eq!(w.settings.changes.lock().unwrap().len(), changes, "{sender} {text}");
    }
    let texts = w.service.texts();
    assert!(texts.iter().any(|t| t.contains("Everybody in this room sees it")), "{texts:#?}");
    assert!(texts.iter().any(|t| t.contains("Name me in the message")), "{texts:#?}");
}

#[tokio::test]
async fn stop_ends_the_run_and_clears_what_waits() {
    let w = world(config());
    *w.turns.hold.lock().unwrap() = Some(Arc::new(tokio::sync::Notify::new()));
    w.offer(direct("telegram", "1", "1", "work")).await;
    w.turns.begun.reach(1).await;
    w.offer(direct("telegram", "2", "1", "and more")).await;
    w.offer(direct("telegram", "3", "1", "and yet more")).await;
    w.offer(direct("telegram", "4", "1", "STOP")).await;
    w.idle().await;
    assert_eq!(w.service.texts(), ["Stopped, and 2 waiting message(s) forgotten."]);
    assert_eq!(w.turns.begun.get(), 1);
    assert_eq!(w.turns.stops.lock().unwrap().as_slice(), [("agent:main:main".to_owned(), StopCause::Person)]);
    // The next message is answered as always.
    *w.turns.hold.lock().unwrap() = None;
    w.offer(direct("telegram", "5", "1", "hello")).await;
    w.idle().await;
    assert_eq!(w.service.last().text, "echo: hello");
}

#[tokio::test]
async fn a_new_conversation_stops_the_old_run() {
    let w = world(config());
    *w.turns.hold.lock().unwrap() = Some(Arc::new(tokio::sync::Notify::new()));
    w.offer(direct("telegram", "1", "1", "work")).await;
    w.turns.begun.reach(1).await;
    w.offer(direct("telegram", "2", "1", "/new")).await;
    w.idle().await;
    assert_eq!(w.turns.stops.lock().unwrap()[0].1, StopCause::Reset);
    assert_eq!(w.service.texts(), ["A new conversation begins."]);
}

#[tokio::test]
async fn an_owner_answers_pairing_requests_in_their_own_chat() {
    let mut c = config();
    c["channels"]["telegram"]["dmPolicy"] = "pairing".into();
    let w = world(c);
    for (id, stranger) in [("a", "77"), ("b", "88")] {
        w.offer(direct("telegram", id, stranger, "hello")).await;
    }
    w.service.sends.reach(2).await;
    let store = oc_channels::pairing_store::ChannelPairing::of(
        &w.dir.path().join("credentials"),
        "telegram",
        "default",
    )
    .unwrap();
    let code = |n: usize| store.waiting(NOW).unwrap()[n].code.clone();
    let (first, second) = (code(0), code(1));
    // Not in a room, and not by one who is listed but no owner.
    w.offer(room("telegram", "r", "-1", "1", &format!("/approve {first}"))).await;
    w.offer(direct("telegram", "d", "2", &format!("/approve {first}"))).await;
    w.idle().await;
    assert_eq!(store.waiting(NOW).unwrap().len(), 2);
    assert!(
        ask(&w, &format!("/approve {}", first.to_lowercase()))
            .await
            .ends_with("77 may write to me on telegram now.")
    );
    assert!(ask(&w, &format!("/deny {second}")).await.starts_with("Refused: 88"));
    assert_eq!(store.approved().unwrap(), ["77"]);
    assert_eq!(store.waiting(NOW).unwrap(), []);
    // Used up: now it can only be a command's code.
    let before = w.approvals.answers.lock().unwrap().len();
    ask(&w, &format!("/approve {first} once")).await;
    assert_eq!(w.approvals.answers.lock().unwrap().len(), before + 1);
}

#[tokio::test]
async fn sp_408_an_open_list_makes_nobody_an_approver() {
    for (list, listing) in [(json!(["1"]), SenderListing::Listed), (json!(["*", "1"]), SenderListing::Open)] {
        let w = world(json!({ "channels": { "telegram": { "dmPolicy": "open", "allowFrom": ["*"] } } }));
        let mut c = json!({ "channels": { "telegram": { "dmPolicy": "allowlist" } } });
        c["channels"]["telegram"]["allowFrom"] = list;
        w.reload(c);
        w.offer(direct("telegram", "1", "1", "/approve 1234abcd")).await;
        w.idle().await;
        let answers = w.approvals.answers.lock().unwrap().clone();
        assert_eq!(answers[0].listing, listing);
        assert_eq!(answers[0].sender.as_str(), "1");
        assert_eq!((answers[0].decision, answers[0].via), (ApproveWord::AllowOnce, Via::Text));
    }
}

fn prompt(pressers: &[&str]) -> ApprovalPrompt {
    ApprovalPrompt {
        id: "1234abcd-0000-4000-8000-000000000000".to_owned(),
        code: "1234abcd".to_owned(),
        command: "rm -rf /tmp/data".to_owned(),
        directory: "/home/me/work".to_owned(),
        agent: "main".to_owned(),
        session: "agent:main:main".to_owned(),
        host: "gateway".to_owned(),
        program: Some("/usr/bin/rm".to_owned()),
        mode: "allowlist, on-miss".to_owned(),
        environment: vec!["LANG".to_owned()],
        warnings: vec!["it removes files".to_owned()],
        decisions: vec![ApproveWord::AllowOnce, ApproveWord::AllowAlways, ApproveWord::Deny],
        expires_ms: NOW + 300_000,
        pressers: pressers.iter().map(|p| (*p).to_owned()).collect(),
    }
}

fn route(to: &str) -> Route {
    Route {
        channel: ChannelId::parse("telegram").unwrap(),
        account: "default".to_owned(),
        to: direct("telegram", "x", to, "").reply,
    }
}

#[tokio::test]
async fn sp_424_a_button_works_once_here_for_its_person_and_in_time() {
    let w = world(config());
    w.ingress.prompt(&route("1"), &prompt(&["1"])).await.unwrap();
    let said = w.service.last();
    insta::assert_snapshot!(said.text);
    let labels: Vec<&str> = said.buttons.iter().map(|(l, _)| l.as_str()).collect();
    assert_eq!(labels, ["Allow once", "Allow always", "Refuse"]);
    assert!(said.buttons.iter().all(|(_, p)| p.len() <= 64 && !p.contains("1234abcd")));
    let press = |id: &str, place: &str, sender: &str, payload: &str| {
        let mut e = direct("telegram", id, sender, "");
        e.message.event = EventKind::Button;
        e.message.conversation = oc_policy::inbound::ConversationId::new(place);
        e.reply.conversation = e.message.conversation.clone();
        e.payload = Some(payload.to_owned());
        e
    };
    let allow = said.buttons[0].1.clone();
    let mut corpus = vec![
        press("forged", "1", "1", "oc1-ffffffffffffffffffffffffffffffff"),
        press("plain", "1", "1", "/approve 1234abcd"),
        press("id", "1", "1", "1234abcd"),
        press("blank", "1", "1", ""),
        press("person", "1", "2", &allow),
        press("place", "2", "1", &allow),
    ];
    let mut other_room = room("telegram", "room", "-1", "1", "");
    other_room.message.event = EventKind::Button;
    other_room.payload = Some(allow.clone());
    corpus.push(other_room);
    for e in corpus {
        let id = e.id.clone();
        w.offer(e).await;
        assert!(w.approvals.answers.lock().unwrap().is_empty(), "{id}");
    }
    assert!(w.service.admitted.lock().unwrap().is_empty());
    w.offer(press("right", "1", "1", &allow)).await;
    assert_eq!(*w.service.admitted.lock().unwrap(), ["right"]);
    let answers = w.approvals.answers.lock().unwrap().clone();
    assert_eq!(
        (answers.len(), answers[0].via, answers[0].id.as_str()),
        (1, Via::Button, "1234abcd-0000-4000-8000-000000000000")
    );
    // Used up, with the buttons beside it.
    for (i, (_, payload)) in said.buttons.iter().enumerate() {
        w.offer(press(&format!("again{i}"), "1", "1", payload)).await;
    }
    assert_eq!(w.approvals.answers.lock().unwrap().len(), 1);
    w.ingress.prompt(&route("1"), &prompt(&["1"])).await.unwrap();
    let late = w.service.said.lock().unwrap().iter().rev().find(|s| !s.buttons.is_empty()).unwrap().buttons
        [2]
    .1
    .clone();
    w.clock.advance(300_000);
    w.offer(press("late", "1", "1", &late)).await;
    assert_eq!(w.approvals.answers.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn sp_424_without_people_who_may_press_there_are_no_buttons_and_the_text_says_how() {
    let w = world(config());
    w.ingress.prompt(&route("1"), &prompt(&[])).await.unwrap();
    let said = w.service.last();
    assert!(said.buttons.is_empty() && said.text.contains("/approve 1234abcd"));
    let mut long = prompt(&["1"]);
    long.command = "x".repeat(2000);
    w.ingress.prompt(&route("1"), &long).await.unwrap();
    let said = w.service.last();
    assert!(said.buttons.is_empty(), "what cannot be shown whole is not answered here");
    assert!(
        !said.text.contains("1234abcd") && said.text.contains("openclaw approvals list"),
        "{}",
        said.text
    );
}

#[tokio::test]
async fn a_press_in_a_room_that_needs_mentions_is_meant_for_the_bot() {
    let w = world(config());
    let mut to = route("1");
    to.to = room("telegram", "x", "-1", "1", "").reply;
    w.ingress.prompt(&to, &prompt(&["1"])).await.unwrap();
    let payload = w.service.last().buttons[0].1.clone();
    let mut e = room("telegram", "p", "-1", "1", "");
    e.message.event = EventKind::Button;
    e.payload = Some(payload);
    w.offer(e).await;
    let answers = w.approvals.answers.lock().unwrap();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].sender, SenderId::new("1").unwrap());
}
