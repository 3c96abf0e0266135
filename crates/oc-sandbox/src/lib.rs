//! Where tools act, and the one door to it.
//!
//! Questions it answers: *may this call act, where, and what came of it?* ([`gate`]) and *which container is this session's, how is it made,
//! and may the one that runs be used?*
//!
//! * [`gate`]: the one function from a tool call to its result; only it can make the value that executors take.
//! * [`tools`]: the core tools `exec process read write edit apply_patch`.
//! * [`machine`]: where executors come from on this machine.
//! * [`executor`]: what every place of execution can do.
//! * [`container`]: the executor over a container engine.
//! * [`connection`]: the runner's protocol from this side; every place speaks it. [`runner_file`]: where its program lies.
//! * [`native`]: the executor that needs no engine.
//! * [`host`]: the executor of the gateway host. [`process_sessions`]: background commands, wherever they run.
//! * [`naming`]: slug, container name, and the refusal when a cut name could belong to two.
//! * [`config_hash`]: the digest that decides about re-creation, and upstream's hash as a compatible label.
//! * [`context`]: the directories, mounts and name of one planned sandbox.
//! * [`docker_args`]: `build`, `validate`, `harden`: three separate pure steps to an argument vector.
//! * [`lifecycle`]: reuse, re-creation and removal as decisions over data.
//! * [`registry`]: the entries of the registry file.
//!
//! It never decides whether a session is sandboxed (`oc-policy` does), and it never falls back to the host (SP-239).
//!
//! Invariant: engine commands are argument vectors; no value is spliced into a shell text (SP-233).
//! Invariant: a container is reused only when what the engine reports about it matches (SP-235, SP-237).
//!
//! Recorded cases: `fixtures/sandbox/`.

pub mod config_hash;
pub mod connection;
pub mod container;
pub mod context;
pub mod docker_args;
pub mod executor;
#[cfg(test)]
mod fake;
pub mod gate;
pub mod host;
pub mod lifecycle;
pub mod machine;
pub mod naming;
pub mod native;
pub mod process_sessions;
pub mod registry;
pub mod runner_file;
pub mod tools;
