//! What comes of a turn after it is over: where it goes, and with whose rights.

use oc_agent::turn::said::{Background, Said};
use oc_approval::approver::Permit;
use oc_approval::life_cycle::Decision;
use oc_channels::adapter::Taken;
use oc_gateway::assistant::origin::{Origin, resume};
use oc_policy::elevated::Turn;
use oc_policy::inbound::{ConversationId, ConversationKind, SenderId};
use oc_sandbox::gate::{Caller, ReturnAddress, Surface};
use oc_types::AgentId;

use super::chat::{Fake, message, open, service};
use super::*;

const MAIN: &str = "agent:main:main";

fn store(stage: &Stage) -> std::path::PathBuf {
    stage.world.state_dir().join("agents/main/sessions/sessions.json")
}

/// The id of a session's transcript.
pub fn transcript(stage: &Stage, key: &str) -> String {
    let all: Value = serde_json::from_slice(&std::fs::read(store(stage)).unwrap()).unwrap();
    all[key]["sessionId"].as_str().unwrap().to_owned()
}

/// A caller in the chat 100.
fn caller(turn: Turn, transcript: Option<&str>) -> Caller {
    let mut caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), MAIN);
    caller.turn = turn;
    caller.channel = Some("discord".to_owned());
    caller.account = Some("default".to_owned());
    caller.conversation = ConversationKind::Direct;
    caller.back = ReturnAddress {
        transcript: transcript.map(str::to_owned),
        conversation: Some("100".to_owned()),
        thread: None,
    };
    caller
}

