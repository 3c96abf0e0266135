//! Second stage for `exec`: where the command runs, and whether a person is asked. A call's own wishes only narrow (SP-238).

use oc_policy::elevated::{self, Asked, ExecElevation, ExecPolicy};
use oc_policy::exec_route::{Approval, ExecRoute, Host, exec_route};
use oc_policy::sandbox::{Runs, SandboxPlan};
use oc_runner::protocol::Program;
use oc_types::KeyPath;

use super::call::ToolCall;
use super::recording::Grounds;
use super::refused::{Refused, Stage};
use super::snapshot::Snapshot;
use crate::docker_args::SANDBOX_PATH;
use crate::tools::{ExecOrder, ExecRequest};

/// Seconds after which a command is ended when neither the call nor `tools.exec.timeoutSec` says otherwise.
const TIMEOUT_S: u64 = 1800;
/// The longest time that a call can ask for, in seconds.
const LONGEST_S: u64 = 24 * 3600;

/// Where a command goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Into the session's sandbox.
    Sandbox,
    /// To the gateway host.
    Host,
}

/// The route of a command with what stands between.
#[derive(Clone, Debug)]
pub(super) struct Routed {
    pub route: Route,
    pub approval: Approval,
    pub elevation: ExecElevation,
    pub fallback: bool,
    pub key: Option<(KeyPath, oc_types::Origin)>,
}

/// Works out the route. `approvals_file`: whether the host has one.
pub(super) fn route(
    snapshot: &Snapshot,
    call: &ToolCall,
    request: &ExecRequest,
    sandbox: Option<&SandboxPlan>,
    approvals_file: bool,
) -> Result<Routed, Refused> {
    let config = snapshot.config();
    let runs = if sandbox.is_some() { Runs::Sandboxed } else { Runs::OnHost };
    let ExecRoute { host, approval, fallback, key } =
        exec_route(config, &call.caller.agent, runs, approvals_file);
    let refuse = |rule: &str, why: String| Err(Refused::built_in(Stage::Arguments, "exec", rule, why));
    let elevation = elevation(snapshot, call, request)?;
    let route = match (host, elevation) {
        (_, ExecElevation::Ask | ExecElevation::Full) => Route::Host,
        (Host::Sandbox, ExecElevation::Off) => Route::Sandbox,
        (Host::Gateway, ExecElevation::Off) => Route::Host,
        (Host::Node | Host::Prompt, ExecElevation::Off) => {
            let why = format!(
                "commands of this session go to `{}`, which this program does not reach yet",
                host.word()
            );
            return Err(Refused::built_in(Stage::NotBuilt, "exec", host.word(), why));
        }
    };
    let route = match (request.host.as_deref(), route) {
        (None, route) => route,
        (Some("sandbox"), Route::Sandbox) => Route::Sandbox,
        (Some("sandbox"), Route::Host) if sandbox.is_some() => Route::Sandbox,
        // Without a sandbox the configured `sandbox` means the host, and a call may repeat that word.
        (Some("sandbox"), Route::Host) if fallback => Route::Host,
        (Some("sandbox"), Route::Host) => return refuse("host", "this session has no sandbox".to_owned()),
        (Some("gateway"), Route::Host) => Route::Host,
        (Some(host), _) => {
            let why = format!(
                "`host: {host}` is further than this session reaches; leave it out, or let an approved sender elevate the command"
            );
            return refuse("host", why);
        }
    };
    if let Some(node) = &request.node {
        return refuse(
            "node",
            format!(
                "this session's commands do not go to a node, so `node: {}` has no meaning",
                oc_text::visible(node, 60)
            ),
        );
    }
    Ok(Routed { route, approval, elevation, fallback, key })
}

fn elevation(snapshot: &Snapshot, call: &ToolCall, request: &ExecRequest) -> Result<ExecElevation, Refused> {
    let config = snapshot.config();
    let caller = &call.caller;
    let gate = elevated::gate(
        config,
        &caller.agent,
        caller.channel.as_deref(),
        &caller.elevated_sender(),
        caller.turn,
    );
    let level = elevated::level(&gate, config, Asked { inline: None, session: None })
        .map_err(|e| Refused::built_in(Stage::Session, "exec", "elevatedDefault", e.to_string()))?;
    let elevation = elevated::for_exec(&gate, level.level, request.elevated, ExecPolicy::Permits);
    if request.elevated == Some(true) && elevation == ExecElevation::Off {
        let failed: Vec<&str> = gate.failures().iter().map(|f| f.key.as_str()).collect();
        let why = format!("this call cannot be elevated ({})", failed.join(", "));
        let mut refused = Refused::built_in(Stage::Arguments, "exec", "elevated", why);
        refused.consulted(gate.trace());
        return Err(refused);
    }
    Ok(elevation)
}

