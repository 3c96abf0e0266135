use super::*;
use oc_types::Origin;
use serde_json::json;

fn manifest(more: Value) -> Result<Manifest, BadManifest> {
    let mut all = json!({"id": "voice-notes", "configSchema": {}});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    parse(&all.to_string())
}

#[test]
fn a_manifest_declares_tools_and_one_program() {
    let m = manifest(json!({
        "name": "Voice notes", "version": "1.2.0", "channels": ["pager"],
        "tools": ["voice_list", {"name": "voice_transcribe", "optional": true}],
        "mcpServer": {"command": "node", "args": ["./dist/server.js", "--stdio"], "env": ["VOICE_KEY", "VOICE_URL"]},
        "skills": ["skills/"],
    }))
    .unwrap();
    assert_eq!(m.server.as_ref().unwrap().shown(), "node ./dist/server.js --stdio");
    assert_eq!(m.server.as_ref().unwrap().own_files().collect::<Vec<_>>(), ["dist/server.js"]);
    let tree = json!({"plugins": {"entries": {"voice-notes": {"config": {"env": {"VOICE_KEY": "k", "OTHER": "o"}}}}}});
    let tools = tools_of(&m, "/s/extensions/voice-notes", &Node::from_json(&tree, &Origin::Default)).unwrap();
    assert_eq!(tools.program, "node");
    assert_eq!(tools.args, ["/s/extensions/voice-notes/dist/server.js", "--stdio"]);
    assert_eq!(
        tools.env.iter().map(|(n, v)| (n.as_str(), v.expose())).collect::<Vec<_>>(),
        [("VOICE_KEY", "k")]
    );
    assert_eq!(tools.unset, ["VOICE_URL"]);
    assert_eq!(
        tools.tools.iter().map(|t| (t.name.as_str(), t.optional)).collect::<Vec<_>>(),
        [("voice_list", false), ("voice_transcribe", true)]
    );
    assert!(!format!("{tools:?}").contains("\"k\""), "a value is not shown");
    assert!(tools_of(&manifest(json!({})).unwrap(), "/x", &Node::empty()).is_none());
}

#[test]
fn a_program_is_a_plain_name_or_a_file_of_the_plugin() {
    let server = |v: Value| manifest(json!({"mcpServer": v}));
    assert!(server(json!({"command": "./bin/run"})).is_ok());
    for bad in [
        json!("node x"),
        json!({}),
        json!({"command": "/usr/bin/node"}),
        json!({"command": "../node"}),
        json!({"command": "./../node"}),
        json!({"command": "node -e 1"}),
        json!({"command": "node", "args": ["./../../x"]}),
        json!({"command": "node", "args": "x"}),
        json!({"command": "node", "args": ["a\u{0}"]}),
        json!({"command": "node", "cwd": "/"}),
        json!({"command": "node", "env": {"A": "b"}}),
        json!({"command": "node", "env": ["A=b"]}),
        json!({"command": "node", "env": ["NODE_OPTIONS"]}),
        json!({"command": "node", "env": ["ld_preload"]}),
        json!({"command": "node", "env": ["OPENCLAW_GATEWAY_TOKEN"]}),
    ] {
        assert!(matches!(server(bad.clone()), Err(BadManifest::Member("mcpServer", _))), "{bad}");
    }
}

#[test]
fn sp_018_a_plugin_id_is_one_folder_name_and_nobody_elses() {
    for good in ["a", "voice-notes", "X_1"] {
        assert_eq!(PluginId::parse(good).unwrap().as_str(), good);
    }
    let long = "x".repeat(65);
    for bad in [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        ".x",
        "-x",
        "_x",
        "a b",
        "a.b",
        "é",
        "telegram",
        "Memory-Core",
        "constructor",
        "node_modules",
        &long,
    ] {
        assert!(PluginId::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn broken_manifests_are_told_apart() {
    assert_eq!(parse("{"), Err(BadManifest::NotJson));
    assert_eq!(parse("[]"), Err(BadManifest::NotJson));
    assert_eq!(parse("{}"), Err(BadManifest::NoId));
    assert_eq!(parse(r#"{"id": "x"}"#), Err(BadManifest::NoSchema));
    for bad in [
        json!({"tools": "x"}),
        json!({"tools": ["a", "a"]}),
        json!({"tools": ["Exec!"]}),
        json!({"tools": ["exec"]}),
        json!({"tools": ["bash"]}),
        json!({"tools": ["memory_get"]}),
        json!({"tools": [{"name": "a", "optional": "no"}]}),
        json!({"channels": [5]}),
        json!({"skills": ["../x"]}),
        json!({"skills": ["/x"]}),
    ] {
        assert!(matches!(manifest(bad.clone()), Err(BadManifest::Member(..))), "{bad}");
    }
}

#[test]
fn only_a_named_plugin_is_loaded() {
    let of = |v: Value| standing::of(&Node::from_json(&json!({"plugins": v}), &Origin::Default), "x");
    assert_eq!(standing::of(&Node::empty(), "x"), Standing::Unlisted);
    assert_eq!(of(json!({"allow": []})), Standing::Unlisted);
    assert_eq!(of(json!({"allow": ["X", "xx"]})), Standing::Unlisted);
    assert_eq!(of(json!({"entries": {"x": {}}})), Standing::Unlisted);
    assert_eq!(of(json!({"entries": {"x": {"enabled": true}}})), Standing::Loaded);
    assert_eq!(of(json!({"entries": {"x": {"enabled": true}}, "allow": []})), Standing::Unlisted);
    assert_eq!(of(json!({"allow": ["y", " x "]})), Standing::Loaded);
    assert_eq!(of(json!({"allow": ["x"], "deny": ["x"]})), Standing::Denied);
    assert_eq!(of(json!({"allow": ["x"], "enabled": false})), Standing::AllOff);
    assert_eq!(of(json!({"allow": ["x"], "entries": {"x": {"enabled": false}}})), Standing::Off);
    assert_eq!(of(json!({"allow": ["x"], "entries": {"x": {"enabled": "no"}}})), Standing::Off);
}
