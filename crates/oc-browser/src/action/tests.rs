use serde_json::json;

use super::*;

fn parse(arguments: Value) -> Result<Action, String> {
    Action::parse(arguments.as_object().unwrap())
}

#[test]
fn only_web_addresses_are_gone_to_in_any_spelling() {
    for url in [
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        " \tfile:///etc/passwd",
        "fi\nle:///etc/passwd",
        "chrome://settings",
        "chrome-extension://x/y",
        "view-source:http://a/",
        "devtools://x",
        "javascript:alert(1)",
        "data:text/html,x",
        "blob:http://a/x",
        "about:blank",
        "ftp://a/",
        "ws://a/",
        "//a/",
        "a.example",
        "http://",
        "http://user@a/",
        "http://u:p@a/",
    ] {
        for action in ["open", "navigate"] {
            let refused = parse(json!({"action": action, "targetUrl": url}));
            assert!(refused.as_ref().is_err_and(|e| e.starts_with("`targetUrl`")), "{url}: {refused:?}");
        }
    }
    let Action::Open(url) = parse(json!({"action": "open", "url": "HTTPS://Example.org/a b?ü"})).unwrap()
    else {
        panic!("an address");
    };
    assert_eq!(url.as_str(), "https://example.org/a%20b?%C3%BC");
}

#[test]
fn what_is_not_built_says_so_by_name() {
    for action in NOT_BUILT {
        let refused = parse(json!({"action": action})).unwrap_err();
        assert!(
            refused.starts_with(&format!("`action` {action} is not built; there are status, ")),
            "{refused}"
        );
        assert!(!ACTIONS.contains(&action));
    }
    for kind in KINDS_NOT_BUILT {
        let refused = parse(json!({"action": "act", "request": {"kind": kind}})).unwrap_err();
        assert!(refused.contains(&format!("{kind} is not built")), "{refused}");
    }
    for (arguments, word) in [
        (json!({"action": "status", "target": "sandbox"}), "`target` sandbox is not built"),
        (json!({"action": "status", "target": "node"}), "`target` node needs a running gateway"),
        (json!({"action": "status", "node": "phone"}), "`node` needs `target` node"),
        (json!({"action": "status", "profile": "chrome"}), "`profile` must be openclaw"),
        (json!({"action": "fly"}), "`action` must be one of"),
        (json!({}), "`action` is missing"),
    ] {
        let refused = parse(arguments.clone()).unwrap_err();
        assert!(refused.starts_with(word), "{arguments}: {refused}");
    }
    assert_eq!(
        parse(json!({"action": "status", "target": "host", "profile": "openclaw"})),
        Ok(Action::Status)
    );
}

#[test]
fn every_argument_has_a_form_and_a_size() {
    let act = |request: Value| parse(json!({"action": "act", "request": request}));
    assert_eq!(
        act(json!({"kind": "type", "ref": "@e3", "text": "", "submit": true})),
        Ok(Action::Act(Act::Type { reference: "e3".to_owned(), text: String::new(), submit: true }, None))
    );
    assert_eq!(
        act(json!({"kind": "wait", "text": "x", "timeMs": 999_999})),
        Ok(Action::Act(Act::Wait(Until::Text("x".to_owned()), Duration::from_secs(30)), None))
    );
    for request in [
        json!({"kind": "click"}),
        json!({"kind": "click", "ref": "div > a"}),
        json!({"kind": "click", "ref": "e"}),
        json!({"kind": "click", "ref": 3}),
        json!({"kind": "type", "ref": "e1"}),
        json!({"kind": "type", "ref": "e1", "text": "x".repeat(TEXT + 1)}),
        json!({"kind": "press", "key": "Launch"}),
        json!({"kind": "select", "ref": "e1", "values": []}),
        json!({"kind": "wait"}),
        json!({"kind": "wait", "text": "a", "textGone": "b"}),
        json!({"kind": "wait", "timeMs": -1}),
        json!({"kind": "evaluate"}),
    ] {
        assert!(act(request.clone()).is_err(), "{request}");
    }
    for odd in [
        json!({"action": "snapshot", "maxChars": 5}),
        json!({"action": "snapshot", "interactive": "yes"}),
        json!({"action": "screenshot", "type": "gif"}),
        json!({"action": "console", "level": "loud"}),
        json!({"action": "focus"}),
        json!({"action": "act"}),
        json!({"action": "act", "targetId": "A", "request": {"kind": "hover", "ref": "e1", "targetId": "B"}}),
        json!({"action": "open", "targetUrl": format!("http://a/{}", "x".repeat(ADDRESS))}),
    ] {
        assert!(parse(odd.clone()).is_err(), "{odd}");
    }
}
