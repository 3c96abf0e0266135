use std::path::Path;
use std::sync::Arc;

use oc_channels::adapter::Destination;
use oc_channels::inbox::Route;
use oc_policy::inbound::{ConversationId, ConversationKind};
use oc_policy::inventory::Inventory;
use oc_policy::sandbox::Place as Places;
use oc_sandbox::gate::{Caller, Snapshot, Surface};
use oc_types::{AgentId, ChannelId, Node, Origin};
use serde_json::{Value, json};

use super::plan::{Own, own_now};
use super::*;
use crate::methods::Place;

const SESSION: &str = "agent:main:telegram:group:-100";

fn channels() -> Value {
    json!({ "telegram": { "botToken": "1:x" }, "irc": { "host": "h" } })
}

fn place(home: &Path, config: &Value) -> (Place, Snapshot) {
    let state_dir = home.join(".openclaw");
    let locations = oc_config::Locations {
        home: home.to_owned(),
        config: state_dir.join("openclaw.json"),
        credentials: state_dir.join("credentials"),
        state_dir: state_dir.clone(),
    };
    let node = Node::from_json(config, &Origin::Default);
    let places = Places { home: home.display().to_string(), state_dir: state_dir.display().to_string() };
    let snapshot = Snapshot::new(node.clone(), Inventory::standard(), places, [("c", "")]);
    (Place::new(Arc::new(locations), Arc::new(node), 1), snapshot)
}

fn caller() -> Caller {
    let mut caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), SESSION);
    caller.channel = Some("telegram".to_owned());
    caller.account = Some("default".to_owned());
    caller.conversation = ConversationKind::Group;
    caller
}

fn own() -> Own {
    let to = Destination {
        conversation: ConversationId::new("-100"),
        thread: Some("7".to_owned()),
        reply_to: None,
    };
    let channel = ChannelId::parse("telegram").unwrap();
    Own { route: Some(Route { channel, account: "default".to_owned(), to }), send: None }
}

fn ask(config: &Value, arguments: Value) -> Result<Order, Forbidden> {
    let mut all = config.clone();
    if all.get("channels").is_none() {
        all["channels"] = channels();
    }
    let (place, snapshot) = place(Path::new("/h"), &all);
    let Value::Object(mut arguments) = arguments else { panic!("an object") };
    arguments.entry("action").or_insert(json!("send"));
    arguments.entry("message").or_insert(json!("hello"));
    let call = ToolCall {
        id: "1".to_owned(),
        tool: "message".to_owned(),
        arguments,
        caller: caller(),
        behind: std::sync::Arc::default(),
    };
    judge(&place, &snapshot, &call, Some(&own()))
}

#[tokio::test]
async fn without_a_gateway_nothing_is_permitted() {
    let (_, snapshot) = place(Path::new("/h"), &json!({"channels": channels()}));
    let arguments = json!({"action": "send", "message": "hello"});
    let call = ToolCall {
        id: "1".to_owned(),
        tool: "message".to_owned(),
        arguments: arguments.as_object().unwrap().clone(),
        caller: caller(),
        behind: std::sync::Arc::default(),
    };
    let message = Message::new(Weak::new());
    let own = message.forbids(&call, &snapshot, None).await.unwrap();
    let behind = message.forbids_behind(&call, &caller(), &snapshot, None).await.unwrap();
    assert_eq!((own.rule, behind.rule), ("stopping", "stopping"));
}

#[test]
fn sp_418_a_turn_of_another_sessions_message_has_no_conversation_at_hand() {
    let (place, snapshot) = place(Path::new("/h"), &json!({ "channels": channels() }));
    let mut caller = caller();
    caller.turn = oc_policy::elevated::Turn::InterSession;
    for target in [json!(null), json!("-100"), json!("42")] {
        let arguments = json!({ "action": "send", "message": "hello", "target": target });
        let Value::Object(arguments) = arguments else { panic!("an object") };
        let mut call = ToolCall {
            id: "1".to_owned(),
            tool: "message".to_owned(),
            arguments,
            caller: caller.clone(),
            behind: std::sync::Arc::default(),
        };
        let refused = judge(&place, &snapshot, &call, Some(&own())).unwrap_err();
        assert!(matches!(refused.rule, "no-target" | "cross-context"), "{target}: {refused:?}");
        // The report of a sub-agent comes into the turn of its starter.
        call.caller.sender.id = Some("7".to_owned());
        assert!(judge(&place, &snapshot, &call, Some(&own())).is_ok(), "{target}");
    }
}

