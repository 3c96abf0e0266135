use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::moved::MOVES;

fn run(json: &Json) -> Migrated {
    migrate(Node::from_json(json, &Origin::CommandLine), Reading::Product)
}

#[track_caller]
fn moves(before: Json, after: Json, listed: &[(&str, &str)]) {
    let out = run(&before);
    assert_eq!(out.issues, Vec::new(), "{before}");
    assert_eq!(out.tree.to_json(), after);
    let have: Vec<(String, String)> =
        out.moved.iter().map(|m| (m.from.to_string(), m.to.to_string())).collect();
    let want: Vec<(String, String)> =
        listed.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    assert_eq!(have, want);
}

#[track_caller]
fn refuses(before: Json, at: &[&str]) {
    let out = run(&before);
    let have: Vec<String> = out.issues.iter().map(|i| i.path.to_string()).collect();
    assert_eq!(have, at, "{before}");
    assert!(out.issues.iter().all(|i| i.fix.is_some()));
}

#[test]
fn uq_32_the_gateway_token_is_read_from_its_older_key() {
    let tree = Node::from_json(&json!({"gateway": {"mode": "local", "token": "abc"}}), &Origin::CommandLine);
    let out = migrate(tree, Reading::Product);
    let node = out.tree.path(&["gateway", "auth", "token"]).unwrap();
    assert_eq!(node.as_str(), Some("abc"));
    assert_eq!(
        node.origin,
        Origin::Migrated { from_key: "gateway.token".into(), from: Origin::CommandLine.into() }
    );
    assert!(out.tree.path(&["gateway", "token"]).is_none());
}

#[test]
fn the_listed_moves() {
    moves(
        json!({"telegram": {"botToken": "1:a", "requireMention": true}}),
        json!({"channels": {"telegram": {"botToken": "1:a", "groups": {"*": {"requireMention": true}}}}}),
        &[
            ("telegram", "channels.telegram"),
            ("channels.telegram.requireMention", "channels.telegram.groups[\"*\"].requireMention"),
        ],
    );
    moves(
        json!({"tools": {"bash": {"ask": "always"}}, "messages": {"tts": {"enabled": true}}}),
        json!({"tools": {"exec": {"ask": "always"}}, "messages": {"tts": {"auto": "always"}}}),
        &[("tools.bash", "tools.exec"), ("messages.tts.enabled", "messages.tts.auto")],
    );
    moves(
        json!({"routing": {
            "queue": {"mode": "queue"},
            "agentToAgent": {"enabled": false},
            "bindings": [{"agentId": "a", "match": {"provider": "telegram"}}],
            "groupChat": {"mentionPatterns": ["@bot"]},
            "agents": {"a": {"workspace": "~/a"}, "main": {"mentionPatterns": ["@m"]}},
        }}),
        json!({
            "messages": {"queue": {"mode": "queue"}, "groupChat": {"mentionPatterns": ["@bot"]}},
            "tools": {"agentToAgent": {"enabled": false}},
            "bindings": [{"agentId": "a", "match": {"channel": "telegram"}}],
            "agents": {"list": [
                {"workspace": "~/a", "id": "a"},
                {"id": "main", "groupChat": {"mentionPatterns": ["@m"]}, "default": true},
            ]},
        }),
        &[
            ("routing.queue", "messages.queue"),
            ("routing.agentToAgent", "tools.agentToAgent"),
            ("routing.groupChat.mentionPatterns", "messages.groupChat.mentionPatterns"),
            ("routing.bindings", "bindings"),
            ("routing.agents", "agents.list"),
        ],
    );
    moves(
        json!({"agent": {
            "model": "p/m", "modelFallbacks": ["p/n"], "allowedModels": ["p/m", "p/n"], "modelAliases": {"m": "p/m"},
            "workspace": "~/w", "elevated": {"enabled": false}, "tools": {"deny": ["exec"]},
        }}),
        json!({
            "agents": {"defaults": {
                "model": {"primary": "p/m", "fallbacks": ["p/n"]},
                "models": {"p/m": {"alias": "m"}, "p/n": {}},
                "workspace": "~/w",
            }},
            "tools": {"elevated": {"enabled": false}, "deny": ["exec"]},
        }),
        &[
            ("agent.model", "agents.defaults.model.primary"),
            ("agent.modelFallbacks", "agents.defaults.model.fallbacks"),
            ("agent.allowedModels", "agents.defaults.models"),
            ("agent.modelAliases", "agents.defaults.models"),
            ("agent.elevated", "tools.elevated"),
            ("agent.tools.deny", "tools.deny"),
            ("agent.workspace", "agents.defaults.workspace"),
        ],
    );
    moves(
        json!({"identity": {"name": "Clawd"}}),
        json!({"agents": {"list": [{"id": "main", "default": true, "identity": {"name": "Clawd"}}]}}),
        &[("identity", "agents.list[0].identity")],
    );
    moves(
        json!({"identity": {"name": "X"}, "agents": {"list": [{"id": "a"}, {"id": "b", "default": true}]}}),
        json!({"agents": {"list": [{"id": "a"}, {"id": "b", "default": true, "identity": {"name": "X"}}]}}),
        &[("identity", "agents.list[1].identity")],
    );
}

