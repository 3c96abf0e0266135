//! A word about an approved command that takes its time (`tools.exec.approvalRunningNoticeMs`, exec-approval 9.3).

use std::time::Duration;

use tokio::task::AbortHandle;

use super::Gate;
use super::commission::{Commission, Warrant};
use super::order;
use crate::executor::Place;

/// The key.
const KEY: &str = "approvalRunningNoticeMs";
/// After how long it is said when nothing says otherwise, in milliseconds.
const AFTER_MS: u64 = 10_000;

/// An approved command that still runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StillRunning {
    /// The call that started it.
    pub call: String,
    /// The agent.
    pub agent: String,
    /// The session.
    pub session: String,
    /// Its text, masked.
    pub command: String,
    /// Where it runs.
    pub place: Place,
    /// The approval that it runs under.
    pub approval: String,
    /// How long it has run, in milliseconds.
    pub after_ms: u64,
}

/// What says it; dropped when the command is over.
#[derive(Debug)]
pub(super) struct Notice(AbortHandle);

impl Drop for Notice {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Gate {
    /// Says it once, unless the notice is dropped first. `None`: nobody approved it, nobody listens, or the key is 0.
    pub(super) fn notice(&self, work: &Commission) -> Option<Notice> {
        let Warrant::Person { taken, .. } = &work.warrant else { return None };
        let after_ms = order::number(&work.case, KEY).unwrap_or(AFTER_MS);
        let listener = self.listener().filter(|_| after_ms > 0)?;
        let caller = &work.case.call.caller;
        let running = StillRunning {
            call: work.case.call.id.clone(),
            agent: caller.agent.to_string(),
            session: caller.session.clone(),
            command: work.case.snapshot.redactor().redact(&work.case.request.command),
            place: work.place,
            approval: taken.grant().id.clone(),
            after_ms,
        };
        let saying = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            listener.running(&running);
        });
        Some(Notice(saying.abort_handle()))
    }
}
