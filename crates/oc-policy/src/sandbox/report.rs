//! `openclaw sandbox explain`: the compatible report (tool-policy 11).

use oc_types::{AgentId, ChannelId, Node};
use serde_json::{Value as Json, json};

use super::{ListSource, Mode, Place, Resolved, Runs, SandboxError, Scope, default_agent, resolve};
use crate::elevated;
use crate::session_key::{InvalidSessionKey, SessionKey};

/// Channels that exist without a plugin, and the built-in web chat.
const KNOWN_CHANNELS: [&str; 8] =
    ["telegram", "whatsapp", "discord", "googlechat", "slack", "signal", "imessage", "webchat"];

/// Which agent and session a report is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The agent whose settings are shown.
    pub agent: AgentId,
    /// The session's key.
    pub session: SessionKey,
    /// The key of the agent's main session.
    pub main: String,
}

impl Subject {
    /// Reads the two flags: the agent is the one given, else the one in the key, else the default agent; a blank session is the agent's
    /// main session, a word without `:` is a session of the agent, `global` is itself.
    ///
    /// # Errors
    /// [`InvalidSessionKey`] when the key is malformed (SP-120).
    pub fn read(
        config: &Node,
        agent: Option<&str>,
        session: Option<&str>,
    ) -> Result<Self, InvalidSessionKey> {
        let session = session.map(str::trim).unwrap_or_default();
        let parsed = if session.is_empty() { None } else { Some(SessionKey::parse(session)?) };
        let agent = match agent.map(str::trim).filter(|a| !a.is_empty()) {
            Some(text) => AgentId::normalized(text),
            None => {
                parsed.as_ref().and_then(SessionKey::agent).cloned().unwrap_or_else(|| default_agent(config))
            }
        };
        let main = format!("agent:{agent}:main");
        let text = match session {
            "" => main.clone(),
            "global" => session.to_owned(),
            s if s.contains(':') => s.to_owned(),
            s => format!("agent:{agent}:{}", s.to_lowercase()),
        };
        Ok(Self { session: SessionKey::parse(&text)?, agent, main })
    }
}

/// The elevated part of the report: what the configuration alone says, before any sender is known.
#[derive(Clone, Debug, PartialEq)]
struct ElevatedView {
    channel: Option<ChannelId>,
    enabled: Vec<(String, bool)>,
    global: Option<Vec<String>>,
    agent: Option<Vec<String>>,
}

/// The report as data; [`Report::to_json`] is what `--json` prints.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    subject: Subject,
    settings: Resolved,
    shown: Runs,
    /// What the runtime does with this key.
    pub runtime: Runs,
    elevated: ElevatedView,
}

/// The channel that a session's entry in the session store names: the first of the four members that is there.
#[must_use]
pub fn stored_channel(entry: &Json) -> Option<&str> {
    let members = ["lastChannel", "channel", "lastProvider", "provider"];
    members.iter().find_map(|m| entry.get(m).filter(|v| !v.is_null())).and_then(Json::as_str)
}

/// Builds the report. `stored_channel` is the channel that the session store names for this session, if any.
///
/// # Errors
/// [`SandboxError`]: an unknown word or a value of the wrong type in the sandbox settings.
pub fn report(
    config: &Node,
    subject: &Subject,
    stored_channel: Option<&str>,
    place: &Place,
) -> Result<Report, SandboxError> {
    let settings = resolve(config, &subject.agent, place)?;
    // The compatible output compares the key literally; the runtime rule knows aliases and the global scope.
    let shown = match settings.mode.value {
        Mode::Off => Runs::OnHost,
        Mode::All => Runs::Sandboxed,
        Mode::NonMain if subject.session.as_str() == subject.main => Runs::OnHost,
        Mode::NonMain => Runs::Sandboxed,
    };
    let runtime = super::is_sandboxed_for(config, &subject.agent, Some(&subject.session))?.runs;
    Ok(Report {
        elevated: elevated_view(config, subject, stored_channel),
        subject: subject.clone(),
        settings,
        shown,
        runtime,
    })
}

fn known_channel(config: &Node, word: &str) -> Option<ChannelId> {
    let id = ChannelId::parse(word).ok()?;
    let configured = config.path(&["channels", id.as_str()]).is_some();
    (configured || KNOWN_CHANNELS.contains(&id.as_str())).then_some(id)
}

fn elevated_view(config: &Node, subject: &Subject, stored: Option<&str>) -> ElevatedView {
    let from_key = || {
        let key = &subject.session;
        let first = key.rest().split(':').next()?;
        (key.agent().is_some() && key.rest() != "main").then(|| known_channel(config, first)).flatten()
    };
    let channel = stored.and_then(|w| known_channel(config, w)).or_else(from_key);
    let enabled =
        elevated::enabled_keys(config, &subject.agent).into_iter().map(|(key, _, on)| (key, on)).collect();
    let lists = channel.as_ref().map(|c| {
        let agent = elevated::agent_list(config, &subject.agent, c.as_str());
        (elevated::global_list(config, c.as_str()).entries(), agent.map(|l| l.entries()))
    });
    let (global, agent) = lists.map_or((None, None), |(g, a)| (Some(g), a));
    ElevatedView { channel, enabled, global, agent }
}

