//! Where does a value come from, what does it shadow, and who overrides it? (`openclaw explain config`)
//!
//! No value of a sensitive key appears in an answer, not even in part.

mod places;
mod topic;

use oc_types::{
    AccountId, AgentId, DecidedBy, Effect, Explanation, Flip, KeyPath, Node, Origin, Trace, TraceStep,
};
use serde_json::{Map, Value as Json};

use crate::edit::Change;
use crate::load::Loaded;
use crate::{Issue, schema, view, what_if};
use places::{Held, Holder};

/// Longest value that is shown, in characters.
const SHOWN: usize = 200;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The key.
    pub key: &'a KeyPath,
    /// The agent whose value is meant.
    pub agent: Option<&'a AgentId>,
    /// The account of the channel whose value is meant.
    pub account: Option<&'a AccountId>,
}

/// Answers.
#[must_use]
pub fn explain(loaded: &Loaded, asked: &Asked<'_>) -> Explanation {
    if !loaded.is_valid() {
        return invalid(loaded, asked.key);
    }
    let holders = places::holders(loaded, asked);
    let mut effective = holders.iter().filter(|h| h.node.is_some());
    let winner = effective.next();
    let shadowed: Vec<&Holder> = effective.collect();
    let mut out = match winner {
        Some(w) => set(loaded, asked, w, &shadowed),
        None => not_set(loaded, asked),
    };
    let overrides = places::overrides(&loaded.tree, asked);
    for o in &overrides {
        let value = o.node.as_ref().map(|n| shown(&o.key, n)).unwrap_or_default();
        let detail = if topic::is_filter(asked.key) {
            format!("{}: narrows further: {value}", o.held)
        } else {
            format!("{} has a value of its own: {value}", o.held)
        };
        out.trace.push(held_step(o, "override", Effect::Inert, detail));
    }
    if !overrides.is_empty() && !topic::is_filter(asked.key) {
        let who: Vec<String> = overrides.iter().map(|o| format!("{} at {}", o.held, o.origin())).collect();
        out.notes.push(format!("Overridden for {}.", who.join(", ")));
    }
    out.notes.extend(topic::notes(loaded, asked, winner));
    out
}

/// A value for people: hidden when the key is sensitive, cut when it is long.
fn shown(key: &KeyPath, node: &Node) -> String {
    if view::is_sensitive(key) {
        return "(not shown)".to_owned();
    }
    let text = view::redacted_node(key, node).to_string();
    if text.chars().count() > SHOWN {
        format!("{}...", text.chars().take(SHOWN).collect::<String>())
    } else {
        text
    }
}

fn held_step(h: &Holder, rule: &str, effect: Effect, detail: String) -> TraceStep {
    TraceStep {
        layer: h.held.word(),
        rule: rule.to_owned(),
        key_path: Some(h.key.clone()),
        source: h.origin(),
        unset: h.node.is_none(),
        effect,
        detail,
    }
}

fn set(loaded: &Loaded, asked: &Asked<'_>, winner: &Holder, shadowed: &[&Holder]) -> Explanation {
    let node = winner.node.clone().unwrap_or_else(Node::empty);
    let value = shown(&winner.key, &node);
    let origin = winner.origin();
    let mut trace: Trace = vec![held_step(winner, "effective", Effect::Admits, value.clone())];
    for s in shadowed {
        let what = s.node.as_ref().map(|n| shown(&s.key, n)).unwrap_or_default();
        trace.push(held_step(s, "shadowed", Effect::Inert, format!("{what} is not in force")));
    }
    let mut notes = places::origin_notes(&origin, &winner.key);
    let mut facts = facts(asked);
    if view::is_sensitive(&winner.key) {
        notes.push("The value is set and is never shown.".to_owned());
    } else {
        facts.insert("effective".to_owned(), view::redacted_node(&winner.key, &node));
    }
    if !shadowed.is_empty() {
        let list: Vec<Json> = shadowed
            .iter()
            .map(|s| {
                let mut o = Map::new();
                o.insert("keyPath".to_owned(), s.key.to_string().into());
                o.insert("source".to_owned(), serde_json::to_value(s.origin()).unwrap_or_default());
                Json::Object(o)
            })
            .collect();
        facts.insert("shadows".to_owned(), list.into());
    }
    Explanation {
        subject: "config".to_owned(),
        verdict: "set".to_owned(),
        reason: format!("{}: {value}", winner.held.word()),
        decided_by: DecidedBy {
            layer: winner.held.word(),
            rule: origin.kind().to_owned(),
            key_path: Some(winner.key.clone()),
            source: origin,
            unset: false,
        },
        trace,
        flip: flips(loaded, asked, winner, shadowed),
        notes,
        facts,
    }
}

