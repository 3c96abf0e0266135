//! Which directories may be a sandbox's workspace: the mounts that no `binds` entry asks for (SP-230, SP-251).

use super::PathRules;
use super::bind::{HOME, SYSTEM, normalize, within};

/// Below the state directory: what decides about calls, or proves who may make them.
const STATE: [&str; 4] = ["credentials", "identity", "ledger", "sandbox"];
/// Below an agent's folder in the state directory: its credentials and its conversations.
const AGENT: [&str; 2] = ["agent", "sessions"];

/// Why a directory must not be a sandbox's workspace; `None` when it may. It is judged as written and as where it leads.
///
/// A workspace may lie below the home directory and below the state directory, where the default one is. It must not hold either's
/// secrets, nor lie among them, nor be or hold a system directory: a command inside would read them, or write what the host then obeys.
#[must_use]
pub fn workspace_refusal(path: &str, rules: &PathRules<'_>) -> Option<String> {
    let Some(written) = normalize(path) else {
        return Some("is no absolute path".to_owned());
    };
    let home = normalize(rules.home).unwrap_or_default();
    let state = normalize(rules.state_dir).unwrap_or_default();
    let resolved = (rules.resolve)(&written);
    // The state directory may itself be reached through a link.
    let states = [(rules.resolve)(&state), state];
    [written, resolved].iter().find_map(|at| judge(at, &home, &states))
}

fn judge(path: &str, home: &str, states: &[String; 2]) -> Option<String> {
    let fix = "which no sandbox may see; correct the agent's `workspace` or `sandbox.workspaceRoot`";
    let holds = |what: &str| Some(format!("holds {what}, {fix}"));
    let below = |what: &str| Some(format!("lies in {what}, {fix}"));
    for state in states.iter().filter(|s| !s.is_empty()) {
        if within(state, path) {
            return holds("the state directory");
        }
        if let Some(rest) = path.strip_prefix(state.as_str()).and_then(|r| r.strip_prefix('/')) {
            return is_private(rest).then(|| below("a private part of the state directory")).flatten();
        }
    }
    let secret = |h: &&&str| format!("{home}/{h}");
    if let Some(h) = HOME.iter().find(|h| within(&secret(h), path)) {
        return holds(&format!("~/{h}"));
    }
    if let Some(h) = HOME.iter().find(|h| within(path, &secret(h))) {
        return below(&format!("~/{h}"));
    }
    if let Some(system) = SYSTEM.iter().find(|s| within(s, path)) {
        return holds(system);
    }
    // Root's home is a system directory to everybody but root.
    let system = SYSTEM.iter().find(|s| within(path, s) && !within(home, s))?;
    below(system)
}

/// Whether a path below the state directory is one of its private parts.
fn is_private(rest: &str) -> bool {
    let mut parts = rest.split('/');
    match parts.next() {
        Some("agents") => {
            let (agent, part) = (parts.next(), parts.next());
            agent.is_none() || part.is_none_or(|p| AGENT.contains(&p))
        }
        Some(first) => STATE.contains(&first),
        None => false,
    }
}
