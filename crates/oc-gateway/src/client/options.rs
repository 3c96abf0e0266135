//! As whom a client connects.

use std::path::Path;
use std::time::Duration;

use oc_fs::identity_store::IdentityStore;
use serde_json::{Map, Value};

use super::DEFAULT_TIMEOUT;
use crate::protocol::connect::{ClientId, ClientMode, Role};

/// What a client says about itself.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The program.
    pub id: ClientId,
    /// How it is used.
    pub mode: ClientMode,
    /// Which side it is on.
    pub role: Role,
    /// The scopes it asks for.
    pub scopes: Vec<String>,
    /// Oldest and newest protocol version it takes.
    pub protocols: (u32, u32),
    /// Members of `connect` that only some clients have: `caps`, `commands`, `permissions`, `pathEnv`, and those of `client`
    /// below `client` (`displayName`, `instanceId`).
    pub more: Map<String, Value>,
}

impl Profile {
    /// The command line: administrator, approvals, pairing.
    #[must_use]
    pub fn cli() -> Self {
        let scopes = ["operator.admin", "operator.approvals", "operator.pairing"];
        Self {
            id: ClientId::Cli,
            mode: ClientMode::Cli,
            role: Role::Operator,
            scopes: scopes.map(str::to_owned).to_vec(),
            protocols: (3, 3),
            more: Map::new(),
        }
    }

    /// The probe of the audit. `config.get` is an administrator's method.
    #[must_use]
    pub fn probe() -> Self {
        Self {
            id: ClientId::Probe,
            mode: ClientMode::Probe,
            role: Role::Operator,
            scopes: vec!["operator.admin".to_owned()],
            // A newer gateway that speaks 4 answers the same questions.
            protocols: (3, 4),
            more: Map::new(),
        }
    }

    /// A node host: no scopes; commands and capabilities go into `more`.
    #[must_use]
    pub fn node(more: Map<String, Value>) -> Self {
        Self {
            id: ClientId::NodeHost,
            mode: ClientMode::Node,
            role: Role::Node,
            scopes: Vec::new(),
            protocols: (3, 3),
            more,
        }
    }
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct Options {
    /// As whom.
    pub profile: Profile,
    /// Where the device identity is kept; made on first use. `None`: without a device, with the shared secret only.
    pub identity: Option<IdentityStore>,
    /// Write nothing on this machine: a stored identity is used, but none is made and no token is kept. Without a stored one the identity
    /// is derived from the credential, so that it is the same each time.
    pub leaves_no_trace: bool,
    /// Deadline of the connection, and of a call that has none of its own; at least [`super::MIN_TIMEOUT`].
    pub timeout: Duration,
}

impl Options {
    /// The command line, with the identity of a state directory.
    #[must_use]
    pub fn cli(state_dir: &Path) -> Self {
        Self {
            profile: Profile::cli(),
            identity: Some(IdentityStore::of(state_dir)),
            leaves_no_trace: false,
            timeout: DEFAULT_TIMEOUT,
        }
    }
}