/// The change that lets the next value through.
fn flips(loaded: &Loaded, asked: &Asked<'_>, winner: &Holder, shadowed: &[&Holder]) -> Vec<Flip> {
    let next = shadowed.first();
    let (verdict, then) = match next {
        Some(n) => {
            let value = match &n.node {
                Some(_) if view::is_sensitive(&n.key) => "another one (not shown)".to_owned(),
                Some(node) => shown(&n.key, node),
                None => String::new(),
            };
            ("set", format!("the effective value becomes {value}, {} at {}", n.key, n.origin()))
        }
        None => match topic::default_of(asked.key) {
            Some(d) => ("default", format!("the effective value becomes the default, {d}")),
            None => ("unset", "no value is in force then".to_owned()),
        },
    };
    let change = match (&winner.held, winner.origin()) {
        (Held::Variable(name), _) => format!("unset the environment variable {name}"),
        (_, Origin::Include { file, .. }) => {
            return vec![Flip {
                change: format!("edit {file}, or write the key beside the $include, where it wins"),
                verdict: "set".to_owned(),
                opens: String::new(),
            }];
        }
        (_, Origin::Migrated { from_key, .. }) => {
            if loaded.raw.path(&from_key.split('.').collect::<Vec<_>>()).is_none() {
                return Vec::new();
            }
            format!("--unset {from_key}")
        }
        _ => format!("--unset {}", quoted(&winner.key)),
    };
    vec![Flip { change, verdict: verdict.to_owned(), opens: then }]
}

/// A key path as one word of a shell.
fn quoted(key: &KeyPath) -> String {
    let text = key.to_string();
    if text.contains(['"', '*', ' ', '$']) { format!("'{text}'") } else { text }
}

fn not_set(loaded: &Loaded, asked: &Asked<'_>) -> Explanation {
    let (nearest, _, _) = loaded.tree.nearest(asked.key);
    let source = nearest.origin.clone();
    let default = topic::default_of(asked.key);
    let known = schema::lookup(asked.key).is_some();
    let (verdict, reason, detail) = match (&default, known) {
        (_, false) => {
            let near = topic::nearest_key(asked.key)
                .map(|n| format!("; nearest valid key: {n}"))
                .unwrap_or_default();
            ("unset", "unknown-key", format!("there is no such key{near}"))
        }
        (Some(d), true) => ("default", "default", format!("unset; the default {d} is in force")),
        (None, true) => ("unset", "unset", "unset, and there is no default".to_owned()),
    };
    let step = TraceStep {
        layer: "file".to_owned(),
        rule: reason.to_owned(),
        key_path: Some(asked.key.clone()),
        source: source.clone(),
        unset: true,
        effect: Effect::Absent,
        detail,
    };
    let mut facts = facts(asked);
    if let (Some(d), true) = (&default, known) {
        facts.insert("effective".to_owned(), d.clone());
    }
    Explanation {
        subject: "config".to_owned(),
        verdict: verdict.to_owned(),
        reason: match &default {
            Some(d) if known => format!("default: {d}"),
            _ => reason.to_owned(),
        },
        decided_by: DecidedBy {
            layer: if verdict == "default" { "default" } else { "file" }.to_owned(),
            rule: reason.to_owned(),
            key_path: Some(asked.key.clone()),
            source,
            unset: true,
        },
        trace: vec![step],
        flip: word_flips(loaded, asked.key, default.as_ref()),
        notes: Vec::new(),
        facts,
    }
}

