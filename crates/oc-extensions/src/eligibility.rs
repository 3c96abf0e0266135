//! Whether a skill is offered, and what stands against it.
//!
//! A skill fits when everything it needs is on this host, or when one connected node has all its programs and is one of its systems.
//! Variables and settings are always the gateway's own.

use std::collections::BTreeSet;

use oc_types::Node;

use crate::skill::{Requirements, Skill, is_program_name};

#[cfg(test)]
mod tests;

/// A connected node that may run commands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeOffer {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its system, as it says itself.
    pub platform: String,
    /// The programs that it has, of those it was asked for.
    pub bins: BTreeSet<String>,
}

/// What is there.
pub struct World<'w> {
    /// This host's system, as Rust names it.
    pub os: &'w str,
    /// Whether this host has a program.
    pub program: &'w dyn Fn(&str) -> bool,
    /// Whether a variable of the environment is set.
    pub variable: &'w dyn Fn(&str) -> bool,
    /// The configuration.
    pub config: &'w Node,
    /// The skills that the agent may have (`agents.list[].skills`); `None`: all.
    pub listed: Option<&'w [String]>,
    /// Connected nodes.
    pub nodes: &'w [NodeOffer],
}

impl std::fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("os", &self.os).field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

/// What the code scan says about a skill's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// Nothing that holds it back.
    Clean,
    /// A critical hit, or a scan that did not come to its end; in words.
    Blocks(String),
}

/// How a skill stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `skills.entries.<key>.enabled` is false.
    pub disabled: bool,
    /// The agent has a list of skills and this one is not in it.
    pub unlisted: bool,
    /// What the code scan holds against it. The operator's `enabled: true` lifts it.
    pub blocked: Option<String>,
    /// What is missing on this host.
    pub missing: Requirements,
    /// The node that has what this host lacks.
    pub node: Option<String>,
}

impl Standing {
    /// Whether the skill is offered.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        let own = &self.missing;
        let gateway = own.env.is_empty() && own.config.is_empty();
        let programs = own.bins.is_empty() && own.any_bins.is_empty() && own.os.is_empty();
        !self.disabled
            && !self.unlisted
            && self.blocked.is_none()
            && gateway
            && (programs || self.node.is_some())
    }
}

/// Judges one skill.
#[must_use]
pub fn judge(skill: &Skill, scan: &Scan, world: &World<'_>) -> Standing {
    let entry = world.config.path(&["skills", "entries", &skill.key]);
    let enabled = entry.and_then(|e| e.get("enabled")).and_then(Node::as_bool);
    let missing = if skill.always { Requirements::default() } else { missing(skill, entry, world) };
    let lacks_programs = !(missing.bins.is_empty() && missing.any_bins.is_empty() && missing.os.is_empty());
    let node = lacks_programs.then(|| world.nodes.iter().find(|n| has_all(n, &skill.requires))).flatten();
    let blocked = match scan {
        Scan::Clean => None,
        Scan::Blocks(_) if enabled == Some(true) => None,
        Scan::Blocks(why) => Some(why.clone()),
    };
    let listed = world.listed.is_none_or(|l| l.iter().any(|n| n.trim() == skill.name.as_str()));
    Standing {
        disabled: enabled == Some(false),
        unlisted: !listed,
        blocked,
        missing,
        node: node.map(|n| n.name.clone()),
    }
}

fn missing(skill: &Skill, entry: Option<&Node>, world: &World<'_>) -> Requirements {
    let needs = &skill.requires;
    let has = |bin: &String| is_program_name(bin) && (world.program)(bin);
    let lacking = |names: &[String], has: &dyn Fn(&String) -> bool| {
        names.iter().filter(|n| !has(n)).cloned().collect::<Vec<_>>()
    };
    let set = |node: Option<&Node>| node.is_some_and(is_set);
    let variable = |name: &String| {
        (world.variable)(name)
            || set(entry.and_then(|e| e.path(&["env", name])))
            || skill.primary_env.as_ref() == Some(name) && set(entry.and_then(|e| e.get("apiKey")))
    };
    let setting = |key: &String| {
        let keys: Vec<&str> = key.split('.').collect();
        set(world.config.path(&keys))
    };
    let any = needs.any_bins.is_empty() || needs.any_bins.iter().any(has);
    let os = needs.os.is_empty() || needs.os.iter().any(|o| same_system(o, world.os));
    Requirements {
        bins: lacking(&needs.bins, &has),
        any_bins: if any { Vec::new() } else { needs.any_bins.clone() },
        env: lacking(&needs.env, &variable),
        config: lacking(&needs.config, &setting),
        os: if os { Vec::new() } else { needs.os.clone() },
    }
}

/// Whether one node has everything that a skill runs: no program is borrowed from another machine.
fn has_all(node: &NodeOffer, needs: &Requirements) -> bool {
    let has = |bin: &String| is_program_name(bin) && node.bins.contains(bin);
    needs.bins.iter().all(has)
        && (needs.any_bins.is_empty() || needs.any_bins.iter().any(has))
        && (needs.os.is_empty() || needs.os.iter().any(|o| same_system(o, &node.platform)))
}

/// Whether two names mean one system: `darwin` and `macos`, `win32` and `windows`, with or without a version behind it.
#[must_use]
pub fn same_system(a: &str, b: &str) -> bool {
    system(a) == system(b) && !system(a).is_empty()
}

fn system(text: &str) -> String {
    let word: String = text.trim().to_lowercase().chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
    match word.as_str() {
        "darwin" | "macos" | "mac" | "osx" => "macos".to_owned(),
        "win32" | "windows" | "win" => "windows".to_owned(),
        _ => word,
    }
}

/// Whether a setting is set to something: not null, false, zero or an empty text.
fn is_set(node: &Node) -> bool {
    match node.as_bool() {
        Some(on) => on,
        None => match (node.as_str(), node.as_number()) {
            (Some(text), _) => !text.trim().is_empty(),
            (_, Some(number)) => number != 0.0,
            (None, None) => !node.is_null(),
        },
    }
}

/// The programs that the skills ask for, each once, sorted: what nodes are asked about.
#[must_use]
pub fn wanted_bins<'s>(skills: impl IntoIterator<Item = &'s Skill>) -> Vec<String> {
    let mut all: BTreeSet<String> = BTreeSet::new();
    for skill in skills {
        let needs = &skill.requires;
        all.extend(needs.bins.iter().chain(&needs.any_bins).filter(|b| is_program_name(b)).cloned());
    }
    all.into_iter().collect()
}
