//! What the configuration, the session and the call ask for, in both vocabularies (exec-approval 2).

use oc_policy::command::exec::ExecDirective;
use oc_policy::exec_route::exec_key;
use oc_types::{AgentId, KeyPath, Node, Origin};

use crate::approvals_file::{Ask, Security};

/// A value with the place that it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Worded<T> {
    /// The value.
    pub value: T,
    /// Its key.
    pub key: KeyPath,
    /// Where the key stands.
    pub origin: Origin,
}

/// `tools.exec.security`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecurityWord {
    /// Upstream: how far commands are checked.
    Enforce(Security),
    /// Seed `host`: always on the gateway host.
    Host,
    /// Seed `sandbox`: always in the sandbox, where there is one.
    Sandbox,
    /// Seed `ask`: a person chooses the place each time.
    Ask,
    /// Any other word.
    Unknown,
}

/// `tools.exec.host`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostWord {
    /// In the session's sandbox, else on the gateway host; also `auto`.
    Sandbox,
    /// On the gateway host.
    Gateway,
    /// On a paired node.
    Node,
    /// Any other word.
    Unknown,
}

/// `tools.exec.ask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AskWord {
    /// A word of either vocabulary.
    Known(Ask),
    /// Any other word.
    Unknown,
}

/// `tools.exec` as far as the decision goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requested {
    /// `security`.
    pub security: Option<Worded<SecurityWord>>,
    /// `host`.
    pub host: Option<Worded<HostWord>>,
    /// `ask`.
    pub ask: Option<Worded<AskWord>>,
    /// `node`: the node that calls are bound to.
    pub node: Option<Worded<String>>,
    /// `strictInlineEval`, when it is on.
    pub strict_inline_eval: Option<Worded<()>>,
}

impl SecurityWord {
    /// Reads a word of either vocabulary.
    #[must_use]
    pub fn read(word: &str) -> Self {
        match word {
            "host" => Self::Host,
            "sandbox" => Self::Sandbox,
            "ask" => Self::Ask,
            word => Security::parse(word).map_or(Self::Unknown, Self::Enforce),
        }
    }
}

impl HostWord {
    /// Reads a word.
    #[must_use]
    pub fn read(word: &str) -> Self {
        match word {
            "sandbox" | "auto" => Self::Sandbox,
            "gateway" => Self::Gateway,
            "node" => Self::Node,
            _ => Self::Unknown,
        }
    }
}

impl AskWord {
    /// Reads a word of either vocabulary.
    #[must_use]
    pub fn read(word: &str) -> Self {
        Ask::parse(word).map_or(Self::Unknown, Self::Known)
    }
}

impl Requested {
    /// Reads `tools.exec` of an agent; the agent's value wins key by key. A value of another type is an unknown word.
    #[must_use]
    pub fn read(config: &Node, agent: &AgentId) -> Self {
        fn worded<T>(found: Option<(&Node, KeyPath)>, read: impl Fn(&str) -> T) -> Option<Worded<T>> {
            let (node, key) = found.filter(|(n, _)| !n.is_null())?;
            Some(Worded { value: read(node.as_str().unwrap_or("\0")), key, origin: node.origin.clone() })
        }
        let find = |name| exec_key(config, agent, name);
        Self {
            security: worded(find("security"), SecurityWord::read),
            host: worded(find("host"), HostWord::read),
            ask: worded(find("ask"), AskWord::read),
            node: worded(find("node"), str::to_owned),
            strict_inline_eval: find("strictInlineEval")
                // Anything but an explicit `false` is the strict value.
                .filter(|(n, _)| !n.is_null() && n.as_bool() != Some(false))
                .map(|(n, key)| Worded { value: (), key, origin: n.origin.clone() }),
        }
    }
}

/// `/exec host= security= ask= node=` of the session (read by `oc_policy::command`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionOverride {
    /// Where commands run instead.
    pub host: Option<HostWord>,
    /// Lowers the enforcement.
    pub security: Option<Security>,
    /// Raises the asking.
    pub ask: Option<Ask>,
    /// Which node, when none is configured.
    pub node: Option<String>,
}

impl SessionOverride {
    /// With what an authorised sender's `/exec` gives; what it leaves out stays.
    #[must_use]
    pub fn with(mut self, directive: &ExecDirective) -> Self {
        if let Some(host) = directive.host.as_deref() {
            self.host = Some(HostWord::read(host));
        }
        // The directive holds words of the vocabulary only; another one would be the strictest.
        if let Some(word) = directive.security.as_deref() {
            self.security = Some(Security::parse(word).unwrap_or(Security::Deny));
        }
        if let Some(word) = directive.ask.as_deref() {
            self.ask = Some(Ask::parse(word).unwrap_or(Ask::Always));
        }
        if let Some(node) = &directive.node {
            self.node = Some(node.clone());
        }
        self
    }
}

/// What the call itself asks for. `security` only lowers, `ask` only raises, another place is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// `host`.
    pub host: Option<HostWord>,
    /// `security`.
    pub security: Option<Security>,
    /// `ask`.
    pub ask: Option<Ask>,
    /// `node`.
    pub node: Option<String>,
}
