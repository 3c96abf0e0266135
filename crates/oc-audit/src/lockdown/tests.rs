#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;

use oc_config::document::{self, Format, Frame};
use oc_config::edit;
use oc_types::Origin;

use super::*;

fn tree(text: &str) -> Node {
    document::parse(&Frame::root("openclaw.json"), text.as_bytes(), Format::Json5).unwrap().node
}

/// The configuration after lockdown, which has nothing more to lock down.
#[track_caller]
fn locked(text: &str) -> Value {
    let changes: Vec<Change> = plan(&tree(text)).into_iter().map(|s| s.change).collect();
    let after = edit::apply(Path::new("openclaw.json"), text, Format::Json5, &changes).unwrap();
    assert_eq!(plan(&tree(&after)), Vec::new(), "{after}");
    tree(&after).to_json()
}

#[test]
fn the_seeds_steps_on_one_configuration() {
    let after = locked(
        r#"{ gateway: { bind: "lan", port: 1, auth: { mode: "token", token: "t", allowTailscale: true }, tailscale: { mode: "funnel" },
             controlUi: { allowedOrigins: ["https://a", "*"] } },
             tools: { elevated: { allowFrom: { telegram: ["*", "1"] } } }, commands: { useAccessGroups: false },
             agents: { list: [{ id: "a", tools: { elevated: { allowFrom: { slack: ["*"] } } } }] },
             channels: { defaults: { groupPolicy: "open" },
               telegram: { dmPolicy: "open", allowFrom: ["*", 5, " * "], groups: { "7": { requireMention: false }, "*": { requireMention: false } } },
               discord: { dm: { policy: "open", allowFrom: ["*"], groupEnabled: true }, accounts: { x: { dm: { policy: "pairing" } }, y: {} } } } }"#,
    );
    let expected = json!({
        "gateway": {"bind":"loopback","port":1,"auth":{"mode":"token","token":"t","allowTailscale":false},"tailscale":{"mode":"off"},
            "controlUi":{"allowedOrigins":["https://a"]}},
        "tools": {"elevated":{"allowFrom":{"telegram":["1"]},"enabled":false}}, "commands":{"useAccessGroups":true},
        "agents": {"list":[{"id":"a","tools":{"elevated":{"allowFrom":{"slack":[]}}}}]},
        "channels": {"defaults":{"groupPolicy":"allowlist"},
            "telegram":{"dmPolicy":"disabled","allowFrom":[5],"groups":{"7":{"requireMention":true}},"groupPolicy":"allowlist"},
            "discord":{"dm":{"policy":"disabled","allowFrom":[],"groupEnabled":false},
                "accounts":{"x":{"dm":{"policy":"disabled"}},"y":{}},"groupPolicy":"allowlist"}}
    });
    assert_eq!(after, expected);
}

#[test]
fn a_quiet_configuration_only_gets_what_is_not_said() {
    assert_eq!(locked("{}"), json!({"tools":{"elevated":{"enabled":false}}}));
    let notes: Vec<String> =
        plan(&tree("{ channels: { whatsapp: {} } }")).into_iter().map(|s| s.note).collect();
    assert_eq!(
        notes,
        [
            "channels.whatsapp.dmPolicy: (unset) -> disabled",
            "channels.whatsapp.groupPolicy: (unset) -> allowlist",
            "tools.elevated.enabled: (unset) -> false"
        ]
    );
}

#[test]
fn rooms_are_switched_off_where_taking_the_star_out_would_open() {
    // The only entry: an emptied map lists no rooms, so all of them.
    let after = locked(r#"{ channels: { telegram: { groups: { "*": { tools: { deny: ["exec"] } } } } } }"#);
    assert_eq!(after["channels"]["telegram"]["groupPolicy"], "disabled");
    assert_eq!(after["channels"]["telegram"]["groups"], json!({}));
    // It restricts the tools of listed rooms, too; an account's own policy and a room's own policy stand before the channel's.
    let after = locked(
        r#"{ channels: { telegram: { groups: { "5": { groupPolicy: "open" }, "*": { tools: { deny: ["exec"] } } },
             accounts: { a: { groupPolicy: "allowlist" }, b: {} } } } }"#,
    );
    let telegram = &after["channels"]["telegram"];
    assert_eq!(telegram["groupPolicy"], "disabled");
    assert_eq!(telegram["groups"]["5"]["groupPolicy"], "disabled");
    assert_eq!(telegram["accounts"]["a"]["groupPolicy"], "disabled");
    assert_eq!(telegram["accounts"]["b"]["groupPolicy"], "disabled");
    let after =
        locked(r#"{ channels: { discord: { guilds: { g: { channels: { "*": { allow: true } } } } } } }"#);
    assert_eq!(after["channels"]["discord"]["groupPolicy"], "disabled");
}

#[test]
fn keys_that_a_channel_does_not_have_are_not_written() {
    let after =
        locked("{ channels: { zalo: { botToken: 'x' }, nostr: {}, mattermost: { chatmode: 'onmessage' } } }");
    assert_eq!(after["channels"]["zalo"].get("groupPolicy"), None);
    assert_eq!(after["channels"]["nostr"]["dmPolicy"], "disabled");
    assert_eq!(after["channels"]["mattermost"]["chatmode"], "oncall");
    // A list that is written as something else is left to the validation.
    let odd = Node::from_json(&json!({"channels": {"telegram": [1], "slack": "x"}}), &Origin::Default);
    assert!(!plan(&odd).is_empty());
}
