use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::methods::transcripts::config_context;
use crate::protocol::frame::Failure;

const TOKEN: &str = "canary-of-the-gateway-token-0001";
const TEXT: &str = r#"// mine
{
  gateway: { mode: "local", auth: { mode: "token", token: "canary-of-the-gateway-token-0001" } }, // kept
  channels: { telegram: { botToken: "${TG}", dmPolicy: "pairing" } },
  env: { vars: { TG: "canary-of-the-bot-token-0001" } },
}
"#;

fn written(tmp: &Path) -> ConfigContext {
    std::fs::create_dir_all(tmp.join("state")).unwrap();
    std::fs::write(tmp.join("state/openclaw.json"), TEXT).unwrap();
    config_context(tmp)
}

fn hash(context: &ConfigContext) -> String {
    get(context, json!({})).unwrap()["hash"].as_str().unwrap().to_owned()
}

fn text(tmp: &Path) -> String {
    std::fs::read_to_string(tmp.join("state/openclaw.json")).unwrap()
}

fn issues_of(failure: Failure) -> Vec<Value> {
    failure.details.unwrap()["issues"].as_array().unwrap().clone()
}

#[test]
fn sp_340_no_view_and_no_answer_shows_a_credential() {
    let tmp = tempfile::tempdir().unwrap();
    let context = written(tmp.path());
    let view = get(&context, json!({})).unwrap();
    assert_eq!(view["config"]["gateway"]["auth"]["token"], oc_text::redact::SENTINEL);
    assert_eq!((&view["valid"], &view["exists"]), (&json!(true), &json!(true)));
    assert!(view["raw"].as_str().unwrap().contains("// kept"));
    let patched = patch(&context, json!({ "raw": "{ messages: { ackReactionScope: 'all' } }", "baseHash": hash(&context), "note": "sk-canarycanarycanary1234" })).unwrap();
    let wrong = patch(&context, json!({ "raw": format!("{{ gateway: {{ auth: {{ mode: \"{TOKEN}\" }} }} }}"), "baseHash": hash(&context) })).unwrap_err();
    for shown in [view.to_string(), patched.to_string(), serde_json::to_string(&wrong).unwrap()] {
        assert!(!shown.contains("canary-of-the-bot") && !shown.contains("canarycanary"), "{shown}");
    }
    for shown in [view.to_string(), patched.to_string()] {
        assert!(!shown.contains(TOKEN), "{shown}");
    }
}

#[test]
fn sp_064_the_marker_keeps_what_is_stored() {
    let tmp = tempfile::tempdir().unwrap();
    let context = written(tmp.path());
    let view = get(&context, json!({})).unwrap();
    let mut parsed = view["parsed"].clone();
    parsed["messages"] = json!({ "ackReactionScope": "all" });
    let answer = set(&context, json!({ "raw": parsed.to_string(), "baseHash": view["hash"] })).unwrap();
    assert_eq!(answer["config"]["messages"]["ackReactionScope"], "all");
    let now = text(tmp.path());
    assert!(
        now.contains(TOKEN) && now.contains("${TG}") && now.contains("// kept") && now.contains("// mine"),
        "{now}"
    );
    assert!(!now.contains(oc_text::redact::SENTINEL));
    // Where nothing is stored it stands for nothing.
    let before = text(tmp.path());
    let raw = json!({ "gateway": { "auth": { "password": oc_text::redact::SENTINEL } } }).to_string();
    let refused = patch(&context, json!({ "raw": raw, "baseHash": hash(&context) })).unwrap_err();
    assert!(refused.message.contains("gateway.auth.password"), "{}", refused.message);
    assert_eq!(text(tmp.path()), before);
}

#[test]
fn a_write_needs_the_hash_of_what_was_read() {
    let tmp = tempfile::tempdir().unwrap();
    let context = written(tmp.path());
    for base in [Value::Null, json!(""), json!("stale")] {
        for method in [set, patch, apply] {
            let refused = method(&context, json!({ "raw": "{}", "baseHash": base })).unwrap_err();
            assert!(refused.message.contains("config.get"), "{}", refused.message);
        }
    }
    assert_eq!(text(tmp.path()), TEXT);
}

#[test]
fn the_first_configuration_needs_no_hash() {
    let tmp = tempfile::tempdir().unwrap();
    let context = config_context(tmp.path());
    let view = get(&context, json!({})).unwrap();
    assert_eq!((&view["exists"], &view["raw"], &view["valid"]), (&json!(false), &Value::Null, &json!(true)));
    set(&context, json!({ "raw": "{ gateway: { mode: 'local' } }" })).unwrap();
    assert!(text(tmp.path()).contains("local"));
}

