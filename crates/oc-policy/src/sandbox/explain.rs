//! `openclaw explain sandbox`: where a session's tools run, which settings are in force, where each comes from, what would change it.

use oc_types::{AgentId, DecidedBy, Effect, Explanation, Flip, KeyPath, Node, Origin, Trace, TraceStep};
use serde_json::{Map, Value as Json, json};

use super::flips::{self, Question};
use super::key::{Places, builtin, step};
use super::{
    DoorState, HostDoor, Place, Resolved, Runs, SandboxError, Sandboxing, Scope, Setting, Subject, doors,
    is_sandboxed_for, resolve, scope_key, session_visibility,
};
use crate::read_only_mode;
use crate::session_key::{Class, SessionKey};

/// Answers for an agent and a session.
///
/// Direct-message keys of another `dmScope` no longer arise once `session.dmScope` is written as `main`; the answer is then about the
/// session that those messages go to, and says so.
///
/// # Errors
/// [`SandboxError`]: the configuration has no answer, which at run time refuses the call.
pub fn explain(config: &Node, subject: &Subject, place: &Place) -> Result<Explanation, SandboxError> {
    let mut notes = Vec::new();
    let key = addressed(config, subject, &mut notes)?;
    let sandboxing = is_sandboxed_for(config, &subject.agent, Some(&key))?;
    let settings = resolve(config, &subject.agent, place)?;
    let mut trace = session_steps(config, &key);
    trace.extend(sandboxing.trace.iter().cloned());
    let decided = decided_by(&sandboxing);
    let question = Question { config, subject, key: &key, sandboxing: &sandboxing, settings: &settings };
    if sandboxing.runs.is_sandboxed() {
        trace.extend(setting_steps(config, subject, &settings)?);
        notes.extend(settings.tools.warnings.iter().cloned());
        notes.push(
            "A container that runs already is made anew before its next command when these settings change."
                .to_owned(),
        );
    } else if let Some(x) = read_only_mode::expand(config, &subject.agent) {
        trace.push(x.step());
    }
    notes.extend(unknown_agent(config, &subject.agent));
    let flip: Vec<Flip> = flips::flips(&question);
    notes.extend(flips::notes(&question));
    notes.dedup();
    Ok(Explanation {
        subject: "sandbox".to_owned(),
        verdict: sandboxing.runs.word().to_owned(),
        reason: reason(&sandboxing).to_owned(),
        decided_by: decided,
        trace,
        flip,
        notes,
        facts: facts(subject, &key, &sandboxing, &settings),
    })
}

/// The session that the question is about.
fn addressed(config: &Node, subject: &Subject, notes: &mut Vec<String>) -> Result<SessionKey, SandboxError> {
    let written = config.path(&["session", "dmScope"]).and_then(Node::as_str);
    if subject.session.class() != Class::Dm || written != Some("main") {
        return Ok(subject.session.clone());
    }
    let agent = subject.session.agent().unwrap_or(&subject.agent);
    let main = SessionKey::parse(&format!("agent:{agent}:main"))?;
    notes.push(format!(
        "session.dmScope is main: direct messages go to {main}, so this answers for it; no new session gets the key {}.",
        subject.session
    ));
    Ok(main)
}

fn reason(sandboxing: &Sandboxing) -> &'static str {
    match (sandboxing.mode, sandboxing.runs) {
        (super::Mode::Off, _) => "mode-off",
        (super::Mode::All, _) => "mode-all",
        (super::Mode::NonMain, Runs::OnHost) => "main-session",
        (super::Mode::NonMain, Runs::Sandboxed) => "not-the-main-session",
    }
}

fn decided_by(sandboxing: &Sandboxing) -> DecidedBy {
    let last = sandboxing.trace.last();
    DecidedBy {
        layer: "mode".to_owned(),
        rule: sandboxing.mode.word().to_owned(),
        key_path: last.and_then(|s| s.key_path.clone()),
        source: last.map_or(Origin::Default, |s| s.source.clone()),
        unset: last.is_some_and(|s| s.unset),
    }
}

