//! Who may talk, what may they use, where does it run: decided from the configuration as data, without I/O.

pub mod access;
pub mod batch;
pub mod command;
pub mod elevated;
pub mod exec_route;
pub mod explain_tool;
pub mod group;
pub mod http_invoke;
pub mod inbound;
pub mod inventory;
pub mod layer;
pub mod mention;
pub mod owner_only;
pub mod pattern;
pub mod profile;
pub mod reach;
pub mod read_only_mode;
pub mod routing;
pub mod sandbox;
pub mod sender;
pub mod session_key;
pub mod subagent;
pub mod tool_name;
pub mod tool_policy;
