//! Elevated execution: may this sender's `exec` leave the sandbox, and how far (tool-policy 12, channels 7)?
//!
//! It moves `exec` to the gateway host and nothing else: it adds no tool, and a policy that denies `exec` makes it useless (SP-115).
//!
//! Invariant: all of these must hold: the feature is on globally and for the agent, the turn was started by a person, the sender is in
//! the global list and, where the agent has a list, in that one too (SP-114). The agent can only narrow.
//! Invariant: identity is the sender's id, phone number or direct-chat address. A group, a room or the recipient never matches;
//! a name matches only an entry that says so (`name:`, `username:`, `tag:`).

mod gate;
mod level;
mod list;
mod sender;
#[cfg(test)]
mod tests;

pub(crate) use gate::enabled_keys;
pub use gate::{ElevatedGate, Failure, Stage, Turn, gate};
pub use level::{
    Asked, ExecElevation, ExecPolicy, Level, LevelDecision, LevelSource, UnknownLevel, for_exec, level,
};
pub use list::{List, ListMatch, agent_list, global_list};
pub use sender::{IdentityKind, Sender, entry_matches};
