//! The Model Context Protocol, both ends.
//!
//! Questions it answers: *how does an MCP client use the guarded tools?* ([`serve`]), *how does any MCP server get policy, approvals and
//! ledger in front of it?* ([`proxy`]) and *how does the product itself use an MCP server?* ([`server`]).
//!
//! * [`offer`]: what is offered to a client and what comes back, in this crate's own words.
//! * [`sdk`]: the one module that knows the protocol's library; everything else would survive another one.
//! * [`serve`]: the tools of one session, through the gate.
//! * [`names`]: what a server and its tools are called for the policy.
//! * [`spec`]: how a server is started, from the configuration or a command line.
//! * [`environment`]: what a server inherits: no credential.
//! * [`server`]: a running server: its tools, one call, typed failures.
//! * [`handlers`]: its tools as tools of the gate.
//! * [`pins`]: a tool that changes after it was seen first is withheld.
//! * [`limits`]: how much of anything.
//!
//! It never decides about a call: the gate does, for every one of them.
//!
//! Invariant: a tool that the policy denies looks to a client like one that does not exist.
//! Invariant: what a server says - names, descriptions, results, errors - is data from outside.

pub mod environment;
pub mod handlers;
pub mod limits;
pub mod names;
pub mod offer;
pub mod pins;
pub mod proxy;
pub mod sdk;
pub mod serve;
pub mod server;
pub mod spec;
