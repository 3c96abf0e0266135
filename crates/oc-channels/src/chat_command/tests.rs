use super::*;
use oc_policy::command::gate::CommandGrant;

fn read(text: &str) -> Option<ChatCommand> {
    ChatCommand::of(text, Some("bot_name"), &Node::empty())
}

const OWNER: Authority = Authority { commands: CommandGrant::Authorized, owner: Ownership::Proven };
const MEMBER: Authority = Authority { commands: CommandGrant::Authorized, owner: Ownership::NotProven };

fn standing(authority: Authority, room: bool, named: bool) -> Standing {
    Standing { authority, room, named }
}

#[test]
fn texts_become_typed_commands() {
    for (text, want) in [
        ("/status", Some(ChatCommand::Status)),
        ("/id", Some(ChatCommand::Whoami)),
        ("/status@bot_name", Some(ChatCommand::Status)),
        ("/status@other", None),
        ("stop", Some(ChatCommand::Stop)),
        (" ABORT ", Some(ChatCommand::Stop)),
        ("/stop", Some(ChatCommand::Stop)),
        ("stop it", None),
        ("/new hello there", Some(ChatCommand::New { rest: "hello there".to_owned() })),
        ("/reset", Some(ChatCommand::New { rest: String::new() })),
        ("/t high", Some(ChatCommand::Think(Arg::Set("high".to_owned())))),
        ("/think: harder", Some(ChatCommand::Think(Arg::Wrong("harder".to_owned())))),
        ("/verbose", Some(ChatCommand::Verbose(Arg::Show))),
        ("/reason stream", Some(ChatCommand::Reasoning(Arg::Set(Reasoning::Stream)))),
        ("/elev full", Some(ChatCommand::Elevated(Arg::Set(Level::Full)))),
        ("/activation always", Some(ChatCommand::Activation(Arg::Set(false)))),
        ("/model default", Some(ChatCommand::Model(Arg::Set(None)))),
        ("/model a/b-1.2", Some(ChatCommand::Model(Arg::Set(Some("a/b-1.2".to_owned()))))),
        ("/model `rm`", Some(ChatCommand::Model(Arg::Wrong("`rm`".to_owned())))),
        ("/queue steer", Some(ChatCommand::Queue(Arg::Set(Some(QueueMode::Steer))))),
        ("/tts on", Some(ChatCommand::Elsewhere("tts"))),
        ("/deny 1234abcd", read("/deny 1234abcd")),
        ("/config show", None),
        ("/unknown", None),
        ("hello", None),
    ] {
        assert_eq!(read(text), want, "{text}");
    }
    assert!(matches!(read("/deny 1234abcd"), Some(ChatCommand::Approve(ApproveText::Decision { .. }))));
}

#[test]
fn sp_408_owner_commands_need_an_owner_by_name() {
    for text in ["/activation always", "/send off", "/allowlist add 1"] {
        let command = read(text).unwrap();
        assert_eq!(command.permit(&standing(MEMBER, true, true)), Err(CommandRefusal::NotOwner), "{text}");
        assert_eq!(command.permit(&standing(OWNER, true, true)), Ok(()), "{text}");
        assert_eq!(command.permit(&standing(Authority::NONE, true, true)), Err(CommandRefusal::Unauthorized));
    }
}

#[test]
fn sp_413_every_command_asks_for_the_right_again() {
    for text in ["/status", "/stop", "/new", "/approve abcd1234", "/exec host=node", "/verbose on", "stop"] {
        let command = read(text).unwrap();
        for room in [false, true] {
            let at = standing(Authority::NONE, room, true);
            assert_eq!(command.permit(&at), Err(CommandRefusal::Unauthorized), "{text}");
        }
    }
}

#[test]
fn in_a_room_without_a_mention_only_what_narrows_counts() {
    for (text, ok) in [
        ("/exec security=deny", true),
        ("/exec security=deny host=gateway", false),
        ("/exec security=full", false),
        ("/exec host=sandbox", false),
        ("/elevated off", true),
        ("/elevated on", false),
        ("/elevated full", false),
        ("/stop", true),
        ("/status", true),
    ] {
        let command = read(text).unwrap();
        let got = command.permit(&standing(OWNER, true, false));
        assert_eq!(got, if ok { Ok(()) } else { Err(CommandRefusal::NotNamed) }, "{text}");
        assert_eq!(command.permit(&standing(OWNER, true, true)), Ok(()), "{text}");
        assert_eq!(command.permit(&standing(OWNER, false, true)), Ok(()), "{text}");
    }
}

#[test]
fn commands_inside_a_text_are_taken_out() {
    let got = inline("how are you? /status\nand /WHOAMI please /status").unwrap();
    assert_eq!(got.commands, [ChatCommand::Status, ChatCommand::Whoami]);
    assert_eq!(got.rest, "how are you?\nand please");
    assert_eq!(inline("see a/status and http://x/status"), None);
    assert_eq!(inline("nothing"), None);
}
