//! Pending approvals, told to whoever may answer them: whoever asked, in this process or another one (exec-approval 9, gateway 6).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use oc_approval::life_cycle::{Record, State};
use serde_json::json;

use super::outbox::Weight;
use super::state::{Gateway, now_ms, stopping};
use crate::assistant::forwarding;
use crate::methods::approvals;

/// How often the queue is looked at for what other processes did to it.
const LOOK: Duration = Duration::from_millis(150);

/// Runs until the gateway ends.
pub async fn run(gateway: Arc<Gateway>) {
    let mut phase = gateway.phase();
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    let mut seen = None;
    let mut first = true;
    loop {
        let stamp = stamp(&gateway);
        // A pending request may run out without the file changing.
        if stamp != seen || known.values().any(|open| *open) {
            seen = stamp;
            let reader = Arc::clone(&gateway);
            let records = tokio::task::spawn_blocking(move || reader.queue.records()).await;
            match records {
                Ok(Ok(records)) => tell(&gateway, &records, &mut known, first),
                Ok(Err(e)) => {
                    tracing::error!(target: "gateway/approvals", error = %e, "the approval queue cannot be read")
                }
                Err(_) => {}
            }
            first = false;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = gateway.queue_changed.notified() => {}
            () = stopping(&mut phase) => return,
        }
    }
}

fn stamp(gateway: &Gateway) -> Option<(u64, std::time::SystemTime)> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = gateway.queue.path().symlink_metadata().ok()?;
    Some((meta.ino(), meta.modified().ok()?))
}

/// Tells what is new. What was decided before this process looked for the first time is history.
fn tell(gateway: &Arc<Gateway>, records: &[Record], known: &mut BTreeMap<String, bool>, first: bool) {
    for record in records {
        let open = matches!(record.state, State::Pending);
        let before = known.insert(record.id.clone(), open);
        let decided = before == Some(true) && !open || before.is_none() && !open && !first;
        if open && before.is_none() {
            announce(gateway, record);
        }
        if decided {
            if before.is_none() {
                announce(gateway, record);
            }
            if let Some(answer) = &record.answer {
                let payload = json!({
                    "id": record.id,
                    "decision": answer.decision.word(),
                    "resolvedBy": record.resolved_by.as_deref().map(|who| who.trim_start_matches("client:")),
                    "ts": now_ms(),
                });
                gateway.registry.broadcast("exec.approval.resolved", payload, Weight::Needed, None);
            }
        }
    }
    known.retain(|id, _| records.iter().any(|r| r.id == *id));
    gateway.as_sent.retain(|id| known.get(id) == Some(&true) || !known.contains_key(id));
}

fn announce(gateway: &Arc<Gateway>, record: &Record) {
    let payload = approvals::shown(gateway, record);
    gateway.registry.broadcast("exec.approval.requested", payload, Weight::Needed, None);
    if matches!(record.state, State::Pending) {
        forwarding::forward(gateway, record);
    }
}
