//! Open doors together with powerful tools, and signs that several people share one agent (audit spec 2).

use oc_types::{KeyPath, Node, Severity};

use super::open_doors::{self, list};
use super::reach::{SandboxMode, Scope};
use crate::{AuditContext, Findings};

/// Tools that run programs.
const RUNTIME: [&str; 2] = ["exec", "process"];
/// Tools that read or write files.
const FILES: [&str; 4] = ["read", "write", "edit", "apply_patch"];
/// Tools that change what the assistant does later or with what.
const CONTROL: [&str; 3] = ["cron", "gateway", "plugins"];
/// Tools that see other sessions.
const SESSIONS: [&str; 4] = ["sessions_list", "sessions_history", "sessions_send", "sessions_spawn"];
/// Most keys that a finding lists.
const LISTED: usize = 12;

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let open = open_doors::open_policies(ctx);
    if !open.is_empty() {
        runtime_or_files(ctx, &open, out);
        control_plane(ctx, &open, out);
    }
    let shared = open_doors::shared_access(ctx);
    if !shared.is_empty() {
        out.report("security.trust_model.multi_user_heuristic", Severity::Warn)
            .detail(format!(
                "People other than the owner seem to reach this assistant: {}",
                list(&shared, LISTED)
            ))
            .keys(shared.iter().map(|p| ctx.key_at(p)));
    }
    group_scope(ctx, out);
    cross_agent(ctx, &shared, out);
}

fn runtime_or_files(ctx: &AuditContext<'_>, open: &[KeyPath], out: &mut Findings) {
    let (mut runtime, mut files) = (Vec::new(), Vec::new());
    for scope in Scope::all(ctx).iter().filter(|s| s.sandbox_mode() != SandboxMode::All) {
        if !scope.offered(&RUNTIME).is_empty() {
            runtime.push(scope.name());
        }
        let fenced = scope.tools(&["fs", "workspaceOnly"]).and_then(|(n, _)| n.as_bool()) == Some(true);
        if !fenced && !scope.offered(&FILES).is_empty() {
            files.push(scope.name());
        }
    }
    let (severity, what, names) = match (runtime.is_empty(), files.is_empty()) {
        (false, _) => (Severity::Critical, "run programs", runtime),
        (true, false) => (Severity::Warn, "reach files", files),
        (true, true) => return,
    };
    out.report("security.exposure.open_groups_with_runtime_or_fs", severity)
        .detail(format!(
            "Open to strangers: {}. They can {what} outside a sandbox ({})",
            list(open, LISTED),
            names.join(", ")
        ))
        .keys(open.iter().map(|p| ctx.key_at(p)))
        .keys([ctx.key(&["tools", "allow"]), ctx.key(&["agents", "defaults", "sandbox", "mode"])]);
}

fn control_plane(ctx: &AuditContext<'_>, open: &[KeyPath], out: &mut Findings) {
    let mut tools: Vec<&str> = Vec::new();
    for scope in Scope::all(ctx) {
        for tool in scope.offered(&CONTROL) {
            if !tools.contains(&tool) {
                tools.push(tool);
            }
        }
    }
    if !tools.is_empty() {
        out.report("security.exposure.open_groups_with_control_plane_tools", Severity::Critical)
            .detail(format!(
                "Open to strangers: {}. They get {}: tools that change the assistant itself; see `tools.deny`",
                list(open, LISTED),
                tools.iter().map(|t| format!("`{t}`")).collect::<Vec<_>>().join(", ")
            ))
            .keys(open.iter().map(|p| ctx.key_at(p)))
            .key(ctx.key(&["tools", "deny"]));
    }
}

fn group_scope(ctx: &AuditContext<'_>, out: &mut Findings) {
    let mut paths = Vec::new();
    if ctx.text(&["session", "groupScope"]) == Some("main") {
        paths.push(KeyPath::dotted("session.groupScope"));
    }
    let bindings = ctx.get(&["bindings"]).and_then(Node::as_array).unwrap_or_default();
    for (i, binding) in bindings.iter().enumerate() {
        for keys in [&["groupScope"][..], &["session", "groupScope"]] {
            if binding.path(keys).and_then(Node::as_str) == Some("main") {
                paths.push(KeyPath::dotted("bindings").index(i).join(&KeyPath::keys(keys.iter().copied())));
            }
        }
    }
    if !paths.is_empty() {
        out.report("security.trust_model.group_scope_main", Severity::Warn)
            .detail(format!(
                "{} is `main`: what is said in a room reaches the owner's own session",
                list(&paths, LISTED)
            ))
            .keys(paths.iter().map(|p| ctx.key_at(p)));
    }
}

fn cross_agent(ctx: &AuditContext<'_>, shared: &[KeyPath], out: &mut Findings) {
    let scopes = Scope::agents(ctx);
    let visible: &[&str] = &["tools", "sessions", "visibility"];
    let enabled: &[&str] = &["tools", "agentToAgent", "enabled"];
    let allow: &[&str] = &["tools", "agentToAgent", "allow"];
    let limited =
        ctx.get(allow).and_then(Node::entries).is_some_and(|a| a.iter().any(|e| !e.trim().is_empty()));
    if scopes.len() < 2
        || ctx.text(visible) != Some("all")
        || ctx.flag(enabled) != Some(true)
        || limited
        || !scopes.iter().any(|s| !s.offered(&SESSIONS).is_empty())
    {
        return;
    }
    // Somebody meant to keep these agents apart.
    let apart = scopes.iter().any(|s| {
        s.sandbox_mode() != SandboxMode::Off
            || ["profile", "allow", "deny"].iter().any(|k| s.own(&["tools", k]).is_some())
    });
    let severity = if apart || !shared.is_empty() { Severity::Warn } else { Severity::Info };
    out.report("security.trust_model.cross_agent_session_access_default", severity)
        .detail(
            "`tools.sessions.visibility` is `all` and `tools.agentToAgent.enabled` is true without \
             `tools.agentToAgent.allow`: every agent reads and writes every other agent's sessions",
        )
        .keys([ctx.key(visible), ctx.key(enabled), ctx.key(allow)]);
}
