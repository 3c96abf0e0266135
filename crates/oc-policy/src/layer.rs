//! The layers of the tool policy, in order (seed: priority table; tool-policy 3).
//!
//! Each is a filter over what the one before it left: a later layer can only remove (SP-101).

use serde::Serialize;

/// Who removed a tool. The order of the variants is the order of evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Layer {
    /// Before the layers: tools that only a proven owner gets.
    OwnerOnly,
    /// `tools.profile`, replaced by `agents.list[].tools.profile`.
    Profile,
    /// The profile of the provider's entry.
    ProviderProfile,
    /// `tools.allow`, `tools.deny`.
    Global,
    /// `tools.byProvider[key]`.
    GlobalProvider,
    /// `agents.list[].tools`.
    Agent,
    /// `agents.list[].tools.byProvider[key]`.
    AgentProvider,
    /// The room's policy, possibly by sender.
    Group,
    /// What a sandboxed session may use.
    Sandbox,
    /// What a sub-agent may use, and what its parent may.
    Subagent,
}

impl Layer {
    /// All layers in order.
    pub const ALL: [Self; 10] = [
        Self::OwnerOnly,
        Self::Profile,
        Self::ProviderProfile,
        Self::Global,
        Self::GlobalProvider,
        Self::Agent,
        Self::AgentProvider,
        Self::Group,
        Self::Sandbox,
        Self::Subagent,
    ];

    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OwnerOnly => "ownerOnly",
            Self::Profile => "profile",
            Self::ProviderProfile => "providerProfile",
            Self::Global => "global",
            Self::GlobalProvider => "globalProvider",
            Self::Agent => "agent",
            Self::AgentProvider => "agentProvider",
            Self::Group => "group",
            Self::Sandbox => "sandbox",
            Self::Subagent => "subagent",
        }
    }
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}
