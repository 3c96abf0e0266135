//! Where `exec` runs and whether a person is asked, from the configuration alone (exec-approval 2 and 3).
//!
//! This is the requested side. The approvals file on the host of execution can only tighten it, and is judged elsewhere.

use oc_types::{AgentId, KeyPath, Node, Origin};
use serde::Serialize;

use crate::sandbox::{Runs, agent_entry};

/// Where a tool acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Host {
    /// In the session's sandbox.
    Sandbox,
    /// A person chooses each time (seed: `security: "ask"`).
    Prompt,
    /// On a paired node.
    Node,
    /// On the gateway host.
    Gateway,
}

impl Host {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Prompt => "prompt",
            Self::Node => "node",
            Self::Gateway => "gateway",
        }
    }
}

/// What stands between a call and its execution, strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Refused.
    Denied,
    /// Every command is asked.
    Always,
    /// Listed commands run, all others are refused.
    ListedOnly,
    /// Listed commands run, a person is asked about all others.
    OnMiss,
    /// Nobody is asked.
    None,
}

impl Approval {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Always => "always",
            Self::ListedOnly => "listed-only",
            Self::OnMiss => "on-miss",
            Self::None => "none",
        }
    }
}

/// Where `exec` of an agent's session runs, and under which approval.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecRoute {
    /// Where.
    pub host: Host,
    /// What stands between.
    pub approval: Approval,
    /// The sandbox was wanted and is not active, so it runs on the gateway host (seed A's note on sandboxing).
    pub fallback: bool,
    /// The key that decided the host; `None` when nothing is set.
    pub key: Option<(KeyPath, Origin)>,
}

/// One key of `tools.exec` with its address: the agent's, else the global one.
#[must_use]
pub fn exec_key<'n>(config: &'n Node, agent: &AgentId, name: &str) -> Option<(&'n Node, KeyPath)> {
    let keys = ["tools", "exec", name];
    let own = agent_entry(config, agent).and_then(|entry| {
        let path = KeyPath::keys(["agents", "list"]).index(entry.index).join(&KeyPath::keys(keys));
        Some((entry.node.path(&keys)?, path))
    });
    own.or_else(|| Some((config.path(&keys)?, KeyPath::keys(keys))))
}

/// The word of one setting.
fn setting<'n>(config: &'n Node, agent: &AgentId, name: &str) -> Option<(&'n str, KeyPath, &'n Origin)> {
    let (node, path) = exec_key(config, agent, name)?;
    Some((node.as_str()?, path, &node.origin))
}

