//! Ingress: no unauthorised command passes a required mention, over every mix of configuration, message, activation and reload, also for
//! messages that waited while the configuration changed.

use std::sync::Arc;

use oc_channels::chat_command::{ChatCommand, Standing};
use oc_channels::ingress::{Reading, authority_of};
use oc_policy::access::{AccessRules, Outcome, PairingView};
use oc_policy::command::gate::CommandGrant;
use oc_policy::inbound::{ConversationId, ConversationKind, EventKind, Inbound, SenderId};
use oc_types::{ChannelId, Node, Origin};
use serde_json::{Value, json};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// The rules as they are, or without one of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    Real,
    /// The mention gate believes every control command.
    EverybodyBypasses,
    /// Abort words and reactions need no mention.
    StopWordsPass,
    /// A message is decided when it comes and not again when it runs.
    DecidedOnce,
    /// The right is not asked for again when a command is carried out.
    NotAskedAgain,
}

const TEXTS: [&str; 9] = [
    "hello",
    "@bot_name hello",
    "/status",
    "/stop",
    "stop",
    "/exec host=gateway",
    "/activation always",
    "@bot_name /new",
    "/deny 1234abcd",
];
const SENDERS: [&str; 3] = ["1", "2", "666"];
const EVENTS: [EventKind; 3] = [EventKind::Message, EventKind::Reaction, EventKind::SlashCommand];

/// Everything about a message that a decision may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Said {
    text: usize,
    sender: usize,
    event: usize,
    others: bool,
    reply: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    config: usize,
    activation: Option<bool>,
    waits: Option<(Said, usize)>,
    /// What ran: the message, the configuration in force then, whether it was as a command.
    ran: Option<(Said, usize, bool, Option<bool>)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Say(Said),
    Run,
    Reload(usize),
    Activate(Option<bool>),
}

fn configs() -> Vec<Value> {
    let telegram = |more: Value| {
        let mut t = json!({ "groupPolicy": "open", "allowFrom": ["1"], "groups": { "-1": { "requireMention": true } } });
        for (k, v) in more.as_object().into_iter().flatten() {
            t[k] = v.clone();
        }
        t
    };
    vec![
        json!({ "channels": { "telegram": telegram(json!({})) } }),
        json!({ "channels": { "telegram": telegram(json!({ "groupAllowFrom": ["1", "2"], "groupPolicy": "allowlist" })) } }),
        json!({ "channels": { "telegram": telegram(json!({ "groups": { "*": {} } })) }, "commands": { "ownerAllowFrom": ["telegram:1"] } }),
        json!({ "channels": { "telegram": telegram(json!({ "groups": { "-1": { "requireMention": false } } })) } }),
        json!({ "channels": { "telegram": telegram(json!({})) }, "commands": { "text": false } }),
        json!({ "channels": { "telegram": telegram(json!({ "allowFrom": [] })) }, "commands": { "useAccessGroups": false } }),
        json!({ "channels": { "telegram": telegram(json!({ "allowFrom": ["1", "2"] })) }, "commands": { "ownerAllowFrom": ["telegram:1"] } }),
    ]
}

struct Rules {
    nodes: Vec<AccessRules>,
    machine: Machine,
}

fn message(said: Said, activation: Option<bool>) -> Inbound {
    let mut m = Inbound::new(
        ChannelId::parse("telegram").unwrap(),
        ConversationKind::Group,
        ConversationId::new("-1"),
    );
    m.event = EVENTS[said.event];
    m.sender.id = SenderId::new(SENDERS[said.sender]);
    m.text = TEXTS[said.text].to_owned();
    m.bot_username = Some("bot_name".to_owned());
    m.mentions.bot = Some(m.text.contains("@bot_name"));
    m.mentions.others = said.others;
    m.mentions.reply_to_bot = said.reply;
    m.activation = activation;
    m
}

impl Rules {
    /// Whether it gets through, and as a command.
    fn passes(&self, said: Said, config: usize, activation: Option<bool>) -> Option<bool> {
        let mut m = message(said, activation);
        let text = m.text.clone();
        let node: &Node = self.nodes[config].config();
        let command = ChatCommand::of(&text, Some("bot_name"), node);
        match self.machine {
            // What a gate that does not ask for the right amounts to.
            Machine::EverybodyBypasses if command.is_some() => m.sender.id = SenderId::new("1"),
            Machine::StopWordsPass
                if command == Some(ChatCommand::Stop) || m.event == EventKind::Reaction =>
            {
                m.mentions.bot = Some(true);
            }
            _ => {}
        }
        let policy = self.nodes[config].policy();
        let Outcome::Allow(admission) = policy.decide(&m, &PairingView::empty(0)).outcome else {
            return None;
        };
        let authority = authority_of(node, &m, &admission);
        let may = self.machine == Machine::NotAskedAgain || authority.commands.is_authorized();
        match Reading::of(&m, node, may) {
            // It is as if it had not been written.
            Reading::Ignored => None,
            Reading::Text | Reading::Rest(_) | Reading::Inline(..) => Some(false),
            Reading::Command(command) => {
                let at = Standing { authority, room: true, named: admission.was_named() != Some(false) };
                Some(self.machine == Machine::NotAskedAgain || command.permit(&at).is_ok())
            }
        }
    }

