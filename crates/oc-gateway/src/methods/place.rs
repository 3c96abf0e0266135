//! What the reading methods look at: one snapshot of the configuration, the state directory, the moment.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use oc_config::Locations;
use oc_fs::session_store::{self, SessionStore};
use oc_policy::sandbox::{self, agent_workspace, default_agent};
use oc_policy::session_key::{SessionKey, SessionScope};
use oc_text::Redactor;
use oc_types::{AgentId, Node};

use super::params::invalid;
use crate::protocol::frame::Failure;

/// Whether paths of this machine are shown (SP-340).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// Whole: the caller has `operator.admin`.
    Whole,
    /// From the state directory on; elsewhere the name alone.
    Short,
}

/// One snapshot.
#[derive(Clone, Debug)]
pub struct Place {
    /// Home, state directory, configuration file, credentials.
    pub locations: Arc<Locations>,
    /// The configuration, resolved.
    pub config: Arc<Node>,
    /// The moment, in milliseconds since 1970.
    pub now_ms: u64,
    /// Whether paths are shown.
    pub paths: Paths,
    /// What masks credentials.
    pub redactor: Redactor,
    /// The name of the profile in use (`OPENCLAW_PROFILE`).
    pub profile: Option<String>,
}

impl Place {
    /// The snapshot, for a caller with `operator.admin`; credentials are masked by the patterns of the configuration.
    #[must_use]
    pub fn new(locations: Arc<Locations>, config: Arc<Node>, now_ms: u64) -> Self {
        let redactor = crate::log::redactor(&config);
        Self { locations, config, now_ms, paths: Paths::Whole, redactor, profile: None }
    }

    /// The same for a caller who sees paths like this.
    #[must_use]
    pub fn showing(self, paths: Paths) -> Self {
        Self { paths, ..self }
    }

    /// The same with a profile.
    #[must_use]
    pub fn with_profile(self, profile: Option<String>) -> Self {
        Self { profile, ..self }
    }

    /// The agent of callers that name none.
    #[must_use]
    pub fn default_agent(&self) -> AgentId {
        default_agent(&self.config)
    }

    /// The configured agents, the default one first.
    #[must_use]
    pub fn agents(&self) -> Vec<AgentId> {
        oc_audit::workspace::agents(&self.config).into_iter().map(|a| a.id).collect()
    }

    /// The configured agents and those that have left a folder, the default one first.
    #[must_use]
    pub fn known_agents(&self) -> Vec<AgentId> {
        let mut all = self.agents();
        for agent in session_store::agents_on_disk(&self.locations.state_dir) {
            if !all.contains(&agent) {
                all.push(agent);
            }
        }
        all
    }

    /// The folder that an agent works in.
    #[must_use]
    pub fn workspace(&self, agent: &AgentId) -> PathBuf {
        let place = sandbox::Place {
            home: self.locations.home.to_string_lossy().into_owned(),
            state_dir: self.locations.state_dir.to_string_lossy().into_owned(),
        };
        PathBuf::from(agent_workspace(&self.config, agent, &place, self.profile.as_deref()))
    }

    /// `session.scope`.
    #[must_use]
    pub fn scope(&self) -> SessionScope {
        SessionScope::from_config(&self.config)
    }

    /// `session.mainKey`, lower case; `main` when it is not set. It means the same session as `main` (sessions-routing 1).
    #[must_use]
    pub fn main_key(&self) -> String {
        let set = self.config.path(&["session", "mainKey"]).and_then(Node::as_str).map(str::trim);
        set.filter(|s| !s.is_empty()).unwrap_or("main").to_lowercase()
    }

    /// `session.store`, when it is set.
    fn configured_store(&self) -> Option<&str> {
        self.config.path(&["session", "store"]).and_then(Node::as_str).filter(|s| !s.trim().is_empty())
    }

    /// Whether all agents share one store.
    #[must_use]
    pub fn one_store(&self) -> bool {
        self.configured_store().is_some_and(|s| !s.contains("{agentId}"))
    }

    /// The session store of an agent.
    #[must_use]
    pub fn store(&self, agent: &AgentId) -> SessionStore {
        SessionStore::of(&self.locations.state_dir, agent, self.configured_store(), &self.locations.home)
    }

    /// The stores of some agents, each once.
    #[must_use]
    pub fn stores(&self, agents: &[AgentId]) -> Vec<(AgentId, SessionStore)> {
        let mut out: Vec<(AgentId, SessionStore)> = Vec::new();
        for agent in agents {
            let store = self.store(agent);
            if out.iter().all(|(_, s)| *s != store) {
                out.push((agent.clone(), store));
            }
        }
        out
    }

