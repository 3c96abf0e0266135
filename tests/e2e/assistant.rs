//! The whole sentence of the product, through the binary and with real counterparts: a stranger writes, gets a code, is let in by the owner;
//! the model (a fake, scripted one) asks for a command, the chat is asked, the answer lets it run in the sandbox, the result goes back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "assistant/chat.rs"]
mod chat;
#[path = "assistant/irc.rs"]
mod irc;
#[path = "assistant/matrix.rs"]
mod matrix;
#[path = "../support/scripted_provider.rs"]
mod scripted_provider;
#[path = "assistant/stage.rs"]
mod stage;
#[path = "assistant/telegram.rs"]
mod telegram;

use chat::Chat;
use scripted_provider::{Reply, ScriptedProvider};
use serde_json::json;
use stage::Stage;

/// The key of the fake provider: it must be in no prompt.
const KEY: &str = "sk-canary-canary-canary-0001";

/// A model that asks for one command and then tells its result.
fn model() -> ScriptedProvider {
    ScriptedProvider::answering(|asked| match asked.results().last() {
        None => Reply::call(
            "c1",
            "exec",
            &json!({ "command": "echo hi-$((40+2)) > made.txt; cat made.txt; pwd" }),
        ),
        Some((_, result)) => {
            Reply::text(&format!("It says: {}", result.split_whitespace().next().unwrap_or("nothing")))
        }
    })
}

/// Pairing, an approved command in the sandbox, its result in the answer.
fn the_whole_way(mut chat: impl Chat) {
    let model = model();
    let stage = Stage::start(chat.channel(), chat.section(), &model, KEY);
    chat.greet();
    chat.say("hello");
    let code = chat.hears(|line| words(line).find(|w| is_pairing_code(w)).map(str::to_owned));
    assert!(model.requests().is_empty(), "a stranger reaches no model");
    let listed = stage.openclaw(&["pairing", "list", chat.channel()]);
    assert!(listed.contains(&code), "{listed}");
    stage.openclaw(&["pairing", "approve", chat.channel(), &code]);

    chat.say("please run it");
    let id = chat.hears(|line| {
        let at = line.find("/approve ")?;
        line[at + "/approve ".len()..].split(|c: char| !c.is_ascii_alphanumeric()).next().map(str::to_owned)
    });
    assert!(!stage.made("made.txt"), "nothing ran before the answer");
    chat.say(&format!("/approve {id}"));
    chat.hears(|line| line.contains("It says: hi-42").then(String::new));

    let results = model.requests().last().unwrap().results();
    assert!(results[0].1.contains("hi-42\n/workspace"), "{results:?}");
    model.assert_no_body_holds(KEY);
    assert!(stage.made("made.txt"), "it ran in the session's workspace");
    assert!(stage.openclaw(&["ledger", "verify"]).contains("whole"));
    let ledger = stage.openclaw(&["ledger", "show", "--json"]);
    for word in ["\"asked\"", "\"allowed\"", "tool:exec", "\"message\""] {
        assert!(ledger.contains(word), "{word} is not in {ledger}");
    }
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric())
}

fn is_pairing_code(word: &str) -> bool {
    word.len() == 8 && word.bytes().all(|b| b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789".contains(&b))
}

#[test]
fn over_a_real_irc_server() {
    if let Some(chat) = irc::start() {
        the_whole_way(chat);
    }
}

#[test]
fn over_the_bot_api_test_server_of_telegram() {
    if let Some(chat) = telegram::start() {
        the_whole_way(chat);
    }
}

#[test]
fn over_a_real_matrix_homeserver() {
    if let Some(chat) = matrix::start() {
        the_whole_way(chat);
    }
}
