//! `browser.proxy` for a gateway's agent: this machine's own Chromium, driven here.
//!
//! Invariant: the settings are those of this machine, read anew for every order; nothing of the gateway's is asked for or taken.
//! Invariant: the browser belongs to one connection and ends with it.

use std::sync::Arc;

use oc_browser::remote::{PATH, PROFILE, Served};
use oc_config::Loaded;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::browser::profiles;
use super::failure::NodeFailure;
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
    let listed = |all: Vec<String>| all.is_empty() || all.iter().any(|p| p == PROFILE);
    loaded.issues.is_empty() && profiles(&loaded.tree).is_some_and(listed)
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

/// Carries one order out.
pub(super) async fn carry_out(
    served: Option<&Served>,
    loaded: &Loaded,
    params: &Value,
    teller: &Arc<dyn Teller>,
) -> Result<Value, NodeFailure> {
    let params = Params::deserialize(params).map_err(NodeFailure::invalid)?;
    if params.method != "POST" {
        return Err(NodeFailure::invalid("method is POST"));
    }
    let served = served.ok_or_else(|| NodeFailure::unavailable("this node has no browser of its own"))?;
    if !is_lent(loaded) {
        return Err(NodeFailure::unavailable("this node lends no browser (nodeHost.browserProxy)"));
    }
    let action = params.body.get("action").and_then(Value::as_str).unwrap_or("?");
    let command = format!("browser {}", oc_text::visible(action, 40));
    let done = served.carry_out(&loaded.tree, &params.body).await;
    let outcome = match &done {
        Ok(answer) => match answer.get("failed").and_then(Value::as_str) {
            None => "done".to_owned(),
            Some(why) => format!("failed: {}", oc_text::visible(why, 300)),
        },
        Err(why) => format!("refused: {}", oc_text::visible(why, 300)),
    };
    teller.tell(&Said::Over { command, outcome });
    done.map(|answer| json!({ "result": answer })).map_err(NodeFailure::invalid)
}
