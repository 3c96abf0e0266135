//! Every interleaving of two askers, two approvers, the clock, restarts, aborts, changed rules and swapped files over the real state
//! machine. Each property also has a twin of the machine that lacks one check; the exploration has to find it out.
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

use oc_approval::approvals_file::{Ask, Security};
use oc_approval::approver::Permit;
use oc_approval::binding::{Circumstances, Host};
use oc_approval::host_view::{Entry, FileFacts, HostView};
use oc_approval::life_cycle::{
    Answered, Asking, Decision, Grant, Kind, NotGranted, Owner, Reevaluated, Refused, Requests, State,
    Waiting,
};
use oc_approval::plan::{Expansion, Plan};
use oc_approval::request::{Asked, SandboxOffer};
use stateright::{Checker, HasDiscoveries, Model, Property};

const START: u64 = 1_000;
const TIMEOUT: u64 = 1;
const END: u64 = START + 2;

/// The machine as it is, or without one of its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    Real,
    /// Taking up does not mark the approval as used.
    UsedTwice,
    /// An answer is not compared with the expiry.
    LateAnswer,
    /// The waiting run is not compared with what was approved.
    Unbound,
    /// A writer overwrites what another one wrote (no lock).
    LostWrite,
    /// Any process may take an approval up, and nobody buries the dead.
    Survives,
    /// The last answer wins.
    LastAnswer,
    /// Rules are not asked again.
    OldRules,
}

#[derive(Clone, Debug, PartialEq)]
struct World {
    requests: Requests,
    now: u64,
    /// How often each asker was restarted (at most once).
    life: [u32; 2],
    ids: [Option<String>; 2],
    /// What the first approver whose answer counted was told.
    told: [Option<Decision>; 2],
    aborted: [bool; 2],
    refused_by_rules: bool,
    runs: [u8; 2],
    wrong: Vec<&'static str>,
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // What a step depends on; when and by whom something was decided makes no other world.
        for r in self.requests.records() {
            (&r.id, &r.state, &r.answer, r.created_at_ms, &r.owner).hash(state);
        }
        (
            self.now,
            self.life,
            &self.ids,
            self.told,
            self.aborted,
            self.refused_by_rules,
            self.runs,
            &self.wrong,
        )
            .hash(state);
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Tick,
    Ask(usize),
    Answer { approver: usize, about: usize, decision: Decision },
    Consume { asker: usize, changed: bool },
    Restart(usize),
    Abort(usize),
    RulesRefuse,
}

struct Directory(u64);

impl HostView for Directory {
    fn entry(&self, _: &str) -> Entry {
        Entry::Directory(FileFacts { inode: self.0, ..FileFacts::default() })
    }
    fn names(&self, _: &str, _: usize) -> Option<Vec<String>> {
        None
    }
    fn sha256(&self, _: &str) -> Option<String> {
        None
    }
    fn uid(&self) -> u32 {
        0
    }
}

fn asked(asker: usize, changed: bool) -> Asked {
    let plan = Plan {
        text: format!("command {asker}"),
        directory: "/w".to_owned(),
        overrides: Vec::new(),
        segments: Vec::new(),
        miss: None,
        expansion: Expansion::None,
    };
    let at = Circumstances {
        agent: "main".to_owned(),
        session: format!("agent:main:{asker}"),
        host: Host::Gateway,
        node: None,
        security: Security::Allowlist,
        ask: Ask::OnMiss,
    };
    // The same text in a directory that was swapped.
    Asked::of(&plan, &at, SandboxOffer::None, &Directory(if changed { 2 } else { 1 })).unwrap()
}

fn owner(asker: usize, life: u32) -> Owner {
    Owner { pid: u32::try_from(asker).unwrap(), started: life.to_string() }
}

impl Machine {
    fn ask(self, w: &mut World, asker: usize) {
        let before = w.requests.clone();
        if self == Self::LostWrite {
            // Read before the other one wrote, written after.
            w.requests = Requests::default();
        }
        let asking =
            Asking { kind: Kind::Exec, owner: owner(asker, w.life[asker]), id: None, timeout_ms: TIMEOUT };
        let byte = u8::try_from(asker + 1).unwrap();
        match w.requests.take(asked(asker, false), asking, w.now, &mut || Some([byte; 16])) {
            Ok(record) => w.ids[asker] = Some(record.id),
            Err(_) => w.requests = before,
        }
    }

