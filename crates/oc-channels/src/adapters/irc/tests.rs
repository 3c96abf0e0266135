use oc_policy::inbound::{ConversationKind, EventKind};
use oc_types::{Node, Origin};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::event::{Reader, names};
use super::line::{Line, is_target, write};
use super::send::{split, userhost};
use super::*;
use crate::account::Setup;
use crate::adapter::Event;

fn event(text: &str) -> Option<Event> {
    let (link, _out) = Link::new("OurBot", "#&", "@+");
    Reader::new(ChannelId::parse("irc").unwrap(), "default".to_owned(), 7)
        .event(&Line::parse(text).unwrap(), &link)
}

fn irc(section: &Value) -> Result<Irc, AdapterFailure> {
    let config = Node::from_json(&json!({ "channels": { "irc": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("irc").unwrap(), IDENTITY);
    Irc::from_settings(&accounts[0])
}

#[test]
fn lines_are_read_into_parts() {
    let line =
        Line::parse("@time=2024-01-02T03:04:05.000Z;msgid=a\\:b :n!u@h privmsg #r  :hello : there ").unwrap();
    assert_eq!((line.command.as_str(), line.nick(), line.param(0)), ("PRIVMSG", "n", "#r"));
    assert_eq!((line.last(), line.tag("msgid")), ("hello : there ", Some("a;b")));
    assert_eq!(Line::parse("PING x").unwrap().params, ["x"]);
    for bad in ["", " ", ":prefix", "@tags", ":p  "] {
        assert_eq!(Line::parse(bad), None, "{bad:?}");
    }
}

#[test]
fn a_message_of_a_person_is_theirs_alone() {
    let e = event("@time=2024-01-02T03:04:05.000Z :Alice!~a@Host.example PRIVMSG ourbot :hi there").unwrap();
    assert_eq!((e.message.kind, e.message.event), (ConversationKind::Direct, EventKind::Message));
    assert_eq!(e.message.sender.id.as_ref().unwrap().as_str(), "alice!~a@host.example");
    assert_eq!(e.reply.conversation.as_str(), "alice!~a@host.example");
    assert_eq!(e.message.sent_ms, Some(1_704_164_645_000));
    let room = event(":Alice!~a@h PRIVMSG #Room :ourbot: hi").unwrap();
    assert_eq!((room.message.kind, room.reply.conversation.as_str()), (ConversationKind::Group, "#room"));
    assert_eq!(room.message.mentions.bot, Some(true));
    assert_ne!(e.id, "");
}

#[test]
fn sp_401_every_line_of_others_becomes_an_event_or_is_of_the_server() {
    for (line, kind) in [
        (":a!u@h PRIVMSG #r :x", EventKind::Message),
        (":a!u@h PRIVMSG #r :\u{1}ACTION waves\u{1}", EventKind::Message),
        (":a!u@h PRIVMSG OurBot :\u{1}VERSION\u{1}", EventKind::Unknown),
        (":a!u@h PRIVMSG OurBot :\u{1}DCC SEND x 1 2 3\u{1}", EventKind::Unknown),
        (":a!u@h NOTICE OurBot :/stop", EventKind::Unknown),
        (":irc.example PRIVMSG OurBot :x", EventKind::Unknown),
        (":a!u@h JOIN #r", EventKind::Membership),
        (":a!u@h PART #r :bye", EventKind::Membership),
        (":a!u@h KICK #r b :x", EventKind::Membership),
        (":a!u@h INVITE OurBot #r", EventKind::Membership),
        (":a!u@h QUIT :x", EventKind::Membership),
        (":a!u@h NICK b", EventKind::Membership),
        (":a!u@h TOPIC #r :x", EventKind::Unknown),
        (":a!u@h MODE #r +o b", EventKind::Unknown),
    ] {
        assert_eq!(event(line).unwrap().message.event, kind, "{line}");
    }
    assert!(event(":irc.example 372 OurBot :x").is_none() && event(":a!u@h WALLOPS :x").is_none());
    assert!(event(":ourbot!u@h PRIVMSG #r :x").unwrap().message.from_me);
}

#[test]
fn sp_415_a_target_that_is_neither_us_nor_a_room_has_no_known_kind() {
    for target in ["$$*", "someone", "@#r", "+#r"] {
        assert_eq!(
            event(&format!(":a!u@h PRIVMSG {target} :x")).unwrap().message.kind,
            ConversationKind::Unknown
        );
    }
}

#[test]
fn a_nick_is_named_as_a_word() {
    for (text, is) in [
        ("ourbot: hi", true),
        ("hi OurBot!", true),
        ("@ourbot", true),
        ("ourbots", false),
        ("my-ourbot", false),
        ("ourbot_", false),
        ("", false),
    ] {
        assert_eq!(names(text, "OurBot"), is, "{text}");
    }
}

#[test]
fn sp_418_who_has_a_nick_is_read_exactly() {
    let found: Vec<_> = userhost("a=+u@h b*=-v@w c d=x").collect();
    assert_eq!(found, [("a", "u@h"), ("b", "v@w")]);
}

#[test]
fn settings_that_cannot_work_name_their_key() {
    let ok = json!({ "host": "irc.example.org", "nick": "bot" });
    assert_eq!(irc(&ok).unwrap().server.port, 6697);
    for (extra, key) in [
        (json!({ "host": "a b" }), "channels.irc.host"),
        (json!({ "nick": "1bot" }), "channels.irc.nick"),
        (json!({ "nick": "bot\r\nQUIT" }), "channels.irc.nick"),
        (json!({ "channels": ["room"] }), "channels.irc.channels"),
        (json!({ "channels": ["#a,#b"] }), "channels.irc.channels"),
        (json!({ "port": 70000 }), "channels.irc.port"),
        (json!({ "tls": false, "password": "pw-secret" }), "channels.irc.tls"),
        (json!({ "tls": false, "saslPassword": "pw-secret" }), "channels.irc.tls"),
        (json!({ "tlsCaFile": "/nowhere/ca.pem" }), "channels.irc.tlsCaFile"),
    ] {
        let mut section = ok.clone();
        section.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let e = irc(&section).unwrap_err().to_string();
        assert!(e.starts_with(key) && !e.contains("pw-secret"), "{e}");
    }
    let near = json!({ "host": "127.0.0.1", "nick": "bot", "tls": false, "password": "pw-secret" });
    let shown = format!("{:?}", irc(&near).unwrap());
    assert!(!shown.contains("pw-secret"), "{shown}");
}

proptest! {
    #[test]
    fn no_text_ends_a_line_or_begins_another(text in any::<String>(), target in any::<String>()) {
        for part in split(&text, 80) {
            let line = write("PRIVMSG", &["#r"], Some(&part));
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert!(part.len() <= 80 && !part.is_empty());
            let read = Line::parse(&line).unwrap();
            prop_assert_eq!(read.params, ["#r".to_owned(), part]);
        }
        if is_target(&target) {
            let line = write("PRIVMSG", &[&target], Some("x"));
            prop_assert_eq!(Line::parse(&line).unwrap().params, [target, "x".to_owned()]);
        }
    }

    #[test]
    fn every_word_of_a_text_is_sent(words in proptest::collection::vec("[a-z\u{e4}\u{1f600}]{1,30}", 1..40), most in 64usize..300) {
        let text = words.join(" ");
        let sent = split(&text, most);
        prop_assert!(sent.iter().all(|l| l.len() <= most));
        let back: String = sent.concat().chars().filter(|c| *c != ' ').collect();
        prop_assert_eq!(back, words.concat());
    }
}
