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

/// The sessions that a caller's doors lead to.
fn keys(config: &Value, caller: Caller) -> Vec<String> {
    let node = Node::from_json(config, &Origin::Default);
    let facts = DoorFacts { approvals_file: false, gateway_secret: true };
    let (found, _) = doors(&node, &facts);
    found.into_iter().filter(|d| d.caller == caller).map(|d| d.session_key).collect()
}

#[test]
fn turns_over_http_have_the_agents_tools_and_not_those_of_the_http_list() {
    let main = AgentId::normalized("main");
    let mut config = json!({"agents": {"defaults": {"sandbox": {"mode": "non-main"}}}});
    assert!(reach(&config).cell(Caller::HttpToken, &main, "exec").is_none());
    for endpoint in ["chatCompletions", "responses"] {
        config["gateway"] = json!({"http": {"endpoints": {endpoint: {"enabled": true}}}});
        let r = reach(&config);
        let exec = r.cell(Caller::HttpToken, &main, "exec").unwrap();
        assert_eq!((exec.way.host, exec.doors), (Host::Gateway, 2), "the main session is named by its key");
        assert!(r.cell(Caller::HttpToken, &main, "whatsapp_login").is_none(), "no owner");
        assert_eq!(
            keys(&config, Caller::HttpToken),
            ["agent:main:main", "agent:main:main", "agent:main:openai:any"]
        );
    }
    let node = Node::from_json(&config, &Origin::Default);
    let (found, _) = doors(&node, &DoorFacts { approvals_file: false, gateway_secret: false });
    assert!(found.iter().all(|d| d.caller != Caller::HttpToken), "nobody holds a secret");
}

#[test]
fn hooks_reach_the_sessions_that_the_configuration_names_or_lets_them_name() {
    let with = |more: Value| {
        let mut config = json!({
            "agents": {"list": [{"id": "main", "default": true}, {"id": "ops"}], "defaults": {"sandbox": {"mode": "non-main"}}},
            "hooks": {"enabled": true, "token": "t", "allowedAgentIds": ["main"]},
        });
        config["hooks"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    let own = "agent:main:hook:any";
    for (more, also) in [
        (json!({}), &[][..]),
        (json!({"defaultSessionKey": "main"}), &["agent:main:main"]),
        (json!({"defaultSessionKey": "agent:ops:main"}), &[]),
        (json!({"mappings": [{"sessionKey": "telegram:group:-1"}]}), &["agent:main:telegram:group:-1"]),
        (json!({"mappings": [{"sessionKey": "agent:ops:main"}]}), &[]),
        (
            json!({"mappings": [{"sessionKey": "x", "agentId": "ops"}, {"sessionKey": "y", "agentId": " "}]}),
            &[],
        ),
        (
            json!({"allowedAgentIds": ["*"], "mappings": [{"sessionKey": "x", "agentId": "ops"}]}),
            &["agent:ops:hook:any", "agent:ops:x"],
        ),
        (json!({"allowedSessionKeyPrefixes": ["agent:main:"]}), &[]),
        (
            json!({"allowedSessionKeyPrefixes": ["agent:ma"], "allowRequestSessionKey": true}),
            &["agent:main:main", "agent:main:any"],
        ),
        (json!({"allowedSessionKeyPrefixes": ["agent:ops:"], "allowRequestSessionKey": true}), &[]),
        (
            json!({"allowedSessionKeyPrefixes": ["Telegram:"], "mappings": [{"sessionKey": "{{key}}"}]}),
            &["agent:main:telegram:any"],
        ),
        (
            json!({"allowedSessionKeyPrefixes": ["main"], "allowRequestSessionKey": true}),
            &["agent:main:main", "agent:main:mainany"],
        ),
        (json!({"allowedSessionKeyPrefixes": [" "], "allowRequestSessionKey": true}), &[]),
    ] {
        let config = with(more);
        let mut found = keys(&config, Caller::Hook);
        found.retain(|key| key != own);
        assert_eq!(found, also, "{}", config["hooks"]);
    }
    let main = AgentId::normalized("main");
    let host = |config: &Value| reach(config).cell(Caller::Hook, &main, "exec").unwrap().way.clone();
    assert_eq!(host(&with(json!({}))).host, Host::Sandbox);
    let way = host(&with(json!({"defaultSessionKey": "main"})));
    assert_eq!((way.host, way.via.as_str()), (Host::Gateway, "hooks.defaultSessionKey"));
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
