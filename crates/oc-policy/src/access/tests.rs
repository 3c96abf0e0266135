use oc_types::{ChannelId, Node, Origin};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::inbound::{MutableNames, Phone, SenderId};

mod law;
mod size;

const NOW: i64 = 1_770_000_000_000;

fn node(config: &Value) -> Node {
    Node::from_json(config, &Origin::Default)
}

/// A message with a sender id; the room is `room`, the direct chat the sender's.
fn message(channel: &str, kind: ConversationKind, sender: &str) -> Inbound {
    let peer = if kind == ConversationKind::Direct { sender } else { "room" };
    let mut m = Inbound::new(ChannelId::parse(channel).unwrap(), kind, ConversationId::new(peer));
    m.sender.id = SenderId::new(sender);
    m.sender.phone = Phone::parse(sender).filter(|_| matches!(channel, "whatsapp" | "signal" | "imessage"));
    m.mentions.bot = Some(true);
    m.text = "hello".to_owned();
    m
}

fn store(entries: &[&str]) -> PairingView {
    let entries = entries.iter().map(|e| (*e).to_owned()).collect();
    PairingView { approved: Approved::Entries(entries), ..PairingView::empty(NOW) }
}

/// What is carried out is what is explained: the same outcome by the same rule, with and without the trace.
fn decide_both(policy: &AccessPolicy<'_>, message: &Inbound, pairing: &PairingView) -> Decision {
    let told = policy.decide(message, pairing);
    let carried_out = policy.judge(message, pairing);
    let text = |d: &Decision| format!("{:?} {:?} {:?}", d.outcome, d.detail, d.decided_by);
    assert_eq!(text(&carried_out), text(&told));
    assert!(carried_out.trace.is_empty() && !told.trace.is_empty());
    told
}

fn decide(config: &Value, message: &Inbound, pairing: &PairingView) -> Decision {
    let config = node(config);
    let policy = AccessPolicy::new(&config).unwrap_or_else(|issues| panic!("{issues:?}"));
    decide_both(&policy, message, pairing)
}

fn word(config: &Value, message: &Inbound, pairing: &PairingView) -> &'static str {
    decide(config, message, pairing).outcome.word()
}

fn reason(config: &Value, message: &Inbound, pairing: &PairingView) -> Option<&'static str> {
    decide(config, message, pairing).outcome.reason().map(Reason::word)
}

const CHANNELS: [&str; 14] = [
    "whatsapp",
    "telegram",
    "signal",
    "imessage",
    "line",
    "mattermost",
    "msteams",
    "discord",
    "slack",
    "matrix",
    "googlechat",
    "bluebubbles",
    "zalo",
    "nostr",
];

fn nested(channel: &str) -> bool {
    matches!(channel, "discord" | "slack" | "googlechat" | "matrix")
}

fn with_dm(channel: &str, policy: &str, list: &Value) -> Value {
    let section = if nested(channel) {
        json!({"dm": {"policy": policy, "allowFrom": list}})
    } else {
        json!({"dmPolicy": policy, "allowFrom": list})
    };
    json!({"channels": {channel: section}})
}

/// An id of the channel's own form.
fn own_id(channel: &str) -> &'static str {
    match channel {
        "whatsapp" | "signal" | "imessage" | "bluebubbles" => "+15551110001",
        "matrix" => "@alice:example.org",
        "googlechat" => "users/111",
        "slack" => "U111",
        _ => "111",
    }
}

