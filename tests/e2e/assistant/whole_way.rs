//! The whole way of a message, and what has to be true of it wherever it is said.

use serde_json::json;

use crate::chat::Chat;
use crate::scripted_provider::{Reply, ScriptedProvider};
use crate::stage::Stage;

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
pub fn the_whole_way(mut chat: impl Chat) {
    let model = model();
    let stage = Stage::start(chat.channel(), chat.section(), &model, KEY);
    chat.called_at(stage.port);
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
    chat.another_presses();
    assert!(!stage.made("made.txt"), "nor after the press of somebody else");
    chat.approve(&id);
    chat.hears(|line| line.contains("It says: hi-42").then(String::new));

    // A message that came twice would have been answered twice.
    assert_eq!(model.requests().len(), 2, "one turn");
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
