//! Incoming hooks (audit spec 1.5). Silent unless `hooks.enabled` is exactly true.

use oc_types::Severity;

use crate::gateway_auth::{GatewayAuth, MIN_SECRET, Mode, is_short, secret_length};
use crate::{AuditContext, Findings};

/// Token strength, token reuse, path.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    if ctx.flag(&["hooks", "enabled"]) != Some(true) {
        return;
    }
    let token = ctx.text(&["hooks", "token"]).unwrap_or_default().trim();
    let key = ctx.key(&["hooks", "token"]);
    let length = secret_length(token);
    if is_short(length) {
        out.report("hooks.token_too_short", Severity::Warn)
            .detail(format!("`hooks.token` has {length} characters; use {MIN_SECRET} or more."))
            .key(key.clone());
    }
    let auth = GatewayAuth::resolve(ctx);
    let (of_gateway, gateway_key) = match auth.mode {
        Mode::Token => (auth.token, ["gateway", "auth", "token"]),
        // The era looked at tokens only.
        Mode::Password if ctx.latest() => (auth.password, ["gateway", "auth", "password"]),
        Mode::Password | Mode::None | Mode::TrustedProxy => (None, ["gateway", "auth", "mode"]),
    };
    if !token.is_empty() && of_gateway.is_some_and(|c| c.value.trim() == token) {
        let severity = if ctx.latest() { Severity::Critical } else { Severity::Warn };
        out.report("hooks.token_reuse_gateway_token", severity)
            .detail(format!("`hooks.token` equals `{}`.", gateway_key.join(".")))
            .key(key)
            .key(ctx.key(&gateway_key));
    }
    if ctx.text(&["hooks", "path"]).unwrap_or_default().trim() == "/" {
        out.report("hooks.path_root", Severity::Critical)
            .detail("`hooks.path` is \"/\": every request to the gateway's port can be taken for a hook.")
            .key(ctx.key(&["hooks", "path"]));
    }
}
