//! Laws over random configurations and messages.

use super::*;

fn entry() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("*")),
        Just(json!("alice")),
        Just(json!("@alice")),
        Just(json!("Alice W")),
        Just(json!("alice@example.org")),
        Just(json!("111")),
        Just(json!(222)),
        Just(json!("+15551110001")),
        Just(json!("U111")),
        Just(json!("@alice:example.org")),
        Just(json!("users/111")),
        Just(json!("chat_id:7")),
        Just(json!("room")),
        Just(json!("")),
        Just(json!("user:111")),
    ]
}

fn list() -> impl Strategy<Value = Value> {
    prop::collection::vec(entry(), 0..4).prop_map(Value::from)
}

fn policy() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("pairing"), Just("allowlist"), Just("disabled")]
}

fn room_policy() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("allowlist"), Just("open"), Just("disabled")]
}

fn rooms() -> impl Strategy<Value = Value> {
    let key = prop_oneof![Just("room"), Just("*"), Just("other"), Just("general")];
    let room = (prop::option::of(list()), prop::option::of(any::<bool>()), prop::option::of(list()))
        .prop_map(|(users, mention, allow)| {
            let mut room = json!({});
            if let Some(users) = users {
                room["users"] = users;
            }
            if let Some(mention) = mention {
                room["requireMention"] = json!(mention);
            }
            if let Some(allow) = allow {
                room["allowFrom"] = allow;
            }
            room
        });
    prop::collection::vec((key, room), 0..3).prop_map(|rooms| {
        rooms.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<serde_json::Map<_, _>>().into()
    })
}

/// A channel, and a section for it.
pub(super) fn section() -> impl Strategy<Value = (&'static str, Value)> {
    let parts = (policy(), list(), prop::option::of(list()), room_policy(), rooms(), any::<bool>());
    (prop::sample::select(&CHANNELS[..]), parts).prop_map(|(channel, (dm, allow, group, rooms_are, rooms, group_dm))| {
        let mut section = json!({"dmPolicy": dm, "allowFrom": allow, "groupPolicy": rooms_are});
        if nested(channel) {
            section = json!({"dm": {"policy": dm, "allowFrom": section["allowFrom"], "groupEnabled": group_dm}, "groupPolicy": rooms_are});
        }
        if let Some(group) = group { section["groupAllowFrom"] = group; }
        match channel {
            "discord" => section["guilds"] = json!({"g": {"channels": rooms}}),
            "slack" => section["channels"] = rooms,
            "msteams" => section["teams"] = json!({"g": {"channels": rooms}}),
            _ => section["groups"] = rooms,
        }
        (channel, section)
    })
}

fn kind() -> impl Strategy<Value = ConversationKind> {
    prop_oneof![
        Just(ConversationKind::Direct),
        Just(ConversationKind::Group),
        Just(ConversationKind::Channel),
        Just(ConversationKind::Unknown),
    ]
}

fn names() -> impl Strategy<Value = MutableNames> {
    let name = || {
        prop::option::of(prop_oneof![
            Just("alice"),
            Just("@alice"),
            Just("Alice W"),
            Just("alice@example.org"),
            Just("111"),
            Just("*"),
            Just("U111"),
            Just("+15551110001"),
        ])
    };
    (name(), name(), name(), name()).prop_map(|(a, b, c, d)| MutableNames::new(a, b, c, d))
}

/// 10,000, or what the environment asks for.
fn cases(most: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|v| v.parse().ok());
    ProptestConfig { max_shrink_iters: 500, ..ProptestConfig::with_cases(asked.unwrap_or(10_000).min(most)) }
}

fn seen(
    policy: &AccessPolicy<'_>,
    m: &Inbound,
    pairing: &PairingView,
) -> (String, Option<&'static str>, Option<bool>) {
    let d = super::decide_both(policy, m, pairing);
    let commands = match &d.outcome {
        Outcome::Allow(a) => Some(a.commands().is_authorized()),
        _ => None,
    };
    (d.outcome.word().to_owned(), d.outcome.reason().map(Reason::word), commands)
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn sp_402_decisions_never_read_a_mutable_name_unless_the_break_glass_key_is_on(
        (channel, section) in section(), kind in kind(), one in names(), other in names(),
        stored in prop::collection::vec(prop_oneof![Just("alice"), Just("111"), Just("*"), Just("@alice")], 0..3),
        text in prop_oneof![Just("hello"), Just("/status")], mentioned in any::<bool>(),
    ) {
        let config = node(&json!({"channels": {channel: section}}));
        let policy = AccessPolicy::new(&config).unwrap();
        let mut m = message(channel, kind, own_id(channel));
        m.place.guild = Some("g".to_owned());
        m.place.team = Some("g".to_owned());
        m.text = text.to_owned();
        m.mentions.bot = Some(mentioned);
        let view = store(&stored);
        m.sender.names = one;
        let first = seen(&policy, &m, &view);
        m.sender.names = other;
        prop_assert_eq!(&first, &seen(&policy, &m, &view));
        m.sender.names = MutableNames::default();
        prop_assert_eq!(&first, &seen(&policy, &m, &view));
    }

    #[test]
    fn sp_404_the_approved_store_never_changes_what_happens_in_a_room((channel, section) in section(), command in any::<bool>()) {
        let config = node(&json!({"channels": {channel: section}}));
        let policy = AccessPolicy::new(&config).unwrap();
        for kind in [ConversationKind::Group, ConversationKind::Channel] {
            let mut m = message(channel, kind, own_id(channel));
            m.place.guild = Some("g".to_owned());
            m.place.team = Some("g".to_owned());
            if command { m.text = "/status".to_owned(); }
            prop_assert_eq!(seen(&policy, &m, &store(&[])), seen(&policy, &m, &store(&[own_id(channel), "*"])));
        }
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn every_refusal_names_its_rule_and_every_offered_change_leads_where_it_says((channel, section) in section(), kind in kind()) {
        let config = node(&json!({"channels": {channel: section}}));
        let mut m = message(channel, kind, own_id(channel));
        m.place.guild = Some("g".to_owned());
        m.place.team = Some("g".to_owned());
        let files = explain::StoreFiles::of(channel);
        let view = store(&[]);
        let e = explain_message(&explain::Question { config: &config, message: &m, pairing: &view, files: &files });
        prop_assert!(e.decided_by.key_path.is_some(), "{:?}", e);
        prop_assert!(e.flip.iter().all(|f| f.verdict != e.verdict), "{:?}", e.flip);
        prop_assert!(e.trace.iter().all(|s| !s.layer.is_empty()));
    }
}