#[test]
fn sp_061_a_taken_place_is_an_issue_and_never_a_merge() {
    refuses(json!({"gateway": {"token": "a", "auth": {"token": "b"}}}), &["gateway.token"]);
    refuses(json!({"telegram": {}, "channels": {"telegram": {}}}), &["telegram"]);
    refuses(json!({"agent": {"tools": {"allow": ["exec"]}}, "tools": {"allow": []}}), &["agent.tools.allow"]);
    refuses(json!({"routing": {"agents": {"a": {}}}, "agents": {"list": []}}), &["routing.agents"]);
    refuses(
        json!({"agent": {"allowedModels": ["p/m"], "modelAliases": {"big": "p/other"}}}),
        &["agent.modelAliases"],
    );
}

#[test]
fn sp_061_no_wildcard_is_carried_over_or_invented() {
    refuses(
        json!({"routing": {"allowFrom": ["+1", " * "]}, "channels": {"whatsapp": {}}}),
        &["routing.allowFrom"],
    );
    refuses(json!({"routing": {"allowFrom": ["+1"]}}), &["routing.allowFrom"]);
    // A room map is a list of admitted rooms: the others stay out.
    let out = run(&json!({
        "routing": {"groupChat": {"requireMention": false}},
        "channels": {"telegram": {"groups": {"-1": {}, "-2": {"requireMention": true}}}, "whatsapp": {}},
    }));
    assert_eq!(
        out.tree.to_json(),
        json!({"channels": {
            "telegram": {"groups": {"-1": {"requireMention": false}, "-2": {"requireMention": true}}},
            "whatsapp": {"groups": {"*": {"requireMention": false}}},
        }})
    );
    // What `"*"` already says is not overruled for single rooms.
    let out = run(&json!({
        "routing": {"groupChat": {"requireMention": false}},
        "channels": {"telegram": {"groups": {"-1": {}, "*": {"requireMention": true}}}},
    }));
    assert_eq!(
        out.tree.to_json(),
        json!({"channels": {"telegram": {"groups": {"-1": {}, "*": {"requireMention": true}}}}})
    );
}

#[test]
fn the_era_reading_moves_nothing() {
    let json = json!({"gateway": {"token": "a"}, "telegram": {}});
    let out = migrate(Node::from_json(&json, &Origin::CommandLine), Reading::Era);
    assert_eq!(out.tree.to_json(), json);
    assert!(out.moved.is_empty() && out.issues.is_empty());
}

/// Every scalar of a tree, and the name of the key that holds it (or that holds the list it is in).
fn leaves(json: &Json, key: &str, out: &mut Vec<(String, String)>) {
    match json {
        Json::Array(items) => items.iter().for_each(|v| leaves(v, key, out)),
        Json::Object(members) => members.iter().for_each(|(k, v)| leaves(v, k, out)),
        scalar => out.push((key.to_owned(), scalar.to_string())),
    }
}

/// Whether a leaf opens something: a wildcard, an open policy, a switch that is on, a mention rule that is off.
fn opens(key: &str, value: &str) -> bool {
    matches!(value, "\"*\"" | "\"open\"" | "\"full\"" | "\"all\"")
        || (key == "requireMention" && value == "false")
}

