//! The ways from a sandbox to the host that stay shut whatever the tool lists say (tool-policy 6.1; seed: Docker sandbox).

use oc_policy::sandbox::{Door, DoorState, HostDoor, SandboxPlan};
use serde_json::{Map, Value as Json};

/// The door that a call of a sandboxed session would go through; `None` when it stays inside.
///
/// A browser call stays inside only when it says so: `target: "sandbox"`, no node, no profile of the host's own browser.
#[must_use]
pub fn door_of(tool: &str, arguments: &Map<String, Json>) -> Option<HostDoor> {
    let names = |key: &str, word: &str| {
        arguments.get(key).and_then(Json::as_str).is_some_and(|v| v.trim().eq_ignore_ascii_case(word))
    };
    match tool {
        "canvas" => Some(HostDoor::CanvasHost),
        "nodes" => Some(HostDoor::PairedNodes),
        "cron" => Some(HostDoor::HostCron),
        "browser" if arguments.contains_key("node") || names("target", "node") => Some(HostDoor::PairedNodes),
        "browser" if names("target", "sandbox") && !names("profile", "chrome") => None,
        "browser" => Some(HostDoor::HostBrowser),
        _ => None,
    }
}

/// The shut door that refuses a call; `None` when it may pass.
#[must_use]
pub fn shut<'p>(plan: &'p SandboxPlan, tool: &str, arguments: &Map<String, Json>) -> Option<&'p Door> {
    let wanted = door_of(tool, arguments)?;
    plan.doors.iter().find(|d| d.door == wanted && d.state == DoorState::Closed)
}
