//! `GET /metrics`: counts and gauges in the OpenMetrics text format, which Prometheus reads, for callers with the shared secret. No names,
//! ids or addresses.

use std::sync::atomic::AtomicU64;

use hyper::body::Incoming;
use hyper::{Method, Request};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use super::auth::{self, Visit};
use super::{Answered, answer};
use crate::protocol::connect::Role;

/// The type of the answer.
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The one label of a series.
type Label = [(&'static str, &'static str); 1];

/// Answers.
pub async fn respond(visit: &Visit<'_>, request: &Request<Incoming>) -> Answered {
    if *request.method() != Method::GET {
        return answer::not_allowed("GET").into();
    }
    if let Err(refused) = auth::check(visit, request.headers()).await {
        return answer::unauthorized(&refused).into();
    }
    Answered::known(answer::typed(200, KIND, text(visit)))
}

/// The exposition. The registry is made for this answer alone: nothing is kept between two, and nothing is made at the start.
fn text(visit: &Visit<'_>) -> String {
    let gateway = visit.gateway;
    let all = gateway.registry.all();
    let of = |role: Role| all.iter().filter(|c| c.role == role).count();
    let counts = gateway.counters.read();
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let mut registry = Registry::with_prefix("openclaw");
    let uptime = ConstGauge::new(gateway.started.elapsed().as_secs());
    registry.register_with_unit("uptime", "Time since the start", Unit::Seconds, uptime);
    let generation = ConstGauge::new(visit.snapshot.generation);
    registry.register("config_generation", "Readings of the configuration", generation);
    let connections = Family::<Label, Gauge<u64, AtomicU64>>::default();
    for (word, count) in [("operator", of(Role::Operator)), ("node", of(Role::Node))] {
        connections.get_or_create(&[("role", word)]).set(number(count));
    }
    registry.register("connections", "Connected clients", connections);
    let events = ConstCounter::new(gateway.registry.seq());
    registry.register("broadcasts", "Events sent to all who may hear them", events);
    registry.register("requests", "Requests of clients", ConstCounter::new(counts.requests));
    let failures = ConstCounter::new(counts.failures);
    registry.register("request_failures", "Requests that were answered with an error", failures);
    let handshakes = Family::<Label, Counter>::default();
    for (word, count) in [("admitted", counts.admitted), ("refused", counts.refused)] {
        handshakes.get_or_create(&[("outcome", word)]).inc_by(count);
    }
    registry.register("handshakes", "Handshakes", handshakes);
    let mut out = String::new();
    // A text grows; there is nothing that could fail.
    let _ = encode(&mut out, &registry);
    out
}
