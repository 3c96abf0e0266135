//! Weaker tiers for agents with tools (seed: model strength). It warns and never blocks.

use oc_types::Severity;

use super::reach::Scope;
use crate::{AuditContext, Findings, model_ids};

/// Tools with which a fooled model does harm.
const TOOLS: [&str; 9] =
    ["exec", "process", "write", "edit", "apply_patch", "browser", "web_fetch", "nodes", "message"];

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let scopes = Scope::all(ctx);
    let armed = |agent: Option<&oc_types::AgentId>| {
        let scope = match agent {
            None => scopes.first(),
            Some(id) => scopes.iter().find(|s| s.agent.as_ref().is_some_and(|a| a.id == *id)),
        };
        scope.is_some_and(|s| !s.offered(&TOOLS).is_empty())
    };
    let hits: Vec<_> = model_ids::collect(ctx.config)
        .into_iter()
        .filter(|m| !m.image && is_small_tier(&m.id) && armed(m.agent.as_ref()))
        .collect();
    if !hits.is_empty() {
        let names: Vec<String> = hits.iter().map(|m| format!("{} (`{}`)", m.id, m.key)).collect();
        out.report("models.sonnet_or_haiku_with_tools", Severity::Info)
            .detail(format!(
                "{}: smaller tiers are fooled more easily, and this one has tools",
                names.join(", ")
            ))
            .keys(hits.iter().map(|m| ctx.key_at(&m.key)));
    }
}

fn is_small_tier(id: &str) -> bool {
    id.to_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|w| matches!(w, "sonnet" | "haiku"))
}
