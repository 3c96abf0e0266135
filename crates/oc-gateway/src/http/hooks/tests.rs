use hyper::HeaderMap;
use oc_types::Node;
use serde_json::{Value, json};

use super::mapped::{self, Mapped};
use super::order::{Named, Recipient};
use super::session;
use super::template::Source;
use crate::methods::Place;
use crate::methods::transcripts::place;
use crate::settings::{self, Flags, Hooks, Resolved};

fn hooks(more: &Value) -> (Place, Hooks, tempfile::TempDir) {
    let mut config = json!({
        "gateway": {"mode": "local", "auth": {"mode": "token"}},
        "hooks": {"enabled": true},
        "agents": {"list": [{"id": "main", "default": true}, {"id": "ops"}]},
    });
    config["hooks"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let tmp = tempfile::tempdir().unwrap();
    let here = place(tmp.path(), config.clone());
    let secret = |text: &str| Some(oc_types::Secret::new(text.to_owned()));
    let resolved = Resolved {
        token: secret("the-gateways-own-secret"),
        hooks: secret("the-secret-of-hooks"),
        ..Resolved::default()
    };
    let environment = oc_config::Environment::from_process(std::iter::empty::<(String, String)>());
    let tree: &Node = &here.config;
    let read = settings::read(tree, &environment, &Flags::default(), &resolved).unwrap();
    (here, read.hooks.unwrap(), tmp)
}

fn heard(more: &Value, agent: Option<&str>, named: &Named) -> Result<String, &'static str> {
    let (here, hooks, _tmp) = hooks(more);
    session::of(&here, &hooks, agent, named).map(|(_, key)| key)
}

#[test]
fn sp_354_no_request_reaches_a_chat_by_itself() {
    let asks = |key: &str| Named::Request(key.to_owned());
    let filled = |key: &str| Named::Filled(key.to_owned());
    let chats = [
        "main",
        "MAIN",
        "agent:main:main",
        "global",
        "agent:ops:telegram:direct:1001",
        "telegram:dm:1001",
        "agent:main:whatsapp:group:1",
        "agent:main:openai-user:ada",
        "hooked",
        "agent:nobody:hook:x",
        "agent::x",
        "",
        "work",
        "agent:main:subagent:hook:x",
    ];
    let own = json!({"allowRequestSessionKey": true});
    for key in chats {
        assert!(heard(&json!({}), None, &asks(key)).is_err(), "{key}");
        assert!(heard(&own, None, &asks(key)).is_err(), "{key}");
        assert!(heard(&json!({}), None, &filled(key)).is_err(), "{key}");
    }
    // Not switched on, not even one of its own.
    assert!(heard(&json!({}), None, &asks("hook:x")).is_err());
    assert_eq!(heard(&own, None, &asks("hook:X")).unwrap(), "agent:main:hook:x");
    assert_eq!(heard(&own, Some("ops"), &asks("hook:x")).unwrap(), "agent:ops:hook:x");
    assert!(heard(&own, Some("ops"), &asks("agent:main:hook:x")).is_err(), "of another agent");
    assert_eq!(heard(&json!({}), None, &filled("hook:gmail:1")).unwrap(), "agent:main:hook:gmail:1");
    // A name for the main session is the main session, however it begins.
    let (mut here, hooks, _tmp) = hooks(&own);
    here.config = std::sync::Arc::new(Node::from_json(
        &json!({"session": {"mainKey": "hook:inbox"}}),
        &oc_types::Origin::Default,
    ));
    assert!(session::of(&here, &hooks, None, &asks("hook:inbox")).is_err());
}

#[test]
fn sp_354_the_owner_says_where_else_hooks_are_heard() {
    let asks = |key: &str| Named::Request(key.to_owned());
    let listed = json!({"allowRequestSessionKey": true, "allowedSessionKeyPrefixes": ["agent:main:telegram:direct:", " ", "git:"]});
    assert_eq!(heard(&listed, None, &asks("telegram:dm:1001")).unwrap(), "agent:main:telegram:direct:1001");
    assert_eq!(heard(&listed, Some("ops"), &asks("git:1")).unwrap(), "agent:ops:git:1");
    for key in ["main", "hook:x", "agent:ops:telegram:direct:1"] {
        assert!(heard(&listed, None, &asks(key)).is_err(), "{key}");
    }
    assert_eq!(heard(&json!({}), None, &Named::Owner("main".to_owned())).unwrap(), "agent:main:main");
    assert_eq!(
        heard(&json!({"defaultSessionKey": "hook:inbox"}), Some("ops"), &Named::Nobody).unwrap(),
        "agent:ops:hook:inbox"
    );
    let (one, two) =
        (heard(&json!({}), None, &Named::Nobody).unwrap(), heard(&json!({}), None, &Named::Nobody).unwrap());
    assert!(one.starts_with("agent:main:hook:") && one != two);
}

