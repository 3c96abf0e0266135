#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use oc_types::{AgentId, Node, Origin};
use serde_json::{Value, json};

use super::*;

fn config(json: &Value) -> Node {
    Node::from_json(json, &Origin::Default)
}

fn mode(json: &Value, key: &str) -> &'static str {
    is_sandboxed(&config(json), Some(key)).unwrap().runs.word()
}

#[test]
fn seed_mode_table() {
    let with = |m: &str| json!({"agents": {"defaults": {"sandbox": {"mode": m}}}});
    for key in ["agent:main:main", "agent:main:telegram:group:-1", "agent:main:subagent:1"] {
        assert_eq!(mode(&with("off"), key), "host");
        assert_eq!(mode(&with("all"), key), "sandboxed");
    }
    for (key, want) in [
        ("main", "host"),
        ("agent:main:main", "host"),
        ("agent:main:telegram:group:-1", "sandboxed"),
        ("agent:main:slack:channel:c1", "sandboxed"),
        ("agent:main:subagent:1", "sandboxed"),
        ("agent:main:cron:job", "sandboxed"),
        ("agent:main:whatsapp:direct:+1555", "sandboxed"),
        ("agent:main:main:thread:1", "sandboxed"),
        ("global", "sandboxed"),
    ] {
        assert_eq!(mode(&with("non-main"), key), want, "{key}");
    }
    let global =
        json!({"session": {"scope": "global"}, "agents": {"defaults": {"sandbox": {"mode": "non-main"}}}});
    assert_eq!(mode(&global, "global"), "host");
    assert_eq!(mode(&global, "agent:main:main"), "host");
    let nothing = is_sandboxed(&config(&with("all")), None).unwrap();
    assert_eq!(nothing.runs, Runs::OnHost);
}

#[test]
fn sp_119_an_unknown_mode_is_an_error() {
    for bad in [json!("non_main"), json!("ALL"), json!(true), json!(""), json!(["all"])] {
        let c = config(&json!({"agents": {"list": [{"id": "w", "sandbox": {"mode": bad}}]}}));
        let e = is_sandboxed(&c, Some("agent:w:main")).unwrap_err();
        assert!(e.to_string().contains("agents.list[0].sandbox.mode"), "{e}");
        assert!(
            is_sandboxed(&c, Some("agent:other:main")).is_ok(),
            "another agent's mistake does not matter"
        );
    }
}

#[test]
fn sp_120_a_malformed_agent_key_is_refused() {
    let c = config(&json!({"agents": {"defaults": {"sandbox": {"mode": "all"}}}}));
    for bad in ["agent:w", "agent:", "agent::main", "AGENT:w:main", "agent:w:"] {
        assert!(is_sandboxed(&c, Some(bad)).is_err(), "{bad}");
    }
}

#[test]
fn each_agent_has_its_own_main_session() {
    let c = json!({"agents": {"defaults": {"sandbox": {"mode": "non-main"}},
        "list": [{"id": "a"}, {"id": "b", "default": true, "sandbox": {"mode": "all"}}]}});
    assert_eq!(mode(&c, "agent:a:main"), "host");
    assert_eq!(mode(&c, "agent:b:main"), "sandboxed");
    assert_eq!(mode(&c, "main"), "sandboxed", "a key without agent belongs to the default agent");
    let a = AgentId::normalized("a");
    let b_main = crate::session_key::SessionKey::parse("agent:b:main").unwrap();
    assert_eq!(is_sandboxed_for(&config(&c), &a, Some(&b_main)).unwrap().runs, Runs::Sandboxed);
}

#[test]
fn both_spellings_at_one_level_allow_of_the_seed_deny_united() {
    let c = config(&json!({
        "agents": {"defaults": {"sandbox": {"tools": {"allow": ["read"], "deny": ["exec"]}}}},
        "tools": {"sandbox": {"tools": {"allow": ["write"], "deny": ["write", "EXEC"]}}},
    }));
    let lists = tool_lists(&c, &AgentId::normalized("main"));
    assert_eq!(lists.allow, ["read", "image"]);
    assert_eq!(lists.deny, ["exec", "write"]);
    assert_eq!(lists.warnings.len(), 2);
    assert!(lists.deny_source.other.is_some());
}

#[test]
fn sp_111_an_empty_allow_list_blocks_all_but_image_and_warns() {
    let c = config(&json!({"tools": {"sandbox": {"tools": {"allow": [], "deny": []}}}}));
    let lists = tool_lists(&c, &AgentId::normalized("main"));
    assert_eq!(lists.allow, ["image"]);
    assert!(lists.deny.is_empty());
    assert_eq!(lists.warnings.len(), 1);
}
