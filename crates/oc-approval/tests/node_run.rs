//! The formal claim about commands on nodes: a `system.run` is sent on only to a node that declared it and is allowed to, and it is marked
//! as approved only with a live approval for exactly this command and node, used once. Explored over the real transitions, in every order
//! of calls, answers, the clock, a node that declares anew, changed lists and a restart; with twins that lack one check.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

use std::hash::{Hash, Hasher};

use oc_approval::approver::Permit;
use oc_approval::life_cycle::{Asking, Decision, Grant, Kind, Owner, Requests, Waiting};
use oc_approval::node_run::{Desk, LIVE_MS, Needs, Offer, SystemRun};
use serde_json::{Value, json};
use stateright::{Checker, HasDiscoveries, Model, Property};

const START: u64 = 1_000_000;
const TICK: u64 = LIVE_MS / 2 + 1;
const END: u64 = START + 3 * TICK;
const ID: &str = "01010101-0101-4101-8101-010101010101";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    Real,
    /// Takes the caller's word for it.
    Believing,
    /// An approval that was taken up can be taken up again.
    UsedTwice,
    /// What is sent is not compared with what was approved.
    AnyNode,
    /// What the node offers is looked at when the call comes, and not when it is sent.
    LookedOnce,
    /// An answer lies there until somebody fetches it.
    Endless,
    /// Whoever knows the id gets the answer.
    Anybody,
    /// Approvals outlive the process that asked.
    Survives,
}

/// A call of `node.invoke`. All but the first claim the approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kindred {
    Plain,
    Right,
    NoId,
    OtherNode,
    OtherCommand,
    OtherCaller,
}

const CALLS: [Kindred; 6] = [
    Kindred::Plain,
    Kindred::Right,
    Kindred::NoId,
    Kindred::OtherNode,
    Kindred::OtherCommand,
    Kindred::OtherCaller,
];

impl Kindred {
    fn node(self) -> usize {
        usize::from(self == Self::OtherNode)
    }

    fn who(self) -> &'static str {
        if self == Self::OtherCaller { "stranger" } else { "caller" }
    }

    fn run(self) -> SystemRun {
        let command = if self == Self::OtherCommand { "rm" } else { "ls" };
        let mut params = json!({"command": [command, "-r"], "cwd": "/srv"});
        match self {
            Self::Plain => {}
            Self::NoId => params["approved"] = json!(true),
            Self::Right | Self::OtherNode | Self::OtherCommand | Self::OtherCaller => {
                params["approved"] = json!(true);
                params["approvalDecision"] = json!("allow-once");
                params["runId"] = json!(ID);
            }
        }
        SystemRun::read(&params).unwrap()
    }
}

#[allow(clippy::large_enum_variant, reason = "few of them live at a time")]
#[derive(Clone, Debug, PartialEq)]
enum Stage {
    Begun,
    /// The answer was fetched; it is not taken up yet.
    Fetched,
    Ready(Option<Grant>),
}

#[derive(Clone, Debug, PartialEq)]
struct World {
    requests: Requests,
    desk: Desk<()>,
    now: u64,
    life: u8,
    allowed: bool,
    declared: [bool; 2],
    asked: bool,
    told: Option<Decision>,
    /// When the answer was put on the desk.
    kept: Option<u64>,
    /// Calls under way; two at a time.
    calls: [Option<(Kindred, Stage)>; 2],
    begun: u8,
    marked: u8,
    plain: u8,
    wrong: Vec<&'static str>,
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for r in self.requests.records() {
            (&r.id, &r.state, &r.answer).hash(state);
        }
        format!("{:?}", self.desk).hash(state);
        for call in self.calls.iter().flatten() {
            let stage = match &call.1 {
                Stage::Begun => 0,
                Stage::Fetched => 1,
                Stage::Ready(None) => 2,
                Stage::Ready(Some(_)) => 3,
            };
            (call.0, stage).hash(state);
        }
        (self.now, self.life, self.allowed, self.declared, self.asked, self.told, self.kept).hash(state);
        (self.begun, self.marked, self.plain, &self.wrong).hash(state);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Tick,
    Ask,
    Answer(Decision),
    /// The asking call learns the answer, and keeps it for the command.
    Keep,
    Invoke(Kindred),
    Fetch(usize),
    TakeUp(usize),
    Send(usize),
    Undeclare(usize),
    Disallow,
    Restart,
}

