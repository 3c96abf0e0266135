//! Recorded requests answered by these methods: same success, same code, and every recorded member there with the recorded type.

use std::path::Path;
use std::sync::Arc;

use oc_config::load::{LoadRequest, Reading};
use oc_config::{Environment, Locations, Overrides};
use oc_types::{Node, Origin};
use serde_json::{Value, json};

use super::config::ConfigContext;
use super::health::Serving;
use super::{Place, agents, approvals_file, channels, config, cron, health, sessions, skills};
use crate::protocol::frame::Failure;

/// The moment of the tests, in milliseconds since 1970.
pub(crate) const NOW: u64 = 1_700_000_000_000;

/// A snapshot over `<tmp>/state`.
pub(crate) fn place(tmp: &Path, config: Value) -> Place {
    let state_dir = tmp.join("state");
    let locations = Locations {
        home: tmp.to_owned(),
        config: state_dir.join("openclaw.json"),
        credentials: state_dir.join("credentials"),
        state_dir,
    };
    Place::new(Arc::new(locations), Arc::new(Node::from_json(&config, &Origin::Default)), NOW)
}

/// The configuration methods over `<tmp>/state`.
pub(crate) fn config_context(tmp: &Path) -> ConfigContext {
    ConfigContext {
        request: LoadRequest {
            environment: Environment::from_process(std::iter::empty::<(String, String)>()),
            overrides: Overrides { state_dir: Some(tmp.join("state")), config: None },
            cwd: tmp.to_owned(),
            os_home: Some(tmp.to_owned()),
            reading: Reading::Product,
        },
        now_ms: NOW,
        writer: "gateway (test)".to_owned(),
        version: "0.0.0",
    }
}

/// Methods that a recording holds and that are answered elsewhere.
fn answered_elsewhere(method: &str) -> bool {
    let other = [
        "node.",
        "device.",
        "voicewake",
        "usage.",
        "agents.files",
        "agent.wait",
        "models.",
        "last-heartbeat",
    ];
    let other = other.iter().any(|p| method.starts_with(p));
    other
        || matches!(
            method,
            "connect"
                | "system-presence"
                | "system-event"
                | "chat.abort"
                | "chat.send"
                | "wake"
                | "send"
                | "no.such.method"
                | "exec.approval.resolve"
        )
}

/// A host without programs and variables.
const NOTHING: skills::Host<'static> = skills::Host { path: &[], variable: &|_| false };

fn call(tmp: &Path, method: &str, params: Value) -> Option<Result<Value, Failure>> {
    let place = place(tmp, json!({ "logging": { "file": tmp.join("gwfile.log") } }));
    let context = config_context(tmp);
    let serving = Serving { heartbeats: true, ..Serving::default() };
    Some(match method {
        "health" => health::health(&place, &serving, params),
        "status" => health::status(&place, &serving, params),
        "config.get" => config::get(&context, params),
        "config.schema" => config::schema(&context, params),
        "config.set" => config::set(&context, params),
        "config.patch" => config::patch(&context, params),
        "config.apply" => config::apply(&context, params),
        "sessions.list" => sessions::list(&place, params),
        "sessions.resolve" => sessions::resolve(&place, params),
        "sessions.preview" => sessions::preview(&place, params),
        "sessions.patch" => sessions::patch(&place, params),
        "sessions.reset" => sessions::reset(&place, params),
        "sessions.delete" => sessions::delete(&place, params),
        "sessions.compact" => sessions::compact(&place, params),
        "chat.history" => sessions::history(&place, params),
        "channels.status" => channels::status(&place, &channels::Running::new(), params),
        "skills.status" => {
            skills::status(&oc_fs::skill_library::SkillLibrary::default(), &place, &NOTHING, params)
        }
        "agents.list" => agents::list(&place, params),
        "agent.identity.get" => agents::identity(&place, params),
        "exec.approvals.get" => approvals_file::get(&place, params),
        "exec.approvals.set" => approvals_file::set(&place, params),
        "cron.list" => cron::list(&place, params),
        "cron.status" => cron::status(&place, true, params),
        "logs.tail" => crate::log::tail(&place, &place.locations.home.join("gwfile.log"), params),
        _ => return None,
    })
}

