use super::*;
use oc_types::Origin;

fn tree(json: serde_json::Value) -> Node {
    Node::from_json(&json, &Origin::Builtin)
}

#[test]
fn what_a_change_needs() {
    let old =
        tree(serde_json::json!({"gateway": {"port": 1, "auth": {"token": "a"}}, "tools": {"deny": ["x"]}}));
    let to = |json| need(&old, &tree(json));
    assert_eq!(to(old.to_json()), Need::Nothing);
    let tools = serde_json::json!({"gateway": {"port": 1, "auth": {"token": "a"}}, "tools": {"deny": []}});
    assert_eq!(to(tools), Need::Swap);
    let secret =
        serde_json::json!({"gateway": {"port": 1, "auth": {"token": "b"}}, "tools": {"deny": ["x"]}});
    assert_eq!(to(secret), Need::Swap, "a new secret needs no restart");
    let port = serde_json::json!({"gateway": {"port": 2, "auth": {"token": "b"}}, "tools": {"deny": ["x"]}});
    assert_eq!(to(port), Need::Restart);
    let unknown = serde_json::json!({
        "gateway": {"port": 1, "auth": {"token": "a"}, "later": 1}, "tools": {"deny": ["x"]}
    });
    assert_eq!(to(unknown), Need::Restart, "what is not known is not taken for harmless");
    let plugins = serde_json::json!({
        "gateway": {"port": 1, "auth": {"token": "a"}}, "tools": {"deny": ["x"]}, "plugins": {"enabled": false}
    });
    assert_eq!(to(plugins), Need::Restart);
}
