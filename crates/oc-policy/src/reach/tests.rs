//! Reach and its difference over small configurations.

use oc_types::{AgentId, Node, Origin};
use serde_json::{Value, json};

use super::{Caller, Direction, DoorFacts, Reach, diff, doors};
use crate::exec_route::{Approval, Host};
use crate::tool_policy::CompiledPolicy;

fn reach(config: &Value) -> Reach {
    let node = Node::from_json(config, &Origin::Default);
    let facts = DoorFacts { approvals_file: false, gateway_secret: true };
    let (policy, _) = CompiledPolicy::compile(&node);
    let (found, refused) = doors(&node, &facts);
    let mut reach = Reach::compute(&node, &policy, &found, &facts);
    reach.refused.extend(refused);
    reach
}

fn open(reach: &Reach, caller: Caller, agent: &str) -> Vec<String> {
    let agent = AgentId::normalized(agent);
    reach.cells.iter().filter(|c| c.caller == caller && c.agent == agent).map(|c| c.tool.clone()).collect()
}

#[test]
fn a_stranger_reaches_nothing_until_direct_messages_are_open() {
    let pairing = json!({"channels": {"telegram": {"dmPolicy": "pairing"}}});
    assert!(open(&reach(&pairing), Caller::Stranger, "main").is_empty());
    assert!(open(&reach(&pairing), Caller::Paired, "main").contains(&"exec".to_owned()));

    let anybody = json!({"channels": {"telegram": {"dmPolicy": "open", "allowFrom": ["*"]}}});
    assert!(open(&reach(&anybody), Caller::Stranger, "main").contains(&"exec".to_owned()));
}

#[test]
fn a_pairing_approval_opens_direct_messages_and_no_room() {
    let config = json!({"channels": {"telegram": {
        "dmPolicy": "pairing", "groupPolicy": "allowlist", "groups": {"-1001": {}},
    }}});
    let r = reach(&config);
    assert!(!open(&r, Caller::Paired, "main").is_empty());
    assert!(open(&r, Caller::GroupMember, "main").is_empty());
}

#[test]
fn the_owner_alone_gets_the_owners_tools_and_http_gets_no_shell() {
    let r = reach(&json!({"channels": {"whatsapp": {"dmPolicy": "open", "allowFrom": ["*"]}}}));
    assert!(open(&r, Caller::Owner, "main").contains(&"whatsapp_login".to_owned()));
    assert!(!open(&r, Caller::Stranger, "main").contains(&"whatsapp_login".to_owned()));
    let http = open(&r, Caller::HttpToken, "main");
    for tool in ["exec", "process", "write", "gateway", "cron", "sessions_spawn"] {
        assert!(!http.contains(&tool.to_owned()), "{tool}");
    }
    assert!(http.contains(&"session_status".to_owned()));
}

#[test]
fn hooks_open_only_when_switched_on_and_only_for_their_agents() {
    let mut config = json!({
        "agents": {"list": [{"id": "a"}, {"id": "b"}]},
        "hooks": {"enabled": true, "token": "t", "allowedAgentIds": ["b"]},
    });
    let r = reach(&config);
    assert!(open(&r, Caller::Hook, "a").is_empty() && !open(&r, Caller::Hook, "b").is_empty());
    config["hooks"]["enabled"] = false.into();
    assert!(open(&reach(&config), Caller::Hook, "b").is_empty());
}

#[test]
fn the_cell_says_where_and_what_stands_between() {
    let config = json!({
        "channels": {"telegram": {"dmPolicy": "pairing"}},
        "session": {"dmScope": "per-peer"},
        "agents": {"defaults": {"sandbox": {"mode": "non-main"}}},
        "tools": {"exec": {"ask": "always"}},
    });
    let r = reach(&config);
    let main = AgentId::normalized("main");
    let paired = &r.cell(Caller::Paired, &main, "exec").unwrap().way;
    assert_eq!((paired.host, paired.approval), (Host::Sandbox, Approval::Always));
    let owner = &r.cell(Caller::Owner, &main, "exec").unwrap().way;
    assert_eq!((owner.host, owner.approval), (Host::Gateway, Approval::Always));
}

#[test]
fn an_access_rule_that_cannot_be_read_shuts_every_channel_and_says_so() {
    let r = reach(&json!({"channels": {"telegram": {"dmPolicy": "opne", "allowFrom": ["*"]}}}));
    assert!(open(&r, Caller::Stranger, "main").is_empty() && open(&r, Caller::Paired, "main").is_empty());
    assert!(!r.refused.is_empty());
}

#[test]
fn a_difference_names_what_opens_and_what_closes() {
    let strict = json!({"channels": {"telegram": {"dmPolicy": "pairing"}}, "tools": {"deny": ["browser"]}});
    let open_dm = json!({"channels": {"telegram": {"dmPolicy": "open", "allowFrom": ["*"]}}});
    let changes = diff(&reach(&strict), &reach(&open_dm));
    assert!(changes.iter().any(|c| c.direction == Direction::Opens && c.caller == Caller::Stranger));
    assert!(changes.iter().any(|c| c.direction == Direction::Opens && c.tool == "browser"));
    let back = diff(&reach(&open_dm), &reach(&strict));
    assert!(!back.is_empty() && back.iter().all(|c| !c.direction.widens()), "{back:?}");
    assert!(diff(&reach(&strict), &reach(&strict)).is_empty());
}

#[test]
fn less_in_between_is_a_widening_too() {
    let asks = json!({"tools": {"exec": {"host": "gateway", "ask": "always"}}});
    let silent = json!({"tools": {"exec": {"host": "gateway", "ask": "off", "security": "full"}}});
    let changes = diff(&reach(&asks), &reach(&silent));
    assert!(
        !changes.is_empty() && changes.iter().all(|c| c.direction == Direction::Loosens && c.tool == "exec")
    );
}
