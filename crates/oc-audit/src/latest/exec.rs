//! `exec`: where commands run and what checks them (audit spec 2).

use std::path::{Path, PathBuf};

use oc_types::{KeyPath, Node, Severity};

use super::exec_scope::Enforce;
use super::gateway::worse_if;
use super::open_doors;
use super::reach::{SandboxMode, Scope};
use crate::facts::TextFact;
use crate::{AuditContext, Findings, Wanted};

/// Largest registry that is read, in bytes.
const MAX_REGISTRY: u64 = 16 * 1024 * 1024;
/// Most keys that a finding lists.
const LISTED: usize = 12;

pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    if Scope::all(ctx).iter().any(|s| drifts(s).is_some()) {
        wanted.stat(registry_path(ctx));
        wanted.text(registry_path(ctx), MAX_REGISTRY);
    }
}

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    host_without_sandbox(ctx, out);
    security_full(ctx, out);
    open_channels(ctx, out);
    files_denied_commands_allowed(ctx, out);
    mcp_boundary(ctx, out);
}

fn host_without_sandbox(ctx: &AuditContext<'_>, out: &mut Findings) {
    let says_sandbox = |found: Option<(&Node, KeyPath)>| {
        found.filter(|(n, _)| n.as_str() == Some("sandbox")).map(|(_, path)| path)
    };
    for scope in Scope::all(ctx) {
        if scope.sandbox_mode() != SandboxMode::Off {
            continue;
        }
        // An agent counts only by its own key; what it inherits is reported once, for the defaults.
        let (found, id) = match &scope.agent {
            None => {
                let found = says_sandbox(scope.general(&["tools", "exec", "host"]))
                    .or_else(|| says_sandbox(scope.general(&["tools", "exec", "security"])));
                (found, "tools.exec.host_sandbox_no_sandbox_defaults")
            }
            Some(_) => {
                let found = says_sandbox(scope.own(&["tools", "exec", "host"]))
                    .or_else(|| says_sandbox(scope.own(&["tools", "exec", "security"])));
                (found, "tools.exec.host_sandbox_no_sandbox_agents")
            }
        };
        let Some(path) = found else { continue };
        if out.as_slice().iter().any(|f| f.check_id == id) {
            // One finding for all agents.
            if let Some(f) = out.iter_mut().find(|f| f.check_id == id) {
                f.detail.push_str(&format!("; `{path}` ({})", scope.name()));
                f.keys.push(ctx.key_at(&path));
            }
            continue;
        }
        out.report(id, Severity::Warn)
            .detail(format!(
                "`{path}` is `sandbox` while the sandbox mode of {} is `off`: commands run on the gateway's host",
                scope.name()
            ))
            .key(ctx.key_at(&path));
    }
}

fn security_full(ctx: &AuditContext<'_>, out: &mut Findings) {
    let paths: Vec<KeyPath> = full_scopes(ctx);
    if !paths.is_empty() {
        let open = open_doors::open_policies_deep(ctx);
        out.report("tools.exec.security_full_configured", worse_if(!open.is_empty()))
            .detail(format!("{}: every command runs on the host unchecked", open_doors::list(&paths, LISTED)))
            .keys(paths.iter().chain(&open).map(|p| ctx.key_at(p)));
    }
}

fn full_scopes(ctx: &AuditContext<'_>) -> Vec<KeyPath> {
    let mut paths: Vec<KeyPath> = Vec::new();
    for scope in Scope::all(ctx).iter().filter(|s| s.enforce() == Enforce::Full) {
        if let Some((_, path)) = scope.exec("security").filter(|(_, p)| !paths.contains(p)) {
            paths.push(path);
        }
    }
    paths
}

fn open_channels(ctx: &AuditContext<'_>, out: &mut Findings) {
    let open = open_doors::open_policies_deep(ctx);
    let worst = Scope::all(ctx).iter().map(Scope::enforce).max().unwrap_or(Enforce::Deny);
    if open.is_empty() || worst == Enforce::Deny {
        return;
    }
    out.report("security.exposure.open_channels_with_exec", worse_if(worst == Enforce::Full))
        .detail(format!(
            "Open to strangers: {}. `tools.exec.security` lets commands run",
            open_doors::list(&open, LISTED)
        ))
        .keys(open.iter().map(|p| ctx.key_at(p)))
        .key(ctx.key(&["tools", "exec", "security"]));
}

