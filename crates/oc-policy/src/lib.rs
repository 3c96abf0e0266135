//! Who may talk, what may they use, where does it run: decided from the configuration as data, without I/O.

pub mod elevated;
pub mod group;
pub mod inbound;
pub mod layer;
pub mod pattern;
pub mod profile;
pub mod read_only_mode;
pub mod sandbox;
pub mod session_key;
pub mod tool_name;