#[test]
fn sp_402_a_renamed_stranger_is_nobody_and_the_entry_is_named() {
    for channel in CHANNELS {
        for kind in [ConversationKind::Direct, ConversationKind::Group, ConversationKind::Channel] {
            for entry in ["alice", "@alice", "Alice", "alice@example.org"] {
                let mut config = with_dm(channel, "allowlist", &json!([entry]));
                config["channels"][channel]["groupAllowFrom"] = json!([entry]);
                let mut m = message(channel, kind, own_id(channel));
                m.sender.names =
                    MutableNames::new(Some("alice"), Some("Alice"), Some("alice"), Some("alice@example.org"));
                assert_eq!(word(&config, &m, &store(&[entry])), "drop", "{channel} {kind:?} {entry}");
            }
        }
    }
    let m = message("telegram", ConversationKind::Direct, "111");
    let config = with_dm("telegram", "allowlist", &json!(["@alice"]));
    let decision = decide(&config, &m, &store(&[]));
    assert!(decision.detail.contains("\"@alice\" at channels.telegram.allowFrom[0]"), "{}", decision.detail);
}

#[test]
fn sp_402_the_break_glass_key_opens_names_for_its_account_only() {
    let config = json!({"channels": {"telegram": {"dmPolicy": "allowlist", "allowFrom": ["@Alice"],
        "accounts": {"work": {"dangerouslyAllowNameMatching": true}}}}});
    let mut m = message("telegram", ConversationKind::Direct, "111");
    m.sender.names = MutableNames::new(Some("alice"), None, None, None);
    assert_eq!(word(&config, &m, &store(&[])), "drop");
    m.account = "work".to_owned();
    assert_eq!(word(&config, &m, &store(&[])), "allow");
    m.sender.names = MutableNames::new(Some("mallory"), Some("alice"), None, None);
    assert_eq!(word(&config, &m, &store(&[])), "drop", "a display name never stands for anybody on Telegram");
    for value in [json!("true"), json!(1), json!({})] {
        let config = json!({"channels": {"telegram": {"dmPolicy": "allowlist", "allowFrom": ["alice"], "dangerouslyAllowNameMatching": value}}});
        m.sender.names = MutableNames::new(Some("alice"), None, None, None);
        assert_eq!(word(&config, &m, &store(&[])), "drop", "only the literal true");
    }
}

#[test]
fn sp_402_a_name_in_the_approved_store_admits_nobody() {
    let mut m = message("telegram", ConversationKind::Direct, "111");
    m.sender.names = MutableNames::new(Some("alice"), None, None, None);
    let config = json!({"channels": {"telegram": {"dangerouslyAllowNameMatching": true}}});
    assert_eq!(word(&config, &m, &store(&["@alice"])), "pairing");
}

#[test]
fn sp_403_a_conversation_in_a_list_of_senders_matches_nobody() {
    for channel in CHANNELS {
        let mut config = with_dm(channel, "allowlist", &json!(["room", "group:room", "channel:room"]));
        config["channels"][channel]["groupAllowFrom"] = json!(["room", "group:room"]);
        for kind in [ConversationKind::Group, ConversationKind::Channel] {
            assert_eq!(
                word(&config, &message(channel, kind, own_id(channel)), &store(&["room"])),
                "drop",
                "{channel}"
            );
        }
    }
}

#[test]
fn sp_404_approved_senders_count_for_direct_messages_alone() {
    for channel in CHANNELS {
        let id = own_id(channel);
        let config = json!({"channels": {channel: {}}});
        assert_eq!(
            word(&config, &message(channel, ConversationKind::Direct, id), &store(&[id])),
            "allow",
            "{channel}"
        );
        for kind in [ConversationKind::Group, ConversationKind::Channel, ConversationKind::Unknown] {
            assert_eq!(
                word(&config, &message(channel, kind, id), &store(&[id])),
                "drop",
                "{channel} {kind:?}"
            );
        }
        let strict = with_dm(channel, "allowlist", &json!([]));
        assert_eq!(
            word(&strict, &message(channel, ConversationKind::Direct, id), &store(&[id])),
            "drop",
            "{channel}"
        );
    }
    let open = json!({"channels": {"telegram": {"groupPolicy": "open"}}});
    let mut m = message("telegram", ConversationKind::Group, "111");
    m.text = "/status".to_owned();
    assert_eq!(reason(&open, &m, &store(&["111"])), Some("command_unauthorized"));
}

