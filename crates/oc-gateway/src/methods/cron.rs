//! `cron.list`, `cron.status`: what stands in the file of jobs. This gateway runs none of them.

use std::path::PathBuf;

use oc_fs::bounded_read::{self, ReadFailure};
use oc_types::Node;
use serde::Deserialize;
use serde_json::{Value, json};

use super::params::{Nothing, read, unavailable};
use super::place::Place;
use crate::protocol::frame::Failure;

/// Largest file of jobs, in bytes.
const LIMIT: u64 = 8 * 1024 * 1024;

fn store(place: &Place) -> PathBuf {
    let set =
        place.config.path(&["cron", "store"]).and_then(Node::as_str).map(str::trim).filter(|s| !s.is_empty());
    set.map_or_else(
        || place.locations.state_dir.join("cron/jobs.json"),
        |s| oc_audit::workspace::expand(s, &place.locations.home),
    )
}

fn jobs(place: &Place) -> Result<Vec<Value>, Failure> {
    let path = store(place);
    let text = match bounded_read::text(&path, LIMIT) {
        Ok(text) => text,
        Err(ReadFailure::Missing) => return Ok(Vec::new()),
        Err(e) => return Err(unavailable(&format!("{} cannot be read: {e}", place.shown(&path)))),
    };
    let value: Value = serde_json::from_str(&text)
        .map_err(|_| unavailable(&format!("{} is not JSON; it is left as it is", place.shown(&path))))?;
    Ok(value.get("jobs").and_then(Value::as_array).cloned().unwrap_or_default())
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct List {
    include_disabled: bool,
}

/// `cron.list`.
///
/// # Errors
/// Parameters that are not right; a file that cannot be read.
pub fn list(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: List = read(params)?;
    let on = |job: &Value| job.get("enabled").and_then(Value::as_bool) != Some(false);
    let jobs: Vec<Value> =
        jobs(place)?.iter().filter(|j| wanted.include_disabled || on(j)).map(|j| masked(place, j)).collect();
    Ok(json!({ "jobs": jobs }))
}

/// Jobs carry prompts and addresses: what has the form of a credential is masked.
fn masked(place: &Place, value: &Value) -> Value {
    match value {
        Value::String(s) => Value::String(place.redactor.redact(s)),
        Value::Array(a) => a.iter().map(|v| masked(place, v)).collect(),
        Value::Object(o) => o.iter().map(|(k, v)| (k.clone(), masked(place, v))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// `cron.status`. `runs`: whether this process carries jobs out.
///
/// # Errors
/// Parameters that are not right; a file that cannot be read.
pub fn status(place: &Place, runs: bool, params: Value) -> Result<Value, Failure> {
    read::<Nothing>(params)?;
    let set = place.config.path(&["cron", "enabled"]).and_then(Node::as_bool) != Some(false);
    Ok(json!({
        "enabled": runs && set,
        "storePath": place.shown(&store(place)),
        "jobs": jobs(place)?.len(),
        "nextWakeAtMs": Value::Null,
    }))
}
