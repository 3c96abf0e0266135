use oc_sandbox::gate::NodeHere;
use oc_types::Origin;
use serde_json::json;

use super::*;

fn rule(browser: Value) -> Rule {
    Rule::of(&Node::from_json(&json!({"gateway": {"nodes": {"browser": browser}}}), &Origin::Default))
}

fn here(own: bool) -> Browser {
    #[derive(Debug)]
    struct Own;
    impl ToolHandler for Own {
        fn tool(&self) -> &str {
            NAME
        }
        fn check(&self, _: &ToolCall) -> Result<(), String> {
            Ok(())
        }
        fn run<'a>(&'a self, _: Handled<'a>) -> Pending<'a, ToolResult> {
            Box::pin(std::future::ready(Ok(failed("own"))))
        }
    }
    Browser { own: own.then(|| Arc::new(Own) as Arc<dyn ToolHandler>), gateway: Weak::new() }
}

#[test]
fn where_a_call_goes_follows_from_its_arguments() {
    let of = |own, arguments: Value| here(own).way(arguments.as_object().unwrap());
    for (arguments, with_own, without) in [
        (json!({}), Way::Host, Way::Node(None)),
        (json!({"target": "host"}), Way::Host, Way::Host),
        (json!({"target": "host", "node": "Kit"}), Way::Host, Way::Host),
        (json!({"target": "sandbox"}), Way::Host, Way::Host),
        (json!({"target": " node "}), Way::Node(None), Way::Node(None)),
        (
            json!({"target": "node", "node": "Kit"}),
            Way::Node(Some("Kit".into())),
            Way::Node(Some("Kit".into())),
        ),
        (json!({"node": "Kit"}), Way::Node(Some("Kit".into())), Way::Node(Some("Kit".into()))),
    ] {
        assert_eq!(
            (of(true, arguments.clone()), of(false, arguments.clone())),
            (with_own, without),
            "{arguments}"
        );
    }
}

#[test]
fn the_mode_decides_whether_a_node_is_asked_and_unreadable_asks_none() {
    let word = |browser: Value, named| forbidden(named, &rule(browser), false).map(|f| f.rule);
    for named in [None, Some("Kit")] {
        assert_eq!(word(json!({"mode": "off", "node": "Kit"}), named), Some("node-browser-off"));
        assert_eq!(word(json!({"mode": 1}), named), Some("node-browser-off"));
        assert_eq!(word(json!({"mode": "?"}), named), Some("node-browser-off"));
        assert_eq!(word(json!({}), named), None);
        assert_eq!(word(json!({"mode": "manual", "node": "Kit"}), named), None);
    }
    assert_eq!(word(json!({"mode": "manual"}), None), Some("node-unnamed"));
    assert_eq!(word(json!({"mode": "manual"}), Some("Kit")), None);
}

#[test]
fn sp_238_a_sandboxed_session_reaches_no_nodes_browser_whatever_the_mode_is() {
    for browser in
        [json!({}), json!({"mode": "manual", "node": "Kit"}), json!({"mode": "auto", "node": "Kit"})]
    {
        for named in [None, Some("Kit")] {
            assert_eq!(forbidden(named, &rule(browser.clone()), true).unwrap().rule, "paired-nodes");
        }
    }
}

#[test]
fn a_bound_node_is_the_only_one_and_nobody_guesses() {
    let node = |id: &str, name: &str| NodeHere { id: id.into(), name: Some(name.into()), address: None };
    let both = [node("1111111", "Kit"), node("2222222", "Tom")];
    let of = |nodes: &[NodeHere], bound, named| on_node::chosen(nodes, bound, named).map(|n| n.id);
    assert_eq!(of(&both, Some("kit"), None).unwrap(), "1111111");
    assert_eq!(of(&both, Some("kit"), Some("111111")).unwrap(), "1111111");
    assert_eq!(of(&both, None, Some("Tom")).unwrap(), "2222222");
    assert_eq!(of(&both[..1], None, None).unwrap(), "1111111");
    for (nodes, bound, named, words) in [
        (&both[..], Some("Kit"), Some("Tom"), "another node"),
        (&both[..], Some("Kit"), Some("nobody"), "is called `nobody`"),
        (&both[..], None, None, "2 connected nodes"),
        (&both[..], Some("gone"), None, "is called `gone`"),
        (&[][..], None, None, "no paired node that lends a browser"),
    ] {
        let refused = of(nodes, bound, named).unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
}
