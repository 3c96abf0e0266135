//! Which tools a run of an agent gets, and which settings are in force for it. The tool policy answers; nothing here judges lists.

use std::cell::OnceCell;
use std::rc::Rc;

use oc_policy::profile::Profile;
use oc_policy::tool_name::canonical;
use oc_policy::tool_policy::{CompiledPolicy, Context};
use oc_types::{KeyPath, Node};

use crate::AuditContext;
use crate::workspace::{self, Agent};

/// When sessions run in a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SandboxMode {
    /// Never.
    Off,
    /// All but the main session.
    NonMain,
    /// Always.
    All,
}

/// The settings in force for agents in general, or for one agent.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    config: &'a Node,
    /// Compiled when the first tool is asked about, once for all scopes of one list.
    policy: Rc<OnceCell<CompiledPolicy>>,
    /// The agent; `None` for the settings that agents inherit.
    pub(crate) agent: Option<Agent<'a>>,
}

impl<'a> Scope<'a> {
    /// The general settings, then every listed agent.
    pub(crate) fn all(ctx: &AuditContext<'a>) -> Vec<Self> {
        let policy = Rc::default();
        let mut out = vec![Self { config: ctx.config, policy: Rc::clone(&policy), agent: None }];
        out.extend(Self::listed(ctx, &policy));
        out
    }

    /// Every listed agent.
    pub(crate) fn agents(ctx: &AuditContext<'a>) -> Vec<Self> {
        Self::listed(ctx, &Rc::default())
    }

    fn listed(ctx: &AuditContext<'a>, policy: &Rc<OnceCell<CompiledPolicy>>) -> Vec<Self> {
        workspace::agents(ctx.config)
            .into_iter()
            .filter(|a| a.entry.is_some())
            .map(|a| Self { config: ctx.config, policy: Rc::clone(policy), agent: Some(a) })
            .collect()
    }

    /// The words for messages: `agents by default` or `agent <id>`.
    pub(crate) fn name(&self) -> String {
        match &self.agent {
            None => "agents by default".to_owned(),
            Some(a) => format!("agent `{}`", a.id.as_str()),
        }
    }

    /// The agent's own value of a key below its entry.
    pub(crate) fn own(&self, keys: &[&str]) -> Option<(&'a Node, KeyPath)> {
        let agent = self.agent.as_ref()?;
        let node = agent.entry?.path(keys).filter(|n| !n.is_null())?;
        Some((node, agent.path.join(&KeyPath::keys(keys.iter().copied()))))
    }

    /// The value at `keys`, without the agent.
    pub(crate) fn general(&self, keys: &[&str]) -> Option<(&'a Node, KeyPath)> {
        let node = self.config.path(keys).filter(|n| !n.is_null())?;
        Some((node, KeyPath::keys(keys.iter().copied())))
    }

    /// The value of `tools.<keys>` in force.
    pub(crate) fn tools(&self, keys: &[&str]) -> Option<(&'a Node, KeyPath)> {
        let full: Vec<&str> = std::iter::once("tools").chain(keys.iter().copied()).collect();
        self.own(&full).or_else(|| self.general(&full))
    }

    /// The value of `sandbox.<keys>` in force.
    pub(crate) fn sandbox(&self, keys: &[&str]) -> Option<(&'a Node, KeyPath)> {
        let own: Vec<&str> = std::iter::once("sandbox").chain(keys.iter().copied()).collect();
        let shared: Vec<&str> =
            ["agents", "defaults", "sandbox"].into_iter().chain(keys.iter().copied()).collect();
        self.own(&own).or_else(|| self.general(&shared))
    }

    /// When its sessions are sandboxed.
    pub(crate) fn sandbox_mode(&self) -> SandboxMode {
        match self.sandbox(&["mode"]).and_then(|(n, _)| n.as_str()) {
            Some("all") => SandboxMode::All,
            Some("non-main") => SandboxMode::NonMain,
            _ => SandboxMode::Off,
        }
    }

    /// The profile in force, when it restricts anything.
    pub(crate) fn restricting_profile(&self) -> Option<Profile> {
        self.tools(&["profile"])
            .and_then(|(n, _)| Profile::parse(n.as_str()?))
            .filter(|p| p.allow().is_some())
    }

    /// What the tool policy says about the agent's main session: rooms, providers and sub-agents can only take more away.
    /// Settings that the policy refuses to read offer nothing.
    fn decides(&self, tool: &str) -> bool {
        let agent = self.agent.as_ref().map_or("no-agent-has-this-name", |a| a.id.as_str());
        let key = format!("agent:{agent}:main");
        let policy = self.policy.get_or_init(|| CompiledPolicy::compile(self.config).0);
        // A tool that is absent for another reason than a list may be there in another session.
        policy.decide(&Context::session(&key), tool).is_ok_and(|d| d.removed_by().is_none())
    }

    /// Whether a tool (canonical name) is offered.
    pub(crate) fn offers(&self, tool: &str) -> bool {
        self.decides(tool)
    }

    /// Whether a deny list in force names exactly this entry (canonical), a group for example.
    pub(crate) fn denies(&self, entry: &str) -> bool {
        let named = |found: Option<(&Node, KeyPath)>| {
            found
                .is_some_and(|(n, _)| n.entries().unwrap_or_default().iter().any(|e| *canonical(e) == *entry))
        };
        named(self.general(&["tools", "deny"])) || named(self.own(&["tools", "deny"]))
    }

    /// The tools of `names` that are offered.
    pub(crate) fn offered<'n>(&self, names: &[&'n str]) -> Vec<&'n str> {
        names.iter().copied().filter(|t| self.offers(t)).collect()
    }

    /// The entries of `allow` and `alsoAllow` at both levels, canonical.
    pub(crate) fn named(&self) -> Vec<(String, KeyPath)> {
        let mut out = Vec::new();
        for key in ["allow", "alsoAllow"] {
            for found in [self.general(&["tools", key]), self.own(&["tools", key])] {
                let Some((node, path)) = found else { continue };
                out.extend(
                    node.entries()
                        .unwrap_or_default()
                        .iter()
                        .map(|e| (canonical(e).into_owned(), path.clone())),
                );
            }
        }
        out
    }
}