fn older_value(from: &'static str) -> BoxedStrategy<Json> {
    let texts = proptest::collection::vec(
        proptest::sample::select(vec!["*", "+1555", "exec", "p/m", "p/n", " "]).prop_map(|s| json!(s)),
        0..4,
    )
    .prop_map(|v| json!(v));
    let section = proptest::collection::vec(
        (
            proptest::sample::select(vec![
                "dmPolicy",
                "allowFrom",
                "groups",
                "requireMention",
                "allow",
                "x",
                "a",
            ]),
            prop_oneof![
                texts.clone(),
                Just(json!("open")),
                Just(json!(true)),
                Just(json!(false)),
                Just(json!(null)),
                Just(json!({})),
                Just(json!({"-1": {}})),
            ],
        ),
        0..4,
    )
    .prop_map(|m| Json::Object(m.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()));
    let _ = from;
    prop_oneof![
        3 => section,
        2 => texts,
        1 => Just(json!("p/m")),
        1 => any::<bool>().prop_map(|b| json!(b)),
        1 => Just(json!(null)),
    ]
    .boxed()
}

fn put(tree: &mut Json, path: &str, value: Json) {
    let mut at = tree;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        let Some(members) = at.as_object_mut() else { return };
        if parts.peek().is_none() {
            members.insert(part.to_owned(), value);
            return;
        }
        at = members.entry(part).or_insert_with(|| json!({}));
    }
}

fn any_tree() -> impl Strategy<Value = Json> {
    let froms: Vec<&'static str> =
        MOVES.iter().filter(|m| m.migrated && !m.from.contains('*')).map(|m| m.from).collect();
    let old = proptest::sample::select(froms).prop_flat_map(|f| (Just(f), older_value(f)));
    let present = proptest::sample::select(vec![
        "channels.whatsapp",
        "channels.telegram",
        "channels.telegram.groups",
        "gateway.auth.token",
        "tools.allow",
        "agents.list",
        "agents.defaults.models",
        "tools.exec",
        "bindings",
        "messages.queue",
    ])
    .prop_flat_map(|f| (Just(f), older_value(f)));
    (proptest::collection::vec(old, 1..5), proptest::collection::vec(present, 0..4)).prop_map(
        |(old, present)| {
            let mut tree = json!({});
            for (path, value) in present.into_iter().chain(old) {
                put(&mut tree, path, value);
            }
            tree
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    /// SP-061: nothing that opens is there after a migration that was not there before; what was there under a present key
    /// stays as it was; and what is gone without an issue has gone to another place.
    #[test]
    fn sp_061_a_migration_only_relocates(before in any_tree()) {
        let out = run(&before);
        let after = out.tree.to_json();
        let (mut had, mut has) = (Vec::new(), Vec::new());
        leaves(&before, "", &mut had);
        leaves(&after, "", &mut has);
        for (key, value) in &has {
            if opens(key, value) {
                prop_assert!(had.iter().any(|(_, v)| v == value), "{} = {} appeared: {} -> {}", key, value, before, after);
            }
        }
        // Rooms are never added to a map that names rooms.
        let rooms = |t: &Json| t.pointer("/channels/telegram/groups").and_then(Json::as_object).map(|o| o.keys().cloned().collect::<Vec<_>>());
        if let Some(named) = rooms(&before) {
            prop_assert_eq!(rooms(&after), Some(named));
        }
        // Running it again changes nothing.
        let again = run(&after);
        prop_assert_eq!(again.tree.to_json(), after);
        prop_assert!(again.moved.is_empty());
    }

    /// SP-060: a moved empty list is an empty list, a moved null is null.
    #[test]
    fn sp_060_moved_values_keep_their_emptiness(value in prop_oneof![Just(json!([])), Just(json!({})), Just(json!(null))]) {
        let out = run(&json!({"agent": {"someKey": value.clone()}}));
        let moved = out.tree.to_json();
        prop_assert_eq!(moved.pointer("/agents/defaults/someKey"), Some(&value));
    }
}
