//! The web console in a real browser, against a real gateway: signing in, approving a command that then runs in the sandbox, pairing
//! another browser, applying a fix, foreign origins. Pictures of every page stay in `OC_ARTIFACTS`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

#[path = "console/driver.rs"]
mod driver;
#[path = "console/house.rs"]
mod house;
#[path = "../support/scripted_provider.rs"]
mod scripted_provider;

use driver::Driver;
use house::{House, TOKEN};
use scripted_provider::{Reply, ScriptedProvider};
use serde_json::{Value, json};

/// Pages with their address and a text that only the loaded page has.
const PAGES: [(&str, &str, &str); 9] = [
    ("Approvals", "approvals", "Nothing waits"),
    ("Chat", "chat", "New conversation"),
    ("Access", "access", "Paired devices"),
    ("Audit", "audit", "Critical"),
    ("Reach", "reach", "Agent main"),
    ("Explain", "explain", "Ask what would happen"),
    ("Sessions", "sessions", "Plans for Saturday"),
    ("Ledger", "ledger", "tool:exec"),
    ("Logs", "logs", "gateway/ws"),
];

fn none(problems: &Value) {
    assert_eq!(problems["problems"], json!([]), "{problems:#}");
}

/// A fake model: an answer, a command, an answer that never ends; by what was said last.
fn model() -> ScriptedProvider {
    ScriptedProvider::answering(|asked| {
        let last = asked.body["messages"].as_array().unwrap().last().unwrap().to_string();
        if last.contains("please run it") {
            Reply::call("c1", "exec", &json!({ "command": "echo canary-of-the-chat", "ask": "always" }))
        } else if asked.body["messages"].as_array().unwrap().last().unwrap()["role"] == "tool" {
            Reply::text("So it did not run.")
        } else if last.contains("never end") {
            Reply::text("Going on and on and on").held_after(4)
        } else {
            Reply::text("Good day from the model, <b>not bold</b>")
        }
    })
}

