use std::path::Path;

use oc_config::Locations;
use oc_sandbox::gate::{Caller, Surface};
use oc_types::{AgentId, Node, Origin};
use serde_json::{Value, json};

use super::*;

fn place(home: &Path, config: Value) -> Place {
    let state_dir = home.join(".openclaw");
    let locations = Locations {
        home: home.to_owned(),
        config: state_dir.join("openclaw.json"),
        credentials: state_dir.join("credentials"),
        state_dir,
    };
    Place::new(Arc::new(locations), Arc::new(Node::from_json(&config, &Origin::Default)), 1_700_000_000_000)
}

fn sessions(home: &Path) {
    let at = |agent: &str| home.join(".openclaw/agents").join(agent).join("sessions");
    let main = at("main");
    std::fs::create_dir_all(&main).unwrap();
    std::fs::create_dir_all(at("work")).unwrap();
    let entry = |id: &str, more: Value| {
        let mut entry = json!({"sessionId": id, "updatedAt": 1_699_999_999_000_u64});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    };
    let store = json!({
        "agent:main:main": entry("m", json!({})),
        "agent:main:telegram:group:1": entry("g", json!({"chatType": "group"})),
        "agent:main:subagent:a": entry("a", json!({"spawnedBy": "agent:main:telegram:group:1"})),
    });
    let write = |path: std::path::PathBuf, text: String| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    write(main.join("sessions.json"), store.to_string());
    write(at("work").join("sessions.json"), json!({"agent:work:main": entry("w", json!({}))}).to_string());
    let lines = [
        json!({"type": "session", "version": 3, "id": "m"}),
        json!({"type": "message", "message": {"role": "user", "content": "the secret plan"}}),
        json!({"type": "message", "message": {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hidden thought"},
            {"type": "text", "text": "x".repeat(5000)},
            {"type": "toolCall", "name": "exec", "arguments": {"command": "ls"}},
        ]}}),
        json!({"type": "message", "message": {"role": "toolResult", "toolName": "exec", "content": [{"type": "text", "text": "listing"}]}}),
    ];
    write(main.join("m.jsonl"), lines.map(|l| l.to_string() + "\n").concat());
}

fn caller(session: &str) -> Caller {
    let agent = AgentId::normalized(session.split(':').nth(1).unwrap());
    Caller::of_session(Surface::Model, agent, session)
}

fn ask(tool: ReadTool, place: &Place, session: &str, arguments: Value) -> Result<Value, String> {
    ask_for(tool, place, session, &[], arguments)
}

/// The same, with sessions behind it.
fn ask_for(
    tool: ReadTool,
    place: &Place,
    session: &str,
    behind: &[&str],
    arguments: Value,
) -> Result<Value, String> {
    let Value::Object(arguments) = arguments else { panic!("an object") };
    tool.check(&arguments)?;
    tool.read(
        place,
        &ToolCall {
            id: "1".to_owned(),
            tool: tool.name().to_owned(),
            arguments,
            caller: caller(session),
            behind: behind.iter().map(|s| caller(s)).collect(),
        },
    )
}

