use oc_types::{AccountId, AgentId, Node, Origin};
use proptest::prelude::*;

use super::*;
use crate::inbound::ConversationKind;

fn key(text: &str) -> SessionKey {
    SessionKey::parse(text).unwrap()
}

#[test]
fn sp_120_malformed_agent_keys_are_refused() {
    for text in [
        "agent:main",
        "agent::x",
        "agent::x:y",
        "agent:main:",
        "agent:main::x",
        "AGENT:main:x",
        "agent:a b:main",
        "agent: :x",
    ] {
        assert_eq!(
            SessionKey::parse(text),
            Err(InvalidSessionKey::MalformedAgent(text.to_owned())),
            "{text}"
        );
    }
    assert_eq!(SessionKey::parse("  "), Err(InvalidSessionKey::Missing));
    assert_eq!(SessionKey::parse(&"k".repeat(MAX_KEY + 1)), Err(InvalidSessionKey::TooLong));
    assert!(matches!(SessionKey::parse("agent:main:a\u{7}b"), Err(InvalidSessionKey::Control(_))));
}

#[test]
fn classes_and_rooms() {
    for (text, class) in [
        ("agent:main:main", Class::Main),
        ("main", Class::Main),
        ("agent:main:subagent:telegram:group:1", Class::Subagent),
        ("agent:main:SUBAGENT:x", Class::Subagent),
        ("agent:main:acp:x", Class::Acp),
        ("agent:main:telegram:group:-1:topic:7", Class::Group),
        ("agent:main:slack:channel:c1:thread:9", Class::Group),
        ("agent:main:direct:5", Class::Dm),
        ("agent:main:telegram:direct:5", Class::Dm),
        ("agent:main:telegram:work:dm:5", Class::Dm),
        ("agent:main:cron:j", Class::Other),
        ("global", Class::Other),
    ] {
        assert_eq!(key(text).class(), class, "{text}");
    }
    let room = key("agent:main:subagent:imsg:group:42:topic:3").room().unwrap();
    assert_eq!((room.channel.as_str(), room.kind, room.id.as_str()), ("imessage", RoomKind::Group, "42"));
    assert_eq!(key("agent:main:telegram:direct:5").room(), None);
}

#[test]
fn only_the_agents_own_main_key_is_its_main_session() {
    let (main, ops) = (AgentId::normalized("main"), AgentId::normalized("ops"));
    use SessionScope::{Global, PerSender};
    for (text, agent, scope, expected) in [
        ("agent:main:main", &main, PerSender, true),
        ("main", &ops, PerSender, true),
        ("agent:main:main", &ops, PerSender, false),
        ("agent:main:home", &main, PerSender, false),
        ("agent:main:telegram:direct:5", &main, PerSender, false),
        ("global", &main, PerSender, false),
        ("global", &main, Global, true),
        ("agent:main:main", &main, Global, true),
    ] {
        assert_eq!(key(text).is_main_of(agent, scope), expected, "{text}");
    }
}

#[test]
fn sp_119_an_unknown_dm_scope_is_an_error() {
    for value in [
        serde_json::json!("per-person"),
        serde_json::json!(""),
        serde_json::json!(null),
        serde_json::json!(1),
    ] {
        let config = Node::from_json(&serde_json::json!({"session": {"dmScope": value}}), &Origin::Default);
        assert!(SessionSettings::from_config(&config).is_err());
    }
}

fn settings(scope: DmScope) -> SessionSettings {
    SessionSettings { dm_scope: scope, links: IdentityLinks::default() }
}

type Parts = (String, String, bool, String, Option<String>);

fn built(scope: DmScope, (channel, account, room, peer, thread): &Parts) -> SessionKey {
    let agent = AgentId::normalized("main");
    let kind = if *room { ConversationKind::Group } else { ConversationKind::Direct };
    let account = AccountId::normalized(account);
    let parts = SessionParts {
        agent: &agent,
        channel,
        account: &account,
        kind,
        peer,
        topic: None,
        thread: thread.as_deref(),
    };
    session_key(&settings(scope), &parts).0
}

/// Ids in canonical case, seasoned with the pieces that could confuse an encoding.
fn id() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(":thread:".to_owned()),
        Just(":topic:".to_owned()),
        Just(":".to_owned()),
        Just("%".to_owned()),
        Just("%3a".to_owned()),
        Just("%25".to_owned()),
        Just("direct".to_owned()),
        Just("group".to_owned()),
        Just("\u{0}".to_owned()),
        "[a-z0-9@+.!-]{1,3}",
    ];
    prop::collection::vec(piece, 1..5).prop_map(|p| p.concat())
}

fn parts() -> impl Strategy<Value = Parts> {
    (
        prop_oneof![Just("telegram".to_owned()), Just("direct".to_owned()), "[a-z]{1,3}"],
        prop_oneof![Just("default".to_owned()), Just("direct".to_owned()), "[a-z]{1,2}"],
        any::<bool>(),
        id(),
        prop::option::of(id()),
    )
        // `<chat>:topic:<number>` as a room id is structure already, so here no number follows.
        .prop_map(|(c, a, room, p, t)| {
            let p = if room { p.replace(":topic:", ":topic:x") } else { p };
            (c, a, room, p, t)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn sp_419_session_keys_are_injective(a in parts(), b in parts()) {
        for scope in DmScope::ALL {
            // What a scope leaves out does not count; rooms always count in full, without the account.
            let seen = |p: &Parts| match (p.2, scope) {
                (true, _) => (Some(p.0.clone()), None, true, Some(p.3.clone()), p.4.clone()),
                (false, DmScope::Main) => (None, None, false, None, p.4.clone()),
                (false, DmScope::PerPeer) => (None, None, false, Some(p.3.clone()), p.4.clone()),
                (false, DmScope::PerChannelPeer) => (Some(p.0.clone()), None, false, Some(p.3.clone()), p.4.clone()),
                (false, DmScope::PerAccountChannelPeer) => (Some(p.0.clone()), Some(p.1.clone()), false, Some(p.3.clone()), p.4.clone()),
            };
            prop_assert_eq!(seen(&a) == seen(&b), built(scope, &a) == built(scope, &b), "{:?} {} {}", scope, built(scope, &a), built(scope, &b));
        }
    }

    #[test]
    fn parsing_never_panics_and_agrees_with_the_shape(text in ".{0,40}") {
        let shape = Shape::of(&text);
        if let Ok(key) = SessionKey::parse(&text) {
            prop_assert!(matches!(shape, Shape::Agent | Shape::LegacyOrAlias));
            prop_assert_eq!(key.agent().is_some(), shape == Shape::Agent);
        }
    }
}
