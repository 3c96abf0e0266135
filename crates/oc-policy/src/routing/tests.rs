use oc_types::Origin;
use serde_json::json;

use super::*;

fn route(config: serde_json::Value) -> Result<AgentId, UnknownAgent> {
    let config = Node::from_json(&config, &Origin::Default);
    let query = RouteQuery {
        channel: "telegram",
        account: "default",
        kind: ConversationKind::Direct,
        peer: "1",
        parent: None,
        guild: None,
        team: None,
        thread: None,
    };
    Router::new(&config).unwrap().route(&query).map(|r| r.agent)
}

#[test]
fn sp_120_a_blank_unknown_or_malformed_agent_id_is_an_error_and_never_another_agent() {
    for id in [
        json!(""),
        json!("  "),
        json!("ghost"),
        json!("m a i n"),
        json!("main!"),
        json!(null),
        json!(7),
        json!({}),
    ] {
        let config = json!({"agents": {"list": [{"id": "main"}, {"id": "ops"}]},
            "bindings": [{"agentId": id, "match": {"channel": "telegram"}}]});
        assert!(route(config).is_err(), "{id}");
    }
    let config = json!({"agents": {"list": [{"id": "Family Bot"}]},
        "bindings": [{"agentId": "Family Bot", "match": {"channel": "telegram"}}]});
    assert_eq!(route(config).unwrap().as_str(), "family-bot");
}

#[test]
fn precision_comes_before_file_order() {
    let agents: Vec<_> = ["main", "a", "b", "c"].iter().map(|id| json!({"id": id})).collect();
    let config = json!({"agents": {"list": agents}, "bindings": [
        {"agentId": "a", "match": {"channel": "telegram", "accountId": "*"}},
        {"agentId": "b", "match": {"channel": "telegram"}},
        {"agentId": "c", "match": {"channel": "telegram", "peer": {"kind": "dm", "id": 1}}},
    ]});
    assert_eq!(route(config).unwrap().as_str(), "c");
}
