//! The gateway's edge: who is at the door, and does the door answer?
//!
//! * [`entrance`]: who is at the door, decided over plain data: address, locality, credential, device key, origin, wrong answers.
//! * [`protocol`]: the frames of the wire, version 3.
//! * [`authority`]: roles, scopes and the table of all methods.
//! * [`devices`]: which devices are paired, for what, and who may change that.
//! * [`discovery`]: being found on the local network, and finding.
//! * [`node_pairing`]: the older list of paired nodes.
//! * [`tailnet`]: the local Tailscale daemon.
//! * [`service`]: gateway and node host as services of the user.
//! * [`probe`]: the live probe of the security audit, a client of a running gateway.
//!
//! It never decides what a caller may do; that is the policy's part.

pub mod authority;
pub mod devices;
pub mod discovery;
pub mod entrance;
pub mod node_pairing;
pub mod probe;
pub mod protocol;
pub mod service;
pub mod tailnet;