/// The session of a caller goes on with the end of a command; returns when that is over.
async fn ended(stage: &Stage, caller: &Caller, behind: &[Caller]) {
    let gateway = &stage.world.gateway;
    let origin = Origin::of(&gateway.snapshot().place(), caller, behind).unwrap();
    let end = Background::Finished {
        process: "p1: make".to_owned(),
        how: "exit code 0".to_owned(),
        tail: "all built".to_owned(),
    };
    resume(&gateway.assistant().unwrap(), origin, Said::Background(end)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_418_a_late_result_and_its_question_stay_with_the_person_who_asked() {
    let script = |asked: &Recorded| {
        if asked.text.contains("A command in the background has ended") {
            return Reply::text("It was not built.");
        }
        if asked.text.contains("what else") {
            return Reply::text("Nothing else.");
        }
        Reply::call("a", "exec", &json!({ "command": "uname -a" }))
    };
    let mut config = open();
    config["tools"] = json!({ "exec": { "host": "gateway", "ask": "always" } });
    // Nobody answers in time: the command waits on by itself.
    config["agents"] = json!({ "defaults": { "timeoutSeconds": 3 } });
    let stage = Stage::start(config, script).await;
    let (fake, door) = service(&stage).await;
    assert_eq!(door.offer(message("1", "build it")).await, Taken::Done);
    until("it is asked", || fake.sent_to("100").iter().any(|t| t.contains("/approve "))).await;
    until("the turn is over", || !stage.world.gateway.assistant().unwrap().is_running(MAIN)).await;
    // Everybody shares the main session; meanwhile somebody else writes there.
    let mut other = message("2", "what else");
    other.message.sender.id = SenderId::new("8");
    other.message.conversation = ConversationId::new("200");
    other.reply.conversation = ConversationId::new("200");
    assert_eq!(door.offer(other).await, Taken::Done);
    until("the other one is answered", || fake.sent_to("200").contains(&"Nothing else.".to_owned())).await;
    let queue = stage.world.gateway.queue.clone();
    tokio::task::spawn_blocking(move || {
        let waiting = queue.records().unwrap().into_iter().next_back().unwrap();
        queue.answer(&waiting.id, Decision::Deny, None, &Permit::terminal("me")).unwrap();
    })
    .await
    .unwrap();
    let told = |fake: &Fake| fake.sent_to("100").contains(&"It was not built.".to_owned());
    until("the end is told", || told(&fake)).await;
    assert_eq!(fake.sent_to("200"), ["Nothing else."], "neither the question nor the result");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_418_nothing_comes_back_into_another_transcript_or_one_that_nobody_knows() {
    let script = |asked: &Recorded| {
        Reply::text(if asked.text.contains("A command in the background") { "Done." } else { "It builds." })
    };
    let stage = Stage::start(open(), script).await;
    let (fake, door) = service(&stage).await;
    assert_eq!(door.offer(message("1", "build it")).await, Taken::Done);
    until("the answer arrives", || fake.sent_to("100") == ["It builds."]).await;
    let id = transcript(&stage, MAIN);
    // Of a turn before a reset; of one whose transcript was never known.
    for other in [Some("of-before"), None] {
        ended(&stage, &caller(Turn::Person, other), &[]).await;
    }
    // A session that is gone does not begin again.
    let mut gone = caller(Turn::Person, None);
    gone.session = "agent:main:gone".to_owned();
    ended(&stage, &gone, &[]).await;
    // A store that cannot be read says nothing about whose transcript it is.
    let before = std::fs::read(store(&stage)).unwrap();
    std::fs::write(store(&stage), "{").unwrap();
    ended(&stage, &caller(Turn::Person, Some(&id)), &[]).await;
    std::fs::write(store(&stage), &before).unwrap();
    assert_eq!((stage.model.requests().len(), fake.sent_to("100").len()), (1, 1), "nothing came of it");
    let all: Value = serde_json::from_slice(&before).unwrap();
    assert!(all.get("agent:main:gone").is_none(), "{all}");
    ended(&stage, &caller(Turn::Person, Some(&id)), &[]).await;
    assert_eq!(fake.sent_to("100"), ["It builds.", "Done."]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_107_whoever_wrote_from_another_session_stands_behind_what_comes_of_it_later() {
    let script = |asked: &Recorded| match (
        asked.text.contains("A command in the background has ended"),
        asked.results().len(),
    ) {
        (true, 0) => Reply::call("w", "write", &json!({ "path": "a", "content": "b" }))
            .and_call("s", "sessions_spawn", &json!({ "task": "more" }))
            .and_call("t", "sessions_send", &json!({ "sessionKey": "agent:helper:main", "message": "x" }))
            .and_call("m", "message", &json!({ "action": "send", "message": "x" })),
        (true, _) => Reply::text("For nobody here."),
        (false, _) => Reply::text("It builds."),
    };
    let mut config = open();
    config["agents"] =
        json!({ "list": [{ "id": "main" }, { "id": "helper", "tools": { "deny": ["write"] } }] });
    let stage = Stage::start(config, script).await;
    let (fake, door) = service(&stage).await;
    assert_eq!(door.offer(message("1", "build it")).await, Taken::Done);
    until("the answer arrives", || fake.sent_to("100") == ["It builds."]).await;
    // The helper's session wrote to this one, whose turn started the command.
    let mut above = Caller::of_session(Surface::Model, AgentId::normalized("helper"), "agent:helper:main");
    above.turn = Turn::Person;
    above.sender.id = Some("9".to_owned());
    let id = transcript(&stage, MAIN);
    ended(&stage, &caller(Turn::InterSession, Some(&id)), &[above]).await;
    let requests = stage.model.requests();
    assert!(requests[0].tools().contains(&"write".to_owned()), "its own turn may: {:?}", requests[0].tools());
    assert!(!requests[1].tools().contains(&"write".to_owned()), "{:?}", requests[1].tools());
    assert_eq!(requests.last().unwrap().results().len(), 4);
    let denied = |tool: &str| stage.recorded(tool).pop().unwrap();
    for (tool, rule) in [("sessions_spawn", "policy: one-hop"), ("sessions_send", "policy: one-hop")] {
        assert_eq!(denied(tool), ("denied".to_owned(), rule.to_owned()));
    }
    assert_eq!(denied("write").0, "denied");
    assert_eq!(denied("message").0, "denied", "no conversation is at hand");
    assert_eq!(fake.sent_to("100"), ["It builds."], "its answer goes to no chat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_426_each_of_a_batch_is_asked_about_what_follows_from_their_command() {
    const GROUP: &str = "agent:main:telegram:group:42";
    let mut config = open();
    config["channels"]["telegram"]["groups"] =
        json!({ "42": { "toolsBySender": { "111": { "deny": ["write"] } } } });
    let mut stage = Stage::start(config, |_| Reply::text("Done.")).await;
    assert_eq!(stage.say(GROUP, "be there").await, "Done.");
    let mut batch = caller(Turn::Person, Some(&transcript(&stage, GROUP)));
    batch.session = GROUP.to_owned();
    batch.channel = Some("telegram".to_owned());
    batch.conversation = ConversationKind::Group;
    let person = |id: &str| {
        let mut person = batch.clone();
        person.sender.id = Some(id.to_owned());
        person
    };
    for (people, offered) in [(vec!["222"], true), (vec!["222", "111"], false), (vec!["111"], false)] {
        let behind: Vec<Caller> = people.iter().map(|id| person(id)).collect();
        let before = stage.model.requests().len();
        ended(&stage, &batch, &behind).await;
        let requests = stage.model.requests();
        assert_eq!(requests.len(), before + 1, "{people:?}");
        let tools = requests[before].tools();
        assert_eq!(tools.contains(&"write".to_owned()), offered, "{people:?}: {tools:?}");
    }
}
