//! From the flags, the environment and the configuration to the gateway that a command talks to.

use std::net::IpAddr;
use std::path::PathBuf;

use oc_audit::workspace;
use oc_config::load::Loaded;
use oc_gateway::client::{Asked, Surroundings, Target, target};

/// The target of a command.
pub fn resolve(loaded: &Loaded, asked: &Asked) -> Target {
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
    target::resolve(&around, asked)
}

/// The addresses of this machine that `gateway.bind` can mean; looked up only when it names another one than loopback.
fn own_addresses(loaded: &Loaded) -> Vec<IpAddr> {
    let bind = loaded.tree.path(&["gateway", "bind"]).and_then(oc_types::Node::as_str);
    match bind {
        Some("tailnet" | "custom") => oc_gateway::client::own_addresses(),
        _ => Vec::new(),
    }
}
