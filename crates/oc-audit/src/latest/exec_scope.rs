//! What `tools.exec` says for agents in general and for each agent.

use oc_types::{KeyPath, Node};

use super::reach::{SandboxMode, Scope};

/// How far commands on a host are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Enforce {
    /// Refused. Unset counts as this.
    Deny,
    /// Allow list, then a person.
    Allowlist,
    /// Everything runs.
    Full,
}

impl<'a> Scope<'a> {
    /// `tools.exec.<key>` in force and where it stands.
    pub(crate) fn exec(&self, key: &str) -> Option<(&'a Node, KeyPath)> {
        self.tools(&["exec", key])
    }

    fn exec_word(&self, key: &str) -> Option<&'a str> {
        self.exec(key).and_then(|(n, _)| n.as_str())
    }

    /// How far commands are checked. The seed's words say where a command runs: `host` without asking runs everything.
    pub(crate) fn enforce(&self) -> Enforce {
        match (self.exec_word("security"), self.exec_word("ask")) {
            (Some("full"), _) | (Some("host"), Some("off")) => Enforce::Full,
            (Some("allowlist" | "host" | "sandbox" | "ask"), _) => Enforce::Allowlist,
            _ => Enforce::Deny,
        }
    }

    /// Whether commands are sent to the gateway's host or a node.
    pub(crate) fn exec_on_host(&self) -> bool {
        matches!(self.exec_word("host"), Some("gateway" | "node"))
            || (self.exec_word("host").is_none() && self.exec_word("security") == Some("host"))
    }

    /// Whether every command runs in a sandbox.
    pub(crate) fn exec_sandboxed(&self) -> bool {
        self.sandbox_mode() == SandboxMode::All && !self.exec_on_host()
    }
}
