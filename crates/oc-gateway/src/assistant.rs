//! The assistant that the gateway runs: who writes, what becomes of it, what is answered.
//!
//! * [`runtime`]: turns, for whoever has something for a session; [`models`]: who is asked.
//! * [`channels`]: the chat accounts; [`channel_turns`]: turns that come from them; [`approvers`], [`session_view`]: what chat commands reach.
//! * [`attachments`]: files that come with messages; [`forwarding`]: requests for approval in other chats.
//! * [`runs`]: runs that clients of the gateway started; [`outside`]: how turns that come from no chat are carried out.
//! * [`running`]: the turns that run; `lane`: one at a time in each session; [`ending`]: what ends with a session.
//! * [`children`]: the sub-agents that run; [`origin`]: what goes on after a turn, and where its result goes.
//!   A command that a person approves after the turn's time was up goes on as well: [`taken_over`].
//! * [`sending`]: messages between sessions that are under way.
//! * [`observer`]: what is recorded of messages.
//! * [`servers`]: MCP servers and plugins, whose tools are tools of a turn.
//! * [`tools`]: handlers of the gate for sessions and agents.
//!
//! It decides nothing: access is `oc-policy`'s, tools are the gate's.

pub mod approvers;
pub mod attachments;
pub mod channel_turns;
pub mod channels;
pub mod children;
pub mod elsewhere;
pub mod ending;
pub mod forwarding;
mod lane;
mod later;
pub mod models;
pub mod observer;
pub mod origin;
pub mod outside;
pub mod running;
pub mod runs;
pub mod runtime;
pub mod sending;
pub mod servers;
pub mod session_view;
pub mod taken_over;
pub mod tools;
