//! Every place that can hold a value, the strongest first.

use std::sync::Arc;

use oc_types::{AgentId, KeyPath, Node, Origin, Segment, Value};

use super::{Asked, topic};
use crate::Environment;
use crate::load::Loaded;

/// What kind of place holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// An environment variable that wins over (or stands in for) the key.
    Variable(String),
    /// An agent's entry.
    Agent(String),
    /// A channel's account.
    Account(String),
    /// The key itself.
    File,
    /// `channels.defaults`.
    ChannelDefaults,
}

impl Held {
    /// The layer word of a step.
    pub fn word(&self) -> String {
        match self {
            Self::Variable(_) => "environment",
            Self::Agent(_) => "agent",
            Self::Account(_) => "account",
            Self::File => "file",
            Self::ChannelDefaults => "channel-defaults",
        }
        .to_owned()
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::Agent(id) => write!(f, "agent {id}"),
            Self::Account(id) => write!(f, "account {id}"),
            Self::File => f.write_str("the configuration"),
            Self::ChannelDefaults => f.write_str("the defaults of all channels"),
        }
    }
}

/// One place, set or not.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub held: Held,
    pub key: KeyPath,
    pub node: Option<Node>,
}

impl Holder {
    pub fn origin(&self) -> Origin {
        self.node.as_ref().map_or(Origin::Default, |n| n.origin.clone())
    }
}

/// Variables that win over a key.
const STRONGER: [(&str, [&str; 2]); 1] =
    [("gateway.port", ["OPENCLAW_GATEWAY_PORT", "CLAWDBOT_GATEWAY_PORT"])];

/// Variables that stand in for a key that is not set.
const WEAKER: [(&str, [&str; 2]); 2] = [
    ("gateway.auth.token", ["OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN"]),
    ("gateway.auth.password", ["OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD"]),
];

fn variable(key: &KeyPath, environment: &Environment, table: &[(&str, [&str; 2])]) -> Option<Holder> {
    let text = key.to_string();
    let (_, names) = table.iter().find(|(k, _)| *k == text)?;
    names.iter().find_map(|name| {
        let value = environment.text(name)?;
        let value = if text == "gateway.port" {
            // Anything but a positive whole number is passed over.
            Value::Number(f64::from(value.parse::<u16>().ok().filter(|p| *p > 0)?))
        } else {
            Value::String(value.to_owned())
        };
        let origin =
            Origin::Env { names: Arc::from([Arc::from(*name)]), behind: None, via: environment.via(name) };
        Some(Holder {
            held: Held::Variable((*name).to_owned()),
            key: key.clone(),
            node: Some(Node::new(value, origin)),
        })
    })
}

fn agents(tree: &Node) -> impl Iterator<Item = (AgentId, KeyPath)> {
    let list = tree.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
    list.iter().enumerate().filter_map(|(i, n)| {
        let id = n.get("id").and_then(Node::as_str)?;
        Some((AgentId::normalized(id), KeyPath::keys(["agents", "list"]).index(i)))
    })
}

/// The path below an agent's entry that overrides a key: `tools.*` under its own name, `agents.defaults.*` without that prefix.
fn below_agent(key: &KeyPath) -> Option<KeyPath> {
    let text = |s: &Segment| match s {
        Segment::Key(k) => Some(k.clone()),
        Segment::Index(_) => None,
    };
    let first = key.segments().first().and_then(text)?;
    let rest = match first.as_str() {
        "tools" if key.segments().len() > 1 => key.segments(),
        "agents" if key.segments().get(1).and_then(text).as_deref() == Some("defaults") => {
            key.segments().get(2..)?
        }
        _ => return None,
    };
    (!rest.is_empty()).then(|| rest.iter().cloned().collect())
}

/// `channels.<id>` and the rest of a key below it.
fn channel(key: &KeyPath) -> Option<(KeyPath, KeyPath)> {
    let [Segment::Key(channels), Segment::Key(id), rest @ ..] = key.segments() else { return None };
    let own = channels == "channels" && id != "defaults" && !rest.is_empty();
    (own && rest.first() != Some(&Segment::Key("accounts".to_owned())))
        .then(|| (KeyPath::keys(["channels", id.as_str()]), rest.iter().cloned().collect()))
}

