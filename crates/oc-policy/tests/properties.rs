//! Security properties of the tool policy that are single statements rather than laws.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use oc_policy::inventory::{Inventory, Tool};
use oc_policy::layer::Layer;
use oc_policy::owner_only::Ownership;
use oc_policy::profile::Profile;
use oc_policy::sender::Sender;
use oc_policy::tool_policy::{CompiledPolicy, Context, IdsFrom, Refusal, ToolDecision, WarningKind};
use oc_types::{Node, Origin};
use serde_json::{Map, Value, json};

fn compile(config: Value) -> (CompiledPolicy, Vec<oc_policy::tool_policy::Warning>) {
    CompiledPolicy::compile(&Node::from_json(&config, &Origin::Default))
}

fn decide(config: Value, context: &Context<'_>, tool: &str) -> ToolDecision {
    compile(config).0.decide(context, tool).unwrap()
}

const MAIN: Context<'static> = Context {
    session_key: Some("agent:main:main"),
    spawned_by: None,
    provider: None,
    model: None,
    channel: None,
    group_id: None,
    group_channel: None,
    group_space: None,
    account_id: None,
    sender: Sender { id: None, e164: None, username: None, name: None },
    owner: Ownership::NotProven,
    ids_from: IdsFrom::Client,
};

#[test]
fn sp_102_names_meet_in_one_form_on_both_sides() {
    for (entry, tool) in [
        ("bash", "exec"),
        ("exec", "bash"),
        ("APPLY-PATCH", "apply_patch"),
        ("automations", "cron"),
        (" Cron ", "automations"),
    ] {
        assert_eq!(
            decide(json!({"tools": {"deny": [entry]}}), &MAIN, tool),
            ToolDecision::Removed(Layer::Global),
            "{entry}"
        );
        assert!(decide(json!({"tools": {"allow": [entry]}}), &MAIN, tool).is_allowed(), "{entry}");
        assert!(!decide(json!({"tools": {"allow": [entry]}}), &MAIN, "read").is_allowed());
    }
}

#[test]
fn sp_103_unknown_words_are_reported_with_the_nearest_name_and_widen_nothing() {
    let (policy, warnings) = compile(json!({"tools": {"allow": ["exce", "group:fss"], "deny": ["brwoser"]}}));
    assert!(!policy.decide(&MAIN, "exec").unwrap().is_allowed());
    let said: Vec<(String, Option<&str>)> =
        warnings.iter().map(|w| (w.key_path.to_string(), w.nearest.as_deref())).collect();
    assert!(said.contains(&("tools.allow[0]".to_owned(), Some("exec"))), "{said:?}");
    assert!(said.contains(&("tools.allow[1]".to_owned(), Some("group:fs"))), "{said:?}");
    assert!(said.contains(&("tools.deny[0]".to_owned(), Some("browser"))), "{said:?}");
    assert!(warnings.iter().any(|w| w.kind == WarningKind::NothingKnown));
}

#[test]
fn sp_104_plugin_session_and_foreign_tools_pass_the_same_filter() {
    let inventory = Inventory::with_plugins([Tool::plugin("lobster", "lobster")]);
    let config = Node::from_json(&json!({"tools": {"allow": ["read"]}}), &Origin::Default);
    let (policy, _) = CompiledPolicy::compile_with(&config, inventory);
    // A tool that came later than the inventory (MCP, client, session) is judged like any other.
    let late = [
        Tool::core("read"),
        Tool::plugin("lobster", "lobster"),
        Tool::plugin("mcp_tool", "mcp"),
        Tool::core("client_tool"),
    ];
    let left = policy.filter(&MAIN, &late).unwrap();
    assert_eq!(left.tools(), [Tool::core("read")]);
    assert_eq!(left.removed().len(), 3);
}

#[test]
fn sp_105_a_filtered_tool_is_refused_when_it_is_called() {
    let (policy, _) = compile(json!({"tools": {"deny": ["exec"]}}));
    let left = policy.filter(&MAIN, policy.inventory().tools()).unwrap();
    for name in ["exec", "bash", " EXEC ", "no_such_tool", ""] {
        assert!(!left.permits(name), "{name:?}");
    }
    assert!(left.permits("Read"));
}

#[test]
fn sp_106_provider_rules_match_canonical_ids() {
    for key in ["z.ai", "Z-AI", " zai "] {
        for provider in ["zai", "z.ai", " Z-ai"] {
            let context = Context { provider: Some(provider), model: Some("glm"), ..MAIN };
            let config = json!({"tools": {"byProvider": {key: {"deny": ["exec"]}}}});
            assert_eq!(
                decide(config, &context, "exec"),
                ToolDecision::Removed(Layer::GlobalProvider),
                "{key} {provider}"
            );
        }
    }
}

