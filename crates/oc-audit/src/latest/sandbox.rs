//! Sandbox settings that do not do what they seem to, or that open the container (audit spec 2 and 5.1).

use oc_types::{KeyPath, Node, Severity};

use super::open_doors::list;
use super::reach::{SandboxMode, Scope};
use crate::{AuditContext, Findings};

/// Limits that keep a container from exhausting the machine.
const LIMITS: [&str; 3] = ["memory", "cpus", "pidsLimit"];
/// Most keys that a finding lists.
const LISTED: usize = 12;

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    config_without_effect(ctx, out);
    super::binds::run(ctx, out);
    for (path, docker) in docker_sections(ctx) {
        container(ctx, &path, docker, out);
        weakened(ctx, &path, docker, out);
    }
    limits(ctx, out);
}

/// The container settings of the defaults and of each agent, where they are written.
fn docker_sections<'a>(ctx: &AuditContext<'a>) -> Vec<(KeyPath, &'a Node)> {
    let mut out = Vec::new();
    for scope in Scope::all(ctx) {
        let found = match scope.agent {
            None => scope.general(&["agents", "defaults", "sandbox", "docker"]),
            Some(_) => scope.own(&["sandbox", "docker"]),
        };
        out.extend(found.map(|(node, path)| (path, node)));
    }
    out
}

fn config_without_effect(ctx: &AuditContext<'_>, out: &mut Findings) {
    let scopes = Scope::all(ctx);
    let some_sandboxed = scopes.iter().any(|s| s.agent.is_some() && s.sandbox_mode() != SandboxMode::Off);
    let mut paths = Vec::new();
    for scope in &scopes {
        let found = match scope.agent {
            None if some_sandboxed => None,
            None => scope.general(&["agents", "defaults", "sandbox", "docker"]),
            Some(_) => scope.own(&["sandbox", "docker"]),
        };
        let set = found.filter(|(n, _)| n.as_object().is_some_and(|o| o.values().any(|v| !v.is_null())));
        if scope.sandbox_mode() == SandboxMode::Off {
            paths.extend(set.map(|(_, p)| p));
        }
    }
    if !paths.is_empty() {
        out.report("sandbox.docker_config_mode_off", Severity::Warn)
            .detail(format!(
                "{} is set, but `sandbox.mode` there is `off`: nothing runs in a container",
                list(&paths, LISTED)
            ))
            .keys(paths.iter().map(|p| ctx.key_at(p)));
    }
}

fn container(ctx: &AuditContext<'_>, path: &KeyPath, docker: &Node, out: &mut Findings) {
    let word = |key: &str| {
        docker.get(key).and_then(Node::as_str).map(|s| s.trim().to_lowercase()).unwrap_or_default()
    };
    let network = word("network");
    if network == "host" || network.starts_with("container:") {
        out.report("sandbox.dangerous_network_mode", Severity::Critical)
            .detail(format!("`{}` shares a network that is not the sandbox's own", path.key("network")))
            .key(ctx.key_at(&path.key("network")));
    }
    for (key, id) in [
        ("seccompProfile", "sandbox.dangerous_seccomp_profile"),
        ("apparmorProfile", "sandbox.dangerous_apparmor_profile"),
    ] {
        if word(key) == "unconfined" {
            out.report(id, Severity::Critical)
                .detail(format!("`{}` is `unconfined`: a guard of the container is off", path.key(key)))
                .key(ctx.key_at(&path.key(key)));
        }
    }
}

/// What the baseline of a container fills in (SP-234), written weaker than that. It is honoured, so it is said.
fn weakened(ctx: &AuditContext<'_>, path: &KeyPath, docker: &Node, out: &mut Findings) {
    let value = |key: &str| docker.get(key).filter(|n| !n.is_null());
    let mut said: Vec<(&str, &str)> = Vec::new();
    if value("readOnlyRoot").is_some_and(|n| n.as_bool() == Some(false)) {
        said.push(("readOnlyRoot", "commands can change the container's own system"));
    }
    let drops_all = |n: &Node| {
        let entries = n.as_array().into_iter().flatten().filter_map(Node::as_str);
        entries.map(str::trim).any(|e| e.eq_ignore_ascii_case("all"))
    };
    if value("capDrop").is_some_and(|n| !drops_all(n)) {
        said.push(("capDrop", "commands keep some of root's capabilities"));
    }
    let user = value("user").and_then(Node::as_str).unwrap_or_default().trim();
    if matches!(user.split(':').next(), Some("root" | "0")) {
        said.push(("user", "commands run as root of the container"));
    }
    for (key, why) in said {
        out.report("sandbox.weakened_container", Severity::Critical)
            .detail(format!("`{}`: {why}", path.key(key)))
            .key(ctx.key_at(&path.key(key)));
    }
}

fn limits(ctx: &AuditContext<'_>, out: &mut Findings) {
    let agents = Scope::agents(ctx);
    // Without a list the defaults are the one agent's settings.
    let scopes = if agents.is_empty() { Scope::all(ctx) } else { agents };
    let mut missing: Vec<&str> = Vec::new();
    let (mut names, mut keys) = (Vec::new(), Vec::new());
    for scope in scopes.iter().filter(|s| s.sandbox_mode() != SandboxMode::Off) {
        let unset: Vec<&str> =
            LIMITS.into_iter().filter(|k| scope.sandbox(&["docker", k]).is_none()).collect();
        if unset.is_empty() {
            continue;
        }
        names.push(scope.name());
        for key in unset {
            if !missing.contains(&key) {
                missing.push(key);
                keys.push(KeyPath::dotted("agents.defaults.sandbox.docker").key(key));
            }
        }
    }
    if !names.is_empty() {
        out.report("sandbox.no_resource_limits", Severity::Warn)
            .detail(format!(
                "{}: {} not set; one command can exhaust the machine",
                names.join(", "),
                list(&keys, LISTED)
            ))
            .keys(keys.iter().map(|p| ctx.key_at(p)));
    }
}