    /// How a path is shown to this caller.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        let name = || path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        match self.paths {
            Paths::Whole => path.display().to_string(),
            Paths::Short => path
                .strip_prefix(&self.locations.state_dir)
                .map_or_else(|_| name(), |rest| rest.display().to_string()),
        }
    }

    /// A key that a caller named, in the form of the store, and the agent whose store it is in.
    ///
    /// # Errors
    /// A malformed key, or one of an agent that is neither configured nor has left anything.
    pub fn session(&self, text: &str) -> Result<(AgentId, String), Failure> {
        let key = SessionKey::parse(text).map_err(|e| invalid(&e.to_string()))?;
        let agent = key.agent().cloned().unwrap_or_else(|| self.default_agent());
        if key.agent().is_some() && !self.known_agents().contains(&agent) {
            return Err(invalid(&format!("there is no agent `{agent}`")));
        }
        let key = self.canonical(&agent, &key);
        Ok((agent, key))
    }

    /// The same for a turn: only a configured agent acts. One that has left a folder and is configured no more has no rules of its own any
    /// longer.
    ///
    /// # Errors
    /// As [`Place::session`], and a key of an agent that is not configured.
    pub fn session_for_turn(&self, text: &str) -> Result<(AgentId, String), Failure> {
        let (agent, key) = self.session(text)?;
        if !self.agents().contains(&agent) {
            return Err(invalid(&format!(
                "agent `{agent}` is not configured; its sessions can only be read"
            )));
        }
        Ok((agent, key))
    }

    /// The one form of a key: lower case, `agent:<id>:...`, the main session `main`, `direct` for the older `dm`. `global` and `unknown`
    /// stand alone.
    #[must_use]
    pub fn canonical(&self, agent: &AgentId, key: &SessionKey) -> String {
        let whole = key.as_str().to_lowercase();
        if key.agent().is_none() && matches!(whole.as_str(), "global" | "unknown") {
            return whole;
        }
        let rest = key.rest().to_lowercase();
        if rest == "main" || rest == self.main_key() {
            return match self.scope() {
                SessionScope::Global => "global".to_owned(),
                SessionScope::PerSender => main_of(agent),
            };
        }
        format!("agent:{agent}:{}", direct(&rest))
    }

    /// The main session of an agent.
    #[must_use]
    pub fn main_session(&self, agent: &AgentId) -> String {
        match self.scope() {
            SessionScope::Global => "global".to_owned(),
            SessionScope::PerSender => main_of(agent),
        }
    }

    /// Whether a key (in its one form) is a main session, which cannot be deleted.
    #[must_use]
    pub fn is_main(&self, agent: &AgentId, key: &str) -> bool {
        key == "global" || key == main_of(agent)
    }
}

fn main_of(agent: &AgentId) -> String {
    format!("agent:{agent}:main")
}

/// The older word `dm` becomes `direct` where it is the word for direct chats: first, after the channel, or after channel and account.
fn direct(rest: &str) -> String {
    let mut parts: Vec<&str> = rest.split(':').collect();
    let is = |at: usize, words: &[&str]| parts.get(at).is_some_and(|p| words.contains(p));
    let direct = &["dm", "direct"];
    let at = if is(0, direct) {
        0
    } else if is(0, &["group", "channel"]) || is(1, &["group", "channel"]) {
        return rest.to_owned();
    } else if is(1, direct) && !(is(2, direct) && parts.len() > 3) {
        1
    } else {
        // Channel and account; an account may be called `dm`, too.
        2
    };
    if let Some(word) = parts.get_mut(at).filter(|w| **w == "dm") {
        *word = "direct";
    }
    parts.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::transcripts::place;
    use serde_json::json;

    #[test]
    fn keys_have_one_form() {
        let tmp = tempfile::tempdir().unwrap();
        let config =
            json!({"session": {"mainKey": "Work"}, "agents": {"list": [{"id": "Ops"}, {"id": "b"}]}});
        let here = place(tmp.path(), config);
        for (text, want) in [
            ("main", "agent:ops:main"),
            ("WORK", "agent:ops:main"),
            ("agent:b:work", "agent:b:main"),
            ("agent:b:Telegram:DM:42", "agent:b:telegram:direct:42"),
            ("agent:b:dm:42", "agent:b:direct:42"),
            ("agent:b:telegram:dm:dm:42", "agent:b:telegram:dm:direct:42"),
            ("agent:b:slack:channel:dm", "agent:b:slack:channel:dm"),
            ("agent:b:subagent:x", "agent:b:subagent:x"),
            ("cron:x", "agent:ops:cron:x"),
            ("global", "global"),
        ] {
            assert_eq!(here.session(text).unwrap().1, want, "{text}");
        }
        for text in ["agent:nobody:main", "agent::x", "AGENT:b:main", "", "agent:b:\u{1}"] {
            assert!(here.session(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_agent_that_is_configured_no_more_is_read_and_does_not_act() {
        let tmp = tempfile::tempdir().unwrap();
        let here = place(tmp.path(), json!({"agents": {"list": [{"id": "main"}]}}));
        std::fs::create_dir_all(here.locations.state_dir.join("agents/gone/sessions")).unwrap();
        assert_eq!(here.session("agent:gone:main").unwrap().1, "agent:gone:main");
        assert!(here.session_for_turn("agent:gone:main").is_err());
        assert_eq!(here.session_for_turn("agent:main:x").unwrap().1, "agent:main:x");
        assert_eq!(here.session_for_turn("main").unwrap().1, "agent:main:main");
    }

    #[test]
    fn sp_340_a_path_is_short_for_readers() {
        let tmp = tempfile::tempdir().unwrap();
        let here = place(tmp.path(), json!({}));
        let path = here.locations.state_dir.join("agents/main/x.json");
        assert_eq!(here.shown(&path), path.display().to_string());
        let reader = here.showing(Paths::Short);
        assert_eq!(reader.shown(&path), "agents/main/x.json");
        assert_eq!(reader.shown(Path::new("/var/log/gw.log")), "gw.log");
    }
}
