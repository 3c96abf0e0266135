//! `reach.matrix`.

use oc_policy::reach::Caller;
use serde_json::json;

use super::{Nothing, invalid};
use crate::methods::{Call, Outcome, parse};
use crate::reach::{facts, reach_of};

/// `reach.matrix {}`: the object of `openclaw security reach --json`, and `callers` with their labels, least trusted first.
pub fn matrix(call: &Call) -> Outcome {
    let Nothing {} = parse("reach.matrix", &call.params)?;
    let snapshot = call.gateway.snapshot();
    let reach = reach_of(&snapshot.loaded.tree, facts(&snapshot.loaded));
    let mut out = serde_json::to_value(&reach).map_err(invalid)?;
    let callers: Vec<_> = Caller::ALL.iter().map(|c| json!({ "id": c, "label": c.label() })).collect();
    if let Some(members) = out.as_object_mut() {
        members.insert("callers".to_owned(), callers.into());
    }
    Ok(out)
}
