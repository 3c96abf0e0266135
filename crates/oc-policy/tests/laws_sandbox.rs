//! Laws of the sandbox layer, the elevated gate and read-only mode, over random configurations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use oc_policy::batch::answer;
use oc_policy::elevated::{Sender, Turn, gate};
use oc_policy::inbound::ConversationKind;
use oc_policy::sandbox::{Place, WorkspaceAccess, resolve, tool_lists};
use oc_types::{AgentId, Node, Origin};
use proptest::prelude::*;
use serde_json::{Value, json};

const TOOLS: [&str; 14] = [
    "read",
    "write",
    "edit",
    "apply_patch",
    "exec",
    "process",
    "browser",
    "canvas",
    "nodes",
    "cron",
    "gateway",
    "message",
    "image",
    "session_status",
];

/// 10,000 cases a law, unless `PROPTEST_CASES` says otherwise.
fn cases() -> ProptestConfig {
    let config = ProptestConfig::default();
    let unset = 256;
    ProptestConfig { cases: if config.cases == unset { 10_000 } else { config.cases }, ..config }
}

fn allowed(config: &Value, session: &str) -> BTreeSet<String> {
    let got = answer(&json!({"config": config, "context": {"sessionKey": session}, "tools": TOOLS}));
    assert_eq!(got.error, None, "{config}");
    got.allowed.into_iter().collect()
}

fn entry() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(&TOOLS[..]).prop_map(str::to_owned),
        2 => proptest::sample::select(&["group:fs", "group:runtime", "GROUP:UI", "group:openclaw", "group:nope"][..])
            .prop_map(str::to_owned),
        1 => proptest::sample::select(&["*", "sess*", "*e*", "", " ", "bash", "apply-patch", "Nope"][..])
            .prop_map(str::to_owned),
    ]
}

fn list() -> impl Strategy<Value = Option<Vec<String>>> {
    proptest::option::of(proptest::collection::vec(entry(), 0..4))
}

fn policy(allow: Option<Vec<String>>, deny: Option<Vec<String>>) -> Value {
    let mut o = serde_json::Map::new();
    for (name, list) in [("allow", allow), ("deny", deny)] {
        if let Some(list) = list {
            o.insert(name.to_owned(), json!(list));
        }
    }
    o.into()
}

fn policies() -> impl Strategy<Value = Value> {
    (list(), list()).prop_map(|(a, d)| policy(a, d))
}

fn base(tools: &Value, agent: &Value, seed: &Value, upstream: &Value) -> Value {
    let mut tools = tools.clone();
    tools["sandbox"] = json!({"tools": upstream});
    json!({
        "tools": tools,
        "agents": {
            "defaults": {"sandbox": {"tools": seed}},
            "list": [{"id": "main", "tools": agent}],
        },
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn sp_101_the_sandbox_layer_only_narrows(
        tools in policies(), agent in policies(), seed in policies(), upstream in policies(),
    ) {
        let mut config = base(&tools, &agent, &seed, &upstream);
        let outside = allowed(&config, "agent:main:x");
        config["agents"]["defaults"]["sandbox"]["mode"] = json!("all");
        let inside = allowed(&config, "agent:main:x");
        prop_assert!(inside.is_subset(&outside), "{}\n{:?}\n{:?}", config, inside, outside);
        // SP-100: what the lists in force deny is gone.
        let lists = tool_lists(&Node::from_json(&config, &Origin::Default), &AgentId::normalized("main"));
        prop_assert!(lists.deny.iter().all(|d| !inside.contains(d)));
    }

    #[test]
    fn read_only_mode_never_widens(
        tools in policies(), agent in policies(), access in proptest::option::of(0..3usize),
        sandboxed in any::<bool>(), of_agent in any::<bool>(),
    ) {
        let words = ["none", "ro", "rw"];
        let mut config = base(&tools, &agent, &json!({}), &json!({}));
        if sandboxed {
            config["agents"]["defaults"]["sandbox"]["mode"] = json!("all");
        }
        if let Some(i) = access {
            config["agents"]["defaults"]["sandbox"]["workspaceAccess"] = json!(words[i]);
        }
        let before = allowed(&config, "agent:main:x");
        if of_agent {
            config["agents"]["list"][0]["readOnlyMode"] = json!(true);
        } else {
            config["agents"]["defaults"]["readOnlyMode"] = json!(true);
        }
        let after = allowed(&config, "agent:main:x");
        prop_assert!(after.is_subset(&before), "{}\n{:?}\n{:?}", config, after, before);
        for tool in ["write", "edit", "apply_patch", "exec", "process"] {
            prop_assert!(!after.contains(tool), "{}", tool);
        }
        let place = Place { home: "/h".to_owned(), state_dir: "/s".to_owned() };
        let tree = Node::from_json(&config, &Origin::Default);
        let seen = resolve(&tree, &AgentId::normalized("main"), &place).expect("resolves").workspace_access.value;
        let want = if access == Some(0) { WorkspaceAccess::None } else { WorkspaceAccess::Ro };
        prop_assert_eq!(seen, want);
    }

    #[test]
    fn sp_114_an_agents_elevated_list_only_narrows(
        global in proptest::collection::vec("(telegram:|user:|id:|group:|)[1-3]|\\*|name:[ab]", 0..3),
        agent in proptest::option::of(proptest::collection::vec("(telegram:|user:|id:|group:|)[1-3]|\\*|name:[ab]", 0..3)),
        id in "[1-3]", name in "[ab]", direct in any::<bool>(), on in proptest::option::of(any::<bool>()),
    ) {
        let without = json!({"tools": {"elevated": {"allowFrom": {"telegram": global}}}});
        let mut with = without.clone();
        let mut own = json!({});
        if let Some(list) = &agent {
            own["allowFrom"] = json!({"telegram": list});
        }
        if let Some(on) = on {
            own["enabled"] = json!(on);
        }
        with["agents"] = json!({"list": [{"id": "main", "tools": {"elevated": own}}]});
        let from = format!("telegram:{id}");
        let sender = Sender {
            id: Some(&id), e164: None, from: Some(&from), name: Some(&name), username: None, tag: None,
            conversation: if direct { ConversationKind::Direct } else { ConversationKind::Group },
        };
        let ask = |config: &Value, turn| {
            let tree = Node::from_json(config, &Origin::Default);
            gate(&tree, &AgentId::normalized("main"), Some("telegram"), &sender, turn).is_allowed()
        };
        prop_assert!(!ask(&with, Turn::Person) || ask(&without, Turn::Person));
        prop_assert!(!ask(&with, Turn::Cron));
        if agent.as_ref().is_some_and(Vec::is_empty) || on == Some(false) {
            prop_assert!(!ask(&with, Turn::Person));
        }
    }
}
