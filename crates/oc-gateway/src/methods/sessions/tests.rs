use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::methods::transcripts::{NOW, place};
use crate::methods::{Paths, Place};

/// Writes a store and its transcripts.
fn write(place: &Place, agent: &str, store: &Value, transcripts: &[(&str, &[Value])]) {
    use std::os::unix::fs::PermissionsExt;
    let folder = place.locations.state_dir.join(format!("agents/{agent}/sessions"));
    std::fs::create_dir_all(&folder).unwrap();
    let put = |path: &Path, text: String| {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    put(&folder.join("sessions.json"), store.to_string());
    for (id, lines) in transcripts {
        put(&folder.join(format!("{id}.jsonl")), lines.iter().map(|l| format!("{l}\n")).collect());
    }
}

fn said(role: &str, text: &str) -> Value {
    json!({ "type": "message", "id": text, "message": { "role": role, "content": [{ "type": "text", "text": text }] } })
}

fn three(tmp: &Path) -> Place {
    let here = place(tmp, json!({ "agents": { "list": [{ "id": "main" }, { "id": "ops" }] } }));
    let store = json!({
        "main": { "sessionId": "a", "updatedAt": NOW - 5_000, "label": "boss" },
        "agent:main:telegram:group:-1": { "sessionId": "b", "updatedAt": NOW - 4_000, "subject": "Family", "chatType": "group" },
        "global": { "sessionId": "g", "updatedAt": NOW },
    });
    let lines = [
        json!({ "type": "session", "id": "a" }),
        said("user", "first words\nmore"),
        said("assistant", "the key is sk-canarycanarycanary1234"),
    ];
    write(&here, "main", &store, &[("a", &lines)]);
    let ops = json!({ "agent:ops:subagent:x": { "sessionId": "c", "updatedAt": NOW - 90_000_000, "spawnedBy": "agent:ops:main" } });
    write(&here, "ops", &ops, &[]);
    here
}

fn keys(answer: &Value) -> Vec<&str> {
    answer["sessions"].as_array().unwrap().iter().map(|s| s["key"].as_str().unwrap()).collect()
}

#[test]
fn a_list_is_newest_first_and_filtered() {
    let tmp = tempfile::tempdir().unwrap();
    let here = three(tmp.path());
    let of = |params| list(&here, params).unwrap();
    let all = of(json!({}));
    assert_eq!(keys(&all), ["agent:main:telegram:group:-1", "agent:main:main", "agent:ops:subagent:x"]);
    assert_eq!((&all["path"], &all["count"]), (&json!("(multiple)"), &json!(3)));
    assert_eq!(
        (&all["sessions"][0]["kind"], &all["sessions"][1]["kind"]),
        (&json!("group"), &json!("direct"))
    );
    for (params, want) in [
        (json!({ "limit": 1 }), vec!["agent:main:telegram:group:-1"]),
        (json!({ "agentId": "OPS" }), vec!["agent:ops:subagent:x"]),
        (json!({ "label": "boss" }), vec!["agent:main:main"]),
        (json!({ "spawnedBy": "agent:ops:main" }), vec!["agent:ops:subagent:x"]),
        (json!({ "search": "FAMI" }), vec!["agent:main:telegram:group:-1"]),
        (
            json!({ "activeMinutes": 60, "includeGlobal": true }),
            vec!["global", "agent:main:telegram:group:-1", "agent:main:main"],
        ),
        (json!({ "agentId": "nobody" }), vec![]),
    ] {
        assert_eq!(keys(&of(params.clone())), want, "{params}");
    }
    let titled = of(json!({ "includeDerivedTitles": true, "includeLastMessage": true, "label": "boss" }));
    assert_eq!(titled["sessions"][0]["derivedTitle"], "boss");
    assert_eq!(titled["sessions"][0]["lastMessagePreview"], "the key is sk-can…1234");
    for params in [json!({ "limit": 0 }), json!({ "nope": 1 }), json!([]), json!({ "limit": -1 })] {
        assert!(list(&here, params.clone()).is_err(), "{params}");
    }
}

#[test]
fn one_session_is_resolved_or_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let here = three(tmp.path());
    let key = |params| resolve(&here, params).map(|a| a["key"].as_str().unwrap().to_owned());
    assert_eq!(key(json!({ "key": "main" })).unwrap(), "agent:main:main");
    assert_eq!(key(json!({ "sessionId": "c" })).unwrap(), "agent:ops:subagent:x");
    assert_eq!(key(json!({ "label": "boss", "agentId": "main" })).unwrap(), "agent:main:main");
    for params in [
        json!({}),
        json!({ "key": "main", "label": "boss" }),
        json!({ "key": "agent:ops:main" }),
        json!({ "label": "nobody" }),
        json!({ "sessionId": "g" }),
    ] {
        assert!(key(params.clone()).is_err(), "{params}");
    }
}

