//! The tool policy: which tools a session gets, through nine layers that only remove (seed: tool policy system).
//!
//! [`CompiledPolicy::compile`] reads the configuration once; [`CompiledPolicy::stack`] finds the layers that apply to a session,
//! and [`Stack::decide`] and [`Stack::filter`] ask them. Deciding allocates nothing.
//!
//! Invariant: a layer only removes; the one addition is inside the profile layer itself (`alsoAllow`, and an allow list of
//! plugin tools or channels beside a profile) (SP-101).
//! Invariant: deny wins over allow, in one layer and across layers (SP-100).
//! Invariant: what is not understood matches nothing in an allow list and is reported (SP-103).
//! Invariant: [`FilteredTools`] is made by [`Stack::filter`] and nothing else (SP-104).

mod agents;
mod compile;
mod context;
mod decision;
mod filter;
pub(crate) mod list;
pub(crate) mod matcher;
pub(crate) mod reader;
mod refusal;
mod room;
pub(crate) mod rule;
mod stack;
mod warning;

pub use compile::CompiledPolicy;
pub use context::{Context, IdsFrom};
pub use decision::ToolDecision;
pub use filter::{FilteredTools, MessageScope};
pub use refusal::Refusal;
pub use stack::Stack;
pub use warning::{Warning, WarningKind};

pub(crate) use agents::model_keys;
pub(crate) use reader::nearest_tool;
pub(crate) use stack::{ProfileParts, Slot, SlotRule};
