//! Small models that reach the web or run outside a sandbox (audit spec 1.6).

use oc_policy::profile::Profile;
use oc_policy::sandbox::{DEFAULT_ALLOW, DEFAULT_DENY};
use oc_types::{AgentId, Node, Severity};

use crate::model_ids::{self, ModelId};
use crate::tool_lists::ToolLists;
use crate::{AuditContext, Findings, browser_profiles, workspace};

/// Billions of parameters up to which a model counts as small.
const SMALL: f64 = 300.0;

/// One finding about all small models: critical when one of them is unsafe.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let models = model_ids::collect(ctx.config);
    let small: Vec<(&ModelId, f64)> = models
        .iter()
        .filter(|m| !m.image)
        .filter_map(|m| Some((m, model_ids::billions(&m.id)?)))
        .filter(|(_, size)| *size <= SMALL)
        .collect();
    if small.is_empty() {
        return;
    }
    let mut unsafe_models = 0_usize;
    let mut lines = Vec::new();
    for (model, size) in &small {
        let scope = Scope::of(ctx, model.agent.as_ref());
        let exposed = scope.exposed_tools(ctx);
        let sandboxed = scope.mode == "all";
        if !sandboxed || !exposed.is_empty() {
            unsafe_models += 1;
        }
        let reach = if exposed.is_empty() { "no web tool".to_owned() } else { exposed.join(", ") };
        lines.push(format!("`{}`: {} ({size}B; sandbox {}; {reach})", model.key, model.id, scope.mode));
    }
    let severity = if unsafe_models > 0 { Severity::Critical } else { Severity::Info };
    let mut draft = out
        .report("models.small_params", severity)
        .detail(lines.join("; "))
        .keys(small.iter().map(|(m, _)| ctx.key_at(&m.key)));
    if unsafe_models == 0 {
        draft = draft.title("A small model is configured, sandboxed and without web tools");
    }
    drop(draft);
}

/// Whose sandbox and tools count for a model.
struct Scope<'a> {
    agent: Option<&'a Node>,
    mode: &'a str,
}

impl<'a> Scope<'a> {
    fn of(ctx: &AuditContext<'a>, id: Option<&AgentId>) -> Self {
        // Quirk of the era: an agent whose id holds a dot counts by the global settings. Ids never hold one after normalisation,
        // so it is the written id that decides.
        let agent = id.and_then(|id| {
            let agent = workspace::agents(ctx.config).into_iter().find(|a| a.id == *id)?;
            let written = agent.entry?.get("id").and_then(Node::as_str).unwrap_or_default();
            (ctx.latest() || !written.contains('.')).then_some(agent.entry).flatten()
        });
        let mode = agent
            .and_then(|e| e.path(&["sandbox", "mode"]))
            .and_then(Node::as_str)
            .or_else(|| ctx.text(&["agents", "defaults", "sandbox", "mode"]))
            .unwrap_or("off");
        Self { agent, mode }
    }

    /// The web tools that every policy lets through.
    fn exposed_tools(&self, ctx: &AuditContext<'_>) -> Vec<&'static str> {
        let policies = self.policies(ctx);
        let available =
            [("web_search", web_search(ctx)), ("web_fetch", web_fetch(ctx)), ("browser", browser(ctx))];
        available
            .into_iter()
            .filter(|(tool, on)| *on && policies.iter().all(|p| p.permits(tool)))
            .map(|(tool, _)| tool)
            .collect()
    }

    fn policies(&self, ctx: &AuditContext<'_>) -> Vec<ToolLists> {
        let own = |keys: &[&str]| self.agent.and_then(|e| e.path(keys)).filter(|n| !n.is_null());
        let mut out = Vec::new();
        let profile = own(&["tools", "profile"]).or_else(|| ctx.get(&["tools", "profile"]));
        if let Some(allow) = profile.and_then(Node::as_str).and_then(Profile::parse).and_then(Profile::allow)
        {
            // The era did not see what is allowed beside a profile.
            let extra = own(&["tools", "alsoAllow"]).or_else(|| ctx.get(&["tools", "alsoAllow"]));
            let extra = extra.filter(|_| ctx.latest()).and_then(Node::entries).unwrap_or_default();
            let allow = allow.iter().map(|t| (*t).to_owned()).chain(extra).collect::<Vec<_>>();
            out.push(ToolLists::new(Some(&allow), &[]));
        }
        out.extend(ctx.get(&["tools"]).map(ToolLists::of));
        out.extend(own(&["tools"]).map(ToolLists::of));
        if self.mode == "all" {
            out.push(self.sandbox(ctx));
        }
        out
    }

    fn sandbox(&self, ctx: &AuditContext<'_>) -> ToolLists {
        let list = |field: &str, default: &[&str]| {
            self.agent
                .and_then(|e| e.path(&["tools", "sandbox", "tools", field]))
                .and_then(Node::entries)
                .or_else(|| ctx.get(&["tools", "sandbox", "tools", field]).and_then(Node::entries))
                .unwrap_or_else(|| default.iter().map(|t| (*t).to_owned()).collect())
        };
        let (mut allow, deny) = (list("allow", &DEFAULT_ALLOW), list("deny", &DEFAULT_DENY));
        let named = |list: &[String]| list.iter().any(|t| t.trim().eq_ignore_ascii_case("image"));
        if !named(&allow) && !named(&deny) {
            // Also turns an empty list into one that admits nothing else.
            allow.push("image".to_owned());
        }
        ToolLists::new(Some(&allow), &deny)
    }
}

/// Whether web search is there: as said, else when a key for it exists.
fn web_search(ctx: &AuditContext<'_>) -> bool {
    if let Some(on) = ctx.flag(&["tools", "web", "search", "enabled"]) {
        return on;
    }
    let written = |keys: &[&str]| ctx.text(keys).is_some_and(|t| !t.trim().is_empty());
    written(&["tools", "web", "search", "apiKey"])
        || written(&["tools", "web", "search", "perplexity", "apiKey"])
        || ["BRAVE_API_KEY", "PERPLEXITY_API_KEY", "OPENROUTER_API_KEY"]
            .iter()
            .any(|name| ctx.facts.environment.text(name).is_some())
}

fn web_fetch(ctx: &AuditContext<'_>) -> bool {
    ctx.flag(&["tools", "web", "fetch", "enabled"]) != Some(false)
}

/// Whether the browser tool is there; settings that cannot be resolved count as on.
fn browser(ctx: &AuditContext<'_>) -> bool {
    browser_profiles::resolve(ctx).is_err() || browser_profiles::enabled(ctx)
}