fn holder(tree: &Node, held: Held, key: KeyPath) -> Holder {
    Holder { held, node: tree.at(&key).filter(|n| !n.is_null()).cloned(), key }
}

/// The places that are asked for the value, the strongest first.
pub(super) fn holders(loaded: &Loaded, asked: &Asked<'_>) -> Vec<Holder> {
    let (tree, key) = (&loaded.tree, asked.key);
    let mut out: Vec<Holder> = variable(key, &loaded.environment, &STRONGER).into_iter().collect();
    if let (Some(agent), Some(rest), false) = (asked.agent, below_agent(key), topic::is_filter(key))
        && let Some((id, entry)) = agents(tree).find(|(id, _)| id == agent)
    {
        out.push(holder(tree, Held::Agent(id.to_string()), entry.join(&rest)));
    }
    if let (Some(account), Some((base, rest))) = (asked.account, channel(key)) {
        let key = base.key("accounts").key(account.as_str()).join(&rest);
        out.push(holder(tree, Held::Account(account.to_string()), key));
    }
    out.push(holder(tree, Held::File, key.clone()));
    if let Some((_, rest)) = channel(key)
        && rest.to_string() == "groupPolicy"
    {
        out.push(holder(tree, Held::ChannelDefaults, KeyPath::dotted("channels.defaults.groupPolicy")));
    }
    out.extend(variable(key, &loaded.environment, &WEAKER));
    out
}

/// The agents and accounts that have a value of their own, when the question is not about one of them.
pub(super) fn overrides(tree: &Node, asked: &Asked<'_>) -> Vec<Holder> {
    let mut out = Vec::new();
    if let Some(rest) = below_agent(asked.key) {
        let wanted = |id: &AgentId| match asked.agent {
            None => true,
            Some(agent) => topic::is_filter(asked.key) && agent == id,
        };
        out.extend(
            agents(tree)
                .filter(|(id, _)| wanted(id))
                .map(|(id, entry)| holder(tree, Held::Agent(id.to_string()), entry.join(&rest))),
        );
    }
    if let (Some((base, rest)), None) = (channel(asked.key), asked.account) {
        let accounts = base.key("accounts");
        let ids = tree.at(&accounts).and_then(Node::as_object).into_iter().flat_map(|o| o.keys());
        out.extend(
            ids.map(|id| holder(tree, Held::Account(id.clone()), accounts.key(id.as_str()).join(&rest))),
        );
    }
    out.retain(|h| h.node.is_some());
    out
}

/// What the kind of place means for somebody who wants to change the value.
pub(super) fn origin_notes(origin: &Origin, key: &KeyPath) -> Vec<String> {
    match origin {
        Origin::Env { names, behind: Some(_), via: Some(via) } => vec![format!(
            "{} comes from {via}; a variable of that name in the process environment would win over it.",
            names.join(", ")
        )],
        Origin::Env { names, behind: Some(_), via: None } => {
            vec![format!(
                "{} comes from the process environment, which wins over every .env file.",
                names.join(", ")
            )]
        }
        Origin::Env { behind: None, .. } if key.to_string() == "gateway.port" => {
            vec!["--port on the command line would win over the variable and the file.".to_owned()]
        }
        Origin::Include { from, .. } => vec![format!(
            "Reached through the include at {from}; a key written beside that $include wins over the file."
        )],
        Origin::Migrated { from_key, from } => vec![format!(
            "Read from the legacy key {from_key} at {from} and moved to {key} in memory; the file is unchanged. \
             `openclaw doctor --fix` rewrites it and keeps comments."
        )],
        Origin::Env { .. }
        | Origin::File { .. }
        | Origin::Store { .. }
        | Origin::CommandLine
        | Origin::Default
        | Origin::Builtin => Vec::new(),
    }
}
