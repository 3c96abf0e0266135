//! The gateway's edge: who is at the door, and does the door answer?
//!
//! * [`entrance`]: who is at the door, decided over plain data: address, locality, credential, device key, origin, wrong answers.
//! * [`protocol`]: the frames of the wire, version 3.
//! * [`authority`]: roles, scopes and the table of all methods.
//! * [`devices`]: which devices are paired, for what, and who may change that.
//! * [`channel_pairing`]: people who asked a channel to be let in.
//! * [`explain`], [`reach`]: the questions of the command line and the console, over a loaded configuration and what lies beside it.
//! * [`discovery`]: being found on the local network, and finding.
//! * [`node_host`]: this machine as a node of another gateway.
//! * [`node_pairing`]: the older list of paired nodes.
//! * [`tailnet`]: the local Tailscale daemon.
//! * [`settings`]: what configuration, environment and command line say about it.
//! * [`server`]: the listener, the handshake, connections, events, reload; [`methods`]: what clients may call; [`http`]: the surface beside it.
//! * [`presence`]: who is there.
//! * [`service`]: gateway and node host as services of the user.
//! * [`assistant`]: the assistant that the gateway runs.
//! * [`client`]: the other side of the wire: what our own commands, the probe and nodes connect with.
//! * [`mod@log`]: the gateway's own log, masked at every sink; its reader; what is kept for how long.
//! * [`probe`]: the live probe of the security audit, a client of a running gateway.
//!
//! It never decides what a caller may do; that is the policy's part.

pub mod assistant;
pub mod authority;
pub mod channel_pairing;
pub mod client;
pub mod devices;
pub mod discovery;
pub mod entrance;
pub mod explain;
pub mod http;
pub mod log;
pub mod methods;
pub mod node_host;
pub mod node_pairing;
pub mod presence;
pub mod probe;
pub mod protocol;
pub mod reach;
pub mod server;
pub mod service;
pub mod settings;
pub mod tailnet;