#[test]
fn conflicting_spellings_of_a_provider_both_apply_and_warn() {
    let config =
        json!({"tools": {"byProvider": {"openai": {"deny": ["exec"]}, " OpenAI ": {"deny": ["read"]}}}});
    let (policy, warnings) = compile(config);
    let context = Context { provider: Some("openai"), ..MAIN };
    for tool in ["exec", "read"] {
        assert!(!policy.decide(&context, tool).unwrap().is_allowed(), "{tool}");
    }
    assert!(warnings.iter().any(|w| w.kind == WarningKind::ConflictingSpellings));
}

#[test]
fn sp_109_a_callers_room_that_is_not_the_sessions_is_refused() {
    let config = json!({"channels": {"telegram": {"groups": {"-1": {"tools": {"deny": ["exec"]}}}}}});
    let (policy, _) = compile(config);
    let room = Context { session_key: Some("agent:main:telegram:group:-1"), ..MAIN };
    let ask = |c: Context<'_>| policy.decide(&c, "exec");
    assert_eq!(ask(room), Ok(ToolDecision::Removed(Layer::Group)));
    assert_eq!(
        ask(Context { group_id: Some("-1"), channel: Some("Telegram"), ..room }),
        Ok(ToolDecision::Removed(Layer::Group))
    );
    assert_eq!(
        ask(Context { group_id: Some("-1:topic:4"), ..room }),
        Ok(ToolDecision::Removed(Layer::Group))
    );
    for foreign in [
        Context { group_id: Some("-2"), ..room },
        Context { channel: Some("slack"), ..room },
        Context { group_id: Some("-1"), ..MAIN },
    ] {
        assert!(matches!(ask(foreign), Err(Refusal::ForeignRoom { .. })));
        assert!(ask(Context { ids_from: IdsFrom::Adapter, ..foreign }).is_ok(), "an adapter knows");
    }
}

#[test]
fn sp_111_absent_empty_blank_and_wildcard_allow_lists() {
    let left = |tools: Value| {
        let (policy, _) = compile(json!({"tools": tools}));
        policy.filter(&MAIN, policy.inventory().tools()).unwrap().tools().len()
    };
    let all = left(json!({}));
    for open in [
        json!({"allow": []}),
        json!({"allow": [" "]}),
        json!({"allow": ["*"]}),
        json!({"alsoAllow": ["read"]}),
    ] {
        assert_eq!(left(open.clone()), all, "{open}");
    }
    assert_eq!(left(json!({"allow": ["nope"]})), 0);
    assert_eq!(left(json!({"allow": [], "alsoAllow": ["read"]})), all);
    // Values of another shape are read as the stricter thing.
    for shut in [
        json!({"allow": null}),
        json!({"allow": "read"}),
        json!({"allow": [null]}),
        json!({"deny": null}),
        json!({"deny": [5, {}]}),
    ] {
        assert_eq!(left(shut.clone()), 0, "{shut}");
    }
}

#[test]
fn sp_113_a_decision_is_a_pure_function_of_its_inputs() {
    let config = json!({"tools": {"profile": "coding", "deny": ["exec"]}});
    let (a, b) = (compile(config.clone()).0, compile(config).0);
    let tools = a.inventory().tools().to_vec();
    assert_eq!(a.filter(&MAIN, &tools), b.filter(&MAIN, &tools));
}

#[test]
fn sp_116_owner_only_tools_need_a_proven_owner() {
    let config = || json!({"tools": {"allow": ["*", "whatsapp_login"], "profile": "minimal", "alsoAllow": ["whatsapp_login"]}});
    assert_eq!(decide(config(), &MAIN, "WhatsApp_Login"), ToolDecision::Removed(Layer::OwnerOnly));
    let owner = Context { owner: Ownership::Proven, ..MAIN };
    assert!(decide(config(), &owner, "whatsapp_login").is_allowed());
    let sub = Context { session_key: Some("agent:main:subagent:1"), ..owner };
    assert_eq!(decide(config(), &sub, "whatsapp_login"), ToolDecision::Removed(Layer::Subagent));
    assert_eq!(Ownership::default(), Ownership::NotProven);
}