#[test]
fn sp_354_only_agents_of_the_list_are_started() {
    for (list, agent, may) in [
        (json!(["ops"]), Some("ops"), true),
        (json!(["ops"]), Some("OPS"), true),
        (json!(["ops"]), None, false),
        (json!(["ops"]), Some("main"), false),
        (json!(["*"]), Some("main"), true),
        (json!([]), None, false),
        (json!([]), Some("main"), false),
        (json!(["nobody"]), Some("nobody"), false),
    ] {
        let got = heard(&json!({ "allowedAgentIds": list }), agent, &Named::Nobody);
        assert_eq!(got.is_ok(), may, "{list} {agent:?}");
    }
    assert!(heard(&json!({}), Some("nobody"), &Named::Nobody).is_err());
}

#[test]
fn sp_120_a_blank_agent_of_a_hook_is_no_agent() {
    for id in ["", " ", "no/body", "nobody"] {
        let body: super::order::Body =
            serde_json::from_value(json!({"message": "x", "agentId": id})).unwrap();
        let order = body.order();
        assert!(heard(&json!({}), order.agent.as_deref(), &order.session).is_err(), "{id:?}");
    }
    for id in [json!(" "), json!(""), json!(5), json!({"id": "ops"})] {
        let more = json!({"mappings": [{"match": {"path": "x"}, "agentId": id}]});
        let (here, hooks, _tmp) = hooks(&more);
        let source = Source { body: &json!({"a": 1}), headers: &HeaderMap::new(), path: "x" };
        let Some(Mapped::Turn(order)) = mapped::of(&hooks.mappings, source) else { panic!("a turn") };
        assert!(session::of(&here, &hooks, order.agent.as_deref(), &order.session).is_err(), "{id}");
    }
}

#[test]
fn mappings_make_turns_and_texts_of_requests() {
    let more = json!({"presets": ["gmail"], "mappings": [
        {"match": {"path": "/git/"}, "action": "agent", "agentId": "ops", "name": "Git {{repo}}", "sessionKey": "hook:git:{{repo}}",
         "messageTemplate": "{{who}} pushed", "deliver": true, "channel": "telegram", "to": "1001", "timeoutSeconds": 5},
        {"match": {"source": "bell"}, "action": "wake", "textTemplate": "{{text}}", "wakeMode": "next-heartbeat"},
        {"match": {"path": "js"}, "transform": {"module": "x.js"}},
        {"match": {"path": "open"}, "allowUnsafeExternalContent": true, "channel": "telegram", "to": "{{who}}", "sessionKey": "main"},
    ]});
    let (_, hooks, _tmp) = hooks(&more);
    let map = |path: &str, body: Value| {
        mapped::of(&hooks.mappings, Source { body: &body, headers: &HeaderMap::new(), path })
    };
    let turn = |path: &str, body: Value| match map(path, body) {
        Some(Mapped::Turn(order)) => *order,
        other => panic!("{other:?}"),
    };
    let git = turn("git", json!({"repo": "a", "who": "ada"}));
    assert_eq!(
        (git.text.as_str(), git.name.as_deref(), git.agent.as_deref()),
        ("ada pushed", Some("Git a"), Some("ops"))
    );
    assert_eq!(git.session, Named::Filled("hook:git:a".to_owned()));
    assert_eq!(
        git.recipient,
        Some(Recipient::Owner { channel: "telegram".to_owned(), to: "1001".to_owned() })
    );
    assert_eq!(
        map("x", json!({"source": "bell", "text": "ring"})),
        Some(Mapped::Wake { text: "ring".to_owned(), mode: Some("next-heartbeat".to_owned()) })
    );
    assert_eq!(map("x", json!({"source": "bell"})), Some(Mapped::Nothing));
    assert_eq!(map("js", json!({})), Some(Mapped::Transform));
    assert_eq!(map("x", json!({})), None);
    let open = turn("open", json!({"who": "7"}));
    assert_eq!(
        (open.form, open.session),
        (oc_agent::turn::said::HookForm::Plain, Named::Owner("main".to_owned()))
    );
    assert_eq!(
        open.recipient,
        Some(Recipient::Request { channel: "telegram".to_owned(), to: "7".to_owned() })
    );
    let mail =
        turn("gmail", json!({"messages": [{"id": "m1", "from": "a@b", "subject": "hi", "body": "text"}]}));
    assert_eq!(
        (mail.from, mail.form),
        (oc_text::external::ExternalSource::Email, oc_agent::turn::said::HookForm::Fenced)
    );
    assert!(mail.text.contains("From: a@b\nSubject: hi"), "{}", mail.text);
    // A session that the request filled in to be somebody's is not reached.
    let mail = turn("gmail", json!({"messages": [{"id": "x:main"}]}));
    assert_eq!(heard(&more, None, &mail.session).unwrap(), "agent:main:hook:gmail:x:main");
}
