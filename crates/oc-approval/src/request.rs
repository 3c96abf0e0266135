//! What is asked, as it is kept, shown and announced. It can only be made from the plan that will be judged again and run (SP-193).

use serde::{Deserialize, Serialize};

use crate::approvals_file::{Ask, Security};
use crate::binding::{Binding, Circumstances, Host, Unapprovable};
use crate::host_view::HostView;
use crate::life_cycle::{Decision, Target};
use crate::persist;
use crate::plan::Plan;

/// One command of the line, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Part {
    /// Its words.
    pub argv: Vec<String>,
    /// The program file that runs; `None` when none was found.
    pub resolved_path: Option<String>,
}

/// What is asked. Made by [`Asked::of`] alone, or read back from the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    pub(crate) command: String,
    pub(crate) cwd: String,
    pub(crate) host: Host,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) node_id: Option<String>,
    pub(crate) security: Security,
    pub(crate) ask: Ask,
    pub(crate) agent_id: String,
    pub(crate) resolved_path: Option<String>,
    pub(crate) session_key: String,
    pub(crate) env_keys: Vec<String>,
    pub(crate) segments: Vec<Part>,
    pub(crate) allowed_decisions: Vec<Decision>,
    /// Where it may run; more than one word only with route `prompt`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) targets: Vec<Target>,
    pub(crate) warnings: Vec<String>,
}

/// A request with what an answer to it binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub(crate) request: Request,
    pub(crate) binding: Binding,
}

impl Asked {
    /// Puts an analysed line before a person. `sandbox`: whether route `prompt` may offer the sandbox.
    ///
    /// # Errors
    /// See [`Unapprovable`].
    pub fn of(
        plan: &Plan,
        at: &Circumstances,
        sandbox: SandboxOffer,
        view: &dyn HostView,
    ) -> Result<Self, Unapprovable> {
        let binding = Binding::of(plan, at, view)?;
        let mut warnings = Vec::new();
        if plan.segments.is_empty() {
            let why = plan.miss.as_ref().map_or_else(String::new, |m| format!(" ({})", m.text()));
            warnings.push(format!("this line could not be analysed{why}: the shell decides what it runs"));
        }
        let mut allowed_decisions = vec![Decision::AllowOnce];
        match persist::offer(plan, at, view) {
            Ok(_) => allowed_decisions.push(Decision::AllowAlways),
            Err(why) => warnings.push(format!("allow-always is not offered: {why}")),
        }
        allowed_decisions.push(Decision::Deny);
        let targets = match (at.host, sandbox) {
            (Host::Prompt, SandboxOffer::Available) => vec![Target::Sandbox, Target::Host],
            (Host::Prompt, SandboxOffer::None) => vec![Target::Host],
            _ => Vec::new(),
        };
        let request = Request {
            command: plan.text.clone(),
            cwd: plan.directory.clone(),
            host: at.host,
            node_id: at.node.clone(),
            security: at.security,
            ask: at.ask,
            agent_id: at.agent.clone(),
            resolved_path: plan.segments.first().and_then(|s| Some(s.executable.as_ref()?.canonical.clone())),
            session_key: at.session.clone(),
            env_keys: plan.overrides.iter().map(|(name, _)| name.clone()).collect(),
            segments: plan
                .segments
                .iter()
                .map(|s| Part {
                    argv: s.argv.clone(),
                    resolved_path: s.executable.as_ref().map(|e| e.canonical.clone()),
                })
                .collect(),
            allowed_decisions,
            targets,
            warnings,
        };
        Ok(Self { request, binding })
    }

