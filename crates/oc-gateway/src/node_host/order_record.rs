//! What this machine's ledger says about an order to its browser: whether it was taken, before anything is done, and what came of it.

use oc_config::Loaded;
use oc_fs::ledger::{Entry, Kind, Ledger};
use serde_json::Map;
use tokio::task::spawn_blocking;

use super::failure::NodeFailure;
use crate::server::snapshot;

/// The key that lends the browser.
const KEY: &str = "nodeHost.browserProxy.enabled";

/// The records of one order.
#[derive(Clone, Debug)]
pub(super) struct OrderRecord {
    ledger: Ledger,
    entry: Entry,
}

impl OrderRecord {
    /// Of the call `call`; `action` is what is asked for, printable.
    pub(super) fn of(loaded: &Loaded, call: &str, action: &str) -> Self {
        let mut inputs = Map::new();
        inputs.insert("action".to_owned(), action.into());
        inputs.insert("place".to_owned(), "host".into());
        let entry = Entry {
            kind: Kind::Outcome,
            actor: "node".to_owned(),
            agent: String::new(),
            session: String::new(),
            subject: "node:browser".to_owned(),
            verdict: String::new(),
            rule: String::new(),
            key_path: None,
            source: None,
            config_gen: snapshot::for_gate(loaded, &[]).digest().to_owned(),
            approval_id: None,
            call: call.to_owned(),
            inputs,
        };
        Self { ledger: Ledger::of(&loaded.locations.state_dir), entry }
    }

    /// It is carried out. On the disk when this returns.
    ///
    /// # Errors
    /// It could not be recorded; then it must not be carried out (SP-008).
    pub(super) async fn taken(&self) -> Result<(), NodeFailure> {
        self.decided("allowed", "node: browser-lent").await
    }

    /// It is refused under a rule. A refusal stands, recorded or not.
    pub(super) async fn refused(&self, rule: &str) {
        if let Err(why) = self.decided("denied", rule).await {
            tracing::error!(target: "node", why = why.message, "a refused order to the browser could not be recorded");
        }
    }

    /// What came of it; written beside everything else.
    pub(super) fn over(&self, verdict: &str) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (ledger, entry) =
            (self.ledger.clone(), Entry { verdict: verdict.to_owned(), ..self.entry.clone() });
        runtime.spawn_blocking(move || {
            if let Err(error) = ledger.append(&entry, jiff::Timestamp::now()) {
                tracing::error!(target: "node", %error, "the end of an order to the browser could not be recorded");
            }
        });
    }

    async fn decided(&self, verdict: &str, rule: &str) -> Result<(), NodeFailure> {
        let entry = Entry {
            kind: Kind::Decision,
            verdict: verdict.to_owned(),
            rule: rule.to_owned(),
            key_path: Some(KEY.to_owned()),
            ..self.entry.clone()
        };
        let ledger = self.ledger.clone();
        let written = spawn_blocking(move || ledger.append(&entry, jiff::Timestamp::now()).map(drop)).await;
        written.map_err(NodeFailure::unavailable)?.map_err(NodeFailure::unavailable)
    }
}
