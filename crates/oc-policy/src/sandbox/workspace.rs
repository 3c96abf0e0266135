//! The directory that an agent works in.

use oc_types::{AgentId, Node};

use super::{Place, agent_entry, default_agent};

/// An agent's workspace on the host: its own `workspace`, for the default agent else `agents.defaults.workspace`, else
/// `<state>/workspace`, `<state>/workspace-<profile>` or, for another agent, `<state>/workspace-<id>`. A leading `~` is the home.
#[must_use]
pub fn agent_workspace(config: &Node, agent: &AgentId, place: &Place, profile: Option<&str>) -> String {
    let text = |n: Option<&Node>| {
        n.and_then(Node::as_str).map(str::trim).filter(|s| !s.is_empty()).map(|s| place.expand(s))
    };
    let default = default_agent(config) == *agent;
    let own = agent_entry(config, agent).and_then(|e| e.node.path(&["workspace"]));
    let shared = config.path(&["agents", "defaults", "workspace"]).filter(|_| default);
    let profile = profile.map(str::trim).filter(|p| !p.is_empty() && !p.eq_ignore_ascii_case("default"));
    text(own).or_else(|| text(shared)).unwrap_or_else(|| match (default, profile) {
        (true, None) => format!("{}/workspace", place.state_dir),
        (true, Some(profile)) => format!("{}/workspace-{profile}", place.state_dir),
        (false, _) => format!("{}/workspace-{agent}", place.state_dir),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use oc_types::Origin;
    use serde_json::json;

    #[test]
    fn each_agent_has_a_directory_of_its_own() {
        let config = json!({"agents": {"defaults": {"workspace": "~/w"}, "list": [{"id": "a"}, {"id": "b"}, {"id": "c", "workspace": "/c"}]}});
        let config = Node::from_json(&config, &Origin::Default);
        let place = Place { home: "/h".to_owned(), state_dir: "/h/.openclaw".to_owned() };
        let of = |config: &Node, id: &str, profile| {
            agent_workspace(config, &AgentId::normalized(id), &place, profile)
        };
        assert_eq!(of(&config, "a", Some("dev")), "/h/w");
        assert_eq!(of(&config, "b", None), "/h/.openclaw/workspace-b");
        assert_eq!(of(&config, "c", None), "/c");
        let empty = Node::from_json(&json!({}), &Origin::Default);
        assert_eq!(of(&empty, "main", None), "/h/.openclaw/workspace");
        assert_eq!(of(&empty, "main", Some("dev")), "/h/.openclaw/workspace-dev");
        assert_eq!(of(&empty, "main", Some("default")), "/h/.openclaw/workspace");
    }
}
