//! Commands that go to a node: the choice of the node, what is decided here, and what goes along.

use std::sync::Mutex;

use oc_approval::approver::Permit;
use oc_approval::life_cycle::{Decision, Record as Asked};
use oc_fs::approval_queue::ApprovalQueue;
use oc_runner::protocol::Program;

use super::*;
use crate::executor::Executor;
use crate::fake::FakePlace;

#[derive(Debug)]
struct FakeNodes {
    here: Mutex<Vec<NodeHere>>,
    runs: Mutex<Vec<NodeRun>>,
    place: FakePlace,
}

impl Nodes for FakeNodes {
    fn ready(&self) -> Vec<NodeHere> {
        self.here.lock().unwrap().clone()
    }

    fn executor(&self, run: NodeRun) -> Arc<dyn Executor> {
        self.runs.lock().unwrap().push(run);
        Arc::new(self.place.clone())
    }
}

fn here(id: &str, name: &str, address: &str) -> NodeHere {
    NodeHere { id: id.to_owned(), name: Some(name.to_owned()), address: Some(address.to_owned()) }
}

fn with_nodes(config: Json, here: Vec<NodeHere>) -> (Bench, Arc<FakeNodes>) {
    let b = bench(config);
    let place = FakePlace {
        place: Place::Node,
        seen: Arc::clone(&b.fake.seen),
        prints: ("there\n".to_owned(), 3),
        stays: false,
    };
    let nodes = Arc::new(FakeNodes { here: Mutex::new(here), runs: Mutex::default(), place });
    b.gate.reach_nodes(Arc::clone(&nodes) as Arc<dyn Nodes>);
    (b, nodes)
}

fn to_node() -> Json {
    json!({"tools": {"exec": {"host": "node"}}})
}

#[tokio::test]
async fn without_a_gateway_a_command_for_a_node_is_refused_and_says_what_is_needed() {
    let b = bench(to_node());
    let refused = b.refused("exec", json!({"command": "ls"}), MAIN).await;
    assert_eq!(
        (refused.stage(), refused.explanation().decided_by.rule.as_str()),
        (Stage::Place, "gateway-needed")
    );
    assert!(refused.sentence().contains("`openclaw gateway`"), "{refused}");
    b.nothing_ran();
    assert_eq!(b.records()[0].entry.inputs["route"], "node");
}

#[tokio::test]
async fn the_only_node_gets_the_text_and_its_exit_code_is_the_result() {
    let (b, nodes) = with_nodes(to_node(), vec![here("aaaaaa1", "Pi", "192.0.2.4")]);
    let arguments =
        json!({"command": "ls *.txt | wc -l", "workdir": "/srv", "env": {"LANG": "C"}, "pty": true});
    let answer = b.call("exec", arguments, MAIN).await.unwrap();
    assert_eq!((answer.place, answer.result.outcome), (Place::Node, Outcome::Failed));
    assert_eq!(answer.result.details["exitCode"], 3);
    assert!(matches!(&answer.result.content[0], Content::Text { text } if text.starts_with("there\n")));
    assert_eq!(answer.notes, ["on the node Pi", "a node gives no terminal"]);
    let seen = b.fake.seen.lock().unwrap().runs.clone();
    let (place, run) = &seen[0];
    let Program::Shell { text, .. } = &run.program else { panic!("{run:?}") };
    assert_eq!((*place, text.as_str(), run.directory.as_str()), (Place::Node, "ls *.txt | wc -l", "/srv"));
    // Nothing of this host's environment goes along.
    assert_eq!(run.environment, [("LANG".to_owned(), "C".to_owned())]);
    let sent = nodes.runs.lock().unwrap()[0].clone();
    assert_eq!((sent.agent.as_str(), sent.session.as_str(), sent.grant), ("main", MAIN, None));
    let records: Vec<_> = b.records().into_iter().map(|r| r.entry).collect();
    assert_eq!((records[0].verdict.as_str(), records[0].rule.as_str()), ("allowed", "exec: node"));
    assert_eq!(
        (&records[0].inputs["node"], &records[0].inputs["place"]),
        (&json!("aaaaaa1"), &json!("node"))
    );
    assert_eq!((records[1].verdict.as_str(), &records[1].inputs["exitCode"]), ("failed", &json!(3)));
}

