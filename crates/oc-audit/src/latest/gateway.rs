//! Gateway: credentials, rate limits, the web console's origins, proxies, discovery.

use oc_types::{Node, Severity};

use crate::gateway_auth::{Credential, GatewayAuth, MIN_SECRET, Mode, Place, is_short};
use crate::{AuditContext, Findings, KeyRef};

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let gw = GatewayAuth::resolve(ctx);
    credentials(ctx, &gw, out);
    overridden_token(ctx, &gw, out);
    rate_limit(ctx, &gw, out);
    http_auth(ctx, &gw, out);
    session_keys(ctx, out);
    origins(ctx, &gw, out);
    real_ip(ctx, &gw, out);
    trusted_proxy(ctx, &gw, out);
    tailscale_headers(ctx, &gw, out);
    discovery(ctx, &gw, out);
    if ctx.flag(&["mcp", "apps", "enabled"]) == Some(true) {
        out.report("mcp.apps.enabled", Severity::Warn)
            .detail("`mcp.apps.enabled` is true: MCP servers may show their own pages in the console")
            .key(ctx.key(&["mcp", "apps", "enabled"]));
    }
}

/// Whether a credential is what a template leaves behind: nothing, `undefined` or `null`, in exactly this spelling.
fn is_placeholder(secret: Credential<'_>) -> bool {
    matches!(secret.value.trim(), "" | "undefined" | "null")
}

/// The key of the credential of the mode in force.
fn active_key(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>) -> KeyRef {
    ctx.key(match gw.mode {
        Mode::Password => &["gateway", "auth", "password"],
        Mode::Token => &["gateway", "auth", "token"],
        Mode::None | Mode::TrustedProxy => &["gateway", "auth", "mode"],
    })
}

/// `critical` when `worse`, else `warn`.
pub(super) fn worse_if(worse: bool) -> Severity {
    if worse { Severity::Critical } else { Severity::Warn }
}

fn credentials(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    let Some(secret) = gw.active() else { return };
    let (key, placeholder) = match gw.mode {
        Mode::Password => ("gateway.auth.password", "gateway.password_placeholder_value"),
        Mode::Token | Mode::None | Mode::TrustedProxy => {
            ("gateway.auth.token", "gateway.token_placeholder_value")
        }
    };
    let from = match secret.place {
        Place::Env(name) => format!(" (from {name})"),
        Place::Config => String::new(),
    };
    if is_placeholder(secret) {
        // One finding about one secret: too short goes without saying.
        out.retain(|f| f.check_id != "gateway.token_too_short");
        out.report(placeholder, Severity::Critical)
            .detail(format!("`{key}`{from} is blank, `undefined` or `null`: a template was not filled in"))
            .key(active_key(ctx, gw));
    } else if gw.mode == Mode::Password && is_short(secret.length()) {
        out.report("gateway.password_too_short", Severity::Warn)
            .detail(format!(
                "`{key}`{from} has {} characters; {MIN_SECRET} or more are hard to guess",
                secret.length()
            ))
            .key(active_key(ctx, gw));
    }
}

fn overridden_token(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    let explicit = ctx.text(&["gateway", "auth", "mode"]);
    let inert = ctx.text(&["gateway", "mode"]) == Some("remote")
        || matches!(explicit, Some("password" | "none" | "trusted-proxy"));
    let (Some(configured), Some(env)) = (
        gw.token.filter(|t| t.place == Place::Config && !t.is_blank()),
        ["OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN"]
            .into_iter()
            .find_map(|n| Some((n, ctx.env(n).map(str::trim).filter(|v| !v.is_empty())?))),
    ) else {
        return;
    };
    let key = ctx.key(&["gateway", "auth", "token"]);
    let refers =
        matches!(&key.origin, oc_types::Origin::Env { names, .. } if names.iter().any(|n| &**n == env.0));
    if !inert && !refers && configured.value.trim() != env.1 {
        out.report("gateway.env_token_overrides_config", Severity::Warn)
            .detail(format!(
                "{} and `gateway.auth.token` are both set and differ: clients may use the wrong one",
                env.0
            ))
            .key(key);
    }
}

