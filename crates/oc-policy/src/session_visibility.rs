//! Which sessions the session tools of a session may see (sessions-routing 8, SP-420).
//!
//! By default the session itself and what it spawned: `session.dmScope` keeps what one person said out of another's session, and a tool that
//! reads every session of the agent would bring it back.
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
    reach: Reach,
}

/// How far a session sees, besides itself: `tools.sessions.visibility`. In this order each sees what the ones before it see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Nothing.
    Own,
    /// Sessions that it spawned.
    Tree,
    /// Sessions of its agent too.
    Agent,
    /// Sessions of other agents too, where `tools.agentToAgent` opens them.
    All,
}

impl Reach {
    /// As it is configured; without a word the sessions that it spawned, with one that is not known nothing.
    fn of(config: &Node) -> Self {
        match config.path(&["tools", "sessions", "visibility"]).filter(|n| !n.is_null()) {
            None => Self::Tree,
            Some(node) => match node.as_str() {
                Some("tree") => Self::Tree,
                Some("agent") => Self::Agent,
                Some("all") => Self::All,
                Some(_) | None => Self::Own,
            },
        }
    }
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
    /// The session `session` (in its one form) of `agent`. In a sandbox it sees no more than what it spawned, unless
    /// `agents.defaults.sandbox.sessionToolsVisibility` is `all`. When its sandbox or that word cannot be read, it counts as one without.
    #[must_use]
    pub fn new(config: &'a Node, agent: &'a AgentId, session: &'a str) -> Self {
        let sandboxed = is_sandboxed(config, Some(session)).map_or(true, |s| s.runs.is_sandboxed());
        let spawned = session_visibility(config).map_or(true, |s| s.value == SessionVisibility::Spawned);
        let reach = Reach::of(config);
        let reach = if sandboxed && spawned { reach.min(Reach::Tree) } else { reach };
        Self { config, agent, session, reach }
    }

    /// Whether it may see another session, itself included.
    #[must_use]
    pub fn sees(&self, target: &Target<'_>) -> bool {
        let same_agent = target.agent == self.agent;
        if same_agent && target.session == self.session {
            return true;
        }
        let opened = || same_agent || across_agents(self.config, self.agent, target.agent);
        let spawned = || target.spawned_by == Some(self.session);
        match self.reach {
            Reach::Own => false,
            Reach::Tree => spawned() && opened(),
            Reach::Agent => same_agent || (spawned() && opened()),
            Reach::All => opened(),
        }
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
        let sandboxed = json!({
            "tools": {"sessions": {"visibility": "all"}},
            "agents": {"defaults": {"sandbox": {"mode": "non-main"}}},
        });
        assert!(sees(sandboxed.clone(), GROUP, GROUP, None));
        assert!(!sees(sandboxed.clone(), GROUP, MAIN, None));
        assert!(!sees(sandboxed.clone(), GROUP, ("main", "agent:main:subagent:x"), Some(MAIN.1)));
        assert!(sees(sandboxed.clone(), GROUP, ("main", "agent:main:subagent:x"), Some(GROUP.1)));
        assert!(sees(sandboxed, MAIN, GROUP, None), "the main session is not sandboxed here");
        let all = json!({
            "tools": {"sessions": {"visibility": "agent"}},
            "agents": {"defaults": {"sandbox": {"mode": "all", "sessionToolsVisibility": "all"}}},
        });
        assert!(sees(all, GROUP, MAIN, None));
        let wrong = json!({
            "tools": {"sessions": {"visibility": "agent"}},
            "agents": {"defaults": {"sandbox": {"mode": "all", "sessionToolsVisibility": 1}}},
        });
        assert!(!sees(wrong, GROUP, MAIN, None));
    }

    #[test]
    fn sp_420_a_session_sees_as_far_as_is_configured_and_by_default_what_it_spawned() {
        const CHILD: (&str, &str) = ("main", "agent:main:subagent:x");
        // In columns: another session of the agent, one that it spawned, one of another agent.
        for (word, expected) in [
            (None, [false, true, false]),
            (Some(json!(null)), [false, true, false]),
            (Some(json!("self")), [false, false, false]),
            (Some(json!("tree")), [false, true, false]),
            (Some(json!("agent")), [true, true, false]),
            (Some(json!("all")), [true, true, true]),
            (Some(json!("ALL")), [false, false, false]),
            (Some(json!(["all"])), [false, false, false]),
        ] {
            let mut config = json!({"tools": {"agentToAgent": {"enabled": true}}});
            if let Some(word) = word {
                config["tools"]["sessions"] = json!({ "visibility": word });
            }
            let seen = [
                sees(config.clone(), GROUP, MAIN, None),
                sees(config.clone(), GROUP, CHILD, Some(GROUP.1)),
                sees(config.clone(), GROUP, WORK, None),
            ];
            assert_eq!(seen, expected, "{config}");
            assert!(sees(config.clone(), GROUP, GROUP, None), "{config}");
        }
    }

    #[test]
    fn sp_420_each_word_sees_what_the_ones_before_it_see_also_of_another_agent() {
        for (word, switched, expected) in [
            ("self", true, false),
            ("tree", true, true),
            ("agent", true, true),
            ("all", true, true),
            ("tree", false, false),
            ("agent", false, false),
            ("all", false, false),
        ] {
            let config =
                json!({"tools": {"sessions": {"visibility": word}, "agentToAgent": {"enabled": switched}}});
            assert_eq!(sees(config.clone(), MAIN, WORK, Some(MAIN.1)), expected, "{config}");
            // What another session spawned is nothing of this one's.
            assert_eq!(
                sees(config.clone(), MAIN, WORK, Some(GROUP.1)),
                expected && word == "all",
                "{config}"
            );
        }
    }

    #[test]
    fn sp_420_other_agents_need_the_switch_and_both_names() {
        let with =
            |agents: Value| json!({"tools": {"sessions": {"visibility": "all"}, "agentToAgent": agents}});
        assert!(!sees(with(json!(null)), MAIN, WORK, None));
        assert!(!sees(with(json!({"enabled": false, "allow": ["*"]})), MAIN, WORK, None));
        assert!(sees(with(json!({"enabled": true})), MAIN, WORK, None));
        for (allow, expected) in [
            (json!(["main", "work"]), true),
            (json!(["MAIN", "wo*"]), true),
            (json!(["work"]), false),
            (json!("main"), false),
            (json!([1]), false),
        ] {
            let config = with(json!({"enabled": true, "allow": allow}));
            assert_eq!(sees(config.clone(), MAIN, WORK, None), expected, "{config}");
        }
    }
}
