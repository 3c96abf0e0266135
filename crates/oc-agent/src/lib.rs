//! The agent runtime: from an admitted message to an answer, with a model in the middle that nobody trusts.
//!
//! Question it answers: *what does the model see, what did it ask for, and what was done about it?*
//!
//! * [`message`]: what is said between a session and a model, in one form for every provider.
//! * [`model`]: what a model client is; its failures by class.
//!
//! It never decides who may talk, which tool may be used or where it runs: tools are offered as `oc-policy` lists them, and every call of
//! one goes through the gate of `oc-sandbox` again.
//!
//! Invariant: a model is offered exactly the tools of the effective set, and a call to any other is an error result (agent-runtime 1.3).
//! Invariant: no key of a provider reaches a prompt, a tool's environment, a transcript, an error or a log.

pub mod message;
pub mod model;
