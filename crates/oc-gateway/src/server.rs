//! The running gateway: one port for WebSocket and HTTP.
//!
//! * [`state`]: what everything shares; [`snapshot`]: one reading of the configuration.
//! * [`process`]: runtime and signals; [`run`]: start, serve, stop. [`bind`] and [`tls`]: listeners; [`accept`]: sockets; [`slots`]: how many may wait without a credential.
//! * `handshake` to `session`: from an open socket to frames in both directions; `gated` and `paced`: limits on streams; [`connection`], [`outbox`], [`registry`]: who is in.
//! * `arrive`: the greeting and what others hear of it. [`nodes`]: connected nodes and calls of them.
//! * `surroundings`: what the network is told; `revoked`: devices that another process took access from.
//! * [`reload`]: a changed configuration; `watch`: pending approvals, told to whoever may answer them; `ticks`, `retention`: what happens by the clock.
//! * `told`: what the gate tells of its commands; `login_path`: where the user's own programs are.
//!
//! Invariant: a connection exists only after [`crate::entrance::admission::decide`] admitted it.
//! Invariant: every decision is made under one snapshot; a swap ends what the new one no longer allows before it returns (SP-067, SP-328).

pub mod accept;
mod arrive;
pub mod attempt;
pub mod bind;
pub mod connection;
pub mod counters;
mod gated;
mod handshake;
pub mod head;
pub mod idempotency;
pub mod logging;
mod login_path;
pub mod nodes;
pub mod outbox;
mod paced;
pub mod process;
pub mod registry;
pub mod reload;
mod retention;
mod revoked;
pub mod run;
mod session;
mod skills;
pub mod slots;
pub mod snapshot;
pub mod state;
mod surroundings;
mod ticks;
pub mod tls;
mod told;
mod watch;