#[test]
fn sp_014_history_and_preview_mask_credentials() {
    let tmp = tempfile::tempdir().unwrap();
    let here = three(tmp.path());
    let answer = history(&here, json!({ "sessionKey": "main" })).unwrap();
    assert_eq!(answer["messages"].as_array().unwrap().len(), 2);
    assert_eq!(answer["messages"][1]["content"][0]["text"], "the key is sk-can…1234");
    let answer = preview(&here, json!({ "keys": ["main", "agent:main:x", "agent:ghost:y", "agent:main:telegram:group:-1"], "maxChars": 20 })).unwrap();
    let rows = answer["previews"].as_array().unwrap();
    assert_eq!(
        rows[0]["items"],
        json!([{ "role": "user", "text": "first words\nmore" }, { "role": "assistant", "text": "the key is sk-can…1…" }])
    );
    assert_eq!(
        rows.iter().map(|r| r["status"].as_str().unwrap()).collect::<Vec<_>>(),
        ["ok", "missing", "missing", "empty"]
    );
}

#[test]
fn a_history_stays_within_its_limits() {
    let tmp = tempfile::tempdir().unwrap();
    let here = place(tmp.path(), json!({}));
    let store = json!({ "agent:main:main": { "sessionId": "a", "updatedAt": 1 } });
    let big = "x".repeat(1024 * 1024);
    let lines: Vec<Value> = (0..8).map(|n| said("user", &format!("{n}{big}"))).collect();
    write(&here, "main", &store, &[("a", &lines)]);
    let answer = history(&here, json!({ "sessionKey": "main", "limit": 1000 })).unwrap();
    let messages = answer["messages"].as_array().unwrap();
    assert!(
        messages.len() == 5 && answer["messages"].to_string().len() <= history::MAX_BYTES + 1024,
        "{}",
        messages.len()
    );
    assert!(messages[4]["content"][0]["text"].as_str().unwrap().starts_with('7'), "the last ones stay");
    for limit in [json!(0), json!(1001)] {
        assert!(history(&here, json!({ "sessionKey": "main", "limit": limit })).is_err());
    }
}

#[test]
fn a_patch_sets_clears_and_refuses() {
    let tmp = tempfile::tempdir().unwrap();
    let here = three(tmp.path());
    let of = |params| patch(&here, params);
    let answer =
        of(json!({ "key": "main", "thinkingLevel": "HIGH", "execAsk": "always", "model": "openai/gpt-5" }))
            .unwrap();
    assert_eq!(
        (&answer["entry"]["thinkingLevel"], &answer["entry"]["label"]),
        (&json!("high"), &json!("boss"))
    );
    assert_eq!(answer["resolved"], json!({ "modelProvider": "openai", "model": "gpt-5" }));
    let answer =
        of(json!({ "key": "agent:main:main", "thinkingLevel": null, "label": null, "model": null })).unwrap();
    assert_eq!((answer["entry"].get("thinkingLevel"), answer["entry"].get("label")), (None, None));
    assert_eq!(answer["resolved"]["modelProvider"], "anthropic");
    // The other spelling is gone: one entry a session.
    let store = here.store(&here.default_agent()).read().unwrap();
    assert!(store.contains_key("agent:main:main") && !store.contains_key("main"));
    let made = of(json!({ "key": "agent:ops:subagent:new", "spawnedBy": "agent:ops:main" })).unwrap();
    assert_eq!(made["entry"]["sessionId"].as_str().unwrap().len(), 36);
    of(json!({ "key": "agent:main:telegram:group:-1", "label": "mine" })).unwrap();
    for params in [
        json!({ "key": "main", "execSecurity": "bogus" }),
        json!({ "key": "main", "label": "mine" }),
        json!({ "key": "main", "label": " " }),
        json!({ "key": "main", "execNode": "" }),
        json!({ "key": "main", "spawnedBy": "agent:main:main" }),
        json!({ "key": "agent:ops:subagent:new", "spawnedBy": "agent:main:main" }),
        json!({ "key": "agent:ops:subagent:new", "spawnedBy": null }),
        json!({ "key": "agent:nobody:main", "label": "x" }),
        json!({ "key": "main", "sessionFile": "/etc/passwd" }),
        json!({ "label": "x" }),
    ] {
        let before = std::fs::read(here.store(&here.default_agent()).path()).unwrap();
        assert!(of(params.clone()).is_err(), "{params}");
        assert_eq!(std::fs::read(here.store(&here.default_agent()).path()).unwrap(), before, "{params}");
    }
}