/// Decides for an agent's session. `approvals_file`: whether the host has an approvals file, which makes approvals apply after a
/// fallback. Elevation is not active; unknown words count as the strictest.
#[must_use]
pub fn exec_route(config: &Node, agent: &AgentId, runs: Runs, approvals_file: bool) -> ExecRoute {
    let security = setting(config, agent, "security");
    let host = setting(config, agent, "host");
    let ask = setting(config, agent, "ask");
    let wanted = match (security.as_ref().map(|s| s.0), host.as_ref().map(|h| h.0)) {
        (Some("host"), Some("node")) => Host::Node,
        (Some("host"), _) => Host::Gateway,
        (Some("sandbox"), _) => Host::Sandbox,
        (Some("ask"), _) => Host::Prompt,
        (_, Some("gateway")) => Host::Gateway,
        (_, Some("node")) => Host::Node,
        _ => Host::Sandbox,
    };
    let by_security = matches!(security, Some(("host" | "sandbox" | "ask", ..)));
    let key = if by_security { &security } else { &host }.as_ref().map(|(_, k, o)| (k.clone(), (*o).clone()));
    let ask_word = ask.as_ref().map_or("on-miss", |a| a.0);
    // Elevation is off here, and then `elevated` asks nobody.
    let asks = |word: &str| match word {
        "off" | "elevated" => Approval::ListedOnly,
        "on-miss" => Approval::OnMiss,
        _ => Approval::Always,
    };
    if wanted == Host::Sandbox && runs.is_sandboxed() {
        let approval = if asks(ask_word) == Approval::Always { Approval::Always } else { Approval::None };
        return ExecRoute { host: Host::Sandbox, approval, fallback: false, key };
    }
    let fallback = wanted == Host::Sandbox;
    // Only when nothing at all is configured for exec does the run proceed unprompted (exec-approval 3.2).
    if fallback && security.is_none() && host.is_none() && ask.is_none() && !approvals_file {
        return ExecRoute { host: Host::Gateway, approval: Approval::None, fallback, key };
    }
    let approval = match security.as_ref().map(|s| s.0) {
        Some("deny") => Approval::Denied,
        Some("full") => match asks(ask_word) {
            Approval::Always => Approval::Always,
            _ => Approval::None,
        },
        // The seed calls `off` "no approval needed" beside `security: "host"`.
        Some("host") if asks(ask_word) == Approval::ListedOnly => Approval::None,
        Some("ask") => Approval::Always,
        Some("sandbox") if asks(ask_word) == Approval::ListedOnly => Approval::OnMiss,
        None | Some("allowlist" | "host" | "sandbox") => asks(ask_word),
        Some(_) => Approval::Denied,
    };
    let host = if fallback { Host::Gateway } else { wanted };
    ExecRoute { host, approval, fallback, key }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(exec: serde_json::Value, runs: Runs) -> (Host, Approval, bool) {
        let config = Node::from_json(&json!({"tools": {"exec": exec}}), &Origin::Default);
        let r = exec_route(&config, &AgentId::normalized("main"), runs, false);
        (r.host, r.approval, r.fallback)
    }

    #[test]
    fn the_seeds_rows_on_the_host() {
        use Approval::{Always, None, OnMiss};
        for (ask, security, want) in [
            ("off", "host", (Host::Gateway, None)),
            ("elevated", "host", (Host::Gateway, None)),
            ("always", "host", (Host::Gateway, Always)),
            ("on-miss", "host", (Host::Gateway, OnMiss)),
            ("always", "ask", (Host::Prompt, Always)),
            ("off", "ask", (Host::Prompt, Always)),
        ] {
            let got = check(json!({"ask": ask, "security": security}), Runs::Sandboxed);
            assert_eq!((got.0, got.1), want, "{ask} {security}");
        }
    }

    #[test]
    fn in_the_sandbox_only_always_asks() {
        assert_eq!(check(json!({}), Runs::Sandboxed), (Host::Sandbox, Approval::None, false));
        assert_eq!(
            check(json!({"ask": "elevated", "security": "sandbox"}), Runs::Sandboxed).1,
            Approval::None
        );
        assert_eq!(check(json!({"ask": "always"}), Runs::Sandboxed).1, Approval::Always);
    }

    #[test]
    fn without_a_sandbox_it_runs_on_the_host_and_says_so() {
        assert_eq!(check(json!({}), Runs::OnHost), (Host::Gateway, Approval::None, true));
        let baseline = json!({"ask": "elevated", "security": "sandbox"});
        assert_eq!(check(baseline, Runs::OnHost), (Host::Gateway, Approval::OnMiss, true));
        assert_eq!(check(json!({"ask": "always"}), Runs::OnHost).1, Approval::Always);
        assert_eq!(check(json!({"security": "deny"}), Runs::OnHost).1, Approval::Denied);
        assert_eq!(check(json!({"host": "gateway"}), Runs::OnHost), (Host::Gateway, Approval::OnMiss, false));
    }

    #[test]
    fn sp_119_an_unknown_word_never_loosens() {
        assert_eq!(check(json!({"security": "yolo"}), Runs::OnHost).1, Approval::Denied);
        assert_eq!(check(json!({"host": "gateway", "ask": "never"}), Runs::OnHost).1, Approval::Always);
    }

    #[test]
    fn an_agents_word_replaces_the_global_one() {
        let config = json!({
            "tools": {"exec": {"host": "gateway", "ask": "always", "security": "allowlist"}},
            "agents": {"list": [{"id": "main"}, {"id": "dev", "tools": {"exec": {"ask": "off"}}}]},
        });
        let config = Node::from_json(&config, &Origin::Default);
        let approval = |id: &str| exec_route(&config, &AgentId::normalized(id), Runs::OnHost, false).approval;
        assert_eq!(approval("main"), Approval::Always);
        assert_eq!(approval("dev"), Approval::ListedOnly);
    }
}
