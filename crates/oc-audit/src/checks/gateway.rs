//! Who can reach the gateway, and what it asks of them (audit spec 1.3).

use oc_types::Severity;

use crate::gateway_auth::{GatewayAuth, MIN_SECRET, Mode, Place, is_short};
use crate::{AuditContext, Findings, KeyRef};

/// The checks, in table order.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let auth = GatewayAuth::resolve(ctx);
    reach(ctx, &auth, out);
    tailscale(ctx, &auth, out);
    console(ctx, out);
    token(ctx, &auth, out);
}

fn reach(ctx: &AuditContext<'_>, auth: &GatewayAuth<'_>, out: &mut Findings) {
    if auth.exposed() {
        if !auth.shared_secret() {
            out.report("gateway.bind_no_auth", Severity::Critical)
                .detail(format!("`gateway.bind` is \"{}\" and {}.", auth.bind, no_secret(auth)))
                .key(ctx.key(&["gateway", "bind"]))
                .key(secret_key(ctx, auth));
        }
        return;
    }
    if auth.control_ui && ctx.get(&["gateway", "trustedProxies"]).is_none_or(is_empty_list) {
        out.report("gateway.trusted_proxies_missing", Severity::Warn)
            .detail(
                "`gateway.bind` is \"loopback\" and `gateway.trustedProxies` is empty. Behind a reverse proxy every \
                 caller would look local; proxied connections are refused then.",
            )
            .key(ctx.key(&["gateway", "trustedProxies"]));
    }
    if auth.control_ui && !auth.shared_secret() && !auth.tailscale_auth() {
        out.report("gateway.loopback_no_auth", Severity::Critical)
            .detail(format!(
                "`gateway.bind` is \"loopback\" and {}. Every local program, and whatever a proxy forwards, gets in.",
                no_secret(auth)
            ))
            .key(secret_key(ctx, auth));
    }
}

fn is_empty_list(node: &oc_types::Node) -> bool {
    node.as_array().is_some_and(<[_]>::is_empty)
}

fn no_secret(auth: &GatewayAuth<'_>) -> &'static str {
    match auth.mode {
        Mode::Token => "there is no token (`gateway.auth.token`, `OPENCLAW_GATEWAY_TOKEN`)",
        Mode::Password => "there is no password (`gateway.auth.password`, `OPENCLAW_GATEWAY_PASSWORD`)",
        Mode::None => "`gateway.auth.mode` is \"none\"",
        Mode::TrustedProxy => "`gateway.auth.mode` leaves it to the proxy",
    }
}

fn secret_key(ctx: &AuditContext<'_>, auth: &GatewayAuth<'_>) -> KeyRef {
    match auth.mode {
        Mode::Token => ctx.key(&["gateway", "auth", "token"]),
        Mode::Password => ctx.key(&["gateway", "auth", "password"]),
        Mode::None | Mode::TrustedProxy => ctx.key(&["gateway", "auth", "mode"]),
    }
}

fn tailscale(ctx: &AuditContext<'_>, auth: &GatewayAuth<'_>, out: &mut Findings) {
    let key = ctx.key(&["gateway", "tailscale", "mode"]);
    match auth.tailscale {
        "funnel" => {
            out.report("gateway.tailscale_funnel", Severity::Critical)
                .detail("`gateway.tailscale.mode` is \"funnel\": anybody on the internet can connect.")
                .key(key);
        }
        "serve" => {
            out.report("gateway.tailscale_serve", Severity::Info)
                .detail(
                    "`gateway.tailscale.mode` is \"serve\": machines of the tailnet can connect, the port stays on loopback.",
                )
                .key(key);
        }
        _ => {}
    }
}

fn console(ctx: &AuditContext<'_>, out: &mut Findings) {
    for (key, id, detail) in [
        (
            "allowInsecureAuth",
            "gateway.control_ui.insecure_auth",
            "`gateway.controlUi.allowInsecureAuth` is true: without HTTPS the token alone is enough and pairing is skipped.",
        ),
        (
            "dangerouslyDisableDeviceAuth",
            "gateway.control_ui.device_auth_disabled",
            "`gateway.controlUi.dangerouslyDisableDeviceAuth` is true: no device has to prove who it is.",
        ),
    ] {
        if ctx.flag(&["gateway", "controlUi", key]) == Some(true) {
            out.report(id, Severity::Critical).detail(detail).key(ctx.key(&["gateway", "controlUi", key]));
        }
    }
}

fn token(ctx: &AuditContext<'_>, auth: &GatewayAuth<'_>, out: &mut Findings) {
    let (Mode::Token, Some(token)) = (auth.mode, auth.token) else { return };
    let length = token.length();
    if is_short(length) {
        let place = match token.place {
            Place::Config => "`gateway.auth.token`".to_owned(),
            Place::Env(name) => format!("`{name}` (used as `gateway.auth.token`)"),
        };
        out.report("gateway.token_too_short", Severity::Warn)
            .detail(format!("{place} has {length} characters; use {MIN_SECRET} or more."))
            .key(ctx.key(&["gateway", "auth", "token"]));
    }
}
