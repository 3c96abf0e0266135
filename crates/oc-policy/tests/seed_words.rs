//! What the two documents say about tools, in their own words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use oc_policy::batch::{Answer, answer};
use oc_policy::group;
use oc_policy::layer::Layer;
use oc_policy::tool_policy::{CompiledPolicy, Context};
use oc_types::{Node, Origin};
use serde_json::{Value, json};

const TOOLS: [&str; 24] = [
    "read",
    "edit",
    "write",
    "apply_patch",
    "exec",
    "process",
    "browser",
    "canvas",
    "nodes",
    "cron",
    "message",
    "tts",
    "gateway",
    "agents_list",
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "session_status",
    "web_search",
    "web_fetch",
    "image",
    "memory_search",
    "memory_get",
];

fn ask(config: Value, key: &str) -> Answer {
    let plugins = json!({"memory_search": "memory-core", "memory_get": "memory-core"});
    answer(
        &json!({"name": key, "config": config, "context": {"sessionKey": key}, "tools": TOOLS, "pluginTools": plugins}),
    )
}

/// 個人エージェント:フルアクセス、サンドボックスなし
#[test]
fn personal_agent_full_access_no_sandbox() {
    let config = json!({"agents": {"list": [
        {"id": "personal", "workspace": "~/.openclaw/workspace-personal", "sandbox": {"mode": "off"}}]}});
    let got = ask(config, "agent:personal:main");
    assert_eq!(got.allowed.len(), TOOLS.len());
    assert!(!got.derived.sandboxed);
}

/// 家族/仕事エージェント:サンドボックス化+読み取り専用ツール
#[test]
fn family_agent_sandboxed_read_only_tools() {
    let config = json!({"agents": {"list": [{"id": "family", "workspace": "~/.openclaw/workspace-family",
        "sandbox": {"mode": "all", "scope": "agent", "workspaceAccess": "ro"},
        "tools": {"allow": ["read"], "deny": ["write", "edit", "apply_patch", "exec", "process", "browser"]}}]}});
    let got = ask(config, "agent:family:main");
    assert_eq!(got.allowed, ["read"]);
    assert!(got.derived.sandboxed);
}

/// 公開エージェント:サンドボックス化+ファイルシステム/シェルツールなし
#[test]
fn public_agent_sandboxed_no_file_or_shell_tools() {
    let config = json!({"agents": {"list": [{"id": "public", "workspace": "~/.openclaw/workspace-public",
        "sandbox": {"mode": "all", "scope": "agent", "workspaceAccess": "none"},
        "tools": {
            "allow": ["sessions_list", "sessions_history", "sessions_send", "sessions_spawn", "session_status",
                "whatsapp", "telegram", "slack", "discord"],
            "deny": ["read", "write", "edit", "apply_patch", "exec", "process", "browser", "canvas", "nodes", "cron",
                "gateway", "image"]}}]}});
    let got = ask(config, "agent:public:main");
    assert_eq!(
        got.allowed,
        ["session_status", "sessions_history", "sessions_list", "sessions_send", "sessions_spawn"]
    );
    assert!(got.derived.sandboxed);
}

/// ツールプロファイル → プロバイダープロファイル → グローバルポリシー → プロバイダーポリシー → エージェントポリシー →
/// グループポリシー → サンドボックスポリシー → サブエージェントポリシー
#[test]
fn priority_table() {
    let words: Vec<&str> = Layer::ALL.iter().map(|l| l.word()).collect();
    let seed =
        ["profile", "providerProfile", "global", "globalProvider", "agent", "group", "sandbox", "subagent"];
    let places: Vec<usize> = seed.iter().map(|w| words.iter().position(|x| x == w).unwrap()).collect();
    assert!(places.is_sorted(), "{words:?}");

    // One tool for each row of the table, taken away there and nowhere before.
    let config = json!({
        "tools": {"profile": "coding", "alsoAllow": ["browser", "canvas", "message", "tts", "web_fetch"], "deny": ["tts"],
            "byProvider": {"openai": {"profile": "coding", "alsoAllow": ["canvas", "message", "tts", "web_fetch"], "deny": ["canvas"]}},
            "subagent": {"deny": ["write"]}},
        "agents": {"defaults": {"sandbox": {"mode": "all", "tools": {"allow": ["read", "write", "exec"], "deny": []}}},
            "list": [{"id": "main", "tools": {"deny": ["message"]}}]},
        "channels": {"telegram": {"groups": {"-1": {"tools": {"deny": ["web_fetch"]}}}}},
    });
    let got = answer(&json!({"name": "table", "config": config, "tools": TOOLS, "context": {
        "sessionKey": "agent:main:subagent:z", "spawnedBy": "agent:main:telegram:group:-1", "provider": "openai", "model": "m"}}));
    for (tool, layer) in [
        ("gateway", "profile"),
        ("browser", "providerProfile"),
        ("tts", "global"),
        ("canvas", "globalProvider"),
        ("message", "agent"),
        ("web_fetch", "group"),
        ("process", "sandbox"),
        ("write", "subagent"),
    ] {
        assert_eq!(got.removed_by[tool], layer, "{tool}");
    }
    // `image` joins every configured sandbox allow list.
    assert_eq!(got.allowed, ["apply_patch", "exec", "image", "read"]);
}

