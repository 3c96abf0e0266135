#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use oc_types::{Explanation, Node, Origin};
use serde_json::{Value, json};

use super::{Question, explain};
use crate::inventory::{Inventory, Tool};
use crate::sender::Sender;
use crate::tool_policy::Context;

fn ask(config: &Value, context: Context<'_>, tool: &str) -> Explanation {
    ask_with(config, context, tool, &Inventory::standard())
}

fn ask_with(config: &Value, context: Context<'_>, tool: &str, inventory: &Inventory) -> Explanation {
    let config = Node::from_json(config, &Origin::Default);
    explain(&Question { config: &config, inventory, context, tool, model_sees_images: None }).unwrap()
}

fn key(answer: &Explanation) -> String {
    answer.decided_by.key_path.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn changes(answer: &Explanation) -> Vec<&str> {
    answer.flip.iter().map(|f| f.change.as_str()).collect()
}

#[test]
fn uq_01_an_agent_profile_replaces_the_global_one() {
    let config = json!({"tools": {"profile": "coding"}, "agents": {"list": [
        {"id": "main", "default": true}, {"id": "support", "tools": {"profile": "messaging"}}]}});
    let context = Context::session("agent:support:telegram:group:-1001");
    let answer = ask(&config, context, "exec");
    assert_eq!((answer.verdict.as_str(), answer.decided_by.layer.as_str()), ("denied", "profile"));
    assert_eq!(key(&answer), "agents.list[1].tools.profile");
    assert!(answer.trace.iter().any(|s| s.rule == "shadowed profile" && s.detail.contains("coding")));
    assert_eq!(changes(&answer), [r#"--set 'agents.list[1].tools.alsoAllow=["exec"]'"#]);
    assert!(answer.flip[0].opens.contains("apply_patch"));
}

#[test]
fn uq_02_a_list_of_misspellings_blocks_everything_and_says_so() {
    let config = json!({"agents": {"list": [
        {"id": "main", "default": true}, {"id": "builder", "tools": {"allow": ["exce", "reed"]}}]}});
    let answer = ask(&config, Context::session("agent:builder:main"), "read");
    assert_eq!((answer.verdict.as_str(), answer.decided_by.layer.as_str()), ("denied", "agent"));
    assert_eq!(key(&answer), "agents.list[1].tools.allow");
    let notes = answer.notes.join("\n");
    assert!(notes.contains("allow[0]") && notes.contains("exec"), "{notes}");
    assert!(notes.contains("allow[1]") && notes.contains("read"), "{notes}");
    assert!(notes.contains("always binds"), "{notes}");
    assert_eq!(changes(&answer), [r#"--set 'agents.list[1].tools.allow[1]="read"'"#]);
}

#[test]
fn uq_03_an_optional_plugin_tool_waits_to_be_named() {
    let inventory = Inventory::with_plugins([Tool::plugin("voice_transcribe", "voice-notes").optional()]);
    let config =
        json!({"plugins": {"entries": {"voice-notes": {"enabled": true}}}, "tools": {"allow": ["*"]}});
    let answer = ask_with(&config, Context::session("agent:main:main"), "voice_transcribe", &inventory);
    assert_eq!((answer.verdict.as_str(), answer.reason.as_str()), ("absent", "optional-plugin-tool"));
    assert_eq!((answer.decided_by.layer.as_str(), key(&answer).as_str()), ("inventory", "tools.allow"));
    assert_eq!(answer.facts["plugin"], "voice-notes");
    let expected =
        [r#"--set 'tools.allow=["*","voice-notes"]'"#, r#"--set 'tools.allow=["*","voice_transcribe"]'"#];
    assert_eq!(changes(&answer), expected);
}

#[test]
fn uq_04_the_sandbox_lists_stand_against_the_browser_twice() {
    let config = json!({"agents": {"list": [
        {"id": "family", "sandbox": {"mode": "all"}, "tools": {"allow": ["read", "browser"]}}]}});
    let context = Context::session("agent:family:whatsapp:group:120363001@g.us");
    let answer = ask(&config, context, "browser");
    assert_eq!((answer.verdict.as_str(), answer.decided_by.layer.as_str()), ("denied", "sandbox"));
    let reasons: Vec<_> = answer.trace.iter().filter(|s| s.layer == "sandbox").collect();
    assert_eq!(
        reasons.iter().map(|s| s.rule.as_str()).collect::<Vec<_>>(),
        ["default deny list", "default allow list"]
    );
    assert!(reasons.iter().all(|s| s.unset));
    assert_eq!(
        changes(&answer),
        [r#"--set 'agents.list[0].sandbox.tools={allow:["read","browser"],deny:[]}'"#]
    );
    assert!(answer.flip[0].opens.contains("both"));
    assert!(answer.notes.iter().any(|n| n.contains("agents.list[0].sandbox.browser.enabled")));
    assert!(
        answer
            .trace
            .iter()
            .any(|s| s.key_path.as_ref().is_some_and(|k| k.to_string() == "agents.list[0].sandbox.mode"))
    );
}

#[test]
fn uq_05_no_key_lifts_a_built_in_sub_agent_deny() {
    let config = json!({"tools": {"subagents": {"tools": {"allow": ["read", "memory_search"]}}}});
    let context =
        Context { spawned_by: Some("agent:main:main"), ..Context::session("agent:main:subagent:7f0c2b1e") };
    let answer = ask(&config, context, "memory_search");
    assert_eq!((answer.verdict.as_str(), answer.decided_by.layer.as_str()), ("denied", "subagent"));
    assert_eq!(answer.decided_by.source, Origin::Builtin);
    assert_eq!(answer.decided_by.key_path, None);
    assert!(answer.trace.iter().any(|s| s.detail.contains("overruled")));
    assert_eq!(changes(&answer), ["--session agent:main:main"]);
}

#[test]
fn uq_06_one_member_is_denied_by_user_name() {
    let config = json!({"channels": {"telegram": {"groups": {"*": {"tools": {"bySender":
        {"@untrusted_user": {"deny": ["exec", "process", "write"]}}}}}}}});
    let sender = Sender { id: Some("987654321"), username: Some("@untrusted_user"), ..Sender::default() };
    let context = Context::session("agent:main:telegram:group:-100123").with_sender(sender);
    let answer = ask(&config, context, "exec");
    assert_eq!((answer.verdict.as_str(), answer.decided_by.layer.as_str()), ("denied", "group"));
    assert_eq!(key(&answer), r#"channels.telegram.groups["*"].tools.bySender["@untrusted_user"].deny"#);
    let step = answer.trace.iter().find(|s| s.layer == "group").unwrap();
    assert!(step.detail.contains("by username (no key for id, e164)"), "{}", step.detail);
    assert!(answer.notes.iter().any(|n| n.contains("can change")));
    let expected =
        r#"--set 'channels.telegram.groups["*"].tools.bySender["@untrusted_user"].deny=["process","write"]'"#;
    assert_eq!(changes(&answer), [expected]);
    let other = Sender { username: Some("@other"), ..sender };
    assert_eq!(ask(&config, context.with_sender(other), "exec").verdict, "allowed");
}

#[test]
fn uq_07_the_model_decides_which_provider_entry_counts() {
    let config = json!({"tools": {"profile": "coding", "byProvider": {
        "google-antigravity": {"profile": "minimal"},
        "openai/gpt-5.2": {"allow": ["group:fs", "sessions_list"]}}}});
    let context = Context::session("agent:main:main");
    let first = ask(&config, context.with_model("openai", "gpt-5.2"), "exec");
    assert_eq!((first.verdict.as_str(), first.decided_by.layer.as_str()), ("denied", "globalProvider"));
    assert_eq!(key(&first), r#"tools.byProvider["openai/gpt-5.2"].allow"#);
    let expected = r#"--set 'tools.byProvider["openai/gpt-5.2"].allow=["group:fs","sessions_list","exec"]'"#;
    assert_eq!(changes(&first), [expected]);
    let second = ask(&config, context.with_model("openai", "gpt-5.1"), "exec");
    assert_eq!(second.verdict, "allowed");
    let step = second.trace.iter().find(|s| s.layer == "globalProvider").unwrap();
    assert!(step.detail.contains("neither openai/gpt-5.1 nor openai is a key"), "{}", step.detail);
}

#[test]
fn uq_23_a_read_only_workspace_withdraws_the_writing_tools() {
    let config = json!({"agents": {"list": [{"id": "family", "workspace": "~/.openclaw/workspace-family",
        "sandbox": {"mode": "all", "scope": "agent", "workspaceAccess": "ro"},
        "tools": {"allow": ["read", "write"]}}]}});
    let answer = ask(&config, Context::session("agent:family:main"), "write");
    assert_eq!((answer.verdict.as_str(), answer.reason.as_str()), ("absent", "workspace-read-only"));
    assert_eq!(key(&answer), "agents.list[0].sandbox.workspaceAccess");
    assert!(answer.trace.iter().any(|s| s.layer == "agent" && s.rule == "allow list"));
    let expected = [
        r#"--set 'agents.list[0].sandbox.workspaceAccess="none"'"#,
        r#"--set 'agents.list[0].sandbox.workspaceAccess="rw"'"#,
    ];
    assert_eq!(changes(&answer), expected);
}

#[test]
fn read_only_mode_shows_its_expansion() {
    let config = json!({"agents": {"defaults": {"readOnlyMode": true}}});
    let answer = ask(&config, Context::session("agent:main:main"), "exec");
    assert_eq!((answer.verdict.as_str(), answer.decided_by.layer.as_str()), ("denied", "global"));
    assert_eq!(key(&answer), "agents.defaults.readOnlyMode");
    assert_eq!(changes(&answer), ["--set 'agents.defaults.readOnlyMode=false'"]);
    for tool in crate::read_only_mode::DENIED {
        assert_ne!(ask(&config, Context::session("agent:main:main"), tool).verdict, "allowed", "{tool}");
    }
}

#[test]
fn unknown_tools_and_the_owner() {
    let nothing = json!({});
    let answer = ask(&nothing, Context::session("agent:main:main"), "exce");
    assert_eq!((answer.verdict.as_str(), answer.reason.as_str()), ("absent", "unknown-tool"));
    assert!(answer.trace[0].detail.contains("exec"));
    let login = ask(&nothing, Context::session("agent:main:main"), "whatsapp_login");
    assert_eq!((login.verdict.as_str(), login.decided_by.layer.as_str()), ("denied", "ownerOnly"));
    assert_eq!(changes(&login), ["--owner"]);
}

/// Every change that is offered leads where it says (checked here once more, from its text).
#[test]
fn offered_changes_name_the_deciding_layers() {
    let config = json!({"tools": {"deny": ["group:runtime"], "profile": "minimal"}});
    let answer = ask(&config, Context::session("agent:main:main"), "exec");
    assert_eq!(changes(&answer), [r#"--set 'tools.alsoAllow=["exec"]' --set 'tools.deny=["process"]'"#]);
}