#[test]
fn a_model_outside_the_list_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let models = json!({ "anthropic/claude-sonnet-4-5": { "alias": "sonnet" } });
    let here = place(tmp.path(), json!({ "agents": { "defaults": { "models": models } } }));
    let answer = patch(&here, json!({ "key": "main", "model": "Sonnet" })).unwrap();
    assert_eq!(answer["resolved"]["model"], "claude-sonnet-4-5");
    assert!(patch(&here, json!({ "key": "main", "model": "openai/gpt-5" })).is_err());
}

#[test]
fn reset_keeps_what_is_the_operators_and_nothing_of_the_talk() {
    let tmp = tempfile::tempdir().unwrap();
    let here = place(tmp.path(), json!({}));
    let store = json!({ "agent:main:main": { "sessionId": "a", "updatedAt": 1, "sendPolicy": "deny", "label": "l", "totalTokens": 9, "compactionCount": 3, "sessionFile": "a.jsonl" } });
    write(&here, "main", &store, &[("a", &[said("user", "x")])]);
    let answer = reset(&here, json!({ "key": "main" })).unwrap();
    let entry = &answer["entry"];
    assert_ne!(entry["sessionId"], "a");
    assert_eq!(
        (&entry["sendPolicy"], &entry["label"], &entry["totalTokens"]),
        (&json!("deny"), &json!("l"), &json!(0))
    );
    assert_eq!((entry.get("compactionCount"), entry.get("sessionFile")), (None, None));
    assert_eq!(history(&here, json!({ "sessionKey": "main" })).unwrap()["messages"], json!([]));
}

#[test]
fn delete_sets_the_transcript_aside_and_spares_the_main_session() {
    let tmp = tempfile::tempdir().unwrap();
    let here = place(tmp.path(), json!({}));
    let store = json!({ "agent:main:telegram:dm:5": { "sessionId": "a", "updatedAt": 1 }, "agent:main:main": { "sessionId": "m" } });
    write(&here, "main", &store, &[("a", &[said("user", "x")])]);
    let answer = delete(&here, json!({ "key": "agent:main:telegram:direct:5" })).unwrap();
    assert_eq!(answer["deleted"], true);
    let archived = answer["archived"][0].as_str().unwrap();
    assert!(archived.ends_with("a.jsonl.deleted.2023-11-14T22-13-20.000Z"), "{archived}");
    assert!(Path::new(archived).exists());
    assert_eq!(delete(&here, json!({ "key": "agent:main:telegram:direct:5" })).unwrap()["deleted"], false);
    assert!(delete(&here, json!({ "key": "main" })).is_err());
    assert_eq!(here.store(&here.default_agent()).read().unwrap().len(), 1);
}

#[test]
fn compact_shortens_once() {
    let tmp = tempfile::tempdir().unwrap();
    let here = place(tmp.path(), json!({}));
    let store = json!({ "agent:main:main": { "sessionId": "a", "updatedAt": 1, "totalTokens": 9 } });
    let lines: Vec<Value> = (0..10).map(|n| said("user", &n.to_string())).collect();
    write(&here, "main", &store, &[("a", &lines)]);
    let answer = compact(&here, json!({ "key": "main", "maxLines": 4 })).unwrap();
    assert_eq!((&answer["compacted"], &answer["kept"]), (&json!(true), &json!(4)));
    assert!(Path::new(answer["archived"].as_str().unwrap()).exists());
    let again = compact(&here, json!({ "key": "main", "maxLines": 4 })).unwrap();
    assert_eq!((&again["compacted"], &again["kept"]), (&json!(false), &json!(4)));
    let entry = here.store(&here.default_agent()).read().unwrap()["agent:main:main"].clone();
    assert_eq!((entry.get("totalTokens"), &entry["updatedAt"]), (None, &json!(NOW)));
}

#[test]
fn sp_008_a_damaged_store_is_an_error_for_every_method() {
    let tmp = tempfile::tempdir().unwrap();
    let here = three(tmp.path());
    let path = here.store(&here.default_agent()).path().to_owned();
    std::fs::write(&path, "{").unwrap();
    let key = || json!({ "key": "main" });
    assert!(list(&here, json!({})).is_err());
    assert!(resolve(&here, key()).is_err());
    assert!(patch(&here, key()).is_err());
    assert!(reset(&here, key()).is_err());
    assert!(compact(&here, key()).is_err());
    assert!(delete(&here, json!({ "key": "agent:main:x" })).is_err());
    assert!(history(&here, json!({ "sessionKey": "main" })).is_err());
    assert_eq!(preview(&here, json!({ "keys": ["main"] })).unwrap()["previews"][0]["status"], "error");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{");
    // Not even its place is told to a reader.
    let reader = here.showing(Paths::Short);
    let text = list(&reader, json!({})).unwrap_err().message;
    assert!(!text.contains(&*tmp.path().to_string_lossy()), "{text}");
}