/// The order for a command inside a sandbox: its shell runs there, and nothing of the host's environment goes along (SP-244).
pub(super) fn inside(
    snapshot: &Snapshot,
    call: &ToolCall,
    request: &ExecRequest,
    plan: &SandboxPlan,
) -> Result<ExecOrder, Refused> {
    let docker = &plan.settings.docker;
    let workdir = docker.workdir.value.clone();
    let directory = match &request.workdir {
        None => workdir.clone(),
        Some(dir) if dir.starts_with('/') => dir.clone(),
        Some(dir) => format!("{}/{dir}", workdir.trim_end_matches('/')),
    };
    let mut environment: Vec<(String, String)> =
        vec![("PATH".to_owned(), SANDBOX_PATH.to_owned()), ("HOME".to_owned(), workdir)];
    let configured = docker.env.iter().map(|(k, v)| (k.clone(), v.value.clone()));
    for (name, value) in configured.chain(request.env.iter().cloned()) {
        if !oc_approval::environment::is_name(&name) || value.contains('\0') {
            let why = format!(
                "`env`: {:?} is not the name of a variable, or its value has a NUL",
                oc_text::visible(&name, 40)
            );
            return Err(Refused::built_in(Stage::Arguments, "exec", "env", why));
        }
        environment.retain(|(n, _)| *n != name);
        environment.push((name, value));
    }
    Ok(ExecOrder {
        program: Program::Shell { shell: "/bin/sh".to_owned(), text: request.command.clone() },
        directory,
        directory_identity: None,
        environment,
        timeout_ms: timeout_ms(snapshot, call, request),
        pty: request.pty,
    })
}

/// How long a command may run, in milliseconds: the call's time, else the agent's, else the global one.
pub(super) fn timeout_ms(snapshot: &Snapshot, call: &ToolCall, request: &ExecRequest) -> u64 {
    let config = snapshot.config();
    let own = oc_policy::sandbox::agent_entry(config, &call.caller.agent)
        .and_then(|e| e.node.path(&["tools", "exec", "timeoutSec"])?.as_number());
    let configured = own.or_else(|| config.path(&["tools", "exec", "timeoutSec"])?.as_number());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let seconds = request.timeout.unwrap_or_else(|| configured.map_or(TIMEOUT_S, |s| s as u64));
    seconds.clamp(1, LONGEST_S) * 1000
}

/// What the ledger says about the decision.
pub(super) fn grounds(routed: &Routed, request: &ExecRequest) -> Grounds {
    let mut out = Grounds { rule: format!("exec: {}", routed.approval.word()), ..Grounds::default() };
    if let Some((key, origin)) = &routed.key {
        out.key_path = Some(key.to_string());
        out.source = Some(origin.to_string());
    }
    let mut put = |name: &str, value: serde_json::Value| out.inputs.insert(name.to_owned(), value);
    put("commandSha256", oc_fs::ledger::chain::hash("", request.command.as_bytes()).into());
    let elevation = match routed.elevation {
        ExecElevation::Off => "off",
        ExecElevation::Ask => "ask",
        ExecElevation::Full => "full",
    };
    put("elevated", elevation.into());
    put("approval", routed.approval.word().into());
    if routed.fallback {
        put("routeFallback", "sandbox-inactive".into());
    }
    out
}

/// What exactly runs, when it may.
pub(super) fn judge(
    snapshot: &Snapshot,
    call: &ToolCall,
    request: &ExecRequest,
    sandbox: Option<&SandboxPlan>,
    routed: &Routed,
) -> Result<ExecOrder, Refused> {
    let refuse = |rule: &str, why: String| Err(Refused::built_in(Stage::Approval, "exec", rule, why));
    if routed.approval == Approval::Denied || request.security.as_deref() == Some("deny") {
        return refuse("security-deny", "commands are switched off for this session".to_owned());
    }
    match (routed.route, sandbox, routed.approval) {
        (Route::Sandbox, Some(plan), Approval::None) if request.ask.as_deref() != Some("always") => {
            inside(snapshot, call, request, plan)
        }
        _ => refuse(
            "approval-unavailable",
            "this command needs an answer of a person, and nobody can be asked yet".to_owned(),
        ),
    }
}
