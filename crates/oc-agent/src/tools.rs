//! Which tools a model is offered: those that the policy leaves this caller, that this program carries out, and that it can describe.
//!
//! Invariant: an [`Offer`] holds nothing that [`oc_policy::tool_policy::FilteredTools`] does not, for every caller of a turn (SP-104, SP-426).

pub mod definition;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use oc_policy::inventory::{Presence, ReadOnlyFiles, Tool};
use oc_policy::sandbox::{Plan, WorkspaceAccess, plan};
use oc_policy::tool_name::canonical;
use oc_sandbox::gate::{Caller, Gate, Snapshot, ToolCall};
use serde_json::Map;

use crate::message::ToolDefinition;

/// The tools of one request to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offer {
    definitions: Vec<ToolDefinition>,
    names: BTreeSet<String>,
}

impl Offer {
    /// The tools that every one of these callers gets, that `built` names, and that have a description here or in `others` (tools of
    /// plugins and of other servers). In the order of the policy's inventory. Nobody to ask for: nothing.
    #[must_use]
    pub fn of(snapshot: &Snapshot, built: &[String], callers: &[&Caller], others: &[ToolDefinition]) -> Self {
        let mut out = Self::default();
        if callers.is_empty() {
            return out;
        }
        let left: Vec<BTreeSet<String>> = callers.iter().map(|c| permitted(snapshot, c)).collect();
        for tool in snapshot.policy().inventory().tools() {
            let name = canonical(tool.name()).into_owned();
            let everybody = left.iter().all(|names| names.contains(&name));
            if !everybody || !built.contains(&name) {
                continue;
            }
            let described = match definition::of(&name) {
                Some(own) => Some(own),
                // What a plugin says about its tool never describes one of ours.
                None if tool.owner().is_some() => described_by_others(&name, others),
                None => None,
            };
            if let Some(definition) = described {
                out.names.insert(name);
                out.definitions.push(definition);
            }
        }
        out
    }

    /// The offer for these callers under the gate's rules of now.
    #[must_use]
    pub fn now(gate: &Gate, callers: &[&Caller], others: &[ToolDefinition]) -> Self {
        Self::of(&gate.snapshot(), &gate.built(), callers, others)
    }

    /// What the model is told.
    #[must_use]
    pub fn definitions(&self) -> &[ToolDefinition] {
        &self.definitions
    }

    /// Whether a tool, in any spelling, is among them.
    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        self.names.contains(&*canonical(name))
    }

    /// The canonical names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

fn described_by_others(name: &str, others: &[ToolDefinition]) -> Option<ToolDefinition> {
    let found = others.iter().find(|d| canonical(&d.name) == name)?;
    Some(ToolDefinition { name: name.to_owned(), ..found.clone() })
}

/// What the policy leaves a caller; nothing when it cannot be asked.
fn permitted(snapshot: &Snapshot, caller: &Caller) -> BTreeSet<String> {
    let context = caller.context();
    let Ok(stack) = snapshot.policy().stack(&context) else { return BTreeSet::new() };
    let Ok(plan) = plan(snapshot.config(), Some(&caller.session), snapshot.places()) else {
        return BTreeSet::new();
    };
    let read_only = match &plan {
        Plan::Sandbox(plan) if plan.settings.workspace_access.value == WorkspaceAccess::Ro => {
            ReadOnlyFiles::Yes
        }
        Plan::Sandbox(_) | Plan::Host(_) => ReadOnlyFiles::No,
    };
    let presence =
        Presence { provider: context.provider, model: context.model, model_sees_images: None, read_only };
    let there = |t: &&Tool| presence.absence(snapshot.config(), t).is_none();
    let candidates: Vec<Tool> = snapshot.policy().inventory().tools().iter().filter(there).cloned().collect();
    let filtered = stack.filter(&candidates);
    let names = filtered.tools().iter().map(|t| canonical(t.name()).into_owned());
    // The doors of a sandbox are shut whatever the lists say.
    names.filter(|name| Gate::would(snapshot, &probe(name, caller)).is_ok()).collect()
}

/// A call that asks only whether its tool can be used at all.
fn probe(name: &str, caller: &Caller) -> ToolCall {
    // There is no browser in a sandbox: the one that is asked about is the host's.
    ToolCall {
        id: String::new(),
        tool: name.to_owned(),
        arguments: Map::new(),
        caller: caller.clone(),
        behind: std::sync::Arc::default(),
    }
}