#[test]
fn sp_406_empty_or_missing_lists_block_everyone() {
    for channel in CHANNELS {
        let id = own_id(channel);
        for config in [
            json!({}),
            json!({"channels": {}}),
            json!({"channels": {channel: {}}}),
            with_dm(channel, "allowlist", &json!([])),
        ] {
            for kind in [ConversationKind::Group, ConversationKind::Channel] {
                assert_eq!(
                    word(&config, &message(channel, kind, id), &store(&[])),
                    "drop",
                    "{channel} {config}"
                );
            }
        }
        assert_eq!(
            word(
                &with_dm(channel, "allowlist", &json!([])),
                &message(channel, ConversationKind::Direct, id),
                &store(&[])
            ),
            "drop"
        );
        // Without a section the defaults open nothing.
        let defaults = json!({"channels": {"defaults": {"groupPolicy": "open"}}});
        assert_eq!(
            word(&defaults, &message(channel, ConversationKind::Channel, id), &store(&[])),
            "drop",
            "{channel}"
        );
        // What is no list is an empty one.
        assert_eq!(
            word(
                &with_dm(channel, "allowlist", &json!("*")),
                &message(channel, ConversationKind::Direct, id),
                &store(&[])
            ),
            "drop"
        );
    }
}

#[test]
fn sp_407_open_direct_messages_need_a_literal_star() {
    for channel in CHANNELS {
        for list in [json!([]), json!(["111"]), json!("*"), json!([["*"]]), json!(null), json!(["**"])] {
            let config = node(&with_dm(channel, "open", &list));
            let issues = AccessPolicy::new(&config).expect_err("open without a star");
            let path = if nested(channel) {
                format!("channels.{channel}.dm.allowFrom")
            } else {
                format!("channels.{channel}.allowFrom")
            };
            assert_eq!(issues[0].path.to_string(), path);
        }
        assert!(AccessPolicy::new(&node(&with_dm(channel, "open", &json!(["*"])))).is_ok());
    }
}

#[test]
fn sp_119_unknown_policy_words_are_errors() {
    for word in [
        json!("everyone"),
        json!("Open"),
        json!("open "),
        json!(""),
        json!(true),
        json!(null),
        json!(["open"]),
        json!("\u{43e}pen"),
    ] {
        for config in [
            json!({"channels": {"telegram": {"dmPolicy": word}}}),
            json!({"channels": {"telegram": {"groupPolicy": word}}}),
            json!({"channels": {"telegram": {"groups": {"-1": {"groupPolicy": word}}}}}),
            json!({"channels": {"telegram": {"accounts": {"a": {"groupPolicy": word}}}}}),
            json!({"channels": {"telegram": {"accounts": {"a": {"dmPolicy": word}}}}}),
            json!({"channels": {"discord": {"dm": {"policy": word}}}}),
            json!({"channels": {"defaults": {"groupPolicy": word}}}),
        ] {
            assert!(AccessPolicy::new(&node(&config)).is_err(), "{config}");
        }
    }
}

#[test]
fn sp_408_a_star_gives_conversation_and_commands_but_no_ownership() {
    let config = json!({"channels": {"telegram": {"dmPolicy": "open", "allowFrom": ["*"]}}, "commands": {"ownerAllowFrom": ["*"]}});
    let decision = decide(&config, &message("telegram", ConversationKind::Direct, "9"), &store(&[]));
    let Outcome::Allow(admission) = decision.outcome else { panic!() };
    assert!(admission.commands().is_authorized());
    let sender = crate::command::owner::CommandSender {
        channel: "telegram",
        account: "default",
        id: Some("9"),
        e164: None,
        from: None,
    };
    let auth = crate::command::owner::command_auth(&node(&config), &sender, admission.commands(), &[]);
    assert!(auth.grant.is_authorized() && !auth.owner && auth.owners.is_empty());
    // On WhatsApp a star makes no owner, so no command without a mention.
    let config = json!({"channels": {"whatsapp": {"allowFrom": ["*"], "dmPolicy": "open"}}});
    let mut m = message("whatsapp", ConversationKind::Group, "+15551110001");
    m.mentions.bot = Some(false);
    m.text = "/status".to_owned();
    assert_eq!(reason(&config, &m, &store(&[])), Some("mention_required"));
}

