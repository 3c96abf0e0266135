//! `GET /metrics`: counts and gauges in the Prometheus text format, for callers with the shared secret. No names, ids or addresses.

use std::fmt::Write as _;

use hyper::body::Incoming;
use hyper::{Method, Request};

use super::auth::{self, Visit};
use super::{Answered, answer};
use crate::protocol::connect::Role;

/// Answers.
pub async fn respond(visit: &Visit<'_>, request: &Request<Incoming>) -> Answered {
    if *request.method() != Method::GET {
        return answer::not_allowed("GET").into();
    }
    if let Err(refused) = auth::check(visit, request.headers()).await {
        return answer::unauthorized(&refused).into();
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Answered { response: answer::typed(200, kind, text(visit)), authenticated: true }
}

fn text(visit: &Visit<'_>) -> String {
    let gateway = visit.gateway;
    let all = gateway.registry.all();
    let of = |role: Role| all.iter().filter(|c| c.role == role).count();
    let counts = gateway.counters.read();
    let mut out = String::new();
    let mut put = |name: &str, kind: &str, help: &str, rows: &[(&str, u64)]| {
        let _ = writeln!(out, "# HELP openclaw_{name} {help}\n# TYPE openclaw_{name} {kind}");
        for (labels, value) in rows {
            let _ = writeln!(out, "openclaw_{name}{labels} {value}");
        }
    };
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    put("uptime_seconds", "gauge", "Time since the start.", &[("", gateway.started.elapsed().as_secs())]);
    put("config_generation", "gauge", "Readings of the configuration.", &[("", visit.snapshot.generation)]);
    put(
        "connections",
        "gauge",
        "Connected clients.",
        &[("{role=\"operator\"}", number(of(Role::Operator))), ("{role=\"node\"}", number(of(Role::Node)))],
    );
    put(
        "broadcasts_total",
        "counter",
        "Events sent to all who may hear them.",
        &[("", gateway.registry.seq())],
    );
    put("requests_total", "counter", "Requests of clients.", &[("", counts.requests)]);
    put(
        "request_failures_total",
        "counter",
        "Requests that were answered with an error.",
        &[("", counts.failures)],
    );
    put(
        "handshakes_total",
        "counter",
        "Handshakes.",
        &[("{outcome=\"admitted\"}", counts.admitted), ("{outcome=\"refused\"}", counts.refused)],
    );
    out
}