    /// Puts a line before a person that the client that asks runs itself (`exec.approval.request`): this program neither analyses nor runs it,
    /// and the prompt says so. `resolved_path` is the client's word. Such an answer starts nothing here.
    ///
    /// # Errors
    /// [`Unapprovable::TooLong`], and [`Unapprovable::Refused`] for an empty text or one with a NUL.
    pub fn of_client(
        text: &str,
        directory: &str,
        resolved_path: Option<String>,
        at: &Circumstances,
    ) -> Result<Self, Unapprovable> {
        if text.len() > oc_shell::MAX_BYTES {
            return Err(Unapprovable::TooLong(text.len()));
        }
        if text.trim().is_empty() || text.contains('\0') || directory.contains('\0') {
            return Err(Unapprovable::Refused("the command is empty or holds a NUL".to_owned()));
        }
        let request = Request {
            command: text.to_owned(),
            cwd: directory.to_owned(),
            host: at.host,
            node_id: at.node.clone(),
            security: at.security,
            ask: at.ask,
            agent_id: at.agent.clone(),
            resolved_path,
            session_key: at.session.clone(),
            env_keys: Vec::new(),
            segments: Vec::new(),
            allowed_decisions: vec![Decision::AllowOnce, Decision::AllowAlways, Decision::Deny],
            targets: Vec::new(),
            warnings: vec![
                "the client that asks runs this command itself; it was not analysed here".to_owned(),
            ],
        };
        Ok(Self { request, binding: Binding::unseen(text, directory, at) })
    }

    /// Puts an action before a person that is no command: a call of a tool of a plugin or of an MCP server. `text`: the tool and its arguments;
    /// `of`: what carries it out. There is nothing to remember such an answer by, so it counts once.
    ///
    /// # Errors
    /// [`Unapprovable::TooLong`], and [`Unapprovable::Refused`] for an empty text or one with a NUL.
    pub fn of_action(text: &str, of: &str, at: &Circumstances) -> Result<Self, Unapprovable> {
        if text.len() > oc_shell::MAX_BYTES {
            return Err(Unapprovable::TooLong(text.len()));
        }
        if text.trim().is_empty() || text.contains('\0') {
            return Err(Unapprovable::Refused("the action is empty or holds a NUL".to_owned()));
        }
        let warning = format!("no command but a tool of {of}: what it does there is not known here");
        let request = Request {
            command: text.to_owned(),
            cwd: String::new(),
            host: at.host,
            node_id: at.node.clone(),
            security: at.security,
            ask: at.ask,
            agent_id: at.agent.clone(),
            resolved_path: None,
            session_key: at.session.clone(),
            env_keys: Vec::new(),
            segments: Vec::new(),
            allowed_decisions: vec![Decision::AllowOnce, Decision::Deny],
            targets: Vec::new(),
            warnings: vec![warning],
        };
        Ok(Self { request, binding: Binding::unseen(text, of, at) })
    }

    /// What is asked.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// What an answer binds.
    #[must_use]
    pub fn binding(&self) -> &Binding {
        &self.binding
    }
}

/// Whether a request with route `prompt` may offer the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxOffer {
    /// A sandbox can be had for this session.
    Available,
    /// There is none.
    None,
}

impl Request {
    /// The exact text.
    #[must_use]
    pub fn command(&self) -> &str {
        &self.command
    }

    /// The working directory, canonical.
    #[must_use]
    pub fn cwd(&self) -> &str {
        &self.cwd
    }

    /// Where it runs.
    #[must_use]
    pub fn host(&self) -> Host {
        self.host
    }

    /// The agent.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent_id
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.session_key
    }

    /// The answers that are taken.
    #[must_use]
    pub fn allowed_decisions(&self) -> &[Decision] {
        &self.allowed_decisions
    }

    /// Where it may run, when the answer says so; empty when that is not open.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The program that the first word means, when it is known.
    #[must_use]
    pub fn resolved_path(&self) -> Option<&str> {
        self.resolved_path.as_deref()
    }

    /// Names of the variables that are set for it.
    #[must_use]
    pub fn env_keys(&self) -> &[String] {
        &self.env_keys
    }

    /// Enforcement and asking in force, in words.
    #[must_use]
    pub fn mode(&self) -> String {
        format!("security {}, ask {}", self.security.word(), self.ask.word())
    }

    /// What the person should know.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}