/// The other words a key takes, each tried: a word that needs more than itself (such as `open` without `"*"`) is not offered.
fn word_flips(loaded: &Loaded, key: &KeyPath, default: Option<&Json>) -> Vec<Flip> {
    let other = |w: &&str| default.and_then(Json::as_str) != Some(*w);
    let stands = |w: &&str| {
        let mut tree = loaded.tree.clone();
        what_if::apply(&mut tree, &[Change::Set { path: key.clone(), value: (*w).into() }]);
        crate::load::recheck(tree).is_empty()
    };
    topic::words(key)
        .into_iter()
        .filter(other)
        .filter(stands)
        .take(4)
        .map(|w| Flip {
            change: format!("--set '{key}=\"{w}\"'"),
            verdict: "set".to_owned(),
            opens: String::new(),
        })
        .collect()
}

fn facts(asked: &Asked<'_>) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("key".to_owned(), asked.key.to_string().into());
    if let Some(agent) = asked.agent {
        out.insert("agentId".to_owned(), agent.as_str().into());
    }
    if let Some(account) = asked.account {
        out.insert("accountId".to_owned(), account.as_str().into());
    }
    out
}

/// The answer to every question about a configuration that is refused.
#[must_use]
pub fn invalid(loaded: &Loaded, key: &KeyPath) -> Explanation {
    let text = key.to_string();
    let concerns =
        |i: &&Issue| i.nearest.as_deref() == Some(&text) || (!key.is_root() && i.path.starts_with(key));
    let step = |issue: &Issue| TraceStep {
        layer: "validation".to_owned(),
        rule: if issue.nearest.is_some() { "unknown-key" } else { "invalid" }.to_owned(),
        key_path: Some(issue.path.clone()),
        source: issue.origin.clone(),
        unset: false,
        effect: Effect::Removes,
        detail: match &issue.nearest {
            Some(n) => format!("{}; nearest valid key: {n}", issue.message),
            None => issue.message.clone(),
        },
    };
    let first = loaded.issues.iter().find(concerns).or(loaded.issues.first()).map(step);
    let mut notes = Vec::new();
    if !key.is_root() && loaded.tree.at(key).is_none() {
        let would = topic::default_of(key).map(|d| format!("; the default would be {d}")).unwrap_or_default();
        notes.push(format!("{key} itself is unset{would}."));
    }
    notes.push(
        "The gateway does not start from this file; one that runs keeps the last good configuration."
            .to_owned(),
    );
    let mut facts = Map::new();
    if !key.is_root() {
        facts.insert("key".to_owned(), text.clone().into());
    }
    facts.insert("issues".to_owned(), serde_json::to_value(&loaded.issues).unwrap_or_default());
    Explanation {
        subject: "config".to_owned(),
        verdict: "config-invalid".to_owned(),
        reason: first.as_ref().map_or_else(|| "invalid".to_owned(), |s| s.rule.clone()),
        decided_by: DecidedBy {
            layer: "validation".to_owned(),
            rule: first.as_ref().map_or_else(|| "invalid".to_owned(), |s| s.rule.clone()),
            key_path: first.as_ref().and_then(|s| s.key_path.clone()),
            source: first.as_ref().map_or(Origin::Default, |s| s.source.clone()),
            unset: false,
        },
        trace: loaded.issues.iter().map(step).collect(),
        flip: loaded.issues.iter().filter_map(|i| repair(loaded, i)).collect(),
        notes,
        facts,
    }
}

/// The change that mends one issue.
fn repair(loaded: &Loaded, issue: &Issue) -> Option<Flip> {
    let flip = |change: String, opens: String| Flip { change, verdict: "set".to_owned(), opens };
    let Some(nearest) = &issue.nearest else {
        return issue.fix.clone().map(|fix| Flip {
            change: fix,
            verdict: "valid".to_owned(),
            opens: String::new(),
        });
    };
    let rename = format!("rename the key {} to {nearest}", issue.path);
    let path = KeyPath::parse(nearest).ok();
    let node = loaded.tree.at(&issue.path).filter(|_| !view::is_sensitive(&issue.path));
    match (path, node) {
        (Some(path), Some(node)) if !view::is_sensitive(&path) => {
            let value = view::redacted_node(&path, node);
            if view::holds_marker(&value) {
                return Some(flip(rename, String::new()));
            }
            Some(flip(format!("--unset {} --set '{nearest}={value}'", quoted(&issue.path)), rename))
        }
        _ => Some(flip(rename, String::new())),
    }
}