    fn answer(
        self,
        w: &mut World,
        id: &str,
        decision: Decision,
        permit: &Permit,
    ) -> Result<Answered, Refused> {
        let now = if self == Self::LateAnswer { START } else { w.now };
        let got = w.requests.answer(id, decision, None, permit, now);
        if self == Self::LastAnswer && matches!(got, Err(Refused::Otherwise(_))) {
            Self::edit(w, id, &|r| {
                r["answer"]["decision"] = serde_json::json!(decision);
                r["state"] = match decision {
                    Decision::Deny => serde_json::json!({"at":"denied","reason":"user-denied"}),
                    _ => serde_json::json!({"at":"allowed"}),
                };
            });
        }
        got
    }

    fn consume(self, w: &mut World, asker: usize, id: &str, changed: bool) -> Result<Grant, NotGranted> {
        let mut who = owner(asker, w.life[asker]);
        let mut about = asked(asker, changed).binding().clone();
        if let Some(record) = w.requests.get(id) {
            if self == Self::Unbound {
                about = record.binding.clone();
            }
            if self == Self::Survives {
                who = record.owner.clone();
            }
        }
        let got = w.requests.consume(id, &who, &about, w.now);
        if self == Self::UsedTwice && got.is_ok() {
            Self::edit(w, id, &|r| r["state"] = serde_json::json!({"at":"allowed"}));
        }
        got
    }

    /// Changes a stored record behind the machine's back.
    fn edit(w: &mut World, id: &str, change: &dyn Fn(&mut serde_json::Value)) {
        let mut json = serde_json::to_value(&w.requests).unwrap();
        json["records"].as_array_mut().unwrap().iter_mut().filter(|r| r["id"] == id).for_each(change);
        w.requests = serde_json::from_value(json).unwrap();
    }

    fn step(self, w: &mut World, step: Step) -> Option<()> {
        let now = w.now;
        match step {
            Step::Tick => w.now += 1,
            Step::Ask(asker) => self.ask(w, asker),
            Step::Answer { approver, about, decision } => {
                let id = w.ids[about].clone()?;
                let permit = Permit::terminal(if approver == 0 { "a" } else { "b" });
                match self.answer(w, &id, decision, &permit) {
                    Ok(Answered::Now(record)) => {
                        if decision != Decision::Deny && now >= record.expires_at_ms {
                            w.wrong.push("approved after the expiry");
                        }
                        if w.told[about].is_some() {
                            w.wrong.push("two answers counted");
                        }
                        w.told[about] = Some(decision);
                    }
                    Ok(Answered::Already(_)) if w.told[about] != Some(decision) => {
                        w.wrong.push("an answer was repeated that never counted");
                    }
                    Ok(Answered::Already(_)) | Err(_) => {}
                }
            }
            Step::Consume { asker, changed } => {
                let id = w.ids[asker].clone()?;
                if self.consume(w, asker, &id, changed).is_ok() {
                    w.runs[asker] = (w.runs[asker] + 1).min(2);
                    for (wrong, what) in [
                        (changed, "ran something else than was approved"),
                        (w.told[asker] != Some(Decision::AllowOnce), "ran without the answer that counted"),
                        (w.life[asker] != 0, "ran in another process than the one that asked"),
                        (w.aborted[asker], "ran after its session was aborted"),
                        (w.refused_by_rules, "ran although the rules refuse it now"),
                    ] {
                        if wrong {
                            w.wrong.push(what);
                        }
                    }
                }
            }
            Step::Restart(asker) => {
                w.life[asker] += 1;
                if self != Self::Survives {
                    w.requests.bury(&mut |o| o.pid as usize == asker && o.started == "0", now);
                }
            }
            Step::Abort(asker) => {
                w.aborted[asker] = true;
                w.requests.abort_session(&format!("agent:main:{asker}"), now);
            }
            Step::RulesRefuse => {
                w.refused_by_rules = true;
                if self != Self::OldRules {
                    w.requests.reevaluate(&mut |_| Reevaluated::Refused, now);
                }
                // What would be asked afterwards is refused by the new rules before it gets here.
                for id in &mut w.ids {
                    id.get_or_insert_with(|| "never asked".to_owned());
                }
            }
        }
        w.wrong.sort_unstable();
        w.wrong.dedup();
        Some(())
    }
}