/// Where the shape of the key comes from.
fn session_steps(config: &Node, key: &SessionKey) -> Trace {
    let path = KeyPath::dotted("session.dmScope");
    let value = config.at(&path).and_then(Node::as_str);
    match (key.class(), value) {
        (Class::Dm, Some(v)) => {
            let detail = format!("{v}: direct messages get sessions of their own, such as this one");
            vec![step(config, ("session", "dmScope"), &path, Effect::Keeps, detail)]
        }
        (Class::Dm, None) => {
            let detail =
                "unset, which means main: new direct messages go to the agent's main session".to_owned();
            vec![step(config, ("session", "dmScope"), &path, Effect::Absent, detail)]
        }
        _ => Vec::new(),
    }
}

fn setting_step<T>(
    config: &Node,
    layer: &str,
    field: &str,
    setting: &Setting<T>,
    detail: String,
) -> TraceStep {
    let unset = KeyPath::dotted("agents.defaults.sandbox").join(&KeyPath::dotted(field));
    let (key, effect) = match &setting.key {
        Some(key) => (key.clone(), Effect::Keeps),
        None => (unset, Effect::Absent),
    };
    let mut out = step(config, (layer, field), &key, effect, detail);
    if setting.key.is_some() {
        out.source = setting.origin.clone();
        out.unset = false;
    }
    out
}

fn setting_steps(config: &Node, subject: &Subject, s: &Resolved) -> Result<Trace, SandboxError> {
    let value = |v: &str, set: bool| if set { v.to_owned() } else { format!("{v} (default)") };
    let mut out = vec![
        setting_step(config, "scope", "scope", &s.scope, value(s.scope.value.word(), s.scope.key.is_some())),
        setting_step(
            config,
            "workspace",
            "workspaceAccess",
            &s.workspace_access,
            value(s.workspace_access.value.word(), s.workspace_access.key.is_some()),
        ),
    ];
    out.extend(read_only_mode::expand(config, &subject.agent).map(|x| x.step()));
    out.extend(docker_steps(config, s));
    out.extend(inert_steps(config, subject, s.scope.value));
    for (name, source) in [("allow", &s.tools.allow_source), ("deny", &s.tools.deny_source)] {
        let list = if name == "allow" { &s.tools.allow } else { &s.tools.deny };
        let shown = if list.is_empty() { "empty".to_owned() } else { list.join(", ") };
        let effect = match (name, source.key_path.is_root()) {
            ("deny", false) => Effect::Removes,
            _ => Effect::Keeps,
        };
        let mut one = step(config, ("tools", name), &source.key_path, effect, shown);
        if source.origin == Origin::Default {
            one.source = Origin::Default;
            one.unset = true;
        }
        out.push(one);
    }
    out.extend(door_steps(config, s));
    let seen = session_visibility(config)?;
    let word =
        if seen.value == super::SessionVisibility::All { "all sessions" } else { "sessions it spawned" };
    out.push(setting_step(config, "sessions", "sessionToolsVisibility", &seen, format!("sees {word}")));
    Ok(out)
}

/// The docker settings that a key sets, and the network in any case.
fn docker_steps(config: &Node, s: &Resolved) -> Trace {
    let d = &s.docker;
    let mut out = vec![setting_step(
        config,
        "docker",
        "docker.network",
        &d.network,
        format!("network {:?}", d.network.value),
    )];
    for bind in &d.binds {
        // Shown at the list: the list is what an operator moves.
        let list = bind.key.as_ref().and_then(KeyPath::parent);
        let origin = list.as_ref().and_then(|k| config.at(k)).map_or(&bind.origin, |n| &n.origin).clone();
        let shown = Setting { value: (), key: list, origin };
        out.push(setting_step(config, "docker", "docker.binds", &shown, format!("bind {}", bind.value)));
    }
    let mut named = |field: &str, key: Option<&KeyPath>, origin: &Origin| {
        if let Some(key) = key {
            let setting = Setting { value: (), key: Some(key.clone()), origin: origin.clone() };
            let value = config.at(key).map(|n| n.to_json().to_string()).unwrap_or_default();
            let shown: String = value.chars().take(120).collect();
            out.push(setting_step(config, "docker", field, &setting, shown));
        }
    };
    macro_rules! each {
        ($($field:literal = $setting:expr),* $(,)?) => {$(
            if let Some(s) = $setting { named($field, s.key.as_ref(), &s.origin); }
        )*};
    }
    each!(
        "docker.image" = Some(&d.image),
        "docker.containerPrefix" = Some(&d.container_prefix),
        "docker.workdir" = Some(&d.workdir),
        "docker.readOnlyRoot" = Some(&d.read_only_root),
        "docker.tmpfs" = Some(&d.tmpfs),
        "docker.user" = d.user.as_ref(),
        "docker.capDrop" = Some(&d.cap_drop),
        "docker.pidsLimit" = d.pids_limit.as_ref(),
        "docker.memory" = d.memory.as_ref(),
        "docker.memorySwap" = d.memory_swap.as_ref(),
        "docker.cpus" = d.cpus.as_ref(),
        "docker.seccompProfile" = d.seccomp_profile.as_ref(),
        "docker.apparmorProfile" = d.apparmor_profile.as_ref(),
        "docker.dns" = d.dns.as_ref(),
        "docker.extraHosts" = d.extra_hosts.as_ref(),
    );
    out
}

