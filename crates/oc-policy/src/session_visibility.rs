//! Which sessions the session tools of a session may see (sessions-routing 8, SP-420).
//!
//! Decided on the target's own key and parent, before anything of it is read; "not visible" and "not found" look the same to the caller.

use oc_types::{AgentId, Node};

use crate::pattern::Pattern;
use crate::sandbox::{SessionVisibility, is_sandboxed, session_visibility};

/// The session that looks.
#[derive(Clone, Debug)]
pub struct Viewer<'a> {
    config: &'a Node,
    agent: &'a AgentId,
    session: &'a str,
    only_spawned: bool,
}

/// A session that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its agent.
    pub agent: &'a AgentId,
    /// Its key in its one form.
    pub session: &'a str,
    /// The session that spawned it.
    pub spawned_by: Option<&'a str>,
}

impl<'a> Viewer<'a> {
    /// The session `session` (in its one form) of `agent`. When its sandbox or the visibility cannot be read, it sees only what it spawned.
    #[must_use]
    pub fn new(config: &'a Node, agent: &'a AgentId, session: &'a str) -> Self {
        let sandboxed = is_sandboxed(config, Some(session)).map_or(true, |s| s.runs.is_sandboxed());
        let spawned = session_visibility(config).map_or(true, |s| s.value == SessionVisibility::Spawned);
        Self { config, agent, session, only_spawned: sandboxed && spawned }
    }

    /// Whether it may see another session, itself included.
    #[must_use]
    pub fn sees(&self, target: &Target<'_>) -> bool {
        let own = target.agent == self.agent && target.session == self.session;
        if own {
            return true;
        }
        if self.only_spawned && target.spawned_by != Some(self.session) {
            return false;
        }
        target.agent == self.agent || across_agents(self.config, self.agent, target.agent)
    }
}

/// Whether sessions of two different agents may see each other: `tools.agentToAgent` is on, and its list admits both. A list that is absent
/// or empty admits all once it is on, as upstream has it; the audit reports that.
#[must_use]
pub fn across_agents(config: &Node, one: &AgentId, other: &AgentId) -> bool {
    let at = |name: &str| config.path(&["tools", "agentToAgent", name]);
    if at("enabled").and_then(Node::as_bool) != Some(true) {
        return false;
    }
    let Some(list) = at("allow").filter(|n| !n.is_null()) else { return true };
    // What is there and no list of texts admits nobody.
    let Some(entries) = list.as_array() else { return false };
    if entries.is_empty() {
        return true;
    }
    let patterns: Vec<Pattern> = entries
        .iter()
        .filter_map(Node::as_str)
        .map(|text| Pattern::new(&text.trim().to_lowercase()))
        .collect();
    let admits = |agent: &AgentId| patterns.iter().any(|p| p.matches(agent.as_str()));
    admits(one) && admits(other)
}

#[cfg(test)]
mod tests {
    use oc_types::Origin;
    use serde_json::{Value, json};

    use super::*;

    fn sees(config: Value, from: (&str, &str), to: (&str, &str), spawned_by: Option<&str>) -> bool {
        let config = Node::from_json(&config, &Origin::Default);
        let (a, b) = (AgentId::normalized(from.0), AgentId::normalized(to.0));
        Viewer::new(&config, &a, from.1).sees(&Target { agent: &b, session: to.1, spawned_by })
    }

    const MAIN: (&str, &str) = ("main", "agent:main:main");
    const GROUP: (&str, &str) = ("main", "agent:main:telegram:group:1");
    const WORK: (&str, &str) = ("work", "agent:work:main");

    #[test]
    fn sp_420_a_sandboxed_session_sees_itself_and_what_it_spawned() {
        let sandboxed = json!({"agents": {"defaults": {"sandbox": {"mode": "non-main"}}}});
        assert!(sees(sandboxed.clone(), GROUP, GROUP, None));
        assert!(!sees(sandboxed.clone(), GROUP, MAIN, None));
        assert!(!sees(sandboxed.clone(), GROUP, ("main", "agent:main:subagent:x"), Some(MAIN.1)));
        assert!(sees(sandboxed.clone(), GROUP, ("main", "agent:main:subagent:x"), Some(GROUP.1)));
        assert!(sees(sandboxed, MAIN, GROUP, None), "the main session is not sandboxed here");
        let all =
            json!({"agents": {"defaults": {"sandbox": {"mode": "all", "sessionToolsVisibility": "all"}}}});
        assert!(sees(all, GROUP, MAIN, None));
        let wrong =
            json!({"agents": {"defaults": {"sandbox": {"mode": "all", "sessionToolsVisibility": 1}}}});
        assert!(!sees(wrong, GROUP, MAIN, None));
    }

    #[test]
    fn sp_420_other_agents_need_the_switch_and_both_names() {
        assert!(!sees(json!({}), MAIN, WORK, None));
        assert!(!sees(
            json!({"tools": {"agentToAgent": {"enabled": false, "allow": ["*"]}}}),
            MAIN,
            WORK,
            None
        ));
        assert!(sees(json!({"tools": {"agentToAgent": {"enabled": true}}}), MAIN, WORK, None));
        for (allow, expected) in [
            (json!(["main", "work"]), true),
            (json!(["MAIN", "wo*"]), true),
            (json!(["work"]), false),
            (json!("main"), false),
            (json!([1]), false),
        ] {
            let config = json!({"tools": {"agentToAgent": {"enabled": true, "allow": allow}}});
            assert_eq!(sees(config.clone(), MAIN, WORK, None), expected, "{config}");
        }
    }
}
