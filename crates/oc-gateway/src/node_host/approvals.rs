//! `system.execApprovals.get`, `system.execApprovals.set`: this machine's own approvals file. The same code as the gateway's own methods.

use std::sync::Arc;

use oc_config::Loaded;
use serde_json::Value;

use super::failure::NodeFailure;
use crate::methods::{Place, approvals_file};
use crate::protocol::frame::{Code, Failure};
use crate::server::state::now_ms;

fn place(loaded: &Loaded) -> Place {
    Place::new(Arc::new(loaded.locations.clone()), Arc::new(loaded.tree.clone()), now_ms())
}

fn failed(failure: Failure) -> NodeFailure {
    match failure.code {
        Code::InvalidRequest => NodeFailure::invalid(failure.message),
        _ => NodeFailure::unavailable(failure.message),
    }
}

/// Reads the file.
pub(super) fn get(loaded: &Loaded, params: Value) -> Result<Value, NodeFailure> {
    approvals_file::get(&place(loaded), params).map_err(failed)
}

/// Replaces the file.
pub(super) fn set(loaded: &Loaded, params: Value) -> Result<Value, NodeFailure> {
    approvals_file::set(&place(loaded), params).map_err(failed)
}