#[test]
fn sp_409_route_and_sender_lists_must_both_pass() {
    let m = message("telegram", ConversationKind::Group, "111");
    for (room, sender) in [(false, false), (false, true), (true, false), (true, true)] {
        let groups = if room { json!({"room": {}}) } else { json!({"other": {}}) };
        let senders = if sender { json!(["111"]) } else { json!(["222"]) };
        let config = json!({"channels": {"telegram": {"groups": groups, "groupAllowFrom": senders}}});
        assert_eq!(word(&config, &m, &store(&[])) == "allow", room && sender);
    }
    let mut m = message("msteams", ConversationKind::Channel, "aad-1");
    m.place.team = Some("T1".to_owned());
    for (room, sender) in [(false, false), (false, true), (true, false), (true, true)] {
        let teams = if room { json!({"T1": {}}) } else { json!({"T2": {}}) };
        let senders = if sender { json!(["aad-1"]) } else { json!(["aad-2"]) };
        let config = json!({"channels": {"msteams": {"teams": teams, "groupAllowFrom": senders}}});
        assert_eq!(word(&config, &m, &store(&[])) == "allow", room && sender);
    }
}

#[test]
fn sp_410_nothing_of_an_unauthorised_sender_passes_without_a_mention() {
    let config = json!({"channels": {"telegram": {"groupPolicy": "open"}}, "messages": {"groupChat": {"mentionPatterns": ["@bot"]}}});
    for text in [
        "hello",
        "/status",
        "/stop",
        "stop",
        "/new",
        "/elevated off",
        "/exec security=deny",
        "/activation always",
    ] {
        let mut m = message("telegram", ConversationKind::Group, "111");
        m.mentions.bot = Some(false);
        m.text = text.to_owned();
        assert_ne!(word(&config, &m, &store(&["111"])), "allow", "{text}");
    }
}

#[test]
fn sp_415_an_unknown_kind_of_conversation_needs_both_rule_sets() {
    for channel in CHANNELS {
        let id = own_id(channel);
        let direct_only = with_dm(channel, "open", &json!(["*"]));
        let mut both = direct_only.clone();
        both["channels"][channel]["groupPolicy"] = json!("open");
        let unknown = message(channel, ConversationKind::parse("thread-ish"), id);
        let allowed = word(&both, &unknown, &store(&[]));
        assert_eq!(allowed, "allow", "{channel}");
        let mut closed = both.clone();
        closed["channels"][channel]["groupPolicy"] = json!("disabled");
        assert_eq!(word(&closed, &unknown, &store(&[])), "drop", "{channel}");
        let pairing = json!({"channels": {channel: {"groupPolicy": "open"}}});
        assert_eq!(word(&pairing, &unknown, &store(&[])), "drop", "{channel}: nobody is offered pairing");
    }
}

#[test]
fn sp_418_the_admission_names_the_conversation_that_was_authorised() {
    let config = json!({"channels": {"telegram": {"groupPolicy": "open"}}});
    let decision = decide(&config, &message("telegram", ConversationKind::Group, "111"), &store(&[]));
    let Outcome::Allow(admission) = decision.outcome else { panic!() };
    assert_eq!((admission.conversation().as_str(), admission.kind()), ("room", ConversationKind::Group));
}

