//! Sandbox cases: `explain`, `resolve`, `seed`, `elevated` (both spellings of a sender), `docker-create`, `naming`, `config-hash`,
//! `lifecycle`.

use oc_policy::elevated::{self, Sender, Turn};
use oc_policy::inbound::ConversationKind;
use oc_policy::sandbox::{self, ListSource, Place, Plan, SandboxPlan, Scope, Subject};
use oc_sandbox::config_hash::{legacy_hash, normalized};
use oc_sandbox::context::{Context, context};
use oc_sandbox::docker_args::{build, setup_command, start_command};
use oc_sandbox::lifecycle::{self, Activity, Engine, Ensure, Ownership, PruneVerdict, Reported, Wanted};
use oc_sandbox::naming::slug;
use oc_sandbox::registry::{Entry, Registry};
use oc_types::{AgentId, Node, Origin};
use serde_json::{Value, json};

use super::{Kind, active, any, member, same};

pub(super) const KINDS: &[Kind] = &[
    Kind { stem: "explain", claims: any, standing: active, run: explain },
    Kind { stem: "resolve", claims: any, standing: active, run: resolve },
    Kind { stem: "seed", claims: has_mode, standing: active, run: seed },
    Kind { stem: "elevated", claims: any, standing: active, run: gate },
    Kind { stem: "docker-create", claims: any, standing: active, run: docker_create },
    Kind { stem: "naming", claims: any, standing: active, run: naming },
    Kind { stem: "config-hash", claims: any, standing: active, run: config_hash },
    Kind { stem: "lifecycle", claims: any, standing: active, run: lifecycle },
];

/// The moment that `$NOW` stands for.
const NOW: u64 = 1_800_000_000_000;

fn has_mode(row: &Value) -> bool {
    row.get("mode").is_some() && row.get("workspaceAccess").is_some()
}

fn config(row: &Value) -> Node {
    Node::from_json(member(row, "config"), &Origin::Default)
}

fn agent(row: &Value) -> AgentId {
    AgentId::normalized(member(row, "agentId").as_str().unwrap_or_default())
}

fn place() -> Place {
    Place { home: "$HOME".to_owned(), state_dir: "$STATE".to_owned() }
}

/// What the product is expected to do: the row's `product`, else the row itself.
fn expected(row: &Value) -> &Value {
    row.get("product").unwrap_or(row)
}

/// Runs `work`; a row whose `product` has an `error` expects a refusal.
fn refusable<E: std::fmt::Display>(
    row: &Value,
    result: Result<Value, E>,
    check: impl Fn(&Value) -> Result<(), String>,
) -> Result<(), String> {
    match (result, expected(row).get("error")) {
        (Err(_), Some(_)) => Ok(()),
        (Ok(_), Some(error)) => Err(format!("a refusal ({error}) was expected")),
        (Err(e), None) => Err(format!("refused: {e}")),
        (Ok(got), None) => check(&got),
    }
}

fn explain(row: &Value) -> Result<(), String> {
    let config = config(row);
    let arg = |name: &str| member(member(row, "args"), name).as_str();
    let report = || {
        let subject = Subject::read(&config, arg("agent"), arg("session")).map_err(|e| e.to_string())?;
        let store = member(member(row, "sessionStore"), subject.agent.as_str());
        let stored = sandbox::stored_channel(member(store, subject.session.as_str()));
        let report = sandbox::report(&config, &subject, stored, &place()).map_err(|e| e.to_string())?;
        Ok::<Value, String>(report.to_json())
    };
    refusable(row, report(), |got| same("output", member(expected(row), "output"), got))
}

fn resolve(row: &Value) -> Result<(), String> {
    let got = sandbox::resolve(&config(row), &agent(row), &place()).map(|r| r.to_json());
    refusable(row, got, |got| same("resolved", member(expected(row), "resolved"), got))
}

fn seed(row: &Value) -> Result<(), String> {
    let r = sandbox::resolve(&config(row), &agent(row), &place()).map_err(|e| e.to_string())?;
    let source = |s: &ListSource| json!({"source": s.level, "key": s.key});
    same("mode", member(row, "mode"), &json!(r.mode.value))?;
    same("scope", member(row, "scope"), &json!(r.scope.value))?;
    same("workspaceAccess", member(row, "workspaceAccess"), &json!(r.workspace_access.value))?;
    let tools = json!({"allow": r.tools.allow, "deny": r.tools.deny, "sources": {
        "allow": source(&r.tools.allow_source), "deny": source(&r.tools.deny_source)}});
    same("tools", member(row, "tools"), &tools)?;
    match row.get("browserAllowHostControl") {
        Some(want) => same("browserAllowHostControl", want, &json!(r.browser.allow_host_control.value)),
        None => Ok(()),
    }
}

