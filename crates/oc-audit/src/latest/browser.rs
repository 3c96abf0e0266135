//! Browser control: who can drive it, and which browser it is (audit spec 2 and 5.1).

use std::net::IpAddr;

use oc_types::{KeyPath, Node, Severity};

use crate::facts::TextFact;
use crate::gateway_auth::{GatewayAuth, Mode};
use crate::{AuditContext, Findings, Wanted, browser_profiles};

/// Parts of paths in which people's own browsers keep their profiles, lower case.
const PERSONAL: [&str; 14] = [
    "google-chrome",
    "google/chrome",
    "chromium",
    "brave",
    "microsoft-edge",
    "microsoft edge",
    "microsoft/edge",
    ".mozilla",
    "firefox",
    "vivaldi",
    "opera",
    "arc/user data",
    "library/safari",
    "librewolf",
];

/// Where paired devices and nodes are recorded.
fn pairings(ctx: &AuditContext<'_>) -> [std::path::PathBuf; 2] {
    ["devices/paired.json", "nodes/paired.json"].map(|f| ctx.facts.places.state_dir.join(f))
}

pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    for file in pairings(ctx) {
        wanted.text(file, Wanted::SMALL_FILE);
    }
}

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let gw = GatewayAuth::resolve(ctx);
    let on = browser_profiles::enabled(ctx);
    if on {
        control_auth(ctx, &gw, out);
        private_hosts(ctx, out);
        personal(ctx, out);
        relay(ctx, out);
    }
    exposed(ctx, &gw, on, out);
    node_proxy(ctx, &gw, out);
}

fn control_auth(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    let token = gw.token.is_some_and(|t| !t.is_blank());
    let known = match gw.mode {
        Mode::Token | Mode::TrustedProxy => token,
        Mode::Password => gw.shared_secret(),
        Mode::None => false,
    };
    if !known {
        let key = if gw.mode == Mode::Password { "password" } else { "token" };
        out.report("browser.control_no_auth", Severity::Critical)
            .detail(format!("`browser.enabled` is not false and `gateway.auth.{key}` is not set: any local program drives the browser"))
            .keys([ctx.key(&["gateway", "auth", key]), ctx.key(&["browser", "enabled"])]);
    }
}

fn private_hosts(ctx: &AuditContext<'_>, out: &mut Findings) {
    let keys: &[&str] = &["browser", "ssrfPolicy", "dangerouslyAllowPrivateNetwork"];
    if ctx.flag(keys) != Some(true) {
        return;
    }
    for profile in browser_profiles::resolve(ctx).unwrap_or_default() {
        let Ok(url) = &profile.endpoint else { continue };
        if !browser_profiles::is_loopback(&url.host) && is_private(&url.host) {
            out.report("browser.remote_cdp_private_host", Severity::Warn)
                .detail(format!("`{}` leads to {}, and `{}` is true", profile.key, url.host, keys.join(".")))
                .keys([ctx.key_at(&profile.key), ctx.key(keys)]);
        }
    }
}

/// A private address literal, or the name under which clouds serve credentials.
fn is_private(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>().map(|a| a.to_canonical()) {
        Ok(IpAddr::V4(a)) => {
            let shared = matches!(a.octets(), [100, b, ..] if (64..128).contains(&b));
            a.is_private() || a.is_link_local() || a.is_loopback() || shared
        }
        Ok(IpAddr::V6(a)) => a.is_unique_local() || a.is_unicast_link_local() || a.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("metadata.google.internal"),
    }
}

fn profiles<'a>(ctx: &AuditContext<'a>) -> impl Iterator<Item = (KeyPath, &'a Node)> {
    let map = ctx.get(&["browser", "profiles"]).and_then(Node::as_object);
    map.into_iter()
        .flatten()
        .map(|(name, node)| (KeyPath::dotted("browser.profiles").key(name.as_str()), node))
}

