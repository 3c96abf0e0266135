use serde_json::json;

use super::*;
use crate::schema::{dangerous_keys, lookup, path_matches, places};
use oc_types::KeyPath;

fn filled(json: &serde_json::Value) -> serde_json::Value {
    apply(&Node::from_json(json, &Origin::CommandLine)).to_json()
}

#[test]
fn sp_068_the_defaults_that_matter() {
    let rows: Vec<String> = table()
        .iter()
        .map(|r| {
            let note = if r.looser.is_empty() { String::new() } else { format!("  [looser: {}]", r.looser) };
            format!("{} = {}{note}", r.key, r.value)
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn sp_068_every_row_names_a_key_and_every_break_glass_switch_has_a_row_and_is_off() {
    for row in table() {
        let at = row.key.replace("[]", "[0]");
        let at = at.split('.').fold(KeyPath::root(), |at, part| match part.strip_suffix("[0]") {
            Some(name) => at.key(name).index(0),
            None if part == "*" => at.key("x"),
            None => at.key(part),
        });
        let known = lookup(&at).is_some() || row.key.starts_with("channels.*");
        assert!(known, "{} is no key", row.key);
    }
    let covered = |pattern: &str| {
        table().iter().any(|r| {
            let wild = r.key.replace("channels.*", "channels.telegram");
            r.key == pattern || wild == pattern
        })
    };
    for d in dangerous_keys() {
        // The seeds' defaults for lists and for content switches are "not set", which never lowers a guard.
        if d.pattern.starts_with("gateway.controlUi.dangerously")
            || d.pattern.starts_with("agents.defaults.sandbox.docker.")
            || d.pattern == "channels.telegram.dangerouslyAllowNameMatching"
        {
            assert!(covered(&d.pattern), "{} has no default", d.pattern);
        }
    }
    assert!(places().iter().any(|p| path_matches(&p.pattern, &KeyPath::dotted("gateway.bind"))));
}

#[test]
fn era_defaults_reach_every_section_and_account_before_any_overlay() {
    let json = json!({"channels": {
        "telegram": {"groupPolicy": "open", "accounts": {"work": {"botToken": "1:a"}}},
        "discord": {"dm": {}},
        "slack": {},
        "bluebubbles": {},
        "mattermost": {},
        "defaults": {},
    }});
    assert_eq!(
        filled(&json),
        json!({
            "channels": {
                "telegram": {
                    "groupPolicy": "open",
                    "accounts": {"work": {
                        "botToken": "1:a", "dmPolicy": "pairing", "groupPolicy": "allowlist", "streamMode": "partial",
                    }},
                    "dmPolicy": "pairing",
                    "streamMode": "partial",
                },
                "discord": {"dm": {"policy": "pairing"}, "groupPolicy": "allowlist"},
                "slack": {
                    "mode": "socket", "webhookPath": "/slack/events", "userTokenReadOnly": true,
                    "groupPolicy": "allowlist",
                },
                "bluebubbles": {"dmPolicy": "pairing", "groupPolicy": "allowlist"},
                "mattermost": {},
                "defaults": {},
            },
            "commands": {"native": "auto", "nativeSkills": "auto"},
        })
    );
}

#[test]
fn sp_060_defaults_keep_null_empty_and_absent_apart() {
    let json = json!({"channels": {"telegram": {"allowFrom": [], "dmPolicy": null}}, "commands": {}});
    let out = filled(&json);
    assert_eq!(out["channels"]["telegram"]["allowFrom"], json!([]));
    assert_eq!(out["channels"]["telegram"]["dmPolicy"], json!(null));
    assert!(out["channels"]["telegram"].get("groupAllowFrom").is_none());
    let node = apply(&Node::from_json(&json, &Origin::CommandLine));
    assert_eq!(node.path(&["channels", "telegram", "groupPolicy"]).unwrap().origin, Origin::Default);
}