fn rate_limit(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    let keys: &[&str] = &["gateway", "auth", "rateLimit"];
    if gw.exposed() && gw.mode != Mode::TrustedProxy && ctx.get(keys).is_none() {
        out.report("gateway.auth_no_rate_limit", Severity::Warn)
            .detail("`gateway.bind` is not loopback and `gateway.auth.rateLimit` is not set: guessing is not slowed down")
            .key(ctx.key(keys));
    }
}

fn http_auth(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    if gw.mode == Mode::TrustedProxy || gw.shared_secret() {
        return;
    }
    let key = active_key(ctx, gw);
    out.report("gateway.http.no_auth", worse_if(gw.remote()))
        .detail(format!("`{}` is not set: HTTP callers of the gateway need to know nothing", key.path))
        .key(key);
}

fn session_keys(ctx: &AuditContext<'_>, out: &mut Findings) {
    let on: Vec<_> = ["chatCompletions", "responses"]
        .into_iter()
        .filter(|e| ctx.flag(&["gateway", "http", "endpoints", e, "enabled"]) == Some(true))
        .collect();
    if !on.is_empty() {
        let names: Vec<_> = on.iter().map(|e| format!("`gateway.http.endpoints.{e}.enabled`")).collect();
        out.report("gateway.http.session_key_override_enabled", Severity::Info)
            .detail(format!("{}: a caller with the gateway's secret may name any session", names.join(", ")))
            .keys(on.iter().map(|e| ctx.key(&["gateway", "http", "endpoints", e, "enabled"])));
    }
}

fn origins(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    let keys: &[&str] = &["gateway", "controlUi", "allowedOrigins"];
    let listed: Vec<String> = ctx.get(keys).and_then(Node::entries).unwrap_or_default();
    let listed: Vec<&str> = listed.iter().map(|o| o.trim()).filter(|o| !o.is_empty()).collect();
    let fallback_keys: &[&str] = &["gateway", "controlUi", "dangerouslyAllowHostHeaderOriginFallback"];
    let fallback = ctx.flag(fallback_keys) == Some(true);
    if gw.exposed() && gw.control_ui && listed.is_empty() && !fallback {
        out.report("gateway.control_ui.allowed_origins_required", Severity::Critical)
            .detail("`gateway.controlUi.allowedOrigins` is empty and the gateway listens beyond loopback")
            .key(ctx.key(keys));
    }
    if listed.contains(&"*") {
        out.report("gateway.control_ui.allowed_origins_wildcard", worse_if(gw.exposed()))
            .detail(
                "`gateway.controlUi.allowedOrigins` contains `*`: any web page may open the gateway's socket",
            )
            .key(ctx.key(keys));
    }
    if fallback {
        out.report("gateway.control_ui.host_header_origin_fallback", worse_if(gw.exposed()))
            .detail("`gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback` is true: the Host header, which a DNS \
                     rebinding page chooses, decides which origin is ours")
            .key(ctx.key(fallback_keys));
    }
}

fn real_ip(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    let keys: &[&str] = &["gateway", "allowRealIpFallback"];
    if ctx.flag(keys) != Some(true) {
        return;
    }
    let proxies = ctx.get(&["gateway", "trustedProxies"]).and_then(Node::entries).unwrap_or_default();
    let foreign = proxies.iter().any(|p| !is_loopback_proxy(p.trim()));
    out.report("gateway.real_ip_fallback_enabled", worse_if(gw.exposed() || (gw.mode == Mode::TrustedProxy && foreign)))
        .detail("`gateway.allowRealIpFallback` is true: X-Real-IP, which a caller can write, may decide who the caller is")
        .key(ctx.key(keys));
}

/// `127.0.0.1` or `::1`, alone or as a block of one address. Nothing wider counts as loopback only.
fn is_loopback_proxy(entry: &str) -> bool {
    matches!(entry, "127.0.0.1" | "127.0.0.1/32" | "::1" | "::1/128")
}