#[test]
fn sp_423_a_disabled_channel_or_account_takes_nothing_in() {
    for channel in CHANNELS {
        for kind in [ConversationKind::Direct, ConversationKind::Group, ConversationKind::Channel] {
            let mut config = with_dm(channel, "open", &json!(["*"]));
            config["channels"][channel]["groupPolicy"] = json!("open");
            config["channels"][channel]["accounts"] = json!({"work": {"enabled": false}});
            let mut m = message(channel, kind, own_id(channel));
            m.account = "work".to_owned();
            assert_eq!(reason(&config, &m, &store(&[])), Some("channel_disabled"), "{channel}");
            config["channels"][channel]["enabled"] = json!("yes");
            m.account = "default".to_owned();
            assert_eq!(
                reason(&config, &m, &store(&[])),
                Some("channel_disabled"),
                "{channel}: only true is on"
            );
        }
    }
}

#[test]
fn sp_425_phone_numbers_match_in_full_or_not_at_all() {
    for (entry, hit) in [
        ("+1 (555) 111-0001", true),
        ("15551110001", true),
        ("whatsapp:+15551110001", true),
        ("15551110001@s.whatsapp.net", true),
        ("15551110001:7@s.whatsapp.net", true),
        ("5551110001", false),
        ("+1555111000", false),
        ("+155511100011", false),
        ("", false),
        ("+", false),
        ("+1555x1110001", false),
        ("15551110001@g.us", false),
        ("15551110001@lid", false),
        ("++15551110001", false),
    ] {
        let config = with_dm("whatsapp", "allowlist", &json!([entry]));
        let m = message("whatsapp", ConversationKind::Direct, "+15551110001");
        assert_eq!(word(&config, &m, &store(&[])) == "allow", hit, "{entry}");
    }
    let mut nobody = message("whatsapp", ConversationKind::Direct, "");
    nobody.sender.phone = None;
    assert_eq!(
        word(&with_dm("whatsapp", "allowlist", &json!(["", "+", "0"])), &nobody, &store(&[""])),
        "drop"
    );
}

#[test]
fn sp_008_an_unreadable_store_admits_nobody_and_offers_nothing() {
    let view = PairingView {
        approved: Approved::Unreadable { why: "x.json is no JSON".to_owned() },
        ..PairingView::empty(NOW)
    };
    for channel in CHANNELS {
        let m = message(channel, ConversationKind::Direct, own_id(channel));
        let decision = decide(&json!({"channels": {channel: {}}}), &m, &view);
        assert_eq!(decision.outcome.word(), "drop", "{channel}");
        assert!(decision.detail.contains("x.json"), "{}", decision.detail);
        assert_eq!(
            word(&with_dm(channel, "pairing", &json!([own_id(channel)])), &m, &view),
            "allow",
            "{channel}: the configured list still counts"
        );
    }
}

#[test]
fn sp_411_the_cap_counts_live_requests_and_nothing_is_sent_twice() {
    let request = |id: &str, age_min: i64| PendingRequest {
        id: id.to_owned(),
        code: None,
        created_ms: Some(NOW - age_min * 60_000),
        last_seen_ms: Some(NOW),
    };
    let m = message("telegram", ConversationKind::Direct, "9");
    for (pending, created, id, count) in [
        (vec![request("1", 1), request("2", 1)], true, Some("9"), 3),
        (vec![request("1", 1), request("2", 1), request("3", 1)], false, None, 3),
        (vec![request("1", 1), request("2", 61), request("3", 1)], true, Some("9"), 3),
        (vec![request("9", 60)], false, Some("9"), 1),
        (vec![request("9", 61)], true, Some("9"), 1),
    ] {
        let view = PairingView { pending, ..PairingView::empty(NOW) };
        let Outcome::Pairing(notice) = decide(&json!({"channels": {"telegram": {}}}), &m, &view).outcome
        else {
            panic!()
        };
        assert_eq!((notice.created(), notice.id(), notice.pending()), (created, id, count));
    }
}