#[test]
fn a_patch_merges_and_null_removes() {
    let tmp = tempfile::tempdir().unwrap();
    let context = written(tmp.path());
    let of = |raw: &str| {
        patch(
            &context,
            json!({ "raw": raw, "baseHash": hash(&context), "restartDelayMs": 500, "sessionKey": "agent:main:main" }),
        )
    };
    let answer = of("{ channels: { telegram: { dmPolicy: null, groups: { a: null, '*': { requireMention: true } } } }, nothing: null }").unwrap();
    let telegram = &answer["config"]["channels"]["telegram"];
    assert_eq!(telegram["groups"], json!({ "*": { "requireMention": true } }));
    assert_eq!(answer["restart"]["delayMs"], 500);
    assert_eq!(answer["sentinel"]["payload"]["sessionKey"], "agent:main:main");
    assert!(!text(tmp.path()).contains("dmPolicy"));
    assert!(of("[1]").is_err());
    assert!(of("{").is_err());
    let invalid = of("{ nosuchkey: 1 }").unwrap_err();
    assert_eq!(issues_of(invalid)[0]["path"], "nosuchkey");
}

#[test]
fn sp_071_who_may_connect_is_not_removed_over_the_wire() {
    let tmp = tempfile::tempdir().unwrap();
    let context = written(tmp.path());
    for raw in ["{ gateway: { auth: null } }", "{ gateway: null }"] {
        let refused = patch(&context, json!({ "raw": raw, "baseHash": hash(&context) })).unwrap_err();
        assert!(refused.message.contains("gateway"), "{}", refused.message);
    }
    assert_eq!(text(tmp.path()), TEXT);
}

#[test]
fn sp_051_includes_are_not_changed_over_the_wire() {
    let tmp = tempfile::tempdir().unwrap();
    let context = written(tmp.path());
    for raw in ["{ $include: './x.json' }", "{ gateway: { $include: '/etc/x.json' } }"] {
        assert!(patch(&context, json!({ "raw": raw, "baseHash": hash(&context) })).is_err(), "{raw}");
    }
    // One that stands is kept by a whole new text.
    let state = tmp.path().join("state");
    std::fs::write(state.join("more.json"), "{ messages: { ackReactionScope: 'all' } }").unwrap();
    std::fs::write(state.join("openclaw.json"), "{ $include: './more.json', gateway: { mode: 'local' } }\n")
        .unwrap();
    let raw = "{ $include: './more.json', gateway: { mode: 'local', port: 19000 } }";
    set(&context, json!({ "raw": raw, "baseHash": hash(&context) })).unwrap();
    assert_eq!(text(tmp.path()), "{ $include: './more.json', gateway: { mode: 'local', port: 19000 } }\n");
    assert!(
        set(&context, json!({ "raw": "{ gateway: { mode: 'local' } }", "baseHash": hash(&context) }))
            .is_err()
    );
}

#[test]
fn sp_055_a_write_leaves_a_copy_and_a_record() {
    use std::os::unix::fs::PermissionsExt;
    let tmp = tempfile::tempdir().unwrap();
    let context = written(tmp.path());
    apply(&context, json!({ "raw": TEXT.replace("pairing", "disabled"), "baseHash": hash(&context) }))
        .unwrap();
    let state = tmp.path().join("state");
    assert_eq!(std::fs::read_to_string(state.join("openclaw.json.bak")).unwrap(), TEXT);
    for file in ["openclaw.json", "openclaw.json.bak", "restart-sentinel.json"] {
        let mode = std::fs::metadata(state.join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
    let log = oc_fs::change_log::read(&state).unwrap().records;
    assert!(log.last().unwrap().writer.starts_with("gateway (test)"));
}

#[test]
fn the_schema_is_the_older_draft_and_has_hints() {
    let tmp = tempfile::tempdir().unwrap();
    let answer = schema(&config_context(tmp.path()), json!({})).unwrap();
    assert_eq!(answer["schema"]["$schema"], "http://json-schema.org/draft-07/schema#");
    assert!(answer["schema"]["definitions"]["credential"].is_object());
    assert!(!answer.to_string().contains("#/$defs/"));
    assert_eq!(answer["uiHints"]["gateway.auth.token"]["sensitive"], true);
    assert!(answer["uiHints"]["logging"]["label"].is_string());
    assert_eq!(answer["generatedAt"], "2023-11-14T22:13:20.000Z");
}