/// The gate, for rows of both folders: `provider` and `sender`, or one `event`.
fn gate(row: &Value) -> Result<(), String> {
    let event = row.get("event");
    let from = event.unwrap_or(member(row, "sender"));
    let field = |a: &str, b: &str| from.get(a).or_else(|| from.get(b)).and_then(Value::as_str);
    let conversation = event.map_or(ConversationKind::Direct, |e| {
        ConversationKind::parse(member(e, "chatType").as_str().unwrap_or_default())
    });
    let sender = Sender {
        id: field("senderId", "SenderId"),
        e164: field("senderE164", "SenderE164"),
        from: field("from", "From"),
        name: field("senderName", "SenderName"),
        username: field("senderUsername", "SenderUsername"),
        tag: field("senderTag", "SenderTag"),
        conversation,
    };
    let provider = match event {
        Some(e) => member(e, "channel"),
        None => member(row, "provider"),
    };
    let got = elevated::gate(&config(row), &agent(row), provider.as_str(), &sender, Turn::Person);
    let name = if event.is_some() { "expected" } else { "result" };
    same(name, member(expected(row), name), &json!(got))
}

fn planned(row: &Value) -> Result<Plan, String> {
    sandbox::plan(&config(row), member(row, "sessionKey").as_str(), &place()).map_err(|e| e.to_string())
}

fn docker_create(row: &Value) -> Result<(), String> {
    let session = member(row, "sessionKey").as_str();
    let plan = sandbox::plan(&config(row), session, &place());
    if expected(row).get("error").is_some() {
        return refusable(row, plan.map(|_| Value::Null), |_| Ok(()));
    }
    let plan = match plan.map_err(|e| e.to_string())? {
        Plan::Host(_) => return same("sandboxed", member(row, "sandboxed"), &json!(false)),
        Plan::Sandbox(plan) => plan,
    };
    same("sandboxed", member(row, "sandboxed"), &json!(true))?;
    let context = named(&plan, member(row, "agentWorkspaceDir"))?;
    same("context", member(row, "context"), &json!(context))?;
    let docker = &plan.settings.docker;
    let mut calls = vec![build(docker, &context, NOW).argv(), start_command(&context)];
    calls.extend(setup_command(docker, &context));
    let calls: Vec<Vec<String>> =
        calls.iter().map(|argv| argv.iter().map(|arg| placeholders(arg, &context)).collect()).collect();
    same("docker", member(expected(row), "docker"), &json!(calls))?;
    let made = ensured(&Engine::Absent, None, &wanted(&plan, &context))?;
    let registry = json!(Registry { entries: vec![made.entry] }).to_string();
    let registry = placeholders(&registry, &context).replace(&NOW.to_string(), "\"$NOW\"");
    let registry: Value = serde_json::from_str(&registry).map_err(|e| e.to_string())?;
    same("registry", member(row, "registry"), &registry)
}

fn named(plan: &SandboxPlan, workspace: &Value) -> Result<Context, String> {
    context(plan, workspace.as_str().unwrap_or("$WORKSPACE"), |_| None).map_err(|e| e.to_string())
}

fn placeholders(text: &str, context: &Context) -> String {
    text.replace(&format!("createdAtMs={NOW}"), "createdAtMs=$NOW").replace(&context.legacy_hash, "$HASH")
}

fn naming(row: &Value) -> Result<(), String> {
    let input = member(row, "input").as_str().ok_or("no input")?;
    same("slug", member(row, "slug"), &json!(slug(input)))?;
    for scope in [Scope::Session, Scope::Agent, Scope::Shared] {
        let want = member(member(row, "scopeKeys"), scope.word());
        same(scope.word(), want, &json!(sandbox::scope_key(scope, input)))?;
    }
    same("agentIdOfScopeKey", member(row, "agentIdOfScopeKey"), &json!(sandbox::agent_of_scope_key(input)))
}

