//! The agent runtime: from an admitted message to an answer, with a model in the middle that nobody trusts.
//!
//! Question it answers: *what does the model see, what did it ask for, and what was done about it?*
//!
//! * [`handlers`]: tools that the gateway's own process carries out.
//! * [`message`]: what is said between a session and a model, in one form for every provider.
//! * [`model`]: what a model client is; its failures by class; the clients of providers.
//! * [`auth_profile`]: an agent's credentials at model providers, and which of them rest.
//! * [`turn`]: one turn, from what somebody said to what is answered. [`prompt`]: the system prompt. [`tools`]: what is offered.
//! * [`session`]: entries, transcripts, when a session begins anew. [`context`]: what fits into a model's window.
//!
//! It never decides who may talk, which tool may be used or where it runs: tools are offered as `oc-policy` lists them, and every call of
//! one goes through the gate of `oc-sandbox` again.
//!
//! Invariant: a model is offered exactly the tools of the effective set, and a call to any other is an error result (agent-runtime 1.3).
//! Invariant: no key of a provider reaches a prompt, a tool's environment, a transcript, an error or a log.

pub mod auth_profile;
pub mod context;
pub mod handlers;
pub mod message;
pub mod model;
mod number;
pub mod prompt;
pub mod session;
pub mod tools;
pub mod turn;