/// Where `got` lacks a member of `want`, or has another type there. Content that is the operator's is not compared.
fn differences(at: &str, want: &Value, got: &Value, out: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(_), Value::Object(_))
            if matches!(at, ".config" | ".parsed" | ".schema" | ".uiHints") => {}
        (Value::Object(want), Value::Object(got)) => {
            for (key, value) in want.iter().filter(|(k, _)| *k != "<more>") {
                match got.get(key) {
                    Some(found) => differences(&format!("{at}.{key}"), value, found, out),
                    None => out.push(format!("{at}.{key} is missing")),
                }
            }
        }
        (Value::Array(want), Value::Array(got)) => {
            let cut = |v: &&Value| v.as_str().is_none_or(|s| !s.starts_with("<+"));
            if let (Some(want), Some(got)) = (want.iter().find(cut), got.first()) {
                differences(&format!("{at}[]"), want, got, out);
            }
        }
        (Value::Null, Value::Null)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        _ => out.push(format!("{at}: want {want}, got {got}")),
    }
}

/// Replaces the placeholders of a request.
fn filled(value: &Value, tmp: &Path, hash: &str) -> Value {
    match value {
        Value::String(s) if s.starts_with("<sha256#") => json!(hash),
        Value::String(s) => json!(s.replace("<HOME>", &tmp.to_string_lossy())),
        Value::Array(a) => a.iter().map(|v| filled(v, tmp, hash)).collect(),
        Value::Object(o) => o.iter().map(|(k, v)| (k.clone(), filled(v, tmp, hash))).collect(),
        other => other.clone(),
    }
}

