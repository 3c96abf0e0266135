//! Who is at the door: decided over plain data, before any method is looked at (gateway 2, 4, 10).
//!
//! * [`admission`]: the whole handshake as one decision.
//! * [`peer`]: which address the caller has, and whether it is this machine itself.
//! * [`credential`]: whether what the caller shows opens the door.
//! * [`device`]: whether the caller holds the key of the device it names.
//! * [`origin`]: whether a browser's page may talk to this gateway.
//! * [`tailscale`]: who the caller is by the word of Tailscale Serve.
//! * [`throttle`]: how many wrong answers one caller may give.
//!
//! The listener gathers the facts (socket address, headers, frames, clock); nothing here reads them itself.
//!
//! Invariant: an address taken from a header never makes a caller local (SP-329, SP-330).
//! Invariant: no credential configured means nobody enters (SP-320).
//! Invariant: an answer never tells which part of a credential was wrong (SP-344).

pub mod admission;
pub mod credential;
pub mod device;
pub mod origin;
pub mod peer;
pub mod tailscale;
pub mod throttle;
