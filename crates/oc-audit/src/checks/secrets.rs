//! Secrets written into the configuration (audit spec 1.5).

use oc_types::{Node, Origin, Severity};

use crate::{AuditContext, Findings};

/// Gateway password and hook token.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let password = ["gateway", "auth", "password"];
    if ctx.get(&password).is_some_and(|n| is_written(ctx, n)) {
        out.report("config.secrets.gateway_password_in_config", Severity::Warn)
            .detail("`gateway.auth.password` holds the password itself.")
            .key(ctx.key(&password));
    }
    let token = ["hooks", "token"];
    if ctx.flag(&["hooks", "enabled"]) == Some(true) && ctx.get(&token).is_some_and(|n| is_written(ctx, n)) {
        out.report("config.secrets.hooks_token_in_config", Severity::Info)
            .detail("`hooks.token` holds the token itself.")
            .key(ctx.key(&token));
    }
}

/// Whether a secret itself stands there. The era looked at the value after substitution, so a working `${VAR}` reference was
/// flagged as well; the latest rules take it for what it is.
fn is_written(ctx: &AuditContext<'_>, node: &Node) -> bool {
    let Some(text) = node.as_str().map(str::trim) else { return false };
    let reference = text.starts_with("${") && text.ends_with('}');
    let from_variable = ctx.latest() && matches!(node.origin, Origin::Env { .. });
    !text.is_empty() && !reference && !from_variable
}