/// これは、グループポリシーがエージェントのツールセットをさらに制限できますが、拡張はできないことを意味します。
#[test]
fn a_group_restricts_an_agent_and_cannot_expand_it() {
    let config = json!({"agents": {"list": [{"id": "w", "tools": {"allow": ["read", "exec"]}}]},
        "channels": {"telegram": {"groups": {"*": {"tools": {"allow": ["read", "browser"]}}}}}});
    assert_eq!(ask(config, "agent:w:telegram:group:1").allowed, ["read"]);
}

/// プロファイル表: minimal, coding, messaging, full
#[test]
fn profiles() {
    for (profile, tools) in [
        ("minimal", &["session_status"][..]),
        (
            "coding",
            &[
                "apply_patch",
                "edit",
                "exec",
                "image",
                "memory_get",
                "memory_search",
                "process",
                "read",
                "session_status",
                "sessions_history",
                "sessions_list",
                "sessions_send",
                "sessions_spawn",
                "write",
            ],
        ),
        ("messaging", &["message", "session_status", "sessions_history", "sessions_list", "sessions_send"]),
    ] {
        assert_eq!(
            ask(json!({"tools": {"profile": profile}}), "agent:main:main").allowed,
            tools,
            "{profile}"
        );
    }
    assert_eq!(ask(json!({"tools": {"profile": "full"}}), "agent:main:main").allowed.len(), TOOLS.len());
}

/// グローバルまたはエージェントごとに設定: `support` は messaging に `slack` を足す
#[test]
fn the_support_agent_of_the_document() {
    let config = json!({"tools": {"profile": "coding"},
        "agents": {"list": [{"id": "support", "tools": {"profile": "messaging", "allow": ["slack"]}}]}});
    let node = Node::from_json(&config, &Origin::Default);
    let got = ask(config, "agent:support:main");
    assert_eq!(
        got.allowed,
        ["message", "session_status", "sessions_history", "sessions_list", "sessions_send"]
    );
    let (policy, warnings) = CompiledPolicy::compile(&node);
    assert!(warnings.is_empty(), "a channel is a known name: {warnings:?}");
    let context = Context::session("agent:support:main");
    let filtered = policy.filter(&context, policy.inventory().tools()).unwrap();
    assert!(filtered.message_scope().permits("slack") && !filtered.message_scope().permits("telegram"));
}

/// `group:runtime`: exec, bash, process をブロック
#[test]
fn denying_the_runtime_group_blocks_exec_bash_and_process() {
    let config = json!({"tools": {"profile": "coding", "deny": ["group:runtime"]}});
    let (policy, _) = CompiledPolicy::compile(&Node::from_json(&config, &Origin::Default));
    let context = Context::session("agent:main:main");
    for tool in ["exec", "bash", "process"] {
        assert!(!policy.decide(&context, tool).unwrap().is_allowed(), "{tool}");
    }
    for (name, tools) in
        [("group:fs", 4), ("group:sessions", 5), ("group:memory", 2), ("group:web", 2), ("group:ui", 2)]
    {
        assert_eq!(group::members(name).unwrap().len(), tools);
    }
}

/// プロバイダーポリシーは…ツールセットを縮小するのみです。
#[test]
fn a_provider_policy_only_shrinks() {
    let config = json!({"tools": {"profile": "coding", "byProvider": {
        "google-antigravity": {"profile": "minimal"},
        "openai/gpt-5.2": {"allow": ["group:fs", "sessions_list"]}}}});
    let with = |provider: &str, model: &str| {
        let context = json!({"sessionKey": "agent:main:main", "provider": provider, "model": model});
        answer(&json!({"name": "p", "config": config, "context": context, "tools": TOOLS})).allowed
    };
    assert_eq!(with("google-antigravity", "gemini"), ["session_status"]);
    assert_eq!(with("openai", "gpt-5.2"), ["apply_patch", "edit", "read", "sessions_list", "write"]);
    assert_eq!(with("openai", "gpt-5.1").len(), 14);
}