/// Plays one recording; gives how many requests were answered here.
fn replay(recording: &str, tmp: &Path) -> usize {
    let lines: Vec<Value> = recording.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let (mut hash, mut answered, mut wrong) = (String::new(), 0, Vec::new());
    for (at, line) in lines.iter().enumerate().filter(|(_, l)| l["dir"] == "send") {
        let frame = &line["frame"];
        let method = frame["method"].as_str().unwrap_or_default();
        if frame["id"] == "" || frame["id"] == "big" || !frame.is_object() || answered_elsewhere(method) {
            continue;
        }
        let params = filled(frame.get("params").unwrap_or(&json!({})), tmp, &hash);
        let got = call(tmp, method, params).unwrap_or_else(|| panic!("{method} is not answered"));
        let is_answer = |l: &&Value| l["dir"] == "recv" && l["frame"]["id"] == frame["id"];
        let want = &lines[at..].iter().find(is_answer).unwrap()["frame"];
        let here = format!("{method} {}", frame["id"]);
        match (&got, want["ok"].as_bool()) {
            (Ok(payload), Some(true)) => {
                let mut found = Vec::new();
                differences("", &want["payload"], payload, &mut found);
                wrong.extend(found.iter().map(|f| format!("{here}: {f}")));
                if let Some(now) = payload.get("hash").filter(|_| method == "config.get") {
                    hash = now.as_str().unwrap().to_owned();
                }
            }
            (Err(failure), Some(false)) => {
                let failure = serde_json::to_value(failure).unwrap();
                assert_eq!(failure["code"], want["error"]["code"], "{here}");
                let mut found = Vec::new();
                differences("", &want["error"], &failure, &mut found);
                wrong.extend(found.iter().map(|f| format!("{here}: {f}")));
            }
            _ => wrong.push(format!("{here}: want ok={}, got {got:?}", want["ok"])),
        }
        answered += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    answered
}

fn state(tmp: &Path) {
    let state = tmp.join("state");
    std::fs::create_dir_all(state.join("agents/main/sessions")).unwrap();
    let log = tmp.join("gwfile.log");
    let config = json!({ "gateway": { "mode": "local" }, "logging": { "file": log } });
    std::fs::write(state.join("openclaw.json"), config.to_string()).unwrap();
    std::fs::write(tmp.join("gwfile.log"), "{\"0\":\"one\"}\n".repeat(500)).unwrap();
    private(&tmp.join("gwfile.log"));
    let approvals = json!({
        "version": 1,
        "socket": { "path": state.join("exec-approvals.sock"), "token": "canary-token-of-the-socket" },
        "defaults": {},
        "agents": {},
    });
    std::fs::write(state.join("exec-approvals.json"), approvals.to_string()).unwrap();
    private(&state.join("exec-approvals.json"));
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn the_recorded_reads_have_the_recorded_shape() {
    let tmp = tempfile::tempdir().unwrap();
    state(tmp.path());
    let recording = include_str!("../../../../fixtures/gateway/transcripts/03-reads.jsonl");
    assert_eq!(replay(recording, tmp.path()), 17);
}

#[test]
fn the_recorded_errors_have_the_recorded_code() {
    let tmp = tempfile::tempdir().unwrap();
    state(tmp.path());
    let recording = include_str!("../../../../fixtures/gateway/transcripts/04-errors.jsonl");
    assert_eq!(replay(recording, tmp.path()), 7);
}

#[test]
fn the_recorded_session_changes_have_the_recorded_shape() {
    let tmp = tempfile::tempdir().unwrap();
    state(tmp.path());
    let folder = tmp.path().join("state/agents/main/sessions");
    let store = json!({ "agent:main:main": {
        "sessionId": "5d3c1f0e-0000-4000-8000-000000000041",
        "updatedAt": NOW - 832,
        "systemSent": true,
        "abortedLastRun": false,
        "chatType": "direct",
        "deliveryContext": { "channel": "webchat", "to": "heartbeat" },
        "lastTo": "heartbeat",
        "origin": { "label": "heartbeat", "provider": "webchat", "from": "heartbeat", "to": "heartbeat", "surface": "webchat", "chatType": "direct" },
        "sessionFile": folder.join("5d3c1f0e-0000-4000-8000-000000000041.jsonl"),
        "skillsSnapshot": {
            "prompt": "p",
            "skills": [{ "name": "healthcheck" }],
            "resolvedSkills": [{ "name": "healthcheck", "description": "d", "filePath": "f", "baseDir": "b", "source": "s", "disableModelInvocation": false }],
            "version": 0,
        },
        "lastChannel": "webchat",
    } });
    std::fs::write(folder.join("sessions.json"), store.to_string()).unwrap();
    private(&folder.join("sessions.json"));
    let usage = json!({ "input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 0, "cost": { "input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "total": 0 } });
    let message = json!({ "role": "assistant", "content": [{ "type": "text", "text": "hello" }], "timestamp": NOW, "stopReason": "stop", "usage": usage, "api": "openai-responses", "provider": "openclaw", "model": "gateway-injected" });
    let lines = [
        json!({ "type": "session", "version": 3, "id": "5d3c1f0e-0000-4000-8000-000000000041" }),
        json!({ "type": "message", "id": "1", "parentId": null, "message": message }),
    ];
    let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
    let transcript = folder.join("5d3c1f0e-0000-4000-8000-000000000041.jsonl");
    std::fs::write(&transcript, text).unwrap();
    private(&transcript);
    let recording = include_str!("../../../../fixtures/gateway/transcripts/10-sessions-chat.jsonl");
    assert_eq!(replay(recording, tmp.path()), 6);
}

#[test]
fn the_recorded_configuration_writes_have_the_recorded_shape() {
    let tmp = tempfile::tempdir().unwrap();
    state(tmp.path());
    let recording = include_str!("../../../../fixtures/gateway/transcripts/11-config-write.jsonl");
    assert_eq!(replay(recording, tmp.path()), 6);
    assert!(tmp.path().join("state/restart-sentinel.json").exists());
    assert!(tmp.path().join("state/openclaw.json.bak").exists());
}

#[test]
fn sp_340_readers_see_no_path_and_no_canary() {
    let tmp = tempfile::tempdir().unwrap();
    state(tmp.path());
    let state = tmp.path().join("state");
    let canary = "canarycanarycanarycanary";
    let config = json!({
        "gateway": { "auth": { "token": canary, "password": canary }, "remote": { "token": canary } },
        "hooks": { "enabled": true, "token": canary },
        "channels": { "telegram": { "botToken": canary, "accounts": { "a": { "botToken": canary, "name": "sk-canarycanarycanary" } } }, "slack": { "appToken": canary } },
        "env": { "vars": { "X": canary } },
        "models": { "providers": { "p": { "apiKey": canary } } },
        "skills": { "entries": { "s": { "apiKey": canary, "env": { "K": canary } } } },
        "agents": { "list": [{ "id": "main", "workspace": tmp.path().join("w"), "identity": { "name": "N", "avatar": tmp.path().join("me.png") } }] },
    });
    let folder = state.join("agents/main/sessions");
    let store = json!({ "agent:main:main": {
        "sessionId": "a",
        "updatedAt": NOW,
        "label": "Bearer canarycanarycanarycanary",
        "sessionFile": folder.join("a.jsonl"),
        "skillsSnapshot": { "prompt": tmp.path() },
    } });
    std::fs::write(folder.join("sessions.json"), store.to_string()).unwrap();
    private(&folder.join("sessions.json"));
    let said = json!({ "message": { "role": "user", "content": "token=canarycanarycanarycanary" } });
    std::fs::write(folder.join("a.jsonl"), format!("{said}\n")).unwrap();
    std::fs::create_dir_all(state.join("cron")).unwrap();
    let jobs = json!({ "version": 1, "jobs": [{ "id": "j", "enabled": true, "payload": { "text": "sk-canarycanarycanary" } }] });
    std::fs::write(state.join("cron/jobs.json"), jobs.to_string()).unwrap();
    std::fs::create_dir_all(state.join("skills/s")).unwrap();
    std::fs::write(
        state.join("skills/s/SKILL.md"),
        "---\nname: s\ndescription: x sk-canarycanarycanary\n---\n",
    )
    .unwrap();
    std::fs::write(
        tmp.path().join("gwfile.log"),
        "{\"1\":\"Authorization: Basic Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5\"}\n",
    )
    .unwrap();
    let here = place(tmp.path(), config).showing(super::Paths::Short);
    let serving = Serving::default();
    let empty = || json!({});
    let answers = [
        health::health(&here, &serving, empty()),
        health::status(&here, &serving, empty()),
        sessions::list(&here, json!({ "includeDerivedTitles": true, "includeLastMessage": true })),
        sessions::preview(&here, json!({ "keys": ["main"] })),
        sessions::history(&here, json!({ "sessionKey": "main" })),
        agents::list(&here, empty()),
        agents::identity(&here, empty()),
        channels::status(&here, &channels::Running::new(), empty()),
        skills::status(&oc_fs::skill_library::SkillLibrary::default(), &here, &NOTHING, empty()),
        skills::bins(&oc_fs::skill_library::SkillLibrary::default(), &here, empty()),
        cron::list(&here, empty()),
        cron::status(&here, false, empty()),
        crate::log::tail(&here, &tmp.path().join("gwfile.log"), empty()),
    ];
    for (at, answer) in answers.into_iter().enumerate() {
        let text = answer.unwrap().to_string();
        assert!(!text.contains("canarycanary"), "{at}: {text}");
        assert!(!text.contains("Y2FuYXJ5Y2FuYXJ5"), "{at}: {text}");
        assert!(!text.contains(&*tmp.path().to_string_lossy()), "{at}: {text}");
    }
    assert_eq!(sessions::list(&here, empty()).unwrap()["count"], 1);
}
