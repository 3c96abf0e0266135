#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use oc_types::{AgentId, Node, Origin};
use serde_json::{Value, json};

use super::*;
use crate::inbound::ConversationKind;

fn config(json: &Value) -> Node {
    Node::from_json(json, &Origin::Default)
}

fn direct(id: &str) -> Sender<'_> {
    Sender {
        id: Some(id),
        e164: None,
        from: None,
        name: None,
        username: None,
        tag: None,
        conversation: ConversationKind::Direct,
    }
}

fn ask(json: &Value, sender: &Sender<'_>, turn: Turn) -> ElevatedGate {
    gate(&config(json), &AgentId::normalized("main"), Some("telegram"), sender, turn)
}

#[test]
fn sp_114_truth_table() {
    let list = |on: bool| if on { json!(["1"]) } else { json!(["2"]) };
    for bits in 0..16u8 {
        let [global_on, agent_on, in_global, in_agent] = [1, 2, 4, 8].map(|b| bits & b != 0);
        let c = json!({
            "tools": {"elevated": {"enabled": global_on, "allowFrom": {"telegram": list(in_global)}}},
            "agents": {"list": [{"id": "main", "tools": {"elevated": {
                "enabled": agent_on, "allowFrom": {"telegram": list(in_agent)}}}}]},
        });
        let got = ask(&c, &direct("1"), Turn::Person);
        assert_eq!(got.is_allowed(), bits == 15, "{c}");
        assert_eq!(got.is_enabled(), global_on && agent_on);
    }
}

#[test]
fn sp_114_rooms_recipients_and_names_never_match() {
    let c = json!({"tools": {"elevated": {"allowFrom": {"telegram": [
        "-100", "group:-100", "telegram:group:-100", "channel:7", "alice", "@alice", "Alice"]}}}});
    let room = Sender {
        from: Some("telegram:group:-100"),
        name: Some("Alice"),
        username: Some("alice"),
        conversation: ConversationKind::Group,
        ..direct("9")
    };
    assert!(!ask(&c, &room, Turn::Person).is_allowed());
    let forged = Sender { conversation: ConversationKind::Direct, ..room };
    assert!(!ask(&c, &forged, Turn::Person).is_allowed(), "an address that names a room is no person");
    assert!(!ask(&c, &direct("7"), Turn::Person).is_allowed(), "an entry for a room is no person's id");
    let unknown = Sender {
        id: None,
        from: Some("telegram:-100"),
        conversation: ConversationKind::Unknown,
        ..direct("9")
    };
    assert!(!ask(&c, &unknown, Turn::Person).is_allowed(), "an address counts in direct chats only");
}

#[test]
fn sp_108_typed_entries_never_cross_kinds() {
    let s = Sender {
        e164: Some("+1"),
        from: Some("telegram:5"),
        name: Some("6"),
        username: Some("@Bob"),
        tag: Some("al#0001"),
        ..direct("4")
    };
    for (entry, kind) in [
        ("id:4", IdentityKind::Id),
        ("e164:+1", IdentityKind::E164),
        ("from:5", IdentityKind::From),
        ("from:telegram:5", IdentityKind::From),
        ("name:6", IdentityKind::Name),
        ("username:bob", IdentityKind::Username),
        ("USERNAME:@bob", IdentityKind::Username),
        ("tag:AL#0001", IdentityKind::Tag),
        ("4", IdentityKind::Id),
        ("telegram:4", IdentityKind::Id),
        ("user:5", IdentityKind::From),
    ] {
        assert_eq!(entry_matches(entry, &s), Some(kind), "{entry}");
    }
    for entry in
        ["id:5", "id:6", "e164:4", "from:4", "name:4", "name:bob", "6", "bob", "al#0001", "", " ", "id:"]
    {
        assert_eq!(entry_matches(entry, &s), None, "{entry:?}");
    }
}

#[test]
fn sp_115_background_cron_hook_and_other_sessions_are_never_elevated() {
    let c = json!({"tools": {"elevated": {"allowFrom": {"telegram": ["*"]}}}});
    assert!(ask(&c, &direct("1"), Turn::Person).is_allowed());
    for turn in [Turn::Cron, Turn::Hook, Turn::Background, Turn::InterSession] {
        let g = ask(&c, &direct("1"), turn);
        assert!(!g.is_allowed() && g.failures()[0].stage == Stage::Turn);
    }
}

#[test]
fn sp_115_elevation_never_re_enables_a_denied_exec() {
    let c = config(&json!({"tools": {"elevated": {"allowFrom": {"telegram": ["*"]}}}}));
    let g = gate(&c, &AgentId::normalized("main"), Some("telegram"), &direct("1"), Turn::Person);
    for l in [Level::Off, Level::On, Level::Ask, Level::Full] {
        for p in [None, Some(true), Some(false)] {
            assert_eq!(for_exec(&g, l, p, ExecPolicy::Denies), ExecElevation::Off);
        }
    }
}

#[test]
fn levels_and_the_call_parameter() {
    let asked = Asked { inline: None, session: None };
    let star = json!({"tools": {"elevated": {"allowFrom": {"telegram": ["*"]}}}});
    let c = config(&star);
    let open = gate(&c, &AgentId::normalized("main"), Some("telegram"), &direct("1"), Turn::Person);
    let shut = gate(&c, &AgentId::normalized("main"), Some("discord"), &direct("1"), Turn::Person);
    let got = level(&open, &c, asked).unwrap();
    assert_eq!((got.level, got.source, got.step.unset), (Level::On, LevelSource::Default, true));
    let got = level(&shut, &c, Asked { inline: Some(Level::Full), session: None }).unwrap();
    assert_eq!((got.level, got.source), (Level::Off, LevelSource::Gate));
    let got = level(&open, &c, Asked { inline: Some(Level::Off), session: Some(Level::Full) }).unwrap();
    assert_eq!((got.level, got.source), (Level::Off, LevelSource::Inline));
    let got = level(&open, &c, Asked { inline: None, session: Some(Level::Full) }).unwrap();
    assert_eq!((got.level, got.source), (Level::Full, LevelSource::Session));
    let off = config(&json!({"agents": {"defaults": {"elevatedDefault": "off"}}}));
    assert_eq!(level(&open, &off, asked).unwrap().level, Level::Off);
    let bad = config(&json!({"agents": {"defaults": {"elevatedDefault": "FULL"}}}));
    assert!(level(&open, &bad, asked).is_err(), "SP-119");
    let table = [
        (Level::Off, None, ExecElevation::Off),
        (Level::On, None, ExecElevation::Ask),
        (Level::Ask, None, ExecElevation::Ask),
        (Level::Full, None, ExecElevation::Full),
        (Level::Off, Some(true), ExecElevation::Ask),
        (Level::On, Some(true), ExecElevation::Ask),
        (Level::Full, Some(true), ExecElevation::Full),
        (Level::Full, Some(false), ExecElevation::Off),
    ];
    for (l, p, want) in table {
        assert_eq!(for_exec(&open, l, p, ExecPolicy::Permits), want, "{l:?} {p:?}");
        assert_eq!(for_exec(&shut, l, p, ExecPolicy::Permits), ExecElevation::Off);
    }
}
