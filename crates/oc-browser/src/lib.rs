//! The `browser` tool: a Chromium of the product's own, driven over a pipe.
//!
//! Question it answers: *how does an agent use a web page without using anybody's browser, and without the page using the agent's network?*
//!
//! * [`handler`]: the tool behind the gate; absent when it is switched off or there is no Chromium ([`Absent`]).
//! * `action`: what a call asks for, read into types before anything is decided.
//! * `launch`: the dedicated profile, the flags and preferences, the child process and its end.
//! * `cdp`: the DevTools protocol over a pair of pipes. No control port is opened (SP-246).
//! * `guard`: the one way of the browser to the network: a proxy on loopback with a secret of the launch, which resolves names itself and
//!   connects to the addresses that it judged (SP-010).
//! * `page`: what is done in a tab: going somewhere, reading, clicking, typing.
//! * [`remote`]: the same between two machines: what a gateway asks a node for, and what becomes of the node's answer.
//!
//! It never decides who may use the tool: that is the gate's business, and a sandboxed session is turned away there.
//!
//! Invariant: the profile lies in the state directory and nowhere else; a link in its place is refused.
//! Invariant: what a page said reaches a model in an envelope of untrusted text only.
//! Invariant: every message has a size, every wait an end, every list a length.
//! Invariant: the browser ends with its owner: by the process group that was started here, and because its pipe closes.

mod action;
mod answer;
mod cdp;
mod dress;
mod executable;
mod failure;
mod group;
mod guard;
mod handler;
mod keys;
mod launch;
mod page;
mod places;
mod preferences;
mod reach;
pub mod remote;
mod settings;
mod snapshot;
#[cfg(test)]
mod tests;
mod world;

pub use handler::{Absent, NAME, handler};
