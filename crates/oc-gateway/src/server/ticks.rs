//! What happens by the clock: ticks, the health report, requests that expire.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::outbox::Weight;
use super::state::{Gateway, now_ms, stopping};
use crate::methods;
use crate::protocol::frame::TICK_MS;

/// How often the health report is made anew.
const HEALTH: Duration = Duration::from_secs(60);

/// Shortest time between two tellings of the presence list, which goes to everybody whole.
const PRESENCE: Duration = Duration::from_millis(200);

/// Tells of the presence list, until the gateway ends.
pub async fn presence(gateway: Arc<Gateway>) {
    let mut phase = gateway.phase();
    loop {
        tokio::select! {
            () = gateway.presence_changed.notified() => gateway.tell_presence(),
            () = stopping(&mut phase) => return,
        }
        tokio::time::sleep(PRESENCE).await;
    }
}

/// Runs until the gateway ends.
pub async fn run(gateway: Arc<Gateway>) {
    let mut phase = gateway.phase();
    let mut tick = tokio::time::interval(Duration::from_millis(TICK_MS));
    let mut health = tokio::time::interval(HEALTH);
    tick.reset();
    health.reset();
    loop {
        tokio::select! {
            _ = tick.tick() => {
                gateway.registry.broadcast("tick", json!({ "ts": now_ms() }), Weight::DropIfSlow, None);
            }
            _ = health.tick() => methods::refresh_health(&gateway),
            () = stopping(&mut phase) => return,
        }
    }
}
