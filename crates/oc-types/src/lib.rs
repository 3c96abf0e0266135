//! The shared vocabulary: words every other crate speaks and none of them owns.
//!
//! Question it answers: *what is this thing called, and where did it come from?*
//!
//! * [`tree`]: the configuration as plain data, every value with its [`Origin`].
//! * [`key_path`]: the address of a value, written the way a person writes it.
//! * [`origin`]: file and position, include, environment, default, store, command line.
//! * [`severity`]: how bad a finding is.
//! * [`id`]: agent, account and channel ids, normalised once.
//! * [`explanation`]: a decision's answer: verdict, deciding rule, trace, flips.
//! * [`secret`]: text that must not be shown.
//!
//! It never parses configuration text, never holds a policy and never does I/O.
//!
//! Invariant: a [`tree::Node`] always carries an origin; nothing is invented on the way.
//! Invariant: ids are compared only in their normalised form.

pub mod explanation;
pub mod id;
pub mod key_path;
pub mod origin;
pub mod secret;
pub mod severity;
pub mod tree;

pub use explanation::{DecidedBy, Effect, Explanation, Flip, Trace, TraceStep};
pub use id::{AccountId, AgentId, ChannelId, InvalidId};
pub use key_path::{KeyPath, KeyPathError, Segment};
pub use origin::{Origin, Position};
pub use secret::Secret;
pub use severity::Severity;
pub use tree::{Node, Object, Value};
