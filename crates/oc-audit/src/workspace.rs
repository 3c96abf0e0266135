//! The agents of a configuration and the folder each one works in.

use std::path::{Path, PathBuf};

use oc_config::Locations;
use oc_types::{AgentId, KeyPath, Node};

/// One agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent<'a> {
    /// Its normalised id.
    pub id: AgentId,
    /// Its entry in `agents.list`; `None` for the implied `main`.
    pub entry: Option<&'a Node>,
    /// Where its entry stands: `agents.list[n]`, or `agents.defaults` for the implied one.
    pub path: KeyPath,
    /// Whether it is the default agent.
    pub default: bool,
}

/// Every agent, once each, the default agent first. Without a list there is one: `main`.
#[must_use]
pub fn agents(config: &Node) -> Vec<Agent<'_>> {
    let list = config.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
    let root = KeyPath::keys(["agents", "list"]);
    let mut out: Vec<Agent<'_>> = Vec::new();
    for (i, entry) in list.iter().enumerate().filter(|(_, n)| n.as_object().is_some()) {
        let id = AgentId::normalized(entry.get("id").and_then(Node::as_str).unwrap_or(""));
        if out.iter().all(|a| a.id != id) {
            let default = entry.get("default").and_then(Node::as_bool) == Some(true);
            out.push(Agent { id, entry: Some(entry), path: root.index(i), default });
        }
    }
    let chosen = out.iter().position(|a| a.default).unwrap_or(0);
    for (i, agent) in out.iter_mut().enumerate() {
        agent.default = i == chosen;
    }
    if out.is_empty() {
        out.push(Agent {
            id: AgentId::normalized("main"),
            entry: None,
            path: KeyPath::keys(["agents", "defaults"]),
            default: true,
        });
    } else {
        let default = out.remove(chosen);
        out.insert(0, default);
    }
    out
}

/// The folders an agent may be working in: the configured one, else the default ones of the home and of the state directory.
#[must_use]
pub fn folders(config: &Node, places: &Locations, profile: Option<&str>, agent: &Agent<'_>) -> Vec<PathBuf> {
    let text = |n: Option<&Node>| {
        n.and_then(Node::as_str).map(str::trim).filter(|s| !s.is_empty()).map(|s| expand(s, &places.home))
    };
    let own = agent.entry.and_then(|e| e.get("workspace"));
    let shared = config.path(&["agents", "defaults", "workspace"]).filter(|_| agent.default);
    if let Some(folder) = text(own).or_else(|| text(shared)) {
        return vec![folder];
    }
    let profile = profile.map(str::trim).filter(|p| !p.is_empty() && !p.eq_ignore_ascii_case("default"));
    let name = match (agent.default, profile) {
        (true, None) => "workspace".to_owned(),
        (true, Some(p)) => format!("workspace-{p}"),
        (false, _) => format!("workspace-{}", agent.id.as_str()),
    };
    let mut out = vec![places.home.join(".openclaw").join(&name)];
    let beside = places.state_dir.join(&name);
    if !out.contains(&beside) {
        out.push(beside);
    }
    out
}

/// A path with a leading `~` replaced by the home directory.
#[must_use]
pub fn expand(text: &str, home: &Path) -> PathBuf {
    match text.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(text),
    }
}

/// The folders in which skills are looked for: `skills` of every workspace, `<state>/skills`, `skills.load.extraDirs`. Each once.
#[must_use]
pub fn skill_roots(config: &Node, places: &Locations, profile: Option<&str>) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = Vec::new();
    let mut add = |p: PathBuf| {
        if !out.contains(&p) {
            out.push(p);
        }
    };
    for agent in agents(config) {
        for folder in folders(config, places, profile, &agent) {
            add(folder.join("skills"));
        }
    }
    add(places.state_dir.join("skills"));
    let extra = config.path(&["skills", "load", "extraDirs"]).and_then(Node::as_array).unwrap_or_default();
    for dir in extra.iter().filter_map(Node::as_str).map(str::trim).filter(|s| !s.is_empty()) {
        add(expand(dir, &places.home));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use oc_types::Origin;
    use serde_json::json;

    fn places() -> Locations {
        Locations {
            home: "/h".into(),
            state_dir: "/h/.openclaw".into(),
            config: "/h/.openclaw/openclaw.json".into(),
            credentials: "/h/.openclaw/credentials".into(),
        }
    }

    fn node(v: serde_json::Value) -> Node {
        Node::from_json(&v, &Origin::Default)
    }

    #[test]
    fn the_default_agent_comes_first_and_each_agent_once() {
        let ids = |v| agents(&node(v)).iter().map(|a| a.id.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(ids(json!({})), ["main"]);
        assert_eq!(
            ids(json!({"agents": {"list": [{"id": "A"}, {"id": "b", "default": true}, {"id": "a"}]}})),
            ["b", "a"]
        );
    }

    #[test]
    fn workspaces_follow_the_agent_then_the_defaults_then_the_home() {
        let all = |v: serde_json::Value| {
            let c = node(v);
            agents(&c).iter().flat_map(|a| folders(&c, &places(), None, a)).collect::<Vec<_>>()
        };
        assert_eq!(all(json!({})), [PathBuf::from("/h/.openclaw/workspace")]);
        let v = json!({"agents": {"defaults": {"workspace": "~/w"}, "list": [{"id": "a"}, {"id": "b"}, {"id": "c", "workspace": "/c"}]}});
        assert_eq!(all(v), ["/h/w", "/h/.openclaw/workspace-b", "/c"].map(PathBuf::from));
    }

    #[test]
    fn skills_are_looked_for_in_workspaces_state_and_extra_folders() {
        let c = node(
            json!({"agents": {"defaults": {"workspace": "/w"}}, "skills": {"load": {"extraDirs": ["~/x", " "]}}}),
        );
        assert_eq!(
            skill_roots(&c, &places(), None),
            ["/w/skills", "/h/.openclaw/skills", "/h/x"].map(PathBuf::from)
        );
    }
}
