//! How the gateway starts and whom it lets in.

use oc_types::Severity;

use super::{Note, Repair, Step};
use crate::AuditContext;

/// Notes on `gateway.mode` and on a missing token.
pub fn examine(ctx: &AuditContext<'_>, notes: &mut Vec<Note>) {
    if ctx.get(&["gateway", "mode"]).is_none() {
        notes.push(Note {
            step: Step::Gateway,
            id: "gateway.mode-unset".to_owned(),
            severity: Severity::Warn,
            text: "gateway.mode is not set, so the gateway will not start; \
                   run `openclaw config set gateway.mode local`"
                .to_owned(),
            keys: vec![ctx.key(&["gateway", "mode"])],
            repairs: Vec::new(),
        });
    }
    if needs_token(ctx) {
        notes.push(Note {
            step: Step::Gateway,
            id: "gateway.token-missing".to_owned(),
            severity: Severity::Critical,
            text: "the gateway has no token or password, so it accepts nobody; \
                   run `openclaw doctor --generate-gateway-token`"
                .to_owned(),
            keys: vec![ctx.key(&["gateway", "auth", "token"])],
            repairs: vec![Repair::GenerateToken],
        });
    }
}

/// A local gateway in token mode (said or inferred) without a token anywhere.
fn needs_token(ctx: &AuditContext<'_>) -> bool {
    let local = ctx.text(&["gateway", "mode"]) != Some("remote");
    let set = |key: &str, names: [&str; 2]| {
        let configured = ctx.get(&["gateway", "auth", key]);
        match configured.map(|n| n.as_str()) {
            Some(Some(text)) => !text.trim().is_empty(),
            // A reference object (file, keychain) counts as set: it is judged where it is resolved.
            Some(None) => true,
            None => names.iter().any(|n| ctx.env(n).is_some_and(|v| !v.trim().is_empty())),
        }
    };
    let token = set("token", ["OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN"]);
    let password = set("password", ["OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD"]);
    match ctx.text(&["gateway", "auth", "mode"]) {
        Some("token") => local && !token,
        Some(_) => false,
        None => local && !token && !password,
    }
}
