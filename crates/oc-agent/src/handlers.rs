//! Tools that the gateway's own process carries out, as handlers of the gate.
//!
//! Each takes the session and the caller from the call that the gate decided, never from its arguments (agent-runtime 3).

pub mod web_fetch;
