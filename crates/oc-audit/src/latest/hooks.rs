//! Incoming hooks: which session and which agent a caller can reach. Silent unless `hooks.enabled` is true.

use oc_types::{Node, Severity};

use super::gateway::worse_if;
use crate::gateway_auth::GatewayAuth;
use crate::{AuditContext, Findings};

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    if ctx.flag(&["hooks", "enabled"]) != Some(true) {
        return;
    }
    let severity = worse_if(GatewayAuth::resolve(ctx).remote());
    let session: &[&str] = &["hooks", "defaultSessionKey"];
    if ctx.text(session).is_none_or(|k| k.trim().is_empty()) {
        out.report("hooks.default_session_key_unset", Severity::Warn)
            .detail("`hooks.defaultSessionKey` is not set: every call opens a session of its own choosing")
            .key(ctx.key(session));
    }
    let agents: &[&str] = &["hooks", "allowedAgentIds"];
    let listed = ctx.get(agents).and_then(Node::entries);
    if listed.as_ref().is_none_or(|l| l.iter().any(|a| a.trim() == "*")) {
        let what = if listed.is_some() { "contains `*`" } else { "is not set" };
        out.report("hooks.allowed_agent_ids_unrestricted", severity)
            .detail(format!("`hooks.allowedAgentIds` {what}: a caller may start any agent"))
            .key(ctx.key(agents));
    }
    let request: &[&str] = &["hooks", "allowRequestSessionKey"];
    if ctx.flag(request) != Some(true) {
        return;
    }
    out.report("hooks.request_session_key_enabled", severity)
        .detail("`hooks.allowRequestSessionKey` is true: a caller names the session that its text goes to")
        .key(ctx.key(request));
    let prefixes: &[&str] = &["hooks", "allowedSessionKeyPrefixes"];
    let some =
        ctx.get(prefixes).and_then(Node::entries).is_some_and(|l| l.iter().any(|p| !p.trim().is_empty()));
    if !some {
        out.report("hooks.request_session_key_prefixes_missing", severity)
            .detail("`hooks.allowedSessionKeyPrefixes` is empty: the named session may be anybody's")
            .keys([ctx.key(prefixes), ctx.key(request)]);
    }
}