impl Model for Machine {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            requests: Requests::default(),
            now: START,
            life: [0; 2],
            ids: [None, None],
            told: [None; 2],
            aborted: [false; 2],
            refused_by_rules: false,
            runs: [0; 2],
            wrong: Vec::new(),
        }]
    }

    fn actions(&self, w: &World, out: &mut Vec<Step>) {
        if w.now < END {
            out.push(Step::Tick);
        }
        if !w.refused_by_rules {
            out.push(Step::RulesRefuse);
        }
        for asker in 0..2 {
            if w.ids[asker].is_none() {
                out.push(Step::Ask(asker));
                continue;
            }
            // One of them says yes, the other one no; either may come first, last, or twice.
            for (approver, decision) in [Decision::AllowOnce, Decision::Deny].into_iter().enumerate() {
                out.push(Step::Answer { approver, about: asker, decision });
            }
            for changed in [false, true] {
                out.push(Step::Consume { asker, changed });
            }
            if w.life[asker] == 0 {
                out.push(Step::Restart(asker));
            }
            if !w.aborted[asker] {
                out.push(Step::Abort(asker));
            }
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut w = last.clone();
        self.step(&mut w, step)?;
        (w != *last).then_some(w)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONCE, |_, w: &World| w.runs.iter().all(|n| *n <= 1)),
            Property::always(NOTHING_WRONG, |_, w: &World| w.wrong.is_empty()),
            Property::always(NOTHING_LOST, |_, w: &World| (0..2).all(|asker| learns(w, asker))),
            Property::always("nothing is pending after its time", |_, w: &World| {
                let mut requests = w.requests.clone();
                requests.expire(w.now);
                requests.pending().all(|r| w.now < r.expires_at_ms)
            }),
            // Without these the others would hold of a machine that never does anything.
            Property::sometimes("both run", |_, w: &World| w.runs == [1, 1]),
            Property::sometimes("one runs and one is denied", |_, w: &World| {
                w.runs[0] == 1 && w.told[1] == Some(Decision::Deny)
            }),
            Property::sometimes("an approval given in time runs after the expiry", |_, w: &World| {
                w.now == END && w.runs[0] == 1
            }),
        ]
    }
}

const ONCE: &str = "an approval is used at most once";
const NOTHING_WRONG: &str = "nothing wrong was seen";
const NOTHING_LOST: &str = "no request is lost, and who waits learns the answer that counted";

fn learns(w: &World, asker: usize) -> bool {
    let Some(id) = w.ids[asker].as_deref().filter(|id| *id != "never asked") else { return true };
    let Some(record) = w.requests.get(id) else { return false };
    if w.life[asker] != 0 {
        return record.state.is_over();
    }
    let taken_back = w.aborted[asker] || w.refused_by_rules;
    match w.requests.clone().wait(id, &owner(asker, 0), w.now) {
        Waiting::Pending { .. } => w.told[asker].is_none() && !taken_back,
        Waiting::Answered(answer) => w.told[asker] == Some(answer.decision),
        // A yes is followed by a denial only when something else ended it.
        Waiting::Denied { .. } => {
            w.told[asker] != Some(Decision::AllowOnce)
                || taken_back
                || matches!(&record.state, State::Denied { detail, .. } if detail == "the working directory")
        }
        Waiting::Unknown => false,
    }
}

#[test]
fn sp_173_every_interleaving_uses_an_approval_at_most_once_and_never_late() {
    let checker = Machine::Real.checker().spawn_bfs().join();
    checker.assert_properties();
    let states = checker.unique_state_count();
    println!("{states} states");
    assert!(states > 5_000, "{states}");
}

#[test]
fn sp_173_a_twin_without_one_check_is_caught() {
    for (twin, property) in [
        (Machine::UsedTwice, ONCE),
        (Machine::LateAnswer, NOTHING_WRONG),
        (Machine::Unbound, NOTHING_WRONG),
        (Machine::LostWrite, NOTHING_LOST),
        (Machine::Survives, NOTHING_WRONG),
        (Machine::LastAnswer, NOTHING_LOST),
        (Machine::OldRules, NOTHING_WRONG),
    ] {
        let enough = HasDiscoveries::AnyOf([property].into());
        let checker = twin.checker().finish_when(enough).spawn_bfs().join();
        assert!(checker.discovery(property).is_some(), "{twin:?} was not caught");
    }
}