fn keys(list: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> =
        list["sessions"].as_array().unwrap().iter().map(|r| r["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    keys
}

const GROUP: &str = "agent:main:telegram:group:1";

#[test]
fn sp_420_a_list_holds_what_the_session_may_see() {
    let home = tempfile::tempdir().unwrap();
    sessions(home.path());
    let own =
        ask(ReadTool::SessionsList, &place(home.path(), json!({})), "agent:main:main", json!({})).unwrap();
    assert_eq!(keys(&own), ["agent:main:main"]);
    let open = place(home.path(), json!({"tools": {"sessions": {"visibility": "agent"}}}));
    let all = ask(ReadTool::SessionsList, &open, "agent:main:main", json!({})).unwrap();
    assert_eq!(keys(&all), ["agent:main:main", "agent:main:subagent:a", GROUP]);
    let sandboxed = place(home.path(), json!({"agents": {"defaults": {"sandbox": {"mode": "non-main"}}}}));
    let few = ask(ReadTool::SessionsList, &sandboxed, GROUP, json!({})).unwrap();
    assert_eq!(keys(&few), ["agent:main:subagent:a", GROUP]);
    let across = place(
        home.path(),
        json!({"tools": {"sessions": {"visibility": "all"}, "agentToAgent": {"enabled": true, "allow": ["main", "work"]}}, "agents": {"list": [{"id": "main"}, {"id": "work"}]}}),
    );
    let all = ask(ReadTool::SessionsList, &across, "agent:work:main", json!({"limit": 10})).unwrap();
    assert_eq!(keys(&all).len(), 4);
}

#[test]
fn sp_420_nobody_sees_through_another_session_what_is_not_shown_to_himself() {
    let home = tempfile::tempdir().unwrap();
    sessions(home.path());
    let config = json!({"tools": {"sessions": {"visibility": "agent"}},
        "agents": {"list": [{"id": "main"}, {"id": "work"}], "defaults": {"sandbox": {"mode": "non-main"}}}});
    let place = place(home.path(), config);
    let main = "agent:main:main";
    let listed = |behind: &[&str]| {
        let list = ask_for(ReadTool::SessionsList, &place, main, behind, json!({})).unwrap();
        keys(&list).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]).len(), 3);
    assert_eq!(listed(&[main]).len(), 3);
    // The group is sandboxed: what main does for it shows what the group may see.
    assert_eq!(listed(&[GROUP]), ["agent:main:subagent:a", GROUP]);
    assert!(listed(&["agent:work:main"]).is_empty());
    for tool in [ReadTool::SessionsHistory, ReadTool::SessionStatus] {
        let asked = |behind: &[&str]| ask_for(tool, &place, main, behind, json!({"sessionKey": main}));
        assert!(asked(&[]).is_ok(), "{}", tool.name());
        assert_eq!(asked(&[GROUP]).unwrap_err(), "there is no session of this key");
    }
    assert!(ask_for(ReadTool::SessionsList, &place, main, &["agent:main:a\u{0}b"], json!({})).is_err());
    let agents = |behind: &[&str]| {
        let list = ask_for(ReadTool::AgentsList, &place, main, behind, json!({})).unwrap();
        list["agents"].as_array().unwrap().len()
    };
    assert_eq!((agents(&[]), agents(&["agent:work:main"])), (1, 0));
}

#[test]
fn sp_420_not_visible_and_not_there_are_one_answer() {
    let home = tempfile::tempdir().unwrap();
    sessions(home.path());
    let sandboxed = place(home.path(), json!({"agents": {"defaults": {"sandbox": {"mode": "non-main"}}}}));
    for tool in [ReadTool::SessionsHistory, ReadTool::SessionStatus] {
        let hidden = ask(tool, &sandboxed, GROUP, json!({"sessionKey": "agent:main:main"})).unwrap_err();
        let missing = ask(tool, &sandboxed, GROUP, json!({"sessionKey": "agent:main:nothing"})).unwrap_err();
        let other = ask(tool, &sandboxed, GROUP, json!({"sessionKey": "agent:nobody:main"})).unwrap_err();
        assert_eq!((hidden.as_str(), missing.as_str()), (other.as_str(), other.as_str()));
        assert_eq!(hidden, "there is no session of this key");
    }
}

#[test]
fn a_history_is_cut_and_keeps_tools_and_thoughts_to_itself() {
    let home = tempfile::tempdir().unwrap();
    sessions(home.path());
    let open = place(home.path(), json!({}));
    let told =
        ask(ReadTool::SessionsHistory, &open, "agent:main:main", json!({"sessionKey": "main"})).unwrap();
    let text = told.to_string();
    assert!(text.contains("the secret plan") && text.contains("[cut]"), "{text}");
    assert!(
        !text.contains("hidden thought") && !text.contains("listing") && !text.contains("toolCall"),
        "{text}"
    );
    let all = ask(
        ReadTool::SessionsHistory,
        &open,
        "agent:main:main",
        json!({"sessionKey": "main", "includeTools": true}),
    );
    let text = all.unwrap().to_string();
    assert!(
        text.contains("listing") && text.contains("toolCall") && !text.contains("hidden thought"),
        "{text}"
    );
}

