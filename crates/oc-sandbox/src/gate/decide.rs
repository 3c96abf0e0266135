//! First stage: the session, the tool policy, the shut doors, the arguments. Pure over one snapshot.

use std::sync::Arc;

use oc_policy::explain_tool::{ALLOWED, Question, reason};
use oc_policy::http_invoke::{self, HttpRefusal};
use oc_policy::inventory::{Presence, ReadOnlyFiles};
use oc_policy::sandbox::{Plan, SandboxPlan, WorkspaceAccess};
use oc_policy::session_key::SessionKey;
use oc_policy::tool_name::canonical;
use oc_types::KeyPath;

use super::call::{Surface, ToolCall};
use super::doors;
use super::handler::{Handlers, ToolHandler};
use super::internal::internal_name;
use super::refused::{Refused, Stage};
use super::snapshot::Snapshot;
use crate::tools::{CoreTool, Request};

/// A call that the tool policy lets through.
#[derive(Debug)]
pub(super) struct Permitted {
    pub work: Work,
    /// The session's sandbox; `None` when its tools act on the host.
    pub sandbox: Option<Box<SandboxPlan>>,
}

/// What carries it out.
#[derive(Debug)]
pub(super) enum Work {
    /// This crate.
    Core(Request),
    /// Another one.
    Handled(Arc<dyn ToolHandler>),
}

/// What the rules say about a tool, a caller and everybody behind it, whatever the arguments of the call are worth. The sandbox of the session;
/// `None` when its tools act on the host.
pub(super) fn permits(snapshot: &Snapshot, call: &ToolCall) -> Result<Option<Box<SandboxPlan>>, Refused> {
    let plan = permits_one(snapshot, call)?;
    for who in call.behind.iter() {
        let theirs = permits_one(snapshot, &call.by(who)).map_err(|refused| refused.of(who))?;
        if theirs.is_some() && plan.is_none() {
            let name = canonical(&call.tool);
            let why = "a sandboxed session gets nothing done outside of a sandbox";
            return Err(Refused::built_in(Stage::Session, &name, "sandbox", why).of(who));
        }
    }
    Ok(plan)
}

fn permits_one(snapshot: &Snapshot, call: &ToolCall) -> Result<Option<Box<SandboxPlan>>, Refused> {
    let name = canonical(&call.tool).into_owned();
    let session = |why: String| Refused::built_in(Stage::Session, &name, "session", why);
    let key = SessionKey::parse(&call.caller.session).map_err(|e| session(e.to_string()))?;
    if let Some(other) = key.agent().filter(|a| **a != call.caller.agent) {
        let why = format!("the session is one of agent {other}, the call names agent {}", call.caller.agent);
        return Err(session(why));
    }
    let plan = snapshot.plan(&call.caller.session).map_err(|e| session(e.to_string()))?;
    let plan = match &*plan {
        Plan::Host(_) => None,
        Plan::Sandbox(plan) => Some(plan.clone()),
    };
    policy(snapshot, call, &name, plan.as_deref())?;
    if let Some(plan) = &plan
        && let Some(door) = doors::shut(plan, &name, &call.arguments)
    {
        let why =
            format!("a sandboxed session does not reach {}, whatever its tool lists say", door.door.words());
        let mut refused = Refused::built_in(Stage::HostDoor, &name, &door.step.rule, why);
        refused.consulted(&plan.doors.iter().map(|d| d.step.clone()).collect::<Vec<_>>());
        return Err(refused);
    }
    Ok(plan)
}