#[test]
fn sp_119_unknown_enum_words_shut() {
    for word in ["Coding", "ful", "", "*"] {
        assert_eq!(Profile::parse(word), None);
        let (policy, warnings) = compile(json!({"tools": {"profile": word, "alsoAllow": []}}));
        assert_eq!(policy.decide(&MAIN, "read"), Ok(ToolDecision::Removed(Layer::Profile)), "{word:?}");
        assert!(warnings.iter().any(|w| w.kind == WarningKind::UnknownWord));
    }
    let (policy, _) = compile(json!({"agents": {"defaults": {"sandbox": {"mode": "nonmain"}}}}));
    assert!(matches!(policy.decide(&MAIN, "read"), Err(Refusal::Sandbox(_))));
}

#[test]
fn sp_120_a_malformed_agent_key_is_refused() {
    let (policy, _) = compile(json!({"agents": {"list": [{"id": "w", "tools": {"deny": ["exec"]}}]}}));
    for key in ["agent:w", "agent:", "agent::x", "AGENT:w:main", "agent:w:", "agent: :x", "agent:!!:x"] {
        let refused = policy.decide(&Context { session_key: Some(key), ..MAIN }, "read");
        assert_eq!(refused.map_err(|r| r.word()), Err("malformed_agent"), "{key}");
        let child = Context { session_key: Some("agent:w:subagent:1"), spawned_by: Some(key), ..MAIN };
        assert!(policy.decide(&child, "read").is_err(), "spawned by {key}");
    }
    let (_, warnings) = compile(json!({"agents": {"list": [{"id": " "}, {}, {"id": "w"}, {"id": "W"}]}}));
    assert_eq!(warnings.iter().filter(|w| w.kind == WarningKind::BlankAgentId).count(), 2);
    assert!(warnings.iter().any(|w| w.kind == WarningKind::ConflictingSpellings));
}

#[test]
fn denied_channels_close_message_to_that_channel() {
    let (policy, _) =
        compile(json!({"tools": {"allow": ["message", "slack", "telegram"], "deny": ["Telegram"]}}));
    let left = policy.filter(&MAIN, policy.inventory().tools()).unwrap();
    assert!(left.permits("message"));
    let scope = left.message_scope();
    assert!(
        scope.permits("slack")
            && !scope.permits("telegram")
            && !scope.permits("discord")
            && !scope.permits("?")
    );
}

#[test]
fn optional_plugin_tools_wait_to_be_named() {
    let inventory = || Inventory::with_plugins([Tool::plugin("voice_transcribe", "Voice-Notes").optional()]);
    for (tools, there) in [
        (json!({}), false),
        (json!({"allow": ["*"]}), false),
        (json!({"allow": ["*", "voice*"]}), false),
        (json!({"allow": ["*", "voice-notes"]}), true),
        (json!({"allow": ["*", "Voice_Transcribe"]}), true),
        (json!({"allow": ["*", "group:plugins"]}), true),
        (json!({"alsoAllow": ["voice-notes"]}), true),
        (json!({"allow": ["*", "voice-notes"], "deny": ["voice-notes"]}), false),
    ] {
        let config = Node::from_json(&json!({"tools": tools}), &Origin::Default);
        let (policy, _) = CompiledPolicy::compile_with(&config, inventory());
        assert_eq!(policy.decide(&MAIN, "voice_transcribe").unwrap().is_allowed(), there, "{tools}");
        let left = policy.filter(&MAIN, policy.inventory().tools()).unwrap();
        assert_eq!(left.permits("voice_transcribe"), there, "{tools}");
    }
}

#[test]
fn absurd_sizes_are_read_to_the_end() {
    let groups: Map<String, Value> =
        (0..10_000).map(|i| (format!("-{i}"), json!({"tools": {"deny": ["exec"]}}))).collect();
    let senders: Map<String, Value> =
        (0..100_000).map(|i| (format!("{i}"), json!({"deny": ["nope"]}))).collect();
    let (policy, warnings) = compile(json!({
        "tools": {"deny": ["*a".repeat(500_000), "x".repeat(1_000_000)]},
        "channels": {"telegram": {"groups": groups}, "signal": {"groups": {"*": {"toolsBySender": senders}}}},
    }));
    assert!(warnings.len() <= 1001, "the number of warnings is bounded");
    let context = Context { session_key: Some("agent:main:telegram:group:-9999"), ..MAIN };
    assert_eq!(policy.decide(&context, "exec"), Ok(ToolDecision::Removed(Layer::Group)));
    assert!(policy.decide(&context, "read").unwrap().is_allowed());
    let long = "a".repeat(1_000_000);
    let _ = policy.decide(&context, &long);
}
