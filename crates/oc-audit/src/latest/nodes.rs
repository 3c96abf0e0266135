//! Commands of paired nodes and tools over HTTP that the operator switched on, and denials that have no effect.

use oc_policy::group;
use oc_policy::pattern::Pattern;
use oc_policy::tool_name::canonical;
use oc_types::{KeyPath, Node, Severity};

use super::gateway::worse_if;
use crate::gateway_auth::GatewayAuth;
use crate::{AuditContext, Findings};

/// Commands that every platform's nodes offer by default.
const DEFAULT_COMMANDS: [&str; 29] = [
    "browser.proxy",
    "calendar.events",
    "camera.list",
    "canvas.a2ui.push",
    "canvas.a2ui.pushJSONL",
    "canvas.a2ui.reset",
    "canvas.eval",
    "canvas.hide",
    "canvas.navigate",
    "canvas.present",
    "canvas.snapshot",
    "contacts.search",
    "device.health",
    "device.info",
    "device.permissions",
    "device.status",
    "location.get",
    "motion.activity",
    "motion.pedometer",
    "notifications.actions",
    "notifications.list",
    "photos.latest",
    "reminders.list",
    "system.execApprovals.get",
    "system.execApprovals.set",
    "system.notify",
    "system.run",
    "system.run.prepare",
    "system.which",
];
/// Commands that are off unless allowed.
const DANGEROUS_COMMANDS: [&str; 10] = [
    "camera.snap",
    "camera.clip",
    "camera.ptz.control",
    "screen.record",
    "contacts.add",
    "calendar.add",
    "reminders.add",
    "sms.send",
    "sms.search",
    "health.summary",
];
/// Tools that HTTP callers do not get unless allowed (tool-policy 9).
const HTTP_DENIED: [&str; 23] = [
    "exec",
    "spawn",
    "shell",
    "fs_write",
    "fs_delete",
    "fs_move",
    "apply_patch",
    "terminal",
    "portal",
    "sessions_spawn",
    "sessions_send",
    "conversations_list",
    "conversations_send",
    "conversations_turn",
    "automations",
    "cron",
    "gateway",
    "plugins",
    "nodes",
    "computer",
    "mobile_ui",
    "openclaw",
    "whatsapp_login",
];

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let gw = GatewayAuth::resolve(ctx);
    let allow = commands(ctx, "allow", "allowCommands");
    let deny = commands(ctx, "deny", "denyCommands");
    let mut dangerous: Vec<&str> = allow.iter().map(|(c, _)| c.as_str()).collect();
    dangerous.retain(|c| DANGEROUS_COMMANDS.contains(c) && !deny.iter().any(|(d, _)| d == c));
    dangerous.sort_unstable();
    dangerous.dedup();
    if !dangerous.is_empty() {
        out.report("gateway.nodes.allow_commands_dangerous", worse_if(gw.remote()))
            .detail(format!("{} lets paired devices do {}", places(&allow), quoted(&dangerous)))
            .keys(allow.iter().filter(|(c, _)| dangerous.contains(&c.as_str())).map(|(_, p)| ctx.key_at(p)));
    }
    let known = |c: &str| {
        DEFAULT_COMMANDS.contains(&c) || DANGEROUS_COMMANDS.contains(&c) || allow.iter().any(|(a, _)| a == c)
    };
    let idle: Vec<_> = deny.iter().filter(|(c, _)| looks_like_pattern(c) || !known(c)).collect();
    if !idle.is_empty() {
        let names: Vec<&str> = idle.iter().map(|(c, _)| c.as_str()).collect();
        out.report("gateway.nodes.deny_commands_ineffective", Severity::Warn)
            .detail(format!(
                "{}: {} names no command exactly, so it denies nothing",
                places(&deny),
                quoted(&names)
            ))
            .keys(idle.iter().map(|(_, p)| ctx.key_at(p)));
    }
    http_tools(ctx, &gw, out);
}

/// The entries of a list, in both spellings of its key, trimmed, with where each stands.
fn commands(ctx: &AuditContext<'_>, newer: &str, older: &str) -> Vec<(String, KeyPath)> {
    let mut out = Vec::new();
    for keys in [&["gateway", "nodes", "commands", newer][..], &["gateway", "nodes", older]] {
        let path = KeyPath::keys(keys.iter().copied());
        let items = ctx.get(keys).and_then(Node::as_array).unwrap_or_default();
        for (i, item) in items.iter().enumerate() {
            if let Some(text) = item.as_str().map(str::trim).filter(|t| !t.is_empty()) {
                out.push((text.to_owned(), path.index(i)));
            }
        }
    }
    out
}

fn looks_like_pattern(command: &str) -> bool {
    command.contains(|c: char| "?*[]{}(),|".contains(c) || c.is_whitespace())
        || command.starts_with(['/', '^'])
        || command.ends_with(['/', '$'])
        || command.to_lowercase().starts_with("group:")
}

fn places(list: &[(String, KeyPath)]) -> String {
    let mut parents: Vec<String> =
        list.iter().filter_map(|(_, p)| p.parent()).map(|p| format!("`{p}`")).collect();
    parents.dedup();
    parents.join(", ")
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

fn http_tools(ctx: &AuditContext<'_>, gw: &GatewayAuth<'_>, out: &mut Findings) {
    let keys: &[&str] = &["gateway", "tools", "allow"];
    let entries = ctx.get(keys).and_then(Node::entries).unwrap_or_default();
    let mut tools: Vec<&str> = Vec::new();
    for entry in &entries {
        let name = entry.trim().to_lowercase();
        // A group or a pattern counts for what it covers.
        let members = group::members(&name).unwrap_or_default();
        let pattern = Pattern::new(&canonical(&name));
        for tool in HTTP_DENIED {
            if (name == tool || pattern.matches(tool) || members.contains(&tool)) && !tools.contains(&tool) {
                tools.push(tool);
            }
        }
    }
    if !tools.is_empty() {
        out.report(
            "gateway.tools_invoke_http.dangerous_allow",
            worse_if(gw.exposed() || gw.tailscale == "funnel"),
        )
        .detail(format!("`gateway.tools.allow` gives HTTP callers {}", quoted(&tools)))
        .key(ctx.key(keys));
    }
}