fn trusted_proxy(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    if gw.mode != Mode::TrustedProxy {
        return;
    }
    let mode = ctx.key(&["gateway", "auth", "mode"]);
    let report = |out: &mut Findings, id: &str, severity, keys: &[&str], detail: &str| {
        out.report(id, severity).detail(detail).key(ctx.key(keys));
    };
    out.report("gateway.trusted_proxy_auth", Severity::Critical)
        .detail("`gateway.auth.mode` is `trusted-proxy`: whoever reaches the port past the proxy is whoever it says")
        .key(mode);
    let list = |keys: &[&str]| {
        ctx.get(keys).and_then(Node::entries).unwrap_or_default().iter().any(|e| !e.trim().is_empty())
    };
    if !list(&["gateway", "trustedProxies"]) {
        let keys = ["gateway", "trustedProxies"];
        report(
            out,
            "gateway.trusted_proxy_no_proxies",
            Severity::Critical,
            &keys,
            "`gateway.trustedProxies` is empty",
        );
    }
    let header = ["gateway", "auth", "trustedProxy", "userHeader"];
    if ctx.text(&header).is_none_or(|h| h.trim().is_empty()) {
        let detail = "`gateway.auth.trustedProxy.userHeader` is not set: no header says who the user is";
        report(out, "gateway.trusted_proxy_no_user_header", Severity::Critical, &header, detail);
    }
    let users = ["gateway", "auth", "trustedProxy", "allowUsers"];
    if !list(&users) {
        let detail = "`gateway.auth.trustedProxy.allowUsers` is empty: every user of the proxy gets in";
        report(out, "gateway.trusted_proxy_no_allowlist", Severity::Warn, &users, detail);
    }
    let loopback = ["gateway", "auth", "trustedProxy", "allowLoopback"];
    if ctx.flag(&loopback) == Some(true) {
        let detail =
            "`gateway.auth.trustedProxy.allowLoopback` is true: programs on this machine may name any user";
        report(out, "gateway.trusted_proxy_allow_loopback", Severity::Warn, &loopback, detail);
    }
    let approve = ["gateway", "auth", "trustedProxy", "deviceAutoApprove", "enabled"];
    if ctx.flag(&approve) == Some(true) {
        let detail =
            "`gateway.auth.trustedProxy.deviceAutoApprove.enabled` is true: new devices are paired unseen";
        report(out, "gateway.trusted_proxy_device_auto_approve", Severity::Warn, &approve, detail);
        let scopes = ["gateway", "auth", "trustedProxy", "deviceAutoApprove", "scopes"];
        let admin = ctx.get(&scopes).and_then(Node::entries).unwrap_or_default();
        if admin.iter().any(|s| s.trim() == "operator.admin") {
            let detail = "`gateway.auth.trustedProxy.deviceAutoApprove.scopes` contains `operator.admin`";
            report(
                out,
                "gateway.trusted_proxy_device_auto_approve_admin",
                Severity::Critical,
                &scopes,
                detail,
            );
        }
    }
}

fn tailscale_headers(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    let allow: &[&str] = &["gateway", "auth", "allowTailscale"];
    let effective = gw.allow_tailscale;
    let proxies: &[&str] = &["gateway", "trustedProxies"];
    let set =
        ctx.get(proxies).and_then(Node::entries).is_some_and(|p| p.iter().any(|e| !e.trim().is_empty()));
    if effective && set {
        out.report("gateway.tailscale_headers_behind_proxy", Severity::Critical)
            .detail(
                "`gateway.auth.allowTailscale` is in force and `gateway.trustedProxies` is set: a proxy that passes \
                 Tailscale identity headers on lets its callers be anybody",
            )
            .keys([ctx.key(allow), ctx.key(proxies)]);
    }
}

fn discovery(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    let keys: &[&str] = &["discovery", "mdns", "mode"];
    if ctx.text(keys) == Some("full") {
        out.report("discovery.mdns_full_mode", worse_if(gw.exposed()))
            .detail("`discovery.mdns.mode` is `full`: the local network is told paths and the SSH port of this machine")
            .key(ctx.key(keys));
    }
}
