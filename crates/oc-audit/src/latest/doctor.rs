//! Three of the five things that the second seed says doctor checks; the other two are the era's (audit spec 5.1).

use oc_approval::approvals_file::{Ask, Security};
use oc_approval::program_name::is_interpreter;
use oc_types::{KeyPath, Severity};

use super::gateway::worse_if;
use super::open_doors::list;
use super::outsiders::{self, Way};
use super::reach::{SandboxMode, Scope};
use super::{safe_bins, tools};
use crate::{AuditContext, Findings};

/// Most keys that a finding lists.
const LISTED: usize = 12;

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let reached = outsiders::reached(ctx, &outsiders::ways(ctx));
    let scopes = Scope::running(ctx);
    let ways = |scope: &Scope<'_>| -> Vec<Way> {
        reached.iter().find(|(id, _)| *id == scope.id()).map(|(_, w)| w.clone()).unwrap_or_default()
    };
    for scope in &scopes {
        let ways = ways(scope);
        unsandboxed_rooms(ctx, scope, &ways, out);
        unrestricted(ctx, scope, &ways, out);
    }
    weak_approvals(ctx, &scopes, !reached.is_empty(), out);
}

fn unsandboxed_rooms(ctx: &AuditContext<'_>, scope: &Scope<'_>, ways: &[Way], out: &mut Findings) {
    let rooms: Vec<KeyPath> = ways.iter().filter(|w| w.room).map(|w| w.key.clone()).collect();
    if rooms.is_empty() || scope.sandbox_mode() != SandboxMode::Off {
        return;
    }
    let mode =
        scope.sandbox(&["mode"]).map_or_else(|| KeyPath::dotted("agents.defaults.sandbox.mode"), |(_, p)| p);
    out.report("doctor.groups_unsandboxed", Severity::Warn)
        .detail(format!("Rooms reach {} ({}), and `{mode}` is `off`", name(scope), list(&rooms, LISTED)))
        .keys(rooms.iter().chain([&mode]).map(|p| ctx.key_at(p)));
}

fn unrestricted(ctx: &AuditContext<'_>, scope: &Scope<'_>, ways: &[Way], out: &mut Findings) {
    if ways.is_empty() || tools::is_restricted(scope) {
        return;
    }
    let keys: Vec<KeyPath> = ways.iter().map(|w| w.key.clone()).collect();
    out.report("doctor.tools_unrestricted", Severity::Warn)
        .detail(format!(
            "Others reach {} ({}), which has no `tools.profile`, `tools.allow` or `tools.deny` at any level",
            name(scope),
            list(&keys, LISTED)
        ))
        .keys(keys.iter().map(|p| ctx.key_at(p)))
        .key(ctx.key(&["tools", "profile"]));
}

fn weak_approvals(ctx: &AuditContext<'_>, scopes: &[Scope<'_>], reached: bool, out: &mut Findings) {
    let path = safe_bins::path(ctx);
    let file = safe_bins::file(ctx);
    let severity = worse_if(reached);
    // Host commands are refused while the file is broken; that is safe, and worth knowing.
    if let Some(Err(why)) = &file {
        out.report("doctor.approvals_weak", Severity::Warn)
            .detail(format!("{}: {why}; host commands are refused until it is mended", path.display()))
            .path(&path);
    }
    let file = file.and_then(Result::ok);
    for scope in scopes {
        let posture = file.as_ref().map(|f| f.posture(scope.id().as_str()));
        let refused = scope.exec("security").is_some_and(|(n, _)| n.as_str() == Some("deny"))
            || posture.is_some_and(|p| p.security == Some(Security::Deny));
        if refused {
            continue;
        }
        let mut why = Vec::new();
        let mut keys = Vec::new();
        let host = scope.exec_on_host() || scope.sandbox_mode() == SandboxMode::Off;
        if let Some((_, key)) = scope.exec("ask").filter(|(n, _)| n.as_str() == Some("off")) {
            // The tighter of configuration and file counts.
            if host && posture.and_then(|p| p.ask).is_none_or(|a| a == Ask::Off) {
                why.push(format!("`{key}` is `off` and commands run on the host"));
                keys.push(key);
            }
        }
        if posture.is_some_and(|p| p.ask_fallback == Security::Full) {
            why.push(format!("`askFallback` in {} is `full`: silence approves", path.display()));
        }
        if let Some((node, key)) = scope.exec("safeBins") {
            let names: Vec<String> =
                node.entries().unwrap_or_default().into_iter().filter(|e| is_interpreter(e)).collect();
            if !names.is_empty() {
                why.push(format!("`{key}` contains {}", names.join(", ")));
                keys.push(key);
            }
        }
        if !why.is_empty() {
            out.report("doctor.approvals_weak", severity)
                .detail(format!("{}: {}", name(scope), why.join("; ")))
                .keys(keys.iter().map(|p| ctx.key_at(p)));
        }
    }
}

/// The agent in words; without a list there is one, `main`.
fn name(scope: &Scope<'_>) -> String {
    format!("agent `{}`", scope.id().as_str())
}

impl<'a> Scope<'a> {
    /// The agents that run: the listed ones, else the implied one.
    pub(crate) fn running(ctx: &AuditContext<'a>) -> Vec<Self> {
        let agents = Self::agents(ctx);
        if agents.is_empty() { Self::all(ctx) } else { agents }
    }

    /// The agent's id; `main` for the implied one.
    pub(crate) fn id(&self) -> oc_types::AgentId {
        self.agent.as_ref().map_or_else(|| oc_types::AgentId::normalized("main"), |a| a.id.clone())
    }
}