fn config_hash(row: &Value) -> Result<(), String> {
    let input = member(row, "input");
    same("normalized", member(row, "normalized"), &json!(normalized(input)))?;
    same("sha1", member(row, "sha1"), &json!(legacy_hash(input)))
}

fn wanted(plan: &SandboxPlan, context: &Context) -> Wanted {
    Wanted {
        container_name: context.container_name.clone(),
        scope_key: context.scope_key.clone(),
        image: plan.settings.docker.image.value.clone(),
        legacy_hash: context.legacy_hash.clone(),
        digest: context.digest.clone(),
    }
}

fn ensured(engine: &Engine, known: Option<&Entry>, wanted: &Wanted) -> Result<Ensure, String> {
    lifecycle::ensure(engine, known, wanted, NOW).map_err(|e| e.to_string())
}

fn lifecycle(row: &Value) -> Result<(), String> {
    match member(row, "kind").as_str() {
        Some("prune") => prune(row),
        Some("ensure-container") => ensure_container(row),
        other => Err(format!("unknown kind of lifecycle case {other:?}")),
    }
}

fn ensure_container(row: &Value) -> Result<(), String> {
    let Plan::Sandbox(plan) = planned(row)? else { return Err("not sandboxed".to_owned()) };
    let context = named(&plan, &Value::Null)?;
    same("containerName", member(row, "containerName"), &json!(context.container_name))?;
    let wanted = wanted(&plan, &context);
    let state = member(row, "state");
    let on = |name: &str| member(state, name).as_bool() == Some(true);
    // The product decides by its own label; the case says only whether the label fits.
    let digest = member(state, "labelHash").as_str().map(|h| match h {
        "$EXPECTED" => wanted.digest.clone(),
        other => other.to_owned(),
    });
    let reported = Reported {
        activity: if on("running") { Activity::Idle } else { Activity::Stopped },
        ownership: Ownership::Ours,
        scope_key: Some(wanted.scope_key.clone()),
        digest,
    };
    let engine = if on("exists") { Engine::Present(reported) } else { Engine::Absent };
    let registry = member(state, "registry");
    let ago = |name: &str| NOW.saturating_sub(member(registry, name).as_u64().unwrap_or_default());
    let known = registry.is_object().then(|| Entry {
        container_name: wanted.container_name.clone(),
        session_key: wanted.scope_key.clone(),
        created_at_ms: ago("createdAgoMs"),
        last_used_at_ms: ago("lastUsedAgoMs"),
        image: member(registry, "image").as_str().unwrap_or_default().to_owned(),
        config_hash: member(registry, "configHash").as_str().map(str::to_owned),
    });
    let got = ensured(&engine, known.as_ref(), &wanted)?;
    let want = expected(row);
    let actions: Vec<&str> = got.actions.iter().map(|a| a.words()).collect();
    same("actions", member(want, "actions"), &json!(actions))?;
    let after = member(want, "registryAfter");
    let hash = got.entry.config_hash.map(|h| h.replace(&wanted.legacy_hash, "$EXPECTED"));
    same("configHash", member(after, "configHash"), &json!(hash))?;
    if row.get("quirk").is_some() {
        // The reference release keeps stale values here; the product writes fresh ones.
        return Ok(());
    }
    let kept = known.is_some_and(|k| k.created_at_ms == got.entry.created_at_ms);
    same("createdAtKept", member(after, "createdAtKept"), &json!(kept))?;
    same("image", member(after, "image"), &json!(got.entry.image))
}

fn prune(row: &Value) -> Result<(), String> {
    let then = |name: &str| {
        let ms = member(member(row, "entry"), name).as_f64().unwrap_or_default() * 3_600_000.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "hours of a case, small and positive"
        )]
        NOW.saturating_sub(ms as u64)
    };
    let entry = Entry {
        container_name: "c".to_owned(),
        session_key: "agent:main".to_owned(),
        created_at_ms: then("ageHours"),
        last_used_at_ms: then("idleHoursAgo"),
        image: "i".to_owned(),
        config_hash: None,
    };
    let limit = |name: &str| member(member(row, "prune"), name).as_f64().unwrap_or_default();
    let gone = lifecycle::prune(limit("idleHours"), limit("maxAgeDays"), &entry, NOW) != PruneVerdict::Keep;
    same("removed", member(expected(row), "removed"), &json!(gone))?;
    same("registryCount", member(expected(row), "registryCount"), &json!(usize::from(!gone)))
}
