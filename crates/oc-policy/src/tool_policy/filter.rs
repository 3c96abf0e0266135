//! The tools a session gets: the only form in which tools leave the policy (SP-104).

use std::collections::BTreeSet;

use crate::inventory::{Absence, Tool};
use crate::layer::Layer;

/// The tools of one session after every layer. Offering and running tools takes this type; only the policy makes it, and no tool
/// can be added to it afterwards.
///
/// ```compile_fail
/// use oc_policy::tool_policy::FilteredTools;
/// let forged = FilteredTools { tools: Vec::new(), removed: Vec::new(), absent: Vec::new(), message: todo!() };
/// ```
///
/// ```compile_fail
/// use oc_policy::{inventory::Tool, tool_policy::FilteredTools};
/// fn smuggle(mut offered: FilteredTools) { offered.tools.push(Tool::core("exec")); }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilteredTools {
    pub(super) tools: Vec<Tool>,
    pub(super) removed: Vec<(Tool, Layer)>,
    pub(super) absent: Vec<(Tool, Absence)>,
    pub(super) message: MessageScope,
}

impl FilteredTools {
    /// The tools that may be offered, in the order of the candidates.
    #[must_use]
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// What was removed, and by which layer first.
    #[must_use]
    pub fn removed(&self) -> &[(Tool, Layer)] {
        &self.removed
    }

    /// What was not offered in the first place, and why.
    #[must_use]
    pub fn absent(&self) -> &[(Tool, Absence)] {
        &self.absent
    }

    /// Whether a tool of that name (any spelling) may be called: asked again at every call (SP-105).
    #[must_use]
    pub fn permits(&self, name: &str) -> bool {
        let wanted = crate::tool_name::canonical(name);
        self.tools.iter().any(|t| crate::tool_name::canonical(t.name()) == wanted)
    }

    /// Where `message` may go, when it is among the tools.
    #[must_use]
    pub fn message_scope(&self) -> &MessageScope {
        &self.message
    }
}

/// Channels that `message` may reach. Replies to the conversation at hand need no tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageScope {
    /// `None`: every channel; otherwise only these.
    pub(super) only: Option<BTreeSet<String>>,
    /// Never these.
    pub(super) never: BTreeSet<String>,
}

impl MessageScope {
    /// Whether a channel may be reached.
    #[must_use]
    pub fn permits(&self, channel: &str) -> bool {
        let Some(id) = super::room::channel_id(channel) else { return false };
        !self.never.contains(&id) && self.only.as_ref().is_none_or(|o| o.contains(&id))
    }

    /// One more policy: its allowed channels narrow, its denied ones are taken away.
    pub(super) fn narrow(&mut self, allow: &[String], deny: &[String]) {
        let ids = |words: &[String]| words.iter().filter_map(|w| super::room::channel_id(w)).collect();
        self.never.extend::<BTreeSet<String>>(ids(deny));
        if !allow.is_empty() {
            let allowed: BTreeSet<String> = ids(allow);
            self.only = Some(match self.only.take() {
                Some(before) => before.intersection(&allowed).cloned().collect(),
                None => allowed,
            });
        }
    }
}
