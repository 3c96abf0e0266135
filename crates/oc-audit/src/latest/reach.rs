//! Which tools a run of an agent gets, as far as the checks of open rooms need it: the profile, the global and the agent's
//! lists, and the sandbox's lists where every session is sandboxed. Rooms and providers can only take more away.

use oc_policy::profile::Profile;
use oc_policy::sandbox::tool_lists;
use oc_policy::tool_name::{CHANNELS, canonical};
use oc_policy::{group, pattern::Pattern};
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
#[derive(Clone, Debug)]
pub(crate) struct Scope<'a> {
    config: &'a Node,
    /// The agent; `None` for the settings that agents inherit.
    pub(crate) agent: Option<Agent<'a>>,
}

impl<'a> Scope<'a> {
    /// The general settings, then every listed agent.
    pub(crate) fn all(ctx: &AuditContext<'a>) -> Vec<Self> {
        let mut out = vec![Self { config: ctx.config, agent: None }];
        out.extend(Self::agents(ctx));
        out
    }

    /// Every listed agent.
    pub(crate) fn agents(ctx: &AuditContext<'a>) -> Vec<Self> {
        workspace::agents(ctx.config)
            .into_iter()
            .filter(|a| a.entry.is_some())
            .map(|a| Self { config: ctx.config, agent: Some(a) })
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

    /// The tool lists that a tool has to pass, in order.
    fn layers(&self) -> Vec<Lists> {
        let mut out = Vec::new();
        if let Some(allow) = self.restricting_profile().and_then(Profile::allow) {
            let mut allow: Vec<String> = allow.iter().map(|s| (*s).to_owned()).collect();
            allow.extend(self.tools(&["alsoAllow"]).and_then(|(n, _)| n.entries()).unwrap_or_default());
            out.push(Lists::new(&allow, &[]));
        }
        if let Some((node, _)) = self.general(&["tools"]) {
            out.push(Lists::of(node));
        }
        if let Some((node, _)) = self.own(&["tools"]) {
            out.push(Lists::of(node));
        }
        if self.sandbox_mode() == SandboxMode::All {
            let id = self.agent.as_ref().map_or_else(
                // No agent of this name is listed, so the shared lists answer.
                || oc_types::AgentId::normalized("no-agent"),
                |a| a.id.clone(),
            );
            let lists = tool_lists(self.config, &id);
            out.push(Lists::new(&lists.allow, &lists.deny));
        }
        out
    }

    /// Whether a tool (canonical name) is offered.
    pub(crate) fn offers(&self, tool: &str) -> bool {
        self.layers().iter().all(|l| l.permits(tool))
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
        let layers = self.layers();
        names.iter().copied().filter(|t| layers.iter().all(|l| l.permits(t))).collect()
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

/// One pair of lists.
struct Lists {
    allow: Vec<Pattern>,
    deny: Vec<Pattern>,
}

impl Lists {
    fn new(allow: &[String], deny: &[String]) -> Self {
        Self { allow: patterns(allow), deny: patterns(deny) }
    }

    fn of(tools: &Node) -> Self {
        let list = |key: &str| tools.get(key).and_then(Node::entries).unwrap_or_default();
        let (mut allow, also) = (list("allow"), list("alsoAllow"));
        // The seed's `profile: "messaging", allow: ["slack"]`: such a list adds to the profile beside it and narrows nothing.
        let adds = |e: &String| {
            let e = canonical(e);
            e == group::PLUGINS || CHANNELS.contains(&e.as_ref())
        };
        if tools.get("profile").is_some() && allow.iter().all(adds) {
            allow.clear();
        }
        // On its own `alsoAllow` adds to a profile; it restricts nothing.
        if !allow.is_empty() {
            allow.extend(also);
        }
        Self::new(&allow, &list("deny"))
    }

    fn permits(&self, tool: &str) -> bool {
        let hit = |list: &[Pattern]| list.iter().any(|p| p.matches(tool));
        if hit(&self.deny) {
            return false;
        }
        let through_exec = || tool == "apply_patch" && self.allow.iter().any(|p| p.matches("exec"));
        self.allow.is_empty() || hit(&self.allow) || through_exec()
    }
}

fn patterns(entries: &[String]) -> Vec<Pattern> {
    let mut out = Vec::new();
    for entry in entries {
        let name = canonical(entry);
        match group::members(&name) {
            _ if name.is_empty() => {}
            Some(members) => out.extend(members.iter().map(|m| Pattern::new(m))),
            None => out.push(Pattern::new(&name)),
        }
    }
    out
}