#[tokio::test]
async fn sp_239_nobody_guesses_which_node_is_meant() {
    let two = || vec![here("aaaaaa1", "Pi", "192.0.2.4"), here("aaaaaa2", "Box", "192.0.2.5")];
    let rule = |refused: Refused| refused.explanation().decided_by.rule.clone();
    let (b, nodes) = with_nodes(to_node(), two());
    assert_eq!(rule(b.refused("exec", json!({"command": "ls"}), MAIN).await), "node-unclear");
    assert_eq!(
        rule(b.refused("exec", json!({"command": "ls", "node": "aaaaaa"}), MAIN).await),
        "node-unclear"
    );
    assert_eq!(
        rule(b.refused("exec", json!({"command": "ls", "node": "nobody"}), MAIN).await),
        "node-unknown"
    );
    for (wanted, id) in [("box", "aaaaaa2"), ("192.0.2.4", "aaaaaa1"), ("aaaaaa2", "aaaaaa2")] {
        b.call("exec", json!({"command": "ls", "node": wanted}), MAIN).await.unwrap();
        assert_eq!(nodes.runs.lock().unwrap().last().unwrap().node.id, id, "{wanted}");
    }
    nodes.here.lock().unwrap().clear();
    assert_eq!(rule(b.refused("exec", json!({"command": "ls"}), MAIN).await), "no-node");
    // What the configuration binds, no call changes; the session's word comes after it.
    let mut bound = to_node();
    bound["tools"]["exec"]["node"] = json!("Pi");
    let (b, nodes) = with_nodes(bound, two());
    assert_eq!(
        rule(b.refused("exec", json!({"command": "ls", "node": "Box"}), MAIN).await),
        "node-not-allowed"
    );
    let mut asked = call("exec", json!({"command": "ls"}), MAIN);
    asked.caller.exec.overrides.node = Some("Box".to_owned());
    b.gate.call(&asked).await.unwrap();
    assert_eq!(nodes.runs.lock().unwrap()[0].node.id, "aaaaaa1");
    let (b, nodes) = with_nodes(to_node(), two());
    b.gate.call(&asked).await.unwrap();
    assert_eq!(nodes.runs.lock().unwrap()[0].node.id, "aaaaaa2");
}

#[tokio::test]
async fn what_nobody_may_ask_for_goes_to_no_node() {
    let one = || vec![here("aaaaaa1", "Pi", "192.0.2.4")];
    let (b, _) = with_nodes(to_node(), one());
    for (arguments, rule) in [
        (json!({"command": "ls\u{0}"}), "nul"),
        (json!({"command": "ls", "env": {"LD_PRELOAD": "/tmp/x"}}), "env-forbidden"),
        (json!({"command": "ls", "security": "deny"}), "security-deny"),
    ] {
        assert_eq!(b.refused("exec", arguments, MAIN).await.explanation().decided_by.rule, rule);
    }
    b.nothing_ran();
    let mut off = to_node();
    off["tools"]["exec"]["security"] = json!("deny");
    let (b, _) = with_nodes(off, one());
    assert_eq!(
        b.refused("exec", json!({"command": "ls"}), MAIN).await.explanation().decided_by.rule,
        "security-deny"
    );
    // This host's approvals file says nothing about a node; that it cannot be read shuts this host alone.
    let (b, _) = with_nodes(to_node(), one());
    std::fs::create_dir_all(&b.state).unwrap();
    std::fs::write(b.state.join("exec-approvals.json"), "{").unwrap();
    assert_eq!(b.call("exec", json!({"command": "ls"}), MAIN).await.unwrap().place, Place::Node);
}

/// Says yes to everything.
#[derive(Debug)]
struct Yes {
    queue: ApprovalQueue,
    asked: Mutex<Vec<Asked>>,
}

impl Listener for Yes {
    fn requested(&self, record: &Asked) -> Reached {
        self.asked.lock().unwrap().push(record.clone());
        self.queue.answer(&record.code, Decision::AllowOnce, None, &Permit::terminal("me")).unwrap();
        Reached::Somebody
    }
}

#[tokio::test]
async fn where_every_command_is_asked_about_the_answer_is_for_this_node_and_goes_along() {
    let mut config = to_node();
    config["tools"]["exec"]["ask"] = json!("always");
    let (mut b, nodes) = with_nodes(config, vec![here("aaaaaa1", "Pi", "192.0.2.4")]);
    let yes = Arc::new(Yes { queue: ApprovalQueue::of(&b.state).unwrap(), asked: Mutex::default() });
    let approvals = Approvals::of(&b.state).unwrap().told_to(Arc::clone(&yes) as Arc<dyn Listener>);
    b.gate = b.gate.asking(approvals);
    let answer = b.call("exec", json!({"command": "touch x", "env": {"LANG": "C"}}), MAIN).await.unwrap();
    let asked = serde_json::to_value(&yes.asked.lock().unwrap()[0].request).unwrap();
    assert_eq!((&asked["host"], &asked["nodeId"]), (&json!("node"), &json!("aaaaaa1")), "{asked}");
    assert_eq!(asked["allowedDecisions"], json!(["allow-once", "deny"]), "{asked}");
    assert_eq!(asked["envKeys"], json!(["LANG"]));
    let sent = nodes.runs.lock().unwrap()[0].clone();
    let grant = sent.grant.unwrap();
    assert_eq!(answer.result.details["approvalId"], json!(grant.id));
    assert_eq!(grant.binding.digest().len(), 64);
    let records: Vec<_> = b.records().into_iter().map(|r| r.entry).collect();
    assert_eq!(records[1].rule, "exec: allow-once by terminal:me");
}
