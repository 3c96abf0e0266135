//! What clients may call: one table of handlers, behind one door.
//!
//! What reads and writes files is one module a family, over a [`Place`]: plain data and parameters in, payload or error out. [`dispatch`] asks [`crate::authority`] first; a method that needs what the connection does not hold is never looked up. Handlers are
//! quick (memory only), blocking (files, off the reactor) or waiting (somebody else has to do something).
//!
//! Invariant: parameters are closed objects: a member that is not known is an error.
//! Invariant: no path of this machine is shown to a caller without `operator.admin` (SP-340).
//! Invariant: what is offered in the greeting is exactly what has a handler.

pub mod agent_files;
pub mod agents;
pub mod approvals;
pub mod approvals_file;
pub mod channels;
pub mod chat;
pub mod config;
pub mod console;
pub mod cron;
pub mod devices;
pub mod health;
pub mod inject;
mod model;
pub mod nodes;
pub(crate) mod params;
pub mod place;
mod run_events;
pub mod send;
pub mod sessions;
pub mod skills;
pub mod system;
pub mod system_events;
mod table;
#[cfg(test)]
pub(crate) mod transcripts;
pub mod usage;

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use crate::authority;
use crate::protocol::connect::Role;
use crate::protocol::frame::{Code, Failure, Outgoing, Request};
use crate::server::connection::{Connection, Running};
use crate::server::state::Gateway;

pub(crate) use model::of_session as model_of_session;
pub use params::parse;
pub use place::{Paths, Place};
pub use system::{failing, health_for, health_report, health_text, refresh_health, session_defaults};
pub use table::offered;

/// What a handler gives.
pub type Outcome = Result<Value, Failure>;

/// What a handler is called with.
#[derive(Clone, Debug)]
pub struct Call {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// Who calls.
    pub connection: Arc<Connection>,
    /// The request's id.
    pub id: String,
    /// The parameters, not read yet.
    pub params: Value,
}

impl Call {
    /// What the reading methods look at. Paths of this machine are for administrators (SP-340).
    #[must_use]
    pub fn place(&self) -> Place {
        let paths =
            if self.connection.may(crate::authority::Scope::Admin) { Paths::Whole } else { Paths::Short };
        self.gateway.snapshot().place().showing(paths)
    }

    /// What the methods of the configuration work with.
    #[must_use]
    pub fn config(&self) -> config::ConfigContext {
        config::ConfigContext {
            request: self.gateway.source.request.clone(),
            now_ms: crate::server::state::now_ms(),
            writer: format!("gateway ({})", oc_text::visible(self.connection.label(), 60)),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// A future of a waiting handler.
pub type Waiting = std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// How a method is carried out.
#[derive(Clone, Copy)]
pub enum Handler {
    /// From memory, at once.
    Quick(fn(&Call) -> Outcome),
    /// With files, off the reactor.
    Blocking(fn(&Call) -> Outcome),
    /// Somebody else has to do something first.
    Waiting(fn(Call) -> Waiting),
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Quick(_) => "Quick",
            Self::Blocking(_) => "Blocking",
            Self::Waiting(_) => "Waiting",
        })
    }
}

/// Carries a request out and answers it.
pub fn dispatch(gateway: &Arc<Gateway>, connection: &Arc<Connection>, request: Request) {
    let Request { id, method, params } = request;
    let refuse = |failure| finish(gateway, connection, &id, &method, Instant::now(), Err(failure));
    if method == "connect" {
        return refuse(Failure::new(Code::InvalidRequest, "this connection is connected already"));
    }
    if let Err(failure) = authority::authorize(connection.role, &connection.scopes, &method) {
        return refuse(failure);
    }
    let Some(handler) = table::handler(&method) else { return refuse(Failure::unknown_method(&method)) };
    let Some(running) = connection.start() else {
        let mut failure = Failure::new(Code::Unavailable, "too many requests of this connection are running");
        failure.retryable = Some(true);
        failure.retry_after_ms = Some(250);
        return refuse(failure);
    };
    if method == "health"
        && let Some(report) = system::kept_health(gateway, connection, &params)
    {
        gateway.counters.request(true);
        return connection.send_text(answer_of_text(&id, &report));
    }
    let call =
        Call { gateway: Arc::clone(gateway), connection: Arc::clone(connection), id: id.clone(), params };
    run(call, method, handler, running);
}

fn run(call: Call, method: String, handler: Handler, running: Running) {
    let begun = Instant::now();
    let (gateway, connection, id) =
        (Arc::clone(&call.gateway), Arc::clone(&call.connection), call.id.clone());
    match handler {
        Handler::Quick(quick) => {
            let outcome = quick(&call);
            finish(&gateway, &connection, &id, &method, begun, outcome);
            drop(running);
        }
        Handler::Blocking(blocking) => {
            tokio::spawn(async move {
                // It may have waited for a thread; nothing is begun for a connection that was ended meanwhile (SP-328).
                let ended = |call: &Call| call.connection.outbox.is_ending();
                let done =
                    tokio::task::spawn_blocking(
                        move || if ended(&call) { Err(gone()) } else { blocking(&call) },
                    );
                let done = done.await;
                let outcome = done.unwrap_or_else(|_| Err(broken()));
                finish(&gateway, &connection, &id, &method, begun, outcome);
                drop(running);
            });
        }
        Handler::Waiting(waiting) => {
            tokio::spawn(async move {
                let outcome = waiting(call).await;
                finish(&gateway, &connection, &id, &method, begun, outcome);
                drop(running);
            });
        }
    }
}

/// The answer to a request, with a payload that is text already.
pub(crate) fn answer_of_text(id: &str, payload: &str) -> String {
    let id = Value::from(id).to_string();
    format!("{{\"type\":\"res\",\"id\":{id},\"ok\":true,\"payload\":{payload}}}")
}

fn gone() -> Failure {
    Failure::new(Code::Unavailable, "the connection that asked has ended")
}

fn broken() -> Failure {
    Failure::new(Code::Unavailable, "the gateway could not carry this out; its log says why")
}

/// Answers, counts, and notes what the log is to have: no parameters, no payloads.
fn finish(
    gateway: &Gateway,
    connection: &Connection,
    id: &str,
    method: &str,
    begun: Instant,
    outcome: Outcome,
) {
    gateway.counters.request(outcome.is_ok());
    let took = begun.elapsed();
    match &outcome {
        Err(failure) => tracing::warn!(
            target: "gateway/ws",
            conn = connection.id, method = %oc_text::visible(method, 80), id = %oc_text::visible(id, 80),
            code = ?failure.code, error = %oc_text::visible(&failure.message, 240),
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "request failed"
        ),
        Ok(_) if took.as_millis() >= 50 => tracing::info!(
            target: "gateway/ws",
            conn = connection.id, method, ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "slow request"
        ),
        Ok(_) => tracing::debug!(target: "gateway/ws", conn = connection.id, method, "request"),
    }
    connection.send(&Outgoing::answer(id, outcome));
}

/// What a connection hears right after its greeting.
pub fn greeted(gateway: &Arc<Gateway>, connection: &Arc<Connection>) {
    if connection.role == Role::Node {
        connection.send(&Outgoing::Event {
            event: "voicewake.changed".to_owned(),
            payload: Some(json!({ "triggers": system::WAKE_WORDS })),
            seq: None,
            state_version: None,
        });
    }
    system::told_health(gateway, connection);
}