fn owner(life: u8) -> Owner {
    Owner { pid: 1, started: life.to_string() }
}

fn node(which: usize) -> &'static str {
    ["node-0", "node-1"][which]
}

impl World {
    fn offer(&self, which: usize) -> Offer {
        Offer { allowed: self.allowed, declared: self.declared[which] }
    }
}

impl Machine {
    fn step(self, w: &mut World, step: Step) {
        match step {
            Step::Tick => w.now += TICK,
            Step::Ask => {
                let asked = Kindred::Right.run().asked(node(0), "main", "agent:main:main").unwrap();
                let asking =
                    Asking { kind: Kind::Exec, owner: owner(0), id: Some(ID.to_owned()), timeout_ms: TICK };
                w.requests.take(asked, asking, w.now, &mut || None).unwrap();
                w.asked = true;
            }
            Step::Answer(decision) => {
                let done = w.requests.answer(ID, decision, None, &Permit::terminal("a"), w.now);
                if done.is_ok() {
                    w.told.get_or_insert(decision);
                }
            }
            Step::Keep => {
                let learned = w.requests.wait(ID, &owner(0), w.now);
                if matches!(learned, Waiting::Answered(a) if a.decision != Decision::Deny) {
                    let over = w.desk.keep(ID.to_owned(), "caller".to_owned(), (), w.now);
                    assert!(over.is_empty());
                    w.kept = Some(w.now);
                }
            }
            Step::Invoke(call) => {
                let slot = usize::from(w.calls[0].is_some());
                w.begun += 1;
                // As the gateway does when the call comes in: what can be refused at once is refused at once.
                let needs = call.run();
                w.calls[slot] = match needs.needs(w.offer(call.node())) {
                    Ok(Needs::Nothing) => Some((call, Stage::Ready(None))),
                    Ok(Needs::Approval(_)) => Some((call, Stage::Begun)),
                    Err(_) if self == Self::Believing => Some((call, Stage::Ready(None))),
                    Err(_) => None,
                };
            }
            Step::Fetch(slot) => self.fetch(w, slot),
            Step::TakeUp(slot) => self.take_up(w, slot),
            Step::Send(slot) => self.send(w, slot),
            Step::Undeclare(which) => w.declared[which] = false,
            Step::Disallow => w.allowed = false,
            Step::Restart => {
                w.life = 1;
                w.calls = [None, None];
                if self != Self::Survives {
                    w.desk = Desk::default();
                    w.requests.bury(&mut |o| o.started == "0", w.now);
                }
            }
        }
        w.wrong.sort_unstable();
        w.wrong.dedup();
    }

    fn fetch(self, w: &mut World, slot: usize) {
        let Some((call, _)) = w.calls[slot].clone() else { return };
        let who = if self == Self::Anybody { "caller" } else { call.who() };
        let now = if self == Self::Endless { w.kept.unwrap_or(w.now) } else { w.now };
        w.calls[slot] = w.desk.take(ID, who, now).map(|()| (call, Stage::Fetched));
        if w.calls[slot].is_some() && w.kept.is_none_or(|at| w.now - at >= LIVE_MS) {
            w.wrong.push("an answer was fetched that is too old");
        }
    }

    fn take_up(self, w: &mut World, slot: usize) {
        let Some((call, _)) = w.calls[slot].clone() else { return };
        let record = w.requests.get(ID).cloned().unwrap();
        let mut binding =
            call.run().asked(node(call.node()), "main", "agent:main:main").unwrap().binding().clone();
        if self == Self::AnyNode {
            binding = record.binding.clone();
        }
        let life = if self == Self::Survives { 0 } else { w.life };
        let got = w.requests.consume(ID, &owner(life), &binding, w.now);
        if self == Self::UsedTwice && got.is_ok() {
            let mut json = serde_json::to_value(&w.requests).unwrap();
            json["records"][0]["state"] = json!({"at": "allowed"});
            w.requests = serde_json::from_value(json).unwrap();
            let _ = w.desk.keep(ID.to_owned(), "caller".to_owned(), (), w.now);
        }
        w.calls[slot] = got.ok().map(|grant| (call, Stage::Ready(Some(grant))));
    }