impl ElevatedView {
    fn is_enabled(&self) -> bool {
        self.enabled.iter().all(|(_, on)| *on)
    }

    fn allowed_by_config(&self) -> bool {
        self.is_enabled()
            && self.global.as_ref().is_some_and(|l| !l.is_empty())
            && self.agent.as_ref().is_none_or(|l| !l.is_empty())
    }

    fn always_allowed(&self) -> bool {
        let star = |l: &Vec<String>| l.iter().any(|e| e == "*");
        self.allowed_by_config()
            && self.global.as_ref().is_some_and(star)
            && self.agent.as_ref().is_none_or(star)
    }

    fn failures(&self) -> Vec<(&'static str, String)> {
        let mut out: Vec<(&'static str, String)> =
            self.enabled.iter().filter(|(_, on)| !on).map(|(key, _)| ("enabled", key.clone())).collect();
        if let Some(channel) = &self.channel {
            if self.global.as_ref().is_some_and(Vec::is_empty) {
                out.push(("allowFrom", format!("tools.elevated.allowFrom.{channel}")));
            }
            if self.agent.as_ref().is_some_and(Vec::is_empty) {
                out.push(("allowFrom", format!("agents.list[].tools.elevated.allowFrom.{channel}")));
            }
        }
        out
    }

    fn to_json(&self) -> Json {
        let mut lists = serde_json::Map::new();
        for (name, list) in [("global", &self.global), ("agent", &self.agent)] {
            if let Some(list) = list {
                lists.insert(name.to_owned(), list.clone().into());
            }
        }
        let failures: Vec<Json> =
            self.failures().into_iter().map(|(gate, key)| json!({"gate": gate, "key": key})).collect();
        let mut out = serde_json::Map::new();
        out.insert("enabled".to_owned(), self.is_enabled().into());
        if let Some(channel) = &self.channel {
            out.insert("channel".to_owned(), channel.as_str().into());
        }
        out.insert("allowedByConfig".to_owned(), self.allowed_by_config().into());
        out.insert("alwaysAllowedByConfig".to_owned(), self.always_allowed().into());
        out.insert("allowFrom".to_owned(), lists.into());
        out.insert("failures".to_owned(), failures.into());
        out.into()
    }
}

impl Report {
    /// The subject.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Resolved {
        &self.settings
    }

    /// A sentence when the literal comparison of this report and the runtime rule differ for the key.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        (self.shown != self.runtime).then(|| {
            format!(
                "{} is compared with {} literally here; the runtime treats it as {}.",
                self.subject.session,
                self.subject.main,
                match self.runtime {
                    Runs::OnHost => "the main session, which runs on the host",
                    Runs::Sandboxed => "another session, which is sandboxed",
                }
            )
        })
    }

    /// The keys to look at when something should be different.
    #[must_use]
    pub fn fix_it(&self) -> Vec<String> {
        let mut out: Vec<&str> = Vec::new();
        if self.settings.mode.value != Mode::Off {
            out.extend(["agents.defaults.sandbox.mode=off", "agents.list[].sandbox.mode=off"]);
        }
        out.extend([
            "tools.sandbox.tools.allow",
            "tools.sandbox.tools.deny",
            "agents.list[].tools.sandbox.tools.allow",
            "agents.list[].tools.sandbox.tools.deny",
            "tools.elevated.enabled",
        ]);
        let mut out: Vec<String> = out.into_iter().map(str::to_owned).collect();
        out.extend(self.elevated.channel.as_ref().map(|c| format!("tools.elevated.allowFrom.{c}")));
        out
    }

    /// The compatible JSON, without `docsUrl` and `policy`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let source = |s: &ListSource| json!({"source": s.level, "key": s.key});
        let s = &self.settings;
        json!({
            "agentId": self.subject.agent,
            "sessionKey": self.subject.session.as_str(),
            "mainSessionKey": self.subject.main,
            "sandbox": {
                "mode": s.mode.value,
                "scope": s.scope.value,
                "perSession": s.scope.value == Scope::Session,
                "workspaceAccess": s.workspace_access.value,
                "workspaceRoot": s.workspace_root.value,
                "sessionIsSandboxed": self.shown.is_sandboxed(),
                "tools": {
                    "allow": s.tools.allow,
                    "deny": s.tools.deny,
                    "sources": { "allow": source(&s.tools.allow_source), "deny": source(&s.tools.deny_source) },
                },
            },
            "elevated": self.elevated.to_json(),
            "fixIt": self.fix_it(),
        })
    }
}
