//! Who reaches which tool, by a loaded configuration and what lies beside it: `openclaw security reach` and the console.

use oc_config::load::Loaded;
use oc_policy::reach::{DoorFacts, Reach, doors};
use oc_policy::tool_policy::CompiledPolicy;
use oc_types::Node;

/// What reach needs to know beside the configuration.
#[must_use]
pub fn facts(loaded: &Loaded) -> DoorFacts {
    let secret = |keys: &[&str]| {
        loaded.tree.path(keys).is_some_and(|n| n.as_str().is_none_or(|s| !s.trim().is_empty()))
    };
    let variable = |name: &str| loaded.environment.get(name).is_some_and(|v| !v.trim().is_empty());
    DoorFacts {
        approvals_file: loaded.locations.state_dir.join("exec-approvals.json").symlink_metadata().is_ok(),
        gateway_secret: secret(&["gateway", "auth", "token"])
            || secret(&["gateway", "auth", "password"])
            || variable("OPENCLAW_GATEWAY_TOKEN")
            || variable("OPENCLAW_GATEWAY_PASSWORD"),
    }
}

/// The reach of a configuration.
#[must_use]
pub fn reach_of(config: &Node, facts: DoorFacts) -> Reach {
    let (policy, _) = CompiledPolicy::compile(config);
    let (found, refused) = doors(config, &facts);
    let mut reach = Reach::compute(config, &policy, &found, &facts);
    reach.refused.extend(refused);
    reach
}