/// What the agent's entry says without effect.
fn inert_steps(config: &Node, subject: &Subject, scope: Scope) -> Trace {
    let places = Places::new(config, &subject.agent);
    let mut out = Trace::new();
    if scope == Scope::Shared {
        for group in ["docker", "browser", "prune"] {
            let Some(found) = places.agent(&["sandbox", group]) else { continue };
            for field in found.node.as_object().into_iter().flat_map(|o| o.keys()) {
                let detail = "not in force: under scope shared the agent's docker, browser and prune settings do not count";
                let key = found.key.key(field);
                out.push(step(config, (group, "ignored"), &key, Effect::Inert, detail.to_owned()));
            }
        }
        return out;
    }
    if let Some(found) = places.agent(&["sandbox", "docker", "binds"])
        && found.node.as_array().is_some_and(<[Node]>::is_empty)
    {
        let detail = "an empty list adds nothing and takes nothing away: binds of agents.defaults and the agent add up";
        out.push(step(config, ("docker", "docker.binds"), &found.key, Effect::Inert, detail.to_owned()));
    }
    out
}

/// The open doors with their keys, the closed ones in one step.
fn door_steps(config: &Node, s: &Resolved) -> Trace {
    let (open, closed): (Vec<_>, Vec<_>) =
        doors(config, s).into_iter().partition(|d| d.state == DoorState::Open);
    let words: Vec<&str> = closed.iter().map(|d| d.door.words()).collect();
    let detail = format!("closed whatever the tool lists say: {}", words.join(", "));
    let mut out: Trace = open.into_iter().map(|d| d.step).collect();
    out.push(builtin(("closed", "sandboxed-session"), Effect::Removes, detail));
    out
}

fn unknown_agent(config: &Node, agent: &AgentId) -> Option<String> {
    let listed = config.path(&["agents", "list"]).and_then(Node::as_array).is_some_and(|l| !l.is_empty());
    (listed && super::agent_entry(config, agent).is_none())
        .then(|| format!("Agent {agent} is not in agents.list; the settings of agents.defaults apply."))
}

fn facts(subject: &Subject, key: &SessionKey, sandboxing: &Sandboxing, s: &Resolved) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("agentId".to_owned(), json!(subject.agent));
    out.insert("sessionKey".to_owned(), key.as_str().into());
    out.insert("mode".to_owned(), json!(sandboxing.mode));
    if sandboxing.runs.is_sandboxed() {
        let mut effective = s.to_json();
        // Values of a container's environment may be credentials; its names are enough here.
        let env: Vec<&str> = s.docker.env.iter().map(|(name, _)| name.as_str()).collect();
        if let Some(docker) = effective.get_mut("docker").and_then(Json::as_object_mut) {
            docker.insert("env".to_owned(), env.into());
            // A shell line may hold anything.
            if docker.contains_key("setupCommand") {
                docker.insert("setupCommand".to_owned(), "(set, not shown)".into());
            }
        }
        out.insert("scopeKey".to_owned(), scope_key(s.scope.value, key.as_str()).into());
        out.insert("effective".to_owned(), effective);
        let closed: Vec<HostDoor> = doors(&Node::empty(), s)
            .into_iter()
            .filter(|d| d.state == DoorState::Closed)
            .map(|d| d.door)
            .collect();
        out.insert("closed".to_owned(), json!(closed));
    }
    out
}