#[test]
fn agents_are_listed_as_far_as_they_may_be_reached() {
    let home = tempfile::tempdir().unwrap();
    sessions(home.path());
    let two = json!({"agents": {"list": [{"id": "main"}, {"id": "work"}]}});
    let listed =
        ask(ReadTool::AgentsList, &place(home.path(), two.clone()), "agent:main:main", json!({})).unwrap();
    assert_eq!(listed["agents"].as_array().unwrap().len(), 1);
    assert_eq!(listed["requester"], "main");
    let mut open = two;
    open["tools"] = json!({"agentToAgent": {"enabled": true}});
    let listed = ask(ReadTool::AgentsList, &place(home.path(), open), "agent:main:main", json!({})).unwrap();
    assert_eq!(listed["agents"].as_array().unwrap().len(), 2);
}

#[test]
fn wrong_arguments_are_named() {
    let check = |tool: ReadTool, v: Value| tool.check(v.as_object().unwrap()).unwrap_err();
    assert!(check(ReadTool::SessionsHistory, json!({})).contains("`sessionKey`"));
    assert!(check(ReadTool::SessionsList, json!({"limit": 0})).contains("`limit`"));
    assert!(check(ReadTool::SessionsList, json!({"kinds": "main"})).contains("`kinds`"));
    assert!(check(ReadTool::SessionStatus, json!({"model": "x"})).contains("`model`"));
}

#[test]
fn sp_420_what_follows_from_another_sessions_message_writes_to_no_further_one() {
    let home = tempfile::tempdir().unwrap();
    sessions(home.path());
    let place = place(home.path(), json!({"tools": {"sessions": {"visibility": "agent"}}}));
    let of = |session: &str, turn: Turn, sender: Option<&str>| {
        let mut caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), session);
        caller.turn = turn;
        caller.sender.id = sender.map(str::to_owned);
        caller
    };
    let ask = |caller: &Caller, behind: &[Caller]| {
        let Value::Object(arguments) = json!({"sessionKey": GROUP, "message": "x"}) else { panic!() };
        let call = ToolCall {
            id: "1".to_owned(),
            tool: "sessions_send".to_owned(),
            arguments,
            caller: caller.clone(),
            behind: behind.into(),
        };
        sessions_send::addressee(&place, &call).map(|a| a.key).map_err(|f| f.rule)
    };
    let main = "agent:main:main";
    let (person, later) = (of(main, Turn::Person, Some("7")), of(main, Turn::Background, None));
    assert_eq!(ask(&person, &[]).unwrap(), GROUP);
    assert_eq!(ask(&later, std::slice::from_ref(&person)).unwrap(), GROUP);
    let (written, above) = (of(main, Turn::InterSession, None), of("agent:main:x", Turn::Person, Some("8")));
    assert_eq!(ask(&written, std::slice::from_ref(&above)), Err("one-hop"));
    assert_eq!(ask(&later, &[written.clone(), above]), Err("one-hop"));
    // The report of a sub-agent, and what follows from it.
    assert_eq!(ask(&later, &[written, person.clone()]), Err("one-hop"));
    // What several people started hands nothing on, at once or later (SP-426).
    let nobody = of(main, Turn::Person, None);
    assert_eq!(ask(&nobody, std::slice::from_ref(&person)), Err("several-senders"));
    assert_eq!(ask(&later, &[nobody, person]), Err("several-senders"));
}

#[test]
fn sp_107_a_sandboxed_session_writes_to_none_outside() {
    let home = tempfile::tempdir().unwrap();
    sessions(home.path());
    let sandbox = |mode: &str| {
        let sandbox = json!({"mode": mode, "sessionToolsVisibility": "all"});
        place(
            home.path(),
            json!({"agents": {"defaults": {"sandbox": sandbox}}, "tools": {"sessions": {"visibility": "agent"}}}),
        )
    };
    let ask = |place: &Place, from: &str, to: &str| {
        let mut caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), from);
        caller.sender.id = Some("7".to_owned());
        let Value::Object(arguments) = json!({"sessionKey": to, "message": "x"}) else { panic!("an object") };
        let call = ToolCall {
            id: "1".to_owned(),
            tool: "sessions_send".to_owned(),
            arguments,
            caller,
            behind: std::sync::Arc::default(),
        };
        sessions_send::addressee(place, &call).map_err(|f| f.rule)
    };
    let main = "agent:main:main";
    assert_eq!(ask(&sandbox("non-main"), GROUP, main).unwrap_err(), "sandbox");
    for (mode, from, to) in [("non-main", main, GROUP), ("all", GROUP, main), ("off", GROUP, main)] {
        assert_eq!(ask(&sandbox(mode), from, to).unwrap().key, to, "{mode}");
    }
}
