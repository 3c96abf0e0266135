//! What strangers are told.

use oc_channels::ingress::pairing_reply;
use oc_policy::inbound::{ConversationKind, MutableNames, Phone};

use super::doubles::*;

#[test]
fn the_pairing_reply_holds_the_own_id_the_code_and_the_command() {
    let mut out = String::new();
    for (channel, id) in [
        ("telegram", "123456789"),
        ("whatsapp", "+15551110001"),
        ("discord", "80351110224678912"),
        ("slack", "U0AAAAAA1"),
        ("signal", "uuid:0b1c2d3e-0000-4000-8000-000000000000"),
        ("imessage", "ada@example.org"),
        ("matrix", "@ada:example.org"),
        ("irc", "ada\u{202e}\u{7}"),
        ("webchat", "x"),
    ] {
        let mut e = event(channel, ConversationKind::Direct, "1", id, id, "hello");
        e.message.sender.names = MutableNames::new(Some("username"), Some("Display Name"), None, None);
        e.message.place.name = Some("Room".to_owned());
        let text = pairing_reply(&e.message, id, "ABCD2345");
        assert!(!text.contains("username") && !text.contains("Display") && !text.contains("Room"));
        out.push_str(&format!("--- {channel}\n{text}\n"));
    }
    let mut e = event("signal", ConversationKind::Direct, "1", "+1", "x", "hello");
    e.message.sender.phone = Phone::parse("+15551110001");
    e.message.account = "Work".to_owned();
    out.push_str(&format!(
        "--- signal, account Work\n{}\n",
        pairing_reply(&e.message, "+15551110001", "ABCD2345")
    ));
    insta::assert_snapshot!(out);
}
