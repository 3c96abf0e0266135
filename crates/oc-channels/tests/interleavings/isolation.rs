//! Session isolation: whoever writes, over whichever channel and account, meets in a session only whom `dmScope` and `identityLinks` put
//! there. What was said before is still there when somebody else writes, so the order of writers is explored.

use std::collections::BTreeSet;

use oc_policy::inbound::ConversationKind;
use oc_policy::session_key::{DmScope, SessionParts, SessionSettings, session_key};
use oc_types::{AccountId, AgentId, Node, Origin};
use serde_json::{Value, json};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// The keys as they are, or made with less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    Real,
    /// The account is left out.
    NoAccount,
    /// The channel is left out.
    NoChannel,
    /// A link of one channel counts on all.
    LinksEverywhere,
    /// Links count in rooms and join a room with a direct chat.
    RoomsLikeDirect,
    /// Only the beginning of an id counts.
    CutShort,
}

/// Who writes where: the service's channel, the account, direct or room, the id.
type Writer = (&'static str, &'static str, ConversationKind, &'static str);

const WRITERS: [Writer; 12] = [
    ("telegram", "default", ConversationKind::Direct, "1"),
    ("telegram", "work", ConversationKind::Direct, "1"),
    ("telegram", "default", ConversationKind::Direct, "12"),
    ("signal", "default", ConversationKind::Direct, "1"),
    ("signal", "default", ConversationKind::Direct, "+15551110001"),
    ("telegram", "default", ConversationKind::Group, "1"),
    ("telegram", "default", ConversationKind::Channel, "1"),
    ("telegram", "default", ConversationKind::Unknown, "1"),
    ("telegram", "default", ConversationKind::Direct, "ada"),
    ("telegram", "default", ConversationKind::Direct, "direct:1"),
    ("telegram", "default", ConversationKind::Direct, "1:thread:2"),
    ("telegram", "default", ConversationKind::Group, "ada"),
];

/// `ada` is one person on two channels.
fn links() -> [Value; 2] {
    [json!({}), json!({ "ada": ["telegram:12", "signal:+15551110001"] })]
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    scope: usize,
    links: usize,
    /// Who has written, by session.
    sessions: Vec<(String, BTreeSet<usize>)>,
}

struct Keys {
    machine: Machine,
    settings: Vec<Vec<SessionSettings>>,
}

fn keys(machine: Machine) -> Keys {
    let of = |scope: &DmScope, links: &Value| {
        let links = match machine {
            Machine::LinksEverywhere => {
                let bare = |l: &Value| {
                    let l = l.as_str().unwrap_or_default();
                    json!(l.split_once(':').map_or(l, |(_, id)| id))
                };
                // Also `signal:1` and the like lose their channel.
                let mut all: Vec<Value> = links["ada"].as_array().into_iter().flatten().map(bare).collect();
                if !all.is_empty() {
                    all.push(json!("1"));
                }
                json!({ "ada": all })
            }
            _ => links.clone(),
        };
        let config = json!({ "session": { "dmScope": scope.word(), "identityLinks": links } });
        SessionSettings::from_config(&Node::from_json(&config, &Origin::Default)).unwrap()
    };
    Keys {
        machine,
        settings: DmScope::ALL.iter().map(|s| links().iter().map(|l| of(s, l)).collect()).collect(),
    }
}

impl Keys {
    fn key(&self, w: &World, writer: usize) -> String {
        let (channel, account, kind, peer) = WRITERS[writer];
        let agent = AgentId::normalized("main");
        let account = match self.machine {
            Machine::NoAccount => AccountId::normalized("default"),
            _ => AccountId::normalized(account),
        };
        let parts = SessionParts {
            agent: &agent,
            channel: if self.machine == Machine::NoChannel { "any" } else { channel },
            account: &account,
            kind: if self.machine == Machine::RoomsLikeDirect { ConversationKind::Direct } else { kind },
            peer: if self.machine == Machine::CutShort { peer.get(..1).unwrap_or(peer) } else { peer },
            topic: None,
            thread: None,
        };
        session_key(&self.settings[w.scope][w.links], &parts).0.as_str().to_owned()
    }
}

/// Whether two writers may meet: from the meaning of the settings, without looking at a key.
fn may_meet(scope: DmScope, linked: bool, a: usize, b: usize) -> bool {
    let (a, b) = (WRITERS[a], WRITERS[b]);
    if a == b {
        return true;
    }
    let direct = |w: Writer| w.2 == ConversationKind::Direct;
    if !direct(a) || !direct(b) {
        // A conversation of unknown kind is kept like a group; a room is the room, whoever writes and through whichever account.
        let room = |w: Writer| {
            (w.0, if w.2 == ConversationKind::Unknown { ConversationKind::Group } else { w.2 }, w.3)
        };
        return !direct(a) && !direct(b) && room(a) == room(b);
    }
    // The person; an id that only reads like a linked name is somebody else.
    let person = |w: Writer| match (linked, w.0, w.3) {
        (true, "telegram", "12") | (true, "signal", "+15551110001") => (true, "ada"),
        (_, _, id) => (false, id),
    };
    let same = person(a) == person(b);
    match scope {
        DmScope::Main => true,
        DmScope::PerPeer => same,
        DmScope::PerChannelPeer => same && a.0 == b.0,
        DmScope::PerAccountChannelPeer => same && a.0 == b.0 && a.1 == b.1,
    }
}

impl Model for Keys {
    type State = World;
    type Action = usize;

    fn init_states(&self) -> Vec<World> {
        let worlds = (0..DmScope::ALL.len()).flat_map(|scope| (0..2).map(move |links| (scope, links)));
        worlds.map(|(scope, links)| World { scope, links, sessions: Vec::new() }).collect()
    }

    fn actions(&self, w: &World, out: &mut Vec<usize>) {
        // Three writers are enough for any two of them to meet, and for a third to come between.
        if w.sessions.iter().map(|(_, s)| s.len()).sum::<usize>() < 3 {
            out.extend(0..WRITERS.len());
        }
    }

    fn next_state(&self, last: &World, writer: usize) -> Option<World> {
        let mut w = last.clone();
        let key = self.key(&w, writer);
        match w.sessions.iter_mut().find(|(k, _)| *k == key) {
            Some((_, writers)) => {
                writers.insert(writer);
            }
            None => w.sessions.push((key, BTreeSet::from([writer]))),
        }
        w.sessions.sort();
        (w != *last).then_some(w)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(CLAIM, |_, w: &World| {
                let scope = DmScope::ALL[w.scope];
                w.sessions.iter().all(|(_, writers)| {
                    writers.iter().all(|a| writers.iter().all(|b| may_meet(scope, w.links == 1, *a, *b)))
                })
            }),
            Property::always(JOINED, |_, w: &World| {
                let scope = DmScope::ALL[w.scope];
                let home = |n: usize| w.sessions.iter().position(|(_, s)| s.contains(&n));
                (0..WRITERS.len()).all(|a| {
                    (0..WRITERS.len()).all(|b| match (home(a), home(b)) {
                        (Some(x), Some(y)) => !may_meet(scope, w.links == 1, a, b) || x == y,
                        _ => true,
                    })
                })
            }),
            Property::sometimes("linked people share a session", |_, w: &World| {
                w.links == 1
                    && w.scope == 1
                    && w.sessions.iter().any(|(_, s)| s.contains(&2) && s.contains(&4))
            }),
        ]
    }
}

const CLAIM: &str = "only who may meet share a session";
const JOINED: &str = "who is one person has one session";

#[test]
fn sp_419_only_who_may_meet_share_a_session() {
    let checker = keys(Machine::Real).checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let states = checker.unique_state_count();
    println!("{states} states");
    assert!(states > 1_000, "{states}");
}

#[test]
fn sp_419_a_twin_that_leaves_something_out_is_caught() {
    for twin in [
        Machine::NoAccount,
        Machine::NoChannel,
        Machine::LinksEverywhere,
        Machine::RoomsLikeDirect,
        Machine::CutShort,
    ] {
        let enough = HasDiscoveries::AnyOf([CLAIM].into());
        let checker = keys(twin).checker().finish_when(enough).spawn_bfs().join();
        assert!(checker.discovery(CLAIM).is_some(), "{twin:?} was not caught");
    }
}