    /// The claim, from the facts alone: what the sender of this message may do under this configuration.
    fn authorised(&self, said: Said, config: usize) -> bool {
        // Asked with the bot named, so that the mention plays no part.
        let mut m = message(said, None);
        m.mentions.bot = Some(true);
        m.text = "/status".to_owned();
        let policy = self.nodes[config].policy();
        match policy.decide(&m, &PairingView::empty(0)).outcome {
            Outcome::Allow(admission) => {
                authority_of(self.nodes[config].config(), &m, &admission).commands == CommandGrant::Authorized
            }
            _ => false,
        }
    }

    fn required(&self, config: usize, activation: Option<bool>) -> bool {
        activation.unwrap_or(config != 3)
    }

    fn all_said() -> Vec<Said> {
        let mut all = Vec::new();
        for text in 0..TEXTS.len() {
            for sender in 0..SENDERS.len() {
                for event in 0..EVENTS.len() {
                    for others in [false, true] {
                        for reply in [false, true] {
                            all.push(Said { text, sender, event, others, reply });
                        }
                    }
                }
            }
        }
        all
    }
}

impl Model for Rules {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        (0..self.nodes.len())
            .map(|config| World { config, activation: None, waits: None, ran: None })
            .collect()
    }

    fn actions(&self, w: &World, out: &mut Vec<Step>) {
        if w.ran.is_some() {
            return;
        }
        match w.waits {
            None => out.extend(Self::all_said().into_iter().map(Step::Say)),
            Some(_) => {
                out.push(Step::Run);
                out.extend((0..self.nodes.len()).filter(|c| *c != w.config).map(Step::Reload));
            }
        }
        if w.waits.is_none() {
            out.extend(
                [None, Some(true), Some(false)]
                    .into_iter()
                    .filter(|a| *a != w.activation)
                    .map(Step::Activate),
            );
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut w = last.clone();
        match step {
            Step::Activate(a) => w.activation = a,
            Step::Reload(config) => w.config = config,
            Step::Say(said) => {
                self.passes(said, w.config, w.activation)?;
                w.waits = Some((said, w.config));
            }
            Step::Run => {
                let (said, then) = w.waits.take()?;
                let config = if self.machine == Machine::DecidedOnce { then } else { w.config };
                let as_command = self.passes(said, config, w.activation)?;
                w.ran = Some((said, w.config, as_command, w.activation));
            }
        }
        Some(w)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(CLAIM, |rules: &Self, w: &World| {
                let Some((said, config, as_command, activation)) = w.ran else { return true };
                let m = message(said, None);
                let named = m.mentions.bot == Some(true) || said.reply;
                let may = rules.authorised(said, config);
                // Neither a command that is carried out, nor anything at all past a required mention.
                (may || !as_command) && (may || named || !rules.required(config, activation))
            }),
            Property::sometimes("an authorised command passes without a mention", |_, w: &World| {
                w.ran.is_some_and(|(said, config, as_command, _)| {
                    TEXTS[said.text] == "/status" && config != 3 && as_command && !said.reply
                })
            }),
            Property::sometimes("a stranger who names the bot is answered", |_, w: &World| {
                w.ran.is_some_and(|(said, ..)| {
                    SENDERS[said.sender] == "666" && TEXTS[said.text] == "@bot_name hello"
                })
            }),
        ]
    }
}

const CLAIM: &str = "no unauthorised command passes a required mention";

fn rules(machine: Machine) -> Rules {
    let node = |c: &Value| AccessRules::new(Arc::new(Node::from_json(c, &Origin::Default))).unwrap();
    Rules { nodes: configs().iter().map(node).collect(), machine }
}

#[test]
fn sp_410_no_unauthorised_command_passes_a_required_mention() {
    let checker = rules(Machine::Real).checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let states = checker.unique_state_count();
    println!("{states} states");
    assert!(states > 3_000, "{states}");
}

#[test]
fn sp_410_a_twin_without_one_check_is_caught() {
    for twin in
        [Machine::EverybodyBypasses, Machine::StopWordsPass, Machine::DecidedOnce, Machine::NotAskedAgain]
    {
        let enough = HasDiscoveries::AnyOf([CLAIM].into());
        let checker = rules(twin).checker().finish_when(enough).spawn_bfs().join();
        assert!(checker.discovery(CLAIM).is_some(), "{twin:?} was not caught");
    }
}
