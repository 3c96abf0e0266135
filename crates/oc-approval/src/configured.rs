//! What the configuration says about the commands of an agent, as the analysis takes it: one reader for runs and for explanations.

use oc_policy::exec_route::exec_key;
use oc_types::{AgentId, Node};

use crate::allowlist::{Allowlist, Rule};
use crate::analysis::Rules;
use crate::life_cycle::DEFAULT_TIMEOUT_MS;
use crate::protected::ReadScope;
use crate::safe_bin::catalogue::{Catalogue, CustomProfile};

/// Shortest time for an answer, in milliseconds (the configuration refuses less).
const SHORTEST_MS: f64 = 1000.0;
/// Longest time for an answer, in milliseconds: a day.
const LONGEST_MS: f64 = 86_400_000.0;

fn find<'n>(config: &'n Node, agent: &AgentId, name: &str) -> Option<&'n Node> {
    exec_key(config, agent, name).map(|(node, _)| node).filter(|n| !n.is_null())
}

/// What is automatic for an agent. `list`: the allow list in force; `home` and `state_directory` absolute.
#[must_use]
pub fn rules(
    config: &Node,
    agent: &AgentId,
    list: &[Rule],
    home: Option<&str>,
    state_directory: &str,
) -> Rules {
    let mut rules = Rules {
        trusted_directories: find(config, agent, "safeBinTrustedDirs")
            .and_then(Node::entries)
            .unwrap_or_default(),
        catalogue: Catalogue::new(profiles(find(config, agent, "safeBinProfiles"))),
        // A value of another type is an unknown word, which is the tightest.
        reads: find(config, agent, "safeBinReads")
            .map_or(ReadScope::NonSensitive, |n| ReadScope::read(n.as_str().unwrap_or("\0"))),
        allowlist: Allowlist::compile(list, home),
        state_directory: Some(state_directory.to_owned()),
        ..Rules::default()
    };
    if let Some(names) = find(config, agent, "safeBins") {
        let items = names.as_array().unwrap_or_default();
        rules.safe_bins = items.iter().filter_map(Node::as_str).map(str::to_owned).collect();
    }
    rules
}

/// `PATH` of host commands: `tools.exec.pathPrepend`, then the host's own. It is searched and handed on as one value (SP-151).
#[must_use]
pub fn path(config: &Node, agent: &AgentId, own: Option<&str>) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let prepended = find(config, agent, "pathPrepend").and_then(Node::entries).unwrap_or_default();
    for part in prepended.iter().map(|p| p.trim()).filter(|p| !p.is_empty()) {
        if !parts.iter().any(|p| p == part) {
            parts.push(part.to_owned());
        }
    }
    parts.extend(own.map(str::to_owned));
    (!parts.is_empty()).then(|| parts.join(":"))
}

/// How long a person has to answer, in milliseconds: `tools.exec.approvalTimeoutMs`, else five minutes.
#[must_use]
pub fn approval_timeout_ms(config: &Node, agent: &AgentId) -> u64 {
    let set = find(config, agent, "approvalTimeoutMs").and_then(Node::as_number).filter(|n| n.is_finite());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value lies between the two bounds"
    )]
    set.map_or(DEFAULT_TIMEOUT_MS, |n| n.clamp(SHORTEST_MS, LONGEST_MS) as u64)
}

fn profiles(node: Option<&Node>) -> Vec<(String, CustomProfile)> {
    let number = |n: &Node, key: &str| {
        let value = n.get(key).and_then(Node::as_number)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the value lies between the two bounds"
        )]
        (0.0..=65_536.0).contains(&value).then_some(value as usize)
    };
    let flags = |n: &Node, key: &str| n.get(key).and_then(Node::entries);
    let read = |n: &Node| CustomProfile {
        min_positional: number(n, "minPositional"),
        max_positional: number(n, "maxPositional"),
        allowed_value_flags: flags(n, "allowedValueFlags"),
        denied_flags: flags(n, "deniedFlags").unwrap_or_default(),
    };
    let members = node.and_then(Node::as_object).into_iter().flatten();
    members.map(|(name, n)| (name.clone(), read(n))).collect()
}