fn files_denied_commands_allowed(ctx: &AuditContext<'_>, out: &mut Findings) {
    let mut names = Vec::new();
    let mut keys = Vec::new();
    for scope in Scope::all(ctx) {
        let writes = scope.offered(&["write", "edit", "apply_patch"]);
        let access = scope.sandbox(&["workspaceAccess"]).and_then(|(n, _)| n.as_str());
        let constrained = scope.exec_sandboxed() && access != Some("rw");
        if writes.is_empty() && scope.offers("exec") && !constrained {
            names.push(scope.name());
            let own = scope.own(&["tools", "deny"]).or_else(|| scope.own(&["tools", "allow"]));
            let general = || scope.general(&["tools", "deny"]).or_else(|| scope.general(&["tools", "allow"]));
            keys.extend(own.or_else(general).map(|(_, p)| p));
        }
    }
    if !names.is_empty() {
        keys.dedup();
        out.report("tools.exec.fs_tools_disabled_but_exec_enabled", Severity::Warn)
            .detail(format!(
                "{}: write, edit and apply_patch are withheld ({}), but `exec` can write files all the same",
                names.join(", "),
                open_doors::list(&keys, LISTED)
            ))
            .keys(keys.iter().map(|p| ctx.key_at(p)));
    }
}

fn registry_path(ctx: &AuditContext<'_>) -> PathBuf {
    ctx.facts.places.state_dir.join("skills/config/mcporter.json")
}

/// The skill list that a scope's commands can get around: commands run outside the sandbox and are not refused.
fn drifts(scope: &Scope<'_>) -> Option<KeyPath> {
    let list =
        |found: Option<(&Node, KeyPath)>| found.filter(|(n, _)| n.as_array().is_some()).map(|(_, p)| p);
    let skills =
        list(scope.own(&["skills"])).or_else(|| list(scope.general(&["agents", "defaults", "skills"])))?;
    let refused = match scope.exec("security") {
        Some(_) => scope.enforce() == Enforce::Deny,
        // Unset: the gateway and nodes check against the allow list; nothing else runs.
        None => !scope.exec_on_host(),
    };
    (!refused && !scope.exec_sandboxed()).then_some(skills)
}

fn mcp_boundary(ctx: &AuditContext<'_>, out: &mut Findings) {
    let skills: Vec<KeyPath> = Scope::all(ctx).iter().filter_map(drifts).collect();
    if skills.is_empty() {
        return;
    }
    let path = registry_path(ctx);
    let registry = enabled_in_registry(ctx, &path);
    if let Err(why) = &registry {
        out.report("tools.exec.mcporter_registry_inspection_incomplete", Severity::Warn)
            .detail(format!("{}: {why}; whether it names MCP servers is unknown", path.display()))
            .path(&path);
    }
    let enabled = |servers: Option<&Node>| {
        let servers = servers.and_then(Node::as_object);
        servers.into_iter().flatten().any(|(_, s)| s.get("enabled").and_then(Node::as_bool) != Some(false))
    };
    let configured = enabled(ctx.get(&["mcp", "servers"]));
    if !configured && !registry.is_ok_and(|on| on) {
        return;
    }
    let mut paths: Vec<KeyPath> = Vec::new();
    for p in skills {
        if !paths.contains(&p) {
            paths.push(p);
        }
    }
    let mut draft = out
        .report("tools.exec.agent_skill_mcp_boundary_drift", Severity::Warn)
        .detail(format!(
            "{} limits skills, but commands run outside the sandbox and reach the MCP servers of {}",
            open_doors::list(&paths, LISTED),
            if configured { "`mcp.servers`".to_owned() } else { path.display().to_string() }
        ))
        .keys(paths.iter().map(|p| ctx.key_at(p)));
    if configured {
        draft = draft.key(ctx.key(&["mcp", "servers"]));
    } else {
        draft = draft.path(&path);
    }
    drop(draft);
}

/// Whether the registry names a server that is not switched off.
fn enabled_in_registry(ctx: &AuditContext<'_>, path: &Path) -> Result<bool, String> {
    let text = match ctx.facts.text(path) {
        TextFact::Missing if ctx.facts.path(path).exists() => return Err("not a readable file".to_owned()),
        TextFact::Missing => return Ok(false),
        TextFact::Unusable(why) => return Err(why.clone()),
        TextFact::Text(text) => text,
    };
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|e| format!("line {}: not valid JSON", e.line()))?;
    let Some(object) = json.as_object() else { return Err("not a JSON object".to_owned()) };
    let Some(servers) = object.get("mcpServers") else { return Ok(false) };
    let Some(servers) = servers.as_object() else { return Err("`mcpServers` is no object".to_owned()) };
    Ok(servers.values().any(|s| s.get("enabled").and_then(serde_json::Value::as_bool) != Some(false)))
}
