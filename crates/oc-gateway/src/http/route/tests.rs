use super::*;
use crate::settings::{self, Flags, Resolved};
use oc_config::Environment;
use oc_types::{Node, Origin, Secret};

fn settings(json: serde_json::Value) -> Settings {
    let node = Node::from_json(&json, &Origin::Builtin);
    let resolved = Resolved {
        token: Some(Secret::new("a-token-that-is-long-enough".to_owned())),
        hooks: Some(Secret::new("another-one-for-hooks-only".to_owned())),
        ..Resolved::default()
    };
    settings::read(&node, &Environment::default(), &Flags::default(), &resolved).unwrap()
}

fn local() -> Settings {
    settings(serde_json::json!({"gateway": {"mode": "local"}}))
}

#[test]
fn sp_341_a_path_has_one_reading_or_none() {
    for bad in [
        "",
        "a",
        "*",
        "/a//b",
        "//tools/invoke",
        "/a/../b",
        "/a/./b",
        "/..",
        "/%2e%2e/x",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a\\b",
        "/%252e",
        "/a%00b",
        "/a%0ab",
        "/a%",
        "/a%g0",
        "/a%2",
        "/%c3%28",
    ] {
        assert_eq!(canonical(bad), Err(BadPath), "{bad}");
    }
    assert_eq!(canonical("/a%20b/%C3%A9"), Ok("/a b/é".into()));
    assert_eq!(canonical("/tools/invoke"), Ok("/tools/invoke".into()));
}

#[test]
fn sp_321_every_path_has_one_route_and_reserved_ones_never_fall_to_the_console() {
    let s = local();
    let table = [
        ("/tools/invoke", Route::ToolsInvoke),
        ("/tools/invoke/", Route::NotFound),
        ("/tools/other", Route::NotFound),
        ("/v1/chat/completions", Route::NotFound),
        ("/v1/responses", Route::NotFound),
        ("/hooks/wake", Route::Console("hooks/wake".to_owned())),
        ("/health", Route::Health),
        ("/healthz", Route::Health),
        ("/readyz", Route::Ready),
        ("/metrics", Route::Metrics),
        ("/__openclaw__/canvas/x", Route::NotFound),
        ("/", Route::Console(String::new())),
        ("/approvals", Route::Console("approvals".to_owned())),
    ];
    for (path, route) in table {
        assert_eq!(of(path, &s), route, "{path}");
    }
}

#[test]
fn hooks_endpoints_and_the_base_path_follow_the_configuration() {
    let s = settings(serde_json::json!({
        "gateway": {
            "mode": "local",
            "controlUi": {"basePath": "/console/"},
            "http": {"endpoints": {"chatCompletions": {"enabled": true}, "responses": {"enabled": true}}},
        },
        "hooks": {"enabled": true, "path": "in"},
    }));
    assert_eq!(of("/in/wake", &s), Route::Hook("wake".to_owned()));
    assert_eq!(of("/in", &s), Route::Hook(String::new()));
    assert_eq!(of("/inner", &s), Route::NotFound);
    assert_eq!(of("/console", &s), Route::ConsoleRedirect);
    assert_eq!(of("/console/x", &s), Route::Console("x".to_owned()));
    assert_eq!(of("/consolex", &s), Route::NotFound);
    assert_eq!(of("/", &s), Route::NotFound);
    assert_eq!(of("/v1/chat/completions", &s), Route::ChatCompletions);
    assert_eq!(of("/v1/responses", &s), Route::Responses);
    let off = settings(serde_json::json!({"gateway": {"mode": "local", "controlUi": {"enabled": false}}}));
    assert_eq!(of("/", &off), Route::NotFound);
}
