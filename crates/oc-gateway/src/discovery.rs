//! Being found on the local network, and finding (gateway 11, SP-352).
//!
//! * [`announcement`]: what is said in which mode, as plain data.
//! * [`responder`]: says it, over multicast DNS.
//! * [`browse`]: who else says so.
//!
//! Invariant: in mode `off`, and with `OPENCLAW_DISABLE_BONJOUR`, no socket is opened and nothing is sent.
//! Invariant: what is found is a hint for a person. Nothing of it is trusted: no pin, no credential, no route comes from a record.

pub mod announcement;
pub mod browse;
pub mod responder;

use thiserror::Error;

/// The service type.
pub const SERVICE: &str = "_openclaw-gw._tcp.local.";

/// Why nothing is announced or found.
#[derive(Debug, Error)]
#[error("multicast DNS: {0}; nothing is announced, everything else works")]
pub struct DiscoveryFailure(String);

impl From<mdns_sd::Error> for DiscoveryFailure {
    fn from(e: mdns_sd::Error) -> Self {
        Self(e.to_string())
    }
}