    fn send(self, w: &mut World, slot: usize) {
        let Some((call, Stage::Ready(grant))) = w.calls[slot].take() else { return };
        let offer = match self {
            Self::LookedOnce => Offer { allowed: true, declared: true },
            _ => w.offer(call.node()),
        };
        let sent = match call.run().message(offer, "run", grant.as_ref()) {
            Ok(sent) => sent,
            Err(_) if self == Self::Believing => json!({"approved": true}),
            Err(_) => return,
        };
        let is_marked =
            sent.get("approved") == Some(&Value::Bool(true)) || sent.get("approvalDecision").is_some();
        let here = call.node();
        if !w.allowed || !w.declared[here] {
            w.wrong.push("a node was sent what it does not offer");
        }
        if !is_marked {
            w.plain = (w.plain + 1).min(2);
            return;
        }
        w.marked = (w.marked + 1).min(2);
        for (wrong, what) in [
            (w.told != Some(Decision::AllowOnce), "marked, and nobody said yes"),
            (here != 0, "marked for another node"),
            (call == Kindred::OtherCommand, "marked for another command"),
            (call == Kindred::OtherCaller, "marked for another caller"),
            (w.life != 0, "marked after a restart"),
        ] {
            if wrong {
                w.wrong.push(what);
            }
        }
    }
}

impl Model for Machine {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            requests: Requests::default(),
            desk: Desk::default(),
            now: START,
            life: 0,
            allowed: true,
            declared: [true; 2],
            asked: false,
            told: None,
            kept: None,
            calls: [None, None],
            begun: 0,
            marked: 0,
            plain: 0,
            wrong: Vec::new(),
        }]
    }

    fn actions(&self, w: &World, out: &mut Vec<Step>) {
        if w.now < END {
            out.push(Step::Tick);
        }
        if !w.asked && w.life == 0 {
            out.push(Step::Ask);
        }
        if w.asked && w.told.is_none() {
            out.extend([Step::Answer(Decision::AllowOnce), Step::Answer(Decision::Deny)]);
        }
        if w.asked && w.kept.is_none() && w.life == 0 {
            out.push(Step::Keep);
        }
        if w.begun < 2 && w.calls.iter().any(Option::is_none) {
            out.extend(CALLS.map(Step::Invoke));
        }
        for (slot, call) in w.calls.iter().enumerate() {
            match call {
                None => {}
                Some((_, Stage::Begun)) => out.push(Step::Fetch(slot)),
                Some((_, Stage::Fetched)) => out.push(Step::TakeUp(slot)),
                Some((_, Stage::Ready(_))) => out.push(Step::Send(slot)),
            }
        }
        for which in 0..2 {
            if w.declared[which] {
                out.push(Step::Undeclare(which));
            }
        }
        if w.allowed {
            out.push(Step::Disallow);
        }
        if w.life == 0 {
            out.push(Step::Restart);
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut w = last.clone();
        self.step(&mut w, step);
        (w != *last).then_some(w)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONCE, |_, w: &World| w.marked <= 1),
            Property::always(NOTHING_WRONG, |_, w: &World| w.wrong.is_empty()),
            // Without these the others would hold of a gateway that sends nothing.
            Property::sometimes("an approved command is sent", |_, w: &World| w.marked == 1),
            Property::sometimes("the node is left to decide", |_, w: &World| w.plain == 1 && !w.asked),
            Property::sometimes("both", |_, w: &World| w.marked == 1 && w.plain == 1),
        ]
    }
}

const ONCE: &str = "an approval marks at most one command";
const NOTHING_WRONG: &str = "nothing wrong was sent";

#[test]
fn sp_170_a_command_reaches_a_node_only_declared_allowed_and_marked_by_one_live_approval() {
    let checker = Machine::Real.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let states = checker.unique_state_count();
    println!("{states} states");
    assert!(states > 20_000, "{states}");
}

#[test]
fn sp_170_a_twin_that_lacks_one_check_is_caught() {
    for (twin, property) in [
        (Machine::Believing, NOTHING_WRONG),
        (Machine::UsedTwice, ONCE),
        (Machine::AnyNode, NOTHING_WRONG),
        (Machine::LookedOnce, NOTHING_WRONG),
        (Machine::Endless, NOTHING_WRONG),
        (Machine::Anybody, NOTHING_WRONG),
        (Machine::Survives, NOTHING_WRONG),
    ] {
        let enough = HasDiscoveries::AnyOf([property].into());
        let checker = twin.checker().finish_when(enough).spawn_bfs().join();
        assert!(checker.discovery(property).is_some(), "{twin:?} was not caught");
    }
}
