//! Channels: from an event of a chat service to a turn of a session, and from its answer back to the conversation.
//!
//! Question it answers: *may this event reach an agent, in which session and with which rights, and how does the answer get back?*
//!
//! * [`adapter`]: what an adapter of a chat service is; [`adapters`]: those there are, made from the configuration.
//! * [`account`]: the settings of one account; [`http_client`], [`event_stream`], [`json`], [`tls`], [`webhook_proof`], [`webhook_replay`], [`websocket`], [`markdown`]: what adapters have in common.
//! * [`ingress`]: one door for every account and every kind of event; the whole way to a turn and back.
//! * [`rules`]: one configuration, read for the whole way of a message.
//! * [`pairing`]: pending requests and the approved list of a channel account, as state machines over plain data; [`pairing_store`]: their
//!   files; [`pairing_desk`]: both for the ingress.
//! * [`turn`]: what is handed to the agent runtime, and what comes back.
//! * [`chat_command`]: commands of a chat, who may use them, and carrying them out through [`session_settings`] and [`approval_door`].
//! * [`approval_prompt`]: what a chat is asked about a command.
//! * [`inbox`]: what was acknowledged is answered, over restarts too, and once.
//! * [`lane`]: queues of sessions, one turn at a time in each.
//! * [`payload`]: what a button carries.
//! * [`delivery`]: from an answer to messages of a service.
//! * [`supervisor`]: runs the adapters.
//! * [`clock`]: the time of day, as an argument.
//!
//! It never decides who is admitted (that is `oc-policy`) and never talks to models. The state machines take time and randomness as
//! arguments; only the edge around them is async.
//!
//! Invariant: the access decision precedes every side effect; the one exception is the capped pairing reply (SP-400).
//! Invariant: at most [`pairing::MAX_PENDING`] requests are pending after every operation.
//! Invariant: a stored `*` never opens a channel.
//! Invariant: a message keeps its own sender's authority, and a turn runs with the least of its messages (SP-426).
//! Golden data: `fixtures/channels`.

// The conformance suite of the tests is also run over the private readers of adapters.
#[cfg(test)]
extern crate self as oc_channels;

pub mod account;
pub mod adapter;
pub mod adapters;
pub mod approval_door;
pub mod approval_prompt;
pub mod chat_command;
pub mod clock;
pub mod delivery;
pub mod event_stream;
pub mod http_client;
pub mod inbox;
pub mod ingress;
pub mod json;
pub mod lane;
pub mod markdown;
pub mod pairing;
pub mod pairing_desk;
pub mod pairing_store;
pub mod payload;
pub mod rules;
pub mod session_settings;
pub mod supervisor;
pub mod tls;
pub mod turn;
pub mod webhook_proof;
pub mod webhook_replay;
pub mod websocket;
