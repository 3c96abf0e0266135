//! What becomes of messages, for the log and the ledger. Texts, names and codes are in neither.

use std::sync::Arc;

use oc_channels::adapter::Event;
use oc_channels::ingress::{Happened, Observer};
use oc_fs::ledger::{Entry, Kind, Ledger};
use oc_policy::access::Decision;
use oc_policy::owner_only::Ownership;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

/// Decisions that wait to be written. Beyond it a decision is noted in the log alone: a flood does not stop the chats.
const WAITING: usize = 4096;

/// Writes decisions about messages.
#[derive(Debug)]
pub struct Recorder {
    to: mpsc::Sender<Entry>,
    digest: Arc<dyn Digest>,
}

/// The configuration that is in force, by its digest.
pub trait Digest: std::fmt::Debug + Send + Sync {
    /// SHA-256 of what was read.
    fn digest(&self) -> String;
}

impl Recorder {
    /// A recorder with its writer; the writer ends with the recorder.
    #[must_use]
    pub fn start(ledger: Ledger, digest: Arc<dyn Digest>) -> Self {
        let (to, mut from) = mpsc::channel::<Entry>(WAITING);
        tokio::spawn(async move {
            while let Some(entry) = from.recv().await {
                let ledger = ledger.clone();
                let written = tokio::task::spawn_blocking(move || {
                    ledger.append(&entry, jiff::Timestamp::now()).map(drop)
                });
                if !matches!(written.await, Ok(Ok(()))) {
                    tracing::error!(target: "assistant", "a decision about a message could not be recorded");
                }
            }
        });
        Self { to, digest }
    }
}

impl Observer for Recorder {
    fn decided(&self, event: &Event, what: Happened<'_>, decision: Option<&Decision>) {
        let Some(decision) = decision else { return };
        let message = &event.message;
        let (verdict, session, mut inputs) = match what {
            Happened::Dropped(reason) => ("denied", None, one("reason", json!(reason.word()))),
            Happened::Pairing { created } => ("asked", None, one("created", json!(created))),
            Happened::Kept => ("kept", None, Map::new()),
            Happened::Admitted { session, authority } => {
                let owner = authority.owner == Ownership::Proven;
                ("allowed", Some(session.as_str().to_owned()), one("owner", json!(owner)))
            }
        };
        inputs.insert("channel".to_owned(), json!(message.channel.as_str()));
        inputs.insert("account".to_owned(), json!(message.account));
        inputs.insert("conversation".to_owned(), json!(message.conversation.as_str()));
        let sender = message.sender.id.as_ref().map(|id| id.as_str());
        let sender = sender.or(message.sender.phone.as_ref().map(|p| p.as_str())).unwrap_or("unknown");
        let by = &decision.decided_by;
        let session = session.unwrap_or_default();
        let entry = Entry {
            kind: Kind::Decision,
            actor: format!("{}:{sender}", message.channel),
            agent: session.split(':').nth(1).unwrap_or_default().to_owned(),
            session,
            subject: "message".to_owned(),
            verdict: verdict.to_owned(),
            rule: format!("{}: {}", by.layer, by.rule),
            key_path: by.key_path.as_ref().map(ToString::to_string),
            source: Some(by.source.to_string()),
            config_gen: self.digest.digest(),
            approval_id: None,
            call: event.id.clone(),
            inputs,
        };
        if self.to.try_send(entry).is_err() {
            tracing::warn!(target: "assistant", verdict, "more messages than can be recorded; this decision is in the log alone");
        }
    }

    fn line(&self, line: &str) {
        tracing::info!(target: "channels", "{line}");
    }

    fn failed(&self, line: &str) {
        tracing::error!(target: "channels", "{line}");
    }
}

fn one(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}
