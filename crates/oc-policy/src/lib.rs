//! Who may talk, what may they use, where does it run: decided from the configuration as data, without I/O.

pub mod inbound;
pub mod sandbox;
pub mod session_key;
