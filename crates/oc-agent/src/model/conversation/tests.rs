use serde_json::Map;

use super::*;
use crate::message::{Arguments, StopReason, ToolCall, Usage};

fn text(text: &str) -> Block {
    Block::Text(text.to_owned())
}

fn call(id: &str) -> Block {
    Block::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "read".to_owned(),
        arguments: Arguments::Object(Map::new()),
    })
}

fn answer(blocks: Vec<Block>) -> Message {
    Message::Assistant(Answer {
        blocks,
        stop: StopReason::EndTurn,
        usage: Usage::default(),
        api: "anthropic-messages",
        provider: "p".to_owned(),
        model: "m".to_owned(),
    })
}

fn result(id: &str, blocks: Vec<Block>) -> Message {
    Message::ToolResult { call_id: id.to_owned(), tool: "read".to_owned(), content: blocks, is_error: false }
}

/// Turns as one line each.
fn shape(messages: &[Message], pictures: bool) -> Vec<String> {
    let said = |s: &Said<'_>| match s {
        Said::Text(t) => (*t).to_owned(),
        Said::Picture { media_type, .. } => format!("<{media_type}>"),
    };
    turns(messages, pictures)
        .iter()
        .map(|t| match t {
            Turn::User(UserTurn { results, said: s }) => {
                let results = results.iter().map(|r| {
                    let content: Vec<String> = r.content.iter().map(said).collect();
                    format!("[{}{} {}]", r.id, if r.is_error { "!" } else { "" }, content.join("+"))
                });
                format!("user {}", results.chain(s.iter().map(said)).collect::<Vec<_>>().join(" "))
            }
            Turn::Assistant { answer, ids } => format!("assistant {} {}", answer.text(), ids.join(",")),
        })
        .collect()
}

#[test]
fn every_call_is_answered_once_and_right_after_it() {
    let messages = [
        Message::User(vec![text("hello")]),
        Message::User(vec![text("again"), text("  ")]),
        answer(vec![text("look"), call("a"), call("b")]),
        Message::User(vec![text("wait")]),
        result("b", vec![text("B")]),
        result("b", vec![text("B twice")]),
        result("stray", vec![text("?")]),
        answer(vec![text("so")]),
        result("a", vec![text("too late")]),
        Message::User(vec![text("thanks")]),
    ];
    assert_eq!(
        shape(&messages, true),
        [
            "user hello again",
            "assistant look a,b",
            "user [a! No result: this call was not carried out.] [b B] wait",
            "assistant so ",
            "user thanks",
        ]
    );
}

#[test]
fn a_cut_conversation_begins_and_ends_with_the_user() {
    let messages = [
        answer(vec![text("x")]),
        answer(vec![Block::Thinking { text: "hm".to_owned(), signature: None }]),
        answer(vec![text("y")]),
    ];
    assert_eq!(
        shape(&messages, true),
        [
            "user (Earlier messages are left out.)",
            "assistant x ",
            "user Continue.",
            "assistant y ",
            "user Continue."
        ]
    );
    assert_eq!(shape(&[], true), ["user (Earlier messages are left out.)"]);
}

#[test]
fn ids_are_such_that_every_provider_takes_them() {
    let long = "x".repeat(41);
    let messages = [
        Message::User(vec![text("hi")]),
        answer(vec![call("call|1"), call(""), call(&long)]),
        result("call|1", vec![]),
        answer(vec![call("same")]),
        result("same", vec![text("1")]),
        answer(vec![call("same")]),
        result("same", vec![text("2")]),
    ];
    let turns = turns(&messages, true);
    let mut seen = HashSet::new();
    for (turn, next) in turns.iter().zip(turns.iter().skip(1)) {
        if let (Turn::Assistant { ids, .. }, Turn::User(user)) = (turn, next) {
            assert_eq!(ids, &user.results.iter().map(|r| r.id.clone()).collect::<Vec<_>>());
            for id in ids {
                assert!(seen.insert(id.clone()), "{id} twice");
                assert!((1..=40).contains(&id.len()) && !id.contains('|'), "{id}");
            }
        }
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(turns, super::turns(&messages, true), "the same every time");
}

#[test]
fn pictures_go_only_where_they_can_be_seen() {
    let picture = |t: &str| Block::Image { media_type: t.to_owned(), data: "AA==".to_owned() };
    let messages = [Message::User(vec![picture("image/png"), picture("image/tiff")])];
    assert_eq!(shape(&messages, true), [format!("user <image/png> {NO_PICTURE}")]);
    assert_eq!(shape(&messages, false), [format!("user {NO_PICTURE} {NO_PICTURE}")]);
}
