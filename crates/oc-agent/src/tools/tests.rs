use std::collections::BTreeSet;

use oc_policy::inventory::Inventory;
use oc_policy::owner_only::Ownership;
use oc_policy::sandbox::Place as Places;
use oc_sandbox::gate::Surface;
use oc_sandbox::tools::CoreTool;
use oc_types::{AgentId, Node, Origin};
use serde_json::{Value, json};

use super::definition::{ABSENT, TABLE, of};
use super::*;

fn snapshot(config: &Value) -> Snapshot {
    let places = Places { home: "/h".to_owned(), state_dir: "/h/.openclaw".to_owned() };
    let inventory =
        Inventory::with_plugins([Tool::plugin("wiki", "wiki"), Tool::plugin("extra", "wiki").optional()]);
    Snapshot::new(Node::from_json(config, &Origin::Default), inventory, places, [])
}

fn caller(session: &str, sender: &str) -> Caller {
    let mut caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), session);
    caller.sender.id = Some(sender.to_owned());
    caller
}

fn built(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn all_built() -> Vec<String> {
    let own = TABLE.iter().copied().flatten().map(|e| e.name.to_owned());
    own.chain(["wiki", "canvas", "cron"].map(str::to_owned)).collect()
}

fn names(offer: &Offer) -> Vec<String> {
    offer.names().map(str::to_owned).collect()
}

#[test]
fn every_tool_of_the_documents_is_described_or_absent_and_never_both() {
    let described: BTreeSet<&str> = TABLE.iter().copied().flatten().map(|e| e.name).collect();
    let absent: BTreeSet<&str> = ABSENT.iter().map(|(n, _)| *n).collect();
    assert_eq!(
        absent.iter().copied().collect::<Vec<_>>(),
        ["canvas", "cron", "gateway", "image", "nodes", "tts", "web_search", "whatsapp_login"]
    );
    let inventory = Inventory::standard();
    let all: BTreeSet<&str> = inventory.tools().iter().map(Tool::name).collect();
    assert_eq!(described.union(&absent).copied().collect::<BTreeSet<_>>(), all);
    assert!(described.is_disjoint(&absent));
    assert!(CoreTool::ALL.iter().all(|t| described.contains(t.name())));
    assert!(ABSENT.iter().all(|(name, _)| of(name).is_none()));
}

#[test]
fn a_schema_is_an_object_with_described_arguments() {
    for entry in TABLE.iter().copied().flatten() {
        let definition = of(entry.name).unwrap();
        let schema = &definition.schema;
        assert_eq!(schema["type"], "object", "{}", entry.name);
        assert_eq!(schema.get("additionalProperties"), None, "unknown arguments are ignored");
        let properties = schema["properties"].as_object().unwrap();
        for required in schema["required"].as_array().unwrap() {
            assert!(properties.contains_key(required.as_str().unwrap()), "{} {required}", entry.name);
        }
        for (name, property) in properties {
            assert!(property["description"].as_str().is_some_and(|d| !d.is_empty()), "{} {name}", entry.name);
        }
    }
    let exec = of("exec").unwrap().schema;
    for name in [
        "command",
        "workdir",
        "env",
        "yieldMs",
        "background",
        "timeout",
        "pty",
        "elevated",
        "host",
        "security",
        "ask",
        "node",
    ] {
        assert!(exec["properties"].get(name).is_some(), "{name}");
    }
}

#[test]
fn sp_104_only_what_the_policy_leaves_and_this_program_carries_out_is_offered() {
    let me = caller("agent:main:main", "1");
    let of = |config: Value, built: &[String]| names(&Offer::of(&snapshot(&config), built, &[&me], &[]));
    assert_eq!(of(json!({}), &built(&["read", "exec", "web_search"])), ["exec", "read"]);
    assert_eq!(of(json!({ "tools": { "deny": ["exec"] } }), &built(&["read", "exec"])), ["read"]);
    assert_eq!(of(json!({ "tools": { "allow": ["web_fetch"] } }), &built(&["read"])), [""; 0]);
    assert_eq!(
        of(json!({ "tools": { "web": { "fetch": { "enabled": false } } } }), &built(&["web_fetch"])),
        [""; 0]
    );
    // apply_patch only for the models it is for.
    assert!(
        !of(json!({ "tools": { "exec": { "applyPatch": { "enabled": true } } } }), &all_built())
            .contains(&"apply_patch".to_owned())
    );
    // Nobody, an unclear session, a session of another agent: nothing.
    let snapshot = snapshot(&json!({}));
    assert_eq!(Offer::of(&snapshot, &all_built(), &[], &[]), Offer::default());
    for session in ["agent:main", "", "agent:other:main"] {
        let odd = caller(session, "1");
        assert_eq!(Offer::of(&snapshot, &all_built(), &[&odd], &[]), Offer::default(), "{session}");
    }
}

#[test]
fn sp_238_a_sandboxed_session_is_not_offered_what_its_doors_shut() {
    let config = json!({
        "tools": { "sandbox": { "tools": { "allow": ["*"], "deny": [] } } },
        "agents": { "defaults": { "sandbox": { "mode": "all", "workspaceAccess": "ro" } } },
    });
    let me = caller("agent:main:main", "1");
    let got = names(&Offer::of(&snapshot(&config), &all_built(), &[&me], &[]));
    for absent in ["canvas", "cron", "write", "edit", "browser"] {
        assert!(!got.contains(&absent.to_owned()), "{absent}");
    }
    assert!(got.contains(&"exec".to_owned()) && got.contains(&"read".to_owned()));
}

#[test]
fn sp_426_a_batch_is_offered_what_each_of_its_people_may_use() {
    let config = json!({ "channels": { "telegram": { "groups": { "42": {
        "tools": { "allow": ["read", "exec", "web_fetch"] },
        "toolsBySender": { "7": { "allow": ["read"] }, "8": { "allow": ["read", "exec"] } },
    } } } } });
    let key = "agent:main:telegram:group:42";
    let (seven, eight) = (caller(key, "7"), caller(key, "8"));
    let built = built(&["read", "exec", "web_fetch"]);
    let snapshot = snapshot(&config);
    let of = |callers: &[&Caller]| names(&Offer::of(&snapshot, &built, callers, &[]));
    assert_eq!(of(&[&eight]), ["exec", "read"]);
    assert_eq!(of(&[&seven, &eight]), ["read"]);
    let mut nobody = caller(key, "7");
    nobody.sender = oc_sandbox::gate::CallSender::default();
    assert_eq!(of(&[&nobody, &seven, &eight]), ["read"]);
}

#[test]
fn sp_116_an_owners_tool_is_not_offered_to_others() {
    let mut me = caller("agent:main:main", "1");
    let snapshot = snapshot(&json!({}));
    let left = |me: &Caller| permitted(&snapshot, me).contains("whatsapp_login");
    assert!(!left(&me));
    me.owner = Ownership::Proven;
    assert!(left(&me));
}

#[test]
fn a_plugins_tool_needs_a_description_and_never_replaces_one_of_ours() {
    let me = caller("agent:main:main", "1");
    let described = |name: &str| ToolDefinition {
        name: name.to_owned(),
        description: "theirs".to_owned(),
        schema: json!({ "type": "object" }),
    };
    let snapshot = snapshot(&json!({}));
    let others = [described("Wiki "), described("exec"), described("web_search"), described("extra")];
    let built = built(&["wiki", "exec", "web_search", "extra"]);
    let offer = Offer::of(&snapshot, &built, &[&me], &others);
    assert_eq!(names(&offer), ["exec", "wiki"]);
    let by_name = |n: &str| offer.definitions().iter().find(|d| d.name == n).unwrap().description.clone();
    assert_eq!(by_name("wiki"), "theirs");
    assert_ne!(by_name("exec"), "theirs");
    assert_eq!(names(&Offer::of(&snapshot, &built, &[&me], &[])), ["exec"]);
    assert!(offer.holds("BASH") && offer.holds("wiki") && !offer.holds("extra"));
}
