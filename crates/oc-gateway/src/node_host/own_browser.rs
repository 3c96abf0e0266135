//! `browser.proxy` for a gateway's agent: this machine's own Chromium, driven here.
//!
//! Invariant: the settings are those of this machine, read anew for every order; nothing of the gateway's is asked for or taken.
//! Invariant: the browser belongs to one connection and ends with it.

use std::sync::Arc;

use oc_browser::remote::{PATH, PROFILE, Served};
use oc_config::Loaded;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::browser::{Lent, lent};
use super::failure::NodeFailure;
use super::order_record::OrderRecord;
use super::{Said, Teller};
use crate::server::run::environment;

/// The browser, when it is switched on (`nodeHost.browserProxy`, `browser.enabled`) and there is a Chromium. Looks at files.
pub(super) fn of(loaded: &Loaded) -> Option<Served> {
    if !is_lent(loaded) {
        return None;
    }
    let state_dir = loaded.locations.state_dir.clone();
    match Served::of(&loaded.tree, state_dir, environment(loaded)) {
        Ok(served) => Some(served),
        Err(why) => {
            tracing::info!(target: "node", %why, "no browser of this machine is lent");
            None
        }
    }
}

/// Whether this machine lends its own browser now. A configuration with a mistake lends nothing.
fn is_lent(loaded: &Loaded) -> bool {
    // A list that is there has to name the profile, also when it is empty.
    let is_listed = |lent: Lent| lent.profiles.is_none_or(|all| all.iter().any(|p| p == PROFILE));
    loaded.issues.is_empty() && lent(&loaded.tree).is_some_and(is_listed)
}

/// Whether a request is for this browser, and not for the control port.
pub(super) fn is_meant(params: &Value) -> bool {
    params.get("path").and_then(Value::as_str) == Some(PATH)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Params {
    #[serde(rename = "path")]
    _path: String,
    method: String,
    body: Map<String, Value>,
    /// The call has its own deadline.
    #[serde(default, rename = "timeoutMs")]
    _timeout_ms: Option<u64>,
}

/// One order with what its answer has to fit into.
pub(super) struct Order<'a> {
    /// Names the call in the ledger.
    pub(super) call: &'a str,
    pub(super) params: &'a Value,
    /// How long an answer may be, in bytes.
    pub(super) room: usize,
    /// Whether an answer can be sent.
    pub(super) fits: &'a (dyn Fn(&Value) -> Result<(), NodeFailure> + Sync),
}

/// An order whose end this machine's people see and its ledger has, whatever it is: dropped without a word, it was given up.
struct Seen<'a> {
    command: String,
    outcome: Option<String>,
    /// What the ledger says then, once it has that the order was taken.
    recorded: Option<(OrderRecord, &'static str)>,
    teller: &'a Arc<dyn Teller>,
}

impl Drop for Seen<'_> {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| "given up".to_owned());
        self.teller.tell(&Said::Over { command: std::mem::take(&mut self.command), outcome });
        if let Some((record, verdict)) = &self.recorded {
            record.over(verdict);
        }
    }
}

/// Carries one order out. Dropping the future gives it up.
pub(super) async fn carry_out(
    served: Option<&Served>,
    loaded: &Loaded,
    order: &Order<'_>,
    teller: &Arc<dyn Teller>,
) -> Result<Value, NodeFailure> {
    let action = order.params.pointer("/body/action").and_then(Value::as_str).unwrap_or("?");
    let action = oc_text::visible(action, 40);
    let record = OrderRecord::of(loaded, order.call, &action);
    let mut seen = Seen { command: format!("browser {action}"), outcome: None, recorded: None, teller };
    let (served, body) = match taken(served, loaded, order.params).await {
        Ok(taken) => taken,
        Err((rule, why)) => {
            record.refused(rule).await;
            seen.outcome = Some(refused(&why));
            return Err(why);
        }
    };
    if let Err(why) = record.taken().await {
        seen.outcome = Some(refused(&why));
        return Err(why);
    }
    seen.recorded = Some((record.clone(), "aborted"));
    let answer = served.carry_out(&loaded.tree, &body, order.room).await;
    let done = answer.map(|answer| json!({ "result": answer })).map_err(NodeFailure::invalid);
    let done = done.and_then(|payload| (order.fits)(&payload).map(|()| payload));
    let failed = done.as_ref().map(|payload| payload.pointer("/result/failed").and_then(Value::as_str));
    seen.recorded = Some((record, if matches!(failed, Ok(None)) { "done" } else { "failed" }));
    seen.outcome = Some(match failed {
        Ok(None) => "done".to_owned(),
        Ok(Some(why)) => format!("failed: {}", oc_text::visible(why, 300)),
        Err(why) => refused(why),
    });
    done
}

fn refused(why: &NodeFailure) -> String {
    format!("refused: {}", oc_text::visible(why.sentence(), 300))
}

/// The browser and what it is asked for; else the rule that refuses, and why.
async fn taken<'a>(
    served: Option<&'a Served>,
    loaded: &Loaded,
    params: &Value,
) -> Result<(&'a Served, Map<String, Value>), (&'static str, NodeFailure)> {
    let unreadable = |why: NodeFailure| ("node: order-unreadable", why);
    let params = Params::deserialize(params).map_err(|e| unreadable(NodeFailure::invalid(e)))?;
    if params.method != "POST" {
        return Err(unreadable(NodeFailure::invalid("method is POST")));
    }
    let not_lent = |why: &str| ("node: browser-not-lent", NodeFailure::unavailable(why));
    let served = served.ok_or_else(|| not_lent("this node has no browser of its own"))?;
    if !is_lent(loaded) {
        // What is lent no more does not run on.
        served.end().await;
        return Err(not_lent("this node lends no browser (nodeHost.browserProxy)"));
    }
    Ok((served, params.body))
}
