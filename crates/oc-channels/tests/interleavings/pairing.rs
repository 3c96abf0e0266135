//! Pairing: two processes over one store with a lock, four strangers, an owner who approves old and new codes, and the clock.

use std::hash::{Hash, Hasher};

use oc_channels::pairing::{ApprovedList, MAX_PENDING, Pending, REQUEST_LIFETIME_MS, Upserted};
use oc_types::ChannelId;
use stateright::{Checker, HasDiscoveries, Model, Property};

const STRANGERS: [&str; 4] = ["1", "2", "3", "4"];
/// Two ticks are a lifetime and a bit more.
const TICK: i64 = REQUEST_LIFETIME_MS / 2 + 1;
const END: i64 = 3 * TICK;

/// The machine as it is, or without one of its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    Real,
    /// A process writes without the lock.
    NoLock,
    /// There is no cap.
    NoCap,
    /// A code is good for ever.
    NoExpiry,
    /// Every message of a waiting sender brings a new code.
    NewCode,
    /// An approval leaves the request where it is.
    Reusable,
    /// An approval lets in whoever typed last.
    Unbound,
}

#[derive(Clone, Debug, PartialEq)]
enum Process {
    Idle,
    /// It has read the store and will write it.
    Holds {
        pending: Pending,
        approved: ApprovedList,
        wants: Want,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Want {
    Ask(usize),
    Approve(usize),
}

#[derive(Clone, Debug, PartialEq)]
struct World {
    pending: Pending,
    approved: ApprovedList,
    now: i64,
    processes: [Process; 2],
    /// The codes that were sent: to whom, when.
    sent: Vec<(usize, String, i64)>,
    /// How often an approval of a code succeeded.
    used: Vec<(String, u8)>,
    last: Option<usize>,
    made: u64,
    wrong: Vec<&'static str>,
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let store = |p: &Pending, a: &ApprovedList, state: &mut H| {
            for r in p.requests() {
                // When somebody was last seen decides only about an over-full file.
                (&r.id, &r.code, r.created_ms).hash(state);
            }
            a.entries().hash(state);
        };
        store(&self.pending, &self.approved, state);
        for p in &self.processes {
            if let Process::Holds { pending, approved, wants } = p {
                wants.hash(state);
                store(pending, approved, state);
            }
        }
        (self.now, &self.sent, &self.used, self.last, self.made, &self.wrong).hash(state);
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Tick,
    Read(usize, Want),
    Write(usize),
}

impl Machine {
    /// The process does what it wanted with its copy, and writes it.
    fn write(self, w: &mut World, n: usize) {
        let Process::Holds { mut pending, mut approved, wants } =
            std::mem::replace(&mut w.processes[n], Process::Idle)
        else {
            return;
        };
        match wants {
            Want::Ask(who) => {
                if self == Self::Unbound {
                    w.last = Some(who);
                }
                self.ask(w, &mut pending, who);
            }
            Want::Approve(at) => {
                let (who, code, at_ms) = w.sent[at].clone();
                let kept = pending.clone();
                let clock = if self == Self::NoExpiry { at_ms } else { w.now };
                if let Some(taken) = pending.approve(&code.to_lowercase(), clock) {
                    let id = match (self, w.last) {
                        (Self::Unbound, Some(last)) => STRANGERS[last].to_owned(),
                        _ => taken.id,
                    };
                    approved.add(&id);
                    if w.now - at_ms > REQUEST_LIFETIME_MS {
                        w.wrong.push("a code was taken after its life");
                    }
                    if id != STRANGERS[who] {
                        w.wrong.push("somebody else was let in");
                    }
                    match w.used.iter_mut().find(|(c, _)| *c == code) {
                        Some((_, n)) => *n += 1,
                        None => w.used.push((code, 1)),
                    }
                    if self == Self::Reusable {
                        pending = kept;
                    }
                }
            }
        }
        w.pending = pending;
        w.approved = approved;
    }

    fn ask(self, w: &mut World, pending: &mut Pending, who: usize) {
        let id = STRANGERS[who];
        if self == Self::NewCode {
            let left = pending.requests().iter().filter(|r| r.id != id).cloned().collect();
            *pending = Pending::new(left);
        }
        // Without the cap the fourth goes into a store of its own, which is put together again afterwards.
        let aside = match self {
            Self::NoCap
                if pending.requests().len() >= MAX_PENDING
                    && pending.requests().iter().all(|r| r.id != id) =>
            {
                Some(std::mem::take(pending))
            }
            _ => None,
        };
        w.made += 1;
        let made = w.made;
        let got = pending.upsert(id, &[], w.now, &mut |bytes| *bytes = made.to_be_bytes()).unwrap();
        if let Some(aside) = aside {
            let mut all = aside.requests().to_vec();
            all.extend(pending.requests().iter().cloned());
            *pending = Pending::new(all);
        }
        if let Upserted::Created { code } = got {
            let waits = |(other, code, at): &(usize, String, i64)| {
                *other == who && w.now - at <= REQUEST_LIFETIME_MS && w.used.iter().all(|(c, _)| c != code)
            };
            if w.sent.iter().any(waits) {
                w.wrong.push("a second code was sent to somebody who waits");
            }
            w.sent.push((who, code, w.now));
        } else {
            // Numbers that made no code make no other world.
            w.made -= 1;
        }
    }
}

impl Model for Machine {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            pending: Pending::default(),
            approved: ApprovedList::new(ChannelId::parse("telegram").unwrap(), &[]),
            now: 0,
            processes: [Process::Idle, Process::Idle],
            sent: Vec::new(),
            used: Vec::new(),
            last: None,
            made: 0,
            wrong: Vec::new(),
        }]
    }

    fn actions(&self, w: &World, out: &mut Vec<Step>) {
        if w.now < END {
            out.push(Step::Tick);
        }
        let locked = w.processes.iter().any(|p| matches!(p, Process::Holds { .. }));
        for n in 0..2 {
            if matches!(w.processes[n], Process::Holds { .. }) {
                out.push(Step::Write(n));
                continue;
            }
            if locked && *self != Self::NoLock {
                continue;
            }
            // At most five codes are enough for every order that matters.
            if w.sent.len() < 5 {
                // Strangers are alike: the next new one is the one with the next name.
                let known = w.sent.iter().map(|(who, ..)| who + 1).max().unwrap_or(0);
                out.extend((0..STRANGERS.len().min(known + 1)).map(|who| Step::Read(n, Want::Ask(who))));
            }
            out.extend((0..w.sent.len()).map(|at| Step::Read(n, Want::Approve(at))));
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut w = last.clone();
        match step {
            Step::Tick => w.now += TICK,
            Step::Read(n, wants) => {
                w.processes[n] =
                    Process::Holds { pending: w.pending.clone(), approved: w.approved.clone(), wants };
            }
            Step::Write(n) => self.write(&mut w, n),
        }
        w.wrong.sort_unstable();
        w.wrong.dedup();
        (w != *last).then_some(w)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(CAP, |_, w: &World| w.pending.requests().len() <= MAX_PENDING),
            Property::always(ONCE, |_, w: &World| w.used.iter().all(|(_, n)| *n <= 1)),
            Property::always(NOTHING_WRONG, |_, w: &World| w.wrong.is_empty()),
            Property::always(NOTHING_LOST, |_, w: &World| {
                // Whoever was let in stays so.
                w.used.iter().all(|(code, _)| {
                    let who = w.sent.iter().find(|(_, c, _)| c == code).map(|(who, _, _)| STRANGERS[*who]);
                    who.is_some_and(|who| w.approved.entries().iter().any(|e| e == who))
                })
            }),
            Property::sometimes("three wait", |_, w: &World| w.pending.requests().len() == MAX_PENDING),
            Property::sometimes("two were let in", |_, w: &World| w.approved.entries().len() == 2),
            Property::sometimes("an expired place is taken by another", |_, w: &World| {
                w.sent.len() == 4 && w.used.is_empty() && w.now > REQUEST_LIFETIME_MS
            }),
        ]
    }

    fn within_boundary(&self, w: &World) -> bool {
        // Three approvals and two ticks past a lifetime show everything.
        w.used.len() <= 2 && w.sent.len() <= 4
    }
}

const CAP: &str = "at most three wait";
const ONCE: &str = "a code is used at most once";
const NOTHING_WRONG: &str = "nothing wrong was seen";
const NOTHING_LOST: &str = "who was let in stays let in";

#[test]
fn sp_411_every_interleaving_keeps_cap_lifetime_and_single_use() {
    let checker = Machine::Real.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let states = checker.unique_state_count();
    println!("{states} states");
    assert!(states > 1_000, "{states}");
}

#[test]
fn sp_411_a_twin_without_one_check_is_caught() {
    for (twin, property) in [
        (Machine::NoLock, NOTHING_LOST),
        (Machine::NoCap, CAP),
        (Machine::NoExpiry, NOTHING_WRONG),
        (Machine::NewCode, NOTHING_WRONG),
        (Machine::Reusable, ONCE),
        (Machine::Unbound, NOTHING_WRONG),
    ] {
        let enough = HasDiscoveries::AnyOf([property].into());
        let checker = twin.checker().finish_when(enough).spawn_bfs().join();
        assert!(checker.discovery(property).is_some(), "{twin:?} was not caught");
    }
}
