//! `exec.approvals.get`, `exec.approvals.set`: the approvals file of this host.

use oc_approval::approvals_file::edit::Document;
use oc_fs::approvals_store::{ApprovalsStore, Snapshot, StoreFailure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::params::{Nothing, invalid, read, unavailable};
use super::place::Place;
use crate::protocol::frame::Failure;

impl From<StoreFailure> for Failure {
    fn from(failure: StoreFailure) -> Self {
        let text = failure.to_string();
        match failure {
            StoreFailure::Conflict(_) | StoreFailure::Refused(_) => invalid(&text),
            StoreFailure::Unusable(_)
            | StoreFailure::Damaged { .. }
            | StoreFailure::NotText(_)
            | StoreFailure::Lock(_)
            | StoreFailure::Write(_) => unavailable(&text),
        }
    }
}

/// `exec.approvals.get`. The token of the socket is never given.
///
/// # Errors
/// Parameters that are not right; a file that cannot be used.
pub fn get(place: &Place, params: Value) -> Result<Value, Failure> {
    read::<Nothing>(params)?;
    let store = ApprovalsStore::of(&place.locations.state_dir);
    Ok(shown(place, &store, &store.read()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Set {
    file: Value,
    base_hash: Option<String>,
}

/// `exec.approvals.set`: replaces the file; its socket stays. `baseHash` is needed when there is a file, and must be its hash.
///
/// # Errors
/// Parameters that are not right, another `baseHash`, a content that is no approvals file, a file that cannot be used.
pub fn set(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Set = read(params)?;
    let store = ApprovalsStore::of(&place.locations.state_dir);
    let before = store.read()?;
    let base = wanted.base_hash.as_deref().map(str::trim).filter(|h| !h.is_empty());
    if before.file.is_some() && base.is_none() {
        return Err(invalid("baseHash is missing; call exec.approvals.get first"));
    }
    let document = Document::of(wanted.file).map_err(|e| invalid(&format!("file: {e}")))?;
    // Without a file, its hash guards against one that appears meanwhile.
    let now = store.set(document, Some(base.unwrap_or(&before.hash)))?;
    Ok(shown(place, &store, &now))
}

fn shown(place: &Place, store: &ApprovalsStore, snapshot: &Snapshot) -> Value {
    let mut file = snapshot.document.shown();
    if let Some(socket) = file.get_mut("socket").and_then(Value::as_object_mut) {
        socket.shift_remove("token");
    }
    // Clients find these members whether the file has them or not.
    if let Some(members) = file.as_object_mut() {
        let socket = place.shown(&place.locations.state_dir.join("exec-approvals.sock"));
        members.entry("socket").or_insert_with(|| json!({ "path": socket }));
        members.entry("defaults").or_insert_with(|| json!({}));
        members.entry("agents").or_insert_with(|| json!({}));
    }
    json!({
        "path": place.shown(store.path()),
        "exists": snapshot.file.is_some(),
        "hash": snapshot.hash,
        "file": file,
    })
}
