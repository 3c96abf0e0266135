//! The assistant that the gateway runs: who writes, what becomes of it, what is answered.
//!
//! * [`runtime`]: turns, for whoever has something for a session; [`models`]: who is asked.
//! * [`channels`]: the chat accounts; [`channel_turns`]: turns that come from them; [`approvers`], [`session_view`]: what chat commands reach.
//! * [`runs`]: runs that clients of the gateway started; [`outside`]: how turns that come from no chat are carried out.
//! * [`observer`]: what is recorded of messages.
//! * [`tools`]: handlers of the gate for sessions and agents.
//!
//! It decides nothing: access is `oc-policy`'s, tools are the gate's.

pub mod approvers;
pub mod channel_turns;
pub mod channels;
pub mod models;
pub mod observer;
pub mod outside;
pub mod runs;
pub mod runtime;
pub mod session_view;
pub mod tools;
