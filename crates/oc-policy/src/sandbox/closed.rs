//! What stays closed to a sandboxed session whatever its (replaceable) tool lists say (seed: Docker sandbox; tool-policy 6.1).

use oc_types::{Effect, KeyPath, Node, TraceStep};
use serde::Serialize;

use super::key::{builtin, step};
use super::{Resolved, SandboxError, Setting};

/// A way from a sandbox to the host or to a paired device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostDoor {
    /// Driving the browser of the host.
    HostBrowser,
    /// The canvas host.
    CanvasHost,
    /// Paired nodes (phones and other devices).
    PairedNodes,
    /// Scheduled jobs that run on the host.
    HostCron,
}

impl HostDoor {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::HostBrowser, Self::CanvasHost, Self::PairedNodes, Self::HostCron];

    /// What a person calls it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::HostBrowser => "control of the host's browser",
            Self::CanvasHost => "the canvas host",
            Self::PairedNodes => "paired nodes",
            Self::HostCron => "scheduled jobs on the host",
        }
    }
}

/// Whether a door is open to a sandboxed session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DoorState {
    /// Refused at the gate.
    Closed,
    /// A key opens it.
    Open,
}

/// The state of a door, with the rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// The door.
    pub door: HostDoor,
    /// Its state.
    pub state: DoorState,
    /// The rule.
    pub step: TraceStep,
}

/// The four doors of a sandboxed session. Only the host's browser can be opened, by `browser.allowHostControl`.
#[must_use]
pub fn doors(config: &Node, resolved: &Resolved) -> Vec<Door> {
    HostDoor::ALL
        .into_iter()
        .map(|door| match (door, &resolved.browser.allow_host_control) {
            (HostDoor::HostBrowser, Setting { value: true, key: Some(key), .. }) => Door {
                door,
                state: DoorState::Open,
                step: step(
                    config,
                    ("closed", "host-browser"),
                    key,
                    Effect::Admits,
                    "sandboxed sessions may drive the host's browser, with every login it holds".to_owned(),
                ),
            },
            _ => Door {
                door,
                state: DoorState::Closed,
                step: builtin(
                    ("closed", "sandboxed-session"),
                    Effect::Removes,
                    format!("a sandboxed session does not reach {}", door.words()),
                ),
            },
        })
        .collect()
}

/// Which sessions the session tools of a sandboxed session see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionVisibility {
    /// Those it spawned.
    Spawned,
    /// All.
    All,
}

/// Reads `agents.defaults.sandbox.sessionToolsVisibility`; an agent's own value is not consulted (tool-policy 10.1).
///
/// # Errors
/// [`SandboxError`] when it is neither `spawned` nor `all`.
pub fn session_visibility(config: &Node) -> Result<Setting<SessionVisibility>, SandboxError> {
    let key = KeyPath::dotted("agents.defaults.sandbox.sessionToolsVisibility");
    let Some(node) = config.at(&key).filter(|n| !n.is_null()) else {
        return Ok(Setting::default_of(SessionVisibility::Spawned));
    };
    let value = match node.as_str() {
        Some("spawned") => SessionVisibility::Spawned,
        Some("all") => SessionVisibility::All,
        _ => return Err(SandboxError::unknown_word(node, &key, &["spawned", "all"])),
    };
    Ok(Setting { value, origin: node.origin.clone(), key: Some(key) })
}