use oc_sandbox::gate::Forbidden;

#[test]
fn the_conversation_at_hand_is_the_default_and_carries_no_mark() {
    for arguments in [
        json!({}),
        json!({ "target": "-100" }),
        json!({ "target": "telegram:-100" }),
        json!({ "targets": ["-100"] }),
    ] {
        let order = ask(&json!({}), arguments.clone()).unwrap();
        assert_eq!((order.reach, order.text.as_str()), (Reach::Own, "hello"), "{arguments}");
        assert_eq!(order.route.to.thread.as_deref(), Some("7"));
        assert_eq!(order.route.to.conversation.as_str(), "-100");
    }
}

#[test]
fn sp_418_another_conversation_needs_its_rule_and_is_told_where_it_comes_from() {
    let other = json!({ "target": "42" });
    let order = ask(&json!({}), other.clone()).unwrap();
    assert_eq!((order.reach, order.text.as_str()), (Reach::SameChannel, "[from telegram] hello"));
    assert_eq!(order.route.to.thread, None);
    let cross = |more: Value| json!({ "tools": { "message": { "crossContext": more } } });
    for closed in [json!(false), json!("yes")] {
        let refused = ask(&cross(json!({ "allowWithinProvider": closed })), other.clone()).unwrap_err();
        assert_eq!(refused.rule, "cross-context");
        assert_eq!(refused.key.unwrap().to_string(), "tools.message.crossContext.allowWithinProvider");
    }
    let irc = json!({ "channel": "irc", "target": "#room" });
    let refused = ask(&json!({}), irc.clone()).unwrap_err();
    assert_eq!(refused.key.unwrap().to_string(), "tools.message.crossContext.allowAcrossProviders");
    let marker =
        json!({ "allowAcrossProviders": true, "marker": { "prefix": "<{channel}> ", "suffix": " --" } });
    let order = ask(&cross(marker), irc.clone()).unwrap();
    assert_eq!((order.reach, order.text.as_str()), (Reach::OtherChannel, "<telegram> hello --"));
    let off = json!({ "allowAcrossProviders": true, "marker": { "enabled": false } });
    assert_eq!(ask(&cross(off), irc.clone()).unwrap().text, "hello");
    let older = json!({ "tools": { "message": { "allowCrossContextSend": true, "crossContext": { "allowWithinProvider": false } } } });
    assert!(ask(&older, irc).is_ok() && ask(&older, other).is_ok());
    // Another account is another conversation, whatever its id is called.
    let order = ask(&json!({}), json!({ "accountId": "second", "target": "-100" })).unwrap();
    assert_eq!(order.reach, Reach::SameChannel);
}

#[test]
fn sp_402_a_name_is_no_target() {
    let id = |channel: &str, text: &str| conversation(&ChannelId::parse(channel).unwrap(), text).is_ok();
    for (channel, good) in [
        ("telegram", "-10012"),
        ("telegram", "telegram:5"),
        ("matrix", "!a:b.c"),
        ("irc", "#room"),
        ("irc", "a!~b@host"),
        ("signal", "+4912345"),
        ("signal", "uuid:3f"),
        ("discord", "123"),
        ("slack", "C024BE91L"),
    ] {
        assert!(id(channel, good), "{channel} {good}");
    }
    for (channel, name) in [
        ("telegram", "@boss"),
        ("telegram", "Boss"),
        ("telegram", ""),
        ("matrix", "#room:b.c"),
        ("matrix", "@boss:b.c"),
        ("irc", "boss"),
        ("signal", "Boss"),
        ("discord", "general"),
        ("discord", "<@1>"),
        ("slack", "#general"),
        ("slack", "@boss"),
        ("slack", "a b"),
        ("slack", "C0\u{202e}1"),
    ] {
        assert!(!id(channel, name), "{channel} {name}");
    }
}

#[test]
fn tool_lists_and_the_send_policy_keep_it_away() {
    let scope = json!({ "tools": { "deny": ["telegram"] } });
    assert_eq!(ask(&scope, json!({})).unwrap_err().rule, "channel-scope");
    let policy = json!({ "session": { "sendPolicy": { "rules": [{ "action": "deny", "match": { "chatType": "channel" } }] } } });
    assert!(ask(&policy, json!({})).is_ok(), "the group at hand is no channel");
    let refused = ask(&policy, json!({ "target": "42" })).unwrap_err();
    assert_eq!(
        (refused.rule, refused.key.unwrap().to_string().as_str()),
        ("send-policy", "session.sendPolicy.rules[0]")
    );
    assert_eq!(ask(&json!({}), json!({ "channel": "webchat" })).unwrap_err().rule, "no-channel");
    assert_eq!(
        ask(&json!({}), json!({ "channel": "slack", "target": "C1" })).unwrap_err().rule,
        "no-channel"
    );
}