/// Decides.
pub(super) fn decide(
    snapshot: &Snapshot,
    handlers: &Handlers,
    call: &ToolCall,
) -> Result<Permitted, Refused> {
    let sandbox = permits(snapshot, call)?;
    let name = canonical(&call.tool).into_owned();
    let core = CoreTool::of(&name);
    let handler = handlers.get(&name);
    if core.is_none() && handler.is_none() {
        let why = format!("{name} is allowed here, but this program does not carry it out");
        return Err(Refused::built_in(Stage::NotBuilt, &name, "not-built", why));
    }
    let unusable =
        |why: String| Refused::built_in(Stage::Arguments, &name, "arguments", format!("{name}: {why}"));
    // A handler's tool may name another session or agent; its caller is the run's own all the same.
    if core.is_some()
        && let Some(internal) = internal_name(&call.arguments)
    {
        let why = format!(
            "`{}` is not an argument of {name}: only the gate decides it",
            oc_text::visible(internal, 60)
        );
        return Err(Refused::built_in(Stage::Arguments, &name, "internal-name", why));
    }
    let work = match (core, handler) {
        (Some(tool), _) => {
            Work::Core(Request::parse(tool, &call.arguments).map_err(|e| unusable(e.to_string()))?)
        }
        (None, Some(handler)) => {
            handler.check(call).map_err(unusable)?;
            Work::Handled(Arc::clone(handler))
        }
        (None, None) => return Err(unusable("nothing carries it out".to_owned())),
    };
    Ok(Permitted { work, sandbox })
}

/// Asks the policy again, as the turn did before it offered the tool (SP-105).
fn policy(
    snapshot: &Snapshot,
    call: &ToolCall,
    name: &str,
    plan: Option<&SandboxPlan>,
) -> Result<(), Refused> {
    let config = snapshot.config();
    let policy = snapshot.policy();
    let context = call.caller.context();
    let stack = policy
        .stack(&context)
        .map_err(|e| Refused::built_in(Stage::Session, name, e.word(), e.to_string()))?;
    if call.caller.surface == Surface::Http
        && let Some(refusal) = http_invoke::refusal(config, policy.inventory(), name)
    {
        let why = format!("{name} is not offered over HTTP");
        return Err(match refusal {
            HttpRefusal::NotOffered => Refused::built_in(Stage::Policy, name, "http-not-offered", why),
            HttpRefusal::DefaultDeny => {
                let key = KeyPath::dotted("gateway.tools.allow");
                Refused::by_key(Stage::Policy, name, "http-default-deny", config, key, why)
            }
            HttpRefusal::ConfiguredDeny => {
                let key = KeyPath::dotted("gateway.tools.deny");
                Refused::by_key(Stage::Policy, name, "http-deny", config, key, why)
            }
        });
    }
    let read_only = match plan.map(|p| p.settings.workspace_access.value) {
        Some(WorkspaceAccess::Ro) => ReadOnlyFiles::Yes,
        Some(WorkspaceAccess::None | WorkspaceAccess::Rw) | None => ReadOnlyFiles::No,
    };
    let presence =
        Presence { provider: context.provider, model: context.model, model_sees_images: None, read_only };
    let known = policy.inventory().get(name);
    let absence = known.and_then(|t| presence.absence(config, t));
    if known.is_some() && absence.is_none() && stack.decide(name).is_allowed() {
        return Ok(());
    }
    let question =
        Question { config, inventory: policy.inventory(), context, tool: name, model_sees_images: None };
    let answer = reason(&question, policy)
        .map_err(|e| Refused::built_in(Stage::Session, name, e.word(), e.to_string()))?;
    if answer.verdict == ALLOWED {
        // `reason` leaves gates open that depend on a model nobody named; here a tool is offered only when they are passed.
        let rule = absence.map_or("absent", oc_policy::inventory::Absence::word);
        let why = format!("{name} is not among the tools of this session ({rule})");
        return Err(match absence.and_then(oc_policy::inventory::Absence::key) {
            Some(key) => Refused::by_key(Stage::Policy, name, rule, config, key, why),
            None => Refused::built_in(Stage::Policy, name, rule, why),
        });
    }
    let d = &answer.decided_by;
    let key = d.key_path.as_ref().map(|k| format!(" ({k})")).unwrap_or_default();
    let verdict = if answer.verdict == oc_policy::explain_tool::ABSENT { "not there" } else { "denied" };
    let why = format!("{name} is {verdict} for this session: {}, {}{key}", d.layer, d.rule);
    Err(Refused::new(Stage::Policy, why, answer))
}
