//! The target that a loaded configuration and its environment name.

use std::net::IpAddr;
use std::path::PathBuf;

use oc_audit::workspace;
use oc_config::Loaded;
use oc_types::Node;

use super::{Asked, Surroundings, Target, resolve};

/// Decides where to go with everything that this machine says: [`resolve`] over a loaded configuration.
#[must_use]
pub fn of_configuration(loaded: &Loaded, asked: &Asked) -> Target {
    let own = own_addresses(loaded);
    let profile = loaded.environment.text("OPENCLAW_PROFILE");
    let folders = |agent| workspace::folders(&loaded.tree, &loaded.locations, profile, agent);
    let workspaces: Vec<PathBuf> = workspace::agents(&loaded.tree).iter().flat_map(folders).collect();
    let around = Surroundings {
        tree: &loaded.tree,
        env: Some(&loaded.environment),
        config: Some(&loaded.locations.config),
        state_dir: &loaded.locations.state_dir,
        workspaces: &workspaces,
        own: &own,
    };
    resolve(&around, asked)
}

/// The addresses of this machine that `gateway.bind` can mean; looked up only when it names another one than loopback.
fn own_addresses(loaded: &Loaded) -> Vec<IpAddr> {
    match loaded.tree.path(&["gateway", "bind"]).and_then(Node::as_str) {
        Some("tailnet" | "custom") => crate::server::bind::interfaces(),
        _ => Vec::new(),
    }
}