fn personal(ctx: &AuditContext<'_>, out: &mut Findings) {
    for (path, node) in profiles(ctx) {
        let folder = node.get("userDataDir").and_then(Node::as_str).unwrap_or_default();
        let lower = folder.to_lowercase().replace('\\', "/");
        let hit = if PERSONAL.iter().any(|p| lower.contains(p)) {
            path.key("userDataDir")
        } else if node.get("driver").and_then(Node::as_str) == Some("existing-session") {
            path.key("driver")
        } else {
            continue;
        };
        out.report("browser.personal_profile", Severity::Warn)
            .detail(format!(
                "`{hit}` is a browser that a person uses: the model acts with that person's logins"
            ))
            .key(ctx.key_at(&hit));
    }
}

fn relay(ctx: &AuditContext<'_>, out: &mut Findings) {
    let mut hits = Vec::new();
    if ctx.flag(&["browser", "extensionRelay", "enabled"]) == Some(true) {
        hits.push(KeyPath::dotted("browser.extensionRelay.enabled"));
    }
    if ctx.text(&["browser", "defaultProfile"]) == Some("chrome") {
        hits.push(KeyPath::dotted("browser.defaultProfile"));
    }
    hits.extend(
        profiles(ctx)
            .filter(|(_, n)| n.get("driver").and_then(Node::as_str) == Some("extension"))
            .map(|(p, _)| p.key("driver")),
    );
    if let Some(first) = hits.first() {
        out.report("browser.extension_relay_enabled", Severity::Warn)
            .detail(format!("`{first}`: the extension takes over tabs that are open and acts as you there"))
            .keys(hits.iter().map(|p| ctx.key_at(p)));
    }
    let legacy: &[&str] = &["browser", "extensionRelay", "allowLegacyAuth"];
    if ctx.flag(legacy) == Some(true) {
        out.report("browser.extension_relay_legacy_auth", Severity::Warn)
            .detail("`browser.extensionRelay.allowLegacyAuth` is true: old relay tokens are still good")
            .key(ctx.key(legacy));
    }
}

fn exposed(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, on: bool, out: &mut Findings) {
    let bind: &[&str] = &["browser", "relayBindHost"];
    if let Some(host) = ctx.text(bind).map(str::trim).filter(|h| !h.is_empty() && !is_this_machine(h)) {
        out.report("browser.relay_exposed", Severity::Critical)
            .detail(format!(
                "`browser.relayBindHost` is {host}: others on the network reach the browser's control port"
            ))
            .key(ctx.key(bind));
    }
    if on && gw.tailscale == "funnel" {
        let mode: &[&str] = &["gateway", "tailscale", "mode"];
        out.report("browser.relay_exposed", Severity::Critical)
            .detail("`gateway.tailscale.mode` is `funnel` while `browser.enabled` is not false: browser control is on the public internet")
            .keys([ctx.key(mode), ctx.key(&["browser", "enabled"])]);
    }
}

/// Whether an address to listen on is reached from this machine only.
fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|a| a.to_canonical().is_loopback())
}

fn node_proxy(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    let mode: &[&str] = &["gateway", "nodes", "browser", "mode"];
    let [devices, nodes] = pairings(ctx).map(|p| paired(ctx.facts.text(&p)));
    let count = devices.iter().filter(|d| is_node(d)).count() + nodes.len();
    if count == 0 || ctx.text(mode) == Some("off") {
        return;
    }
    let severity = if gw.remote() { Severity::Warn } else { Severity::Info };
    out.report("browser.node_proxy_enabled", severity)
        .detail(format!(
            "{count} paired nodes may lend their browser, for `gateway.nodes.browser.mode` is not `off`"
        ))
        .key(ctx.key(mode));
}

fn paired(text: &TextFact) -> Vec<serde_json::Value> {
    let json = text.as_str().and_then(|t| serde_json::from_str(t).ok());
    match json {
        Some(serde_json::Value::Object(map)) => {
            map.into_iter().map(|(_, v)| v).filter(serde_json::Value::is_object).collect()
        }
        Some(serde_json::Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

fn is_node(device: &serde_json::Value) -> bool {
    let roles = device.get("roles").and_then(serde_json::Value::as_array);
    device.get("role").and_then(serde_json::Value::as_str) == Some("node")
        || roles.into_iter().flatten().any(|r| r.as_str() == Some("node"))
}