#[test]
fn what_cannot_be_used_is_named() {
    let check = |v: Value| {
        let Value::Object(arguments) = v else { panic!("an object") };
        let call = ToolCall {
            id: "1".to_owned(),
            tool: "message".to_owned(),
            arguments,
            caller: caller(),
            behind: std::sync::Arc::default(),
        };
        Message::new(Weak::new()).check(&call).unwrap_err()
    };
    assert!(check(json!({ "message": "x" })).contains("`action`"));
    assert!(check(json!({ "action": "react", "message": "x" })).contains("only `send`"));
    assert!(check(json!({ "action": "send" })).contains("`message`"));
    assert!(check(json!({ "action": "send", "message": "NO_REPLY" })).contains("never sent"));
    assert!(check(json!({ "action": "send", "message": "x", "path": "/etc/passwd" })).contains("`path`"));
    assert!(
        check(json!({ "action": "send", "message": "x", "targets": ["1", "2"] }))
            .contains("one conversation")
    );
}

#[test]
fn where_a_session_is_says_its_entry_and_only_for_the_turns_own_channel() {
    let home = tempfile::tempdir().unwrap();
    let (place, _) = place(home.path(), &json!({ "channels": channels() }));
    let store = place.store(&AgentId::normalized("main"));
    let entry = json!({ "sessionId": "s", "updatedAt": 1, "sendPolicy": "deny", "deliveryContext": { "channel": "telegram", "to": "-100", "accountId": "default" } });
    store
        .change(|all| {
            all.insert(SESSION.to_owned(), entry);
            Ok::<_, oc_fs::session_store::SessionStoreFailure>(())
        })
        .unwrap();
    let found = own_now(&place, &caller());
    assert_eq!(found.route.unwrap().to.conversation.as_str(), "-100");
    assert_eq!(found.send, Some(oc_channels::session_settings::SendOverride::Deny));
    let mut web = caller();
    web.channel = Some("webchat".to_owned());
    assert!(own_now(&place, &web).route.is_none());
}

#[tokio::test]
async fn a_session_that_cannot_be_read_sends_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (place, snapshot) = place(home.path(), &json!({ "channels": channels() }));
    let store = place.store(&AgentId::normalized("main"));
    let put = |send: Value| {
        let entry = json!({ "sessionId": "s", "sendPolicy": send, "deliveryContext": { "channel": "telegram", "to": "-100", "accountId": "default" } });
        store
            .change(|all| {
                all.insert(SESSION.to_owned(), entry);
                Ok::<_, oc_fs::session_store::SessionStoreFailure>(())
            })
            .unwrap();
    };
    let arguments = json!({ "action": "send", "message": "hello" }).as_object().unwrap().clone();
    let call = ToolCall {
        id: "1".to_owned(),
        tool: "message".to_owned(),
        arguments,
        caller: caller(),
        behind: Arc::default(),
    };
    let judged = async |what: &str| {
        let own = plan::own(place.clone(), &caller()).await;
        judge(&place, &snapshot, &call, own.as_ref()).map(drop).map_err(|f| f.rule).expect_err(what)
    };
    put(json!(null));
    let own = plan::own(place.clone(), &caller()).await;
    assert!(judge(&place, &snapshot, &call, own.as_ref()).is_ok());
    for odd in [json!(false), json!(0), json!({ "allow": true })] {
        put(odd.clone());
        assert_eq!(judged("it is there and no word").await, "send-policy", "{odd}");
    }
    put(json!("deny"));
    std::fs::write(store.path(), "{").unwrap();
    assert!(plan::own(place.clone(), &caller()).await.is_none());
    assert_eq!(judged("`/send off` is not forgotten").await, "no-target");
    let found = own_now(&place, &caller());
    assert!(found.route.is_none());
    assert_eq!(found.send, Some(oc_channels::session_settings::SendOverride::Deny));
    let elsewhere = json!({ "action": "send", "message": "hello", "target": "42" });
    let call = ToolCall { arguments: elsewhere.as_object().unwrap().clone(), ..call };
    assert_eq!(judge(&place, &snapshot, &call, None).unwrap_err().rule, "send-policy");
}
