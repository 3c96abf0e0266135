//! The gateway's edge: who is at the door, and does the door answer?
//!
//! * [`entrance`]: who is at the door, decided over plain data: address, locality, credential, device key, origin, wrong answers.
//! * [`protocol`]: the frames of the wire, version 3.
//! * [`authority`]: roles, scopes and the table of all methods.
//! * [`devices`]: which devices are paired, for what, and who may change that.
//! * [`methods`]: what the methods of the wire answer: sessions, configuration, agents, health and their neighbours.
//! * [`mod@log`]: the gateway's own log, masked at every sink; its reader; what is kept for how long.
//! * [`probe`]: the live probe of the security audit, a client of a running gateway.
//!
//! It never decides what a caller may do; that is the policy's part.

pub mod authority;
pub mod devices;
pub mod entrance;
pub mod log;
pub mod methods;
pub mod probe;
pub mod protocol;