#[test]
fn sp_343_sp_356_the_console_in_a_browser() {
    let Some(needs) = driver::needs() else { return };
    let model = model();
    let house = House::new(&model.openai_base());
    let gateway = house.gateway();
    let mut driver = Driver::start(&needs, house.port);

    // Signing in: what is kept, and what never stands in an address.
    let seen = driver.ask(&json!({"do": "sign_in"}));
    none(&seen);
    assert!(seen["refused"].as_str().unwrap().contains("did not accept"), "{seen}");
    for (state, kept) in [("unticked", false), ("ticked", true), ("left", false)] {
        assert_eq!(seen[state].as_str().unwrap().contains(TOKEN), kept, "{state}");
    }
    assert_eq!(seen["address"], format!("http://127.0.0.1:{}/approvals", house.port));
    assert_eq!(seen["key"], json!({"extractable": false, "algorithm": "Ed25519"}));

    // A command asks; the person allows it with the keyboard; it runs in the sandbox.
    let waiting = house.asks("pwd; echo allowed-by-the-console");
    let seen = driver.ask(&json!({
        "do": "answer", "command": "allowed-by-the-console", "verb": "Allow once", "picture": "approvals-asking",
    }));
    none(&seen);
    assert_eq!(seen["shown"], "pwd; echo allowed-by-the-console");
    let (code, out, err) = house::ended(waiting);
    if house::no_sandbox(&err) {
        eprintln!("skipped: this kernel offers no native sandbox: {err}");
    } else {
        assert_eq!((code, out.as_str()), (0, "/workspace\nallowed-by-the-console\n"), "{err}");
    }
    // What a reader would not see is shown; what is denied does not run.
    let waiting = house.asks("echo pay \u{202e}hidden");
    let seen = driver.ask(&json!({"do": "answer", "command": "U+202E", "verb": "Deny"}));
    assert_eq!(seen["shown"], "echo pay U+202Ehidden");
    let (code, out, err) = house::ended(waiting);
    assert_eq!((code, out.as_str()), (11, ""), "{err}");

    // Another browser on another machine.
    let seen = driver.ask(&json!({"do": "pair"}));
    none(&seen);
    assert!(seen["asked"].as_str().unwrap().starts_with("openclaw devices approve "), "{seen}");
    assert_eq!(house.paired().len(), 2);
    driver.ask(&json!({"do": "let_in", "name": "Ada", "id": "4711"}));
    assert!(house.read("credentials/telegram-allowFrom.json").contains("4711"));

    // Every page: by the menu, with the focus at its heading; light, dark, on a phone.
    for (name, path, wait) in PAGES {
        let seen = driver.ask(&json!({"do": "look", "name": name, "path": path, "wait": wait}));
        none(&seen);
        assert_eq!(seen["focus"], "H1", "{name}");
    }
    let seen = driver.ask(&json!({"do": "session", "title": "Plans for Saturday"}));
    none(&seen);
    assert!(seen["text"].as_str().unwrap().contains("boat"), "{seen}");
    assert!(!seen["text"].as_str().unwrap().contains(house::CANARY), "{seen}");
    // A conversation: an answer, a command that is denied where it is asked for, an answer that is stopped.
    let seen = driver.ask(&json!({"do": "chat", "session": "Family", "earlier": "When is dinner?"}));
    none(&seen);
    assert!(seen["text"].as_str().unwrap().contains("Good day from the model, <b>not bold</b>"), "{seen}");
    assert_eq!(seen["shown"], "echo canary-of-the-chat");
    assert_eq!(seen["bold"], 0, "no text becomes markup");
    assert_eq!(seen["focus"], "TEXTAREA");
    let asked = model.requests();
    assert!(asked[0].text.contains("hello from the console"), "{}", asked[0].text);
    let refused = &asked[2].results()[0].1;
    assert!(refused.contains("Refused"), "{refused}");
    let seen = driver.ask(&json!({"do": "health"}));
    none(&seen);
    let seen = driver.ask(&json!({"do": "explain", "subject": "Tool", "fields": {"Tool": "browser", "Session key": "agent:main:telegram:group:42"}}));
    none(&seen);
    assert_ne!(seen["verdict"], "allowed");
    assert_ne!(seen["after"], seen["verdict"], "the change that is offered changes the answer: {seen}");
    let seen = driver.ask(&json!({"do": "explain", "subject": "Message", "fields": {"Channel": "telegram", "Sender id": "999"}}));
    none(&seen);

    let asked = json!({"do": "explain", "subject": "Connection", "fields": {"From address": "203.0.113.7"}, "choices": {"Shows": "wrong-token"}});
    let seen = driver.ask(&asked);
    none(&seen);
    assert_ne!(seen["verdict"], "allowed");

    // The fix: exactly the difference that was shown; the gateway takes it up; and back.
    let before = house.config();
    let seen = driver.ask(&json!({"do": "fix"}));
    none(&seen);
    let difference = seen["difference"].as_str().unwrap();
    assert!(difference.contains("+") && difference.contains("redactSensitive"), "{difference}");
    assert!(!difference.contains(TOKEN), "credentials are hidden: {difference}");
    assert_ne!(house.config(), before);
    assert!(house.config().contains("\"redactSensitive\": \"tools\""), "{}", house.config());
    driver.ask(&json!({"do": "undo"}));
    assert_eq!(house.config(), before);

    // Foreign pages, with the right secret in their hands.
    let seen = driver.ask(&json!({"do": "foreign"}));
    none(&seen);
    for page in ["cross", "rebound"] {
        assert_eq!(seen[page]["close"], 1008, "{seen:#}");
        assert_eq!(seen[page]["frames"][1]["error"]["details"]["reason"], "origin-mismatch", "{seen:#}");
    }
    let list = seen["list"].as_str().unwrap();
    let at = |word: &str| list.find(word).unwrap_or_else(|| panic!("{word}: {list}"));
    assert!(at("HTTPS") < at("127.0.0.1") && at("127.0.0.1") < at("Break glass"), "{list}");
    assert!(seen["said"].as_str().unwrap().contains("origin"), "{seen}");

    // A restart of the gateway: the page comes back by itself.
    drop(gateway);
    let gateway = house.gateway();
    driver.ask(&json!({"do": "returned"}));

    let seen = driver.ask(&json!({"do": "sum"}));
    // A socket to a gateway that is away, or that closes on a wrong secret, is told by the browser itself.
    let complaints: Vec<&str> =
        seen["complaints"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let own: Vec<_> = complaints.iter().filter(|c| !c.contains("ERR_CONNECTION_REFUSED")).collect();
    assert!(own.is_empty(), "{own:#?}");
    for request in seen["requests"].as_array().unwrap() {
        assert!(!request.to_string().contains(TOKEN), "a secret in an address: {request}");
    }
    drop(gateway);
}