#[test]
fn sp_400_a_refused_message_leaves_nothing_to_act_on() {
    for channel in CHANNELS {
        for kind in [ConversationKind::Direct, ConversationKind::Group, ConversationKind::Channel] {
            let decision = decide(
                &with_dm(channel, "allowlist", &json!([])),
                &message(channel, kind, own_id(channel)),
                &store(&[]),
            );
            // Session, agent and conversation exist only inside an admission.
            assert!(matches!(decision.outcome, Outcome::Drop(_)), "{channel} {kind:?}");
        }
    }
}

#[test]
fn sp_401_every_kind_of_event_passes_the_same_gate_and_an_unknown_one_is_dropped() {
    for config in [
        with_dm("telegram", "open", &json!(["*"])),
        with_dm("telegram", "allowlist", &json!(["1"])),
        with_dm("telegram", "disabled", &json!([])),
    ] {
        let plain = message("telegram", ConversationKind::Direct, "111");
        for event in EventKind::ALL {
            let m = Inbound { event, ..plain.clone() };
            let expected =
                if event == EventKind::Unknown { "drop" } else { word(&config, &plain, &store(&[])) };
            assert_eq!(word(&config, &m, &store(&[])), expected, "{event:?}");
        }
    }
}

#[test]
fn sp_108_what_is_written_like_an_id_is_no_name_even_with_the_break_glass_key() {
    for (channel, entry) in
        [("telegram", "222"), ("discord", "222"), ("slack", "U222"), ("googlechat", "222"), ("zalo", "222")]
    {
        for kind in [ConversationKind::Direct, ConversationKind::Channel] {
            let mut config = with_dm(channel, "allowlist", &json!([entry]));
            let section = &mut config["channels"][channel];
            section["dangerouslyAllowNameMatching"] = json!(true);
            section["groupAllowFrom"] = json!([entry]);
            let mut m = message(channel, kind, own_id(channel));
            m.sender.names = MutableNames::new(Some(entry), Some(entry), Some(entry), Some(entry));
            assert_eq!(word(&config, &m, &store(&[entry])), "drop", "{channel} {kind:?}");
        }
    }
}

#[test]
fn sp_426_a_batch_has_the_least_right_of_its_messages() {
    use CommandGrant::{Authorized, Refused};
    for (grants, least) in [
        (vec![], Refused),
        (vec![Authorized], Authorized),
        (vec![Authorized, Refused], Refused),
        (vec![Authorized, Authorized], Authorized),
    ] {
        assert_eq!(CommandGrant::least(grants), least);
    }
}

#[test]
fn sp_405_an_account_inherits_rules_but_each_account_is_decided_by_its_own() {
    let config = json!({"channels": {"telegram": {"dmPolicy": "allowlist", "allowFrom": ["1"], "groupPolicy": "open", "accounts": {
        "work": {"allowFrom": ["2"]}, "Family": {"dmPolicy": "disabled"}}}}});
    for (account, sender, expected) in [
        ("default", "1", "allow"),
        ("default", "2", "drop"),
        ("work", "1", "drop"),
        ("work", "2", "allow"),
        ("family", "1", "drop"),
        ("unlisted", "1", "allow"),
    ] {
        let mut m = message("telegram", ConversationKind::Direct, sender);
        m.account = account.to_owned();
        assert_eq!(word(&config, &m, &store(&[])), expected, "{account} {sender}");
    }
}

#[test]
fn sp_407_the_account_that_asks_for_open_is_where_the_star_is_missing() {
    for (config, path) in [
        (
            json!({"channels": {"telegram": {"allowFrom": ["1"], "accounts": {"w": {"dmPolicy": "open"}}}}}),
            "channels.telegram.accounts.w.allowFrom",
        ),
        (
            json!({"channels": {"telegram": {"dmPolicy": "open", "allowFrom": ["*"], "accounts": {"w": {"allowFrom": ["1"]}}}}}),
            "channels.telegram.accounts.w.allowFrom",
        ),
    ] {
        let config = node(&config);
        let issues = AccessPolicy::new(&config).unwrap_err();
        assert_eq!(issues.iter().map(|i| i.path.to_string()).collect::<Vec<_>>(), [path]);
    }
}
