//! The rules consulted, the remarks and the facts of an answer.

use oc_policy::elevated::LevelSource;
use oc_policy::exec_route::Host;
use oc_policy::sandbox::Mode;
use oc_types::{DecidedBy, Effect, KeyPath, Node, Origin, Trace, TraceStep};
use serde_json::{Map, Value as Json, json};

use super::settings::{self, Entry, counts_for};
use super::state::{Reach, State, forwarding};
use super::{Approvals, Question};
use crate::approvals_file::{Ask, Security};
use crate::binding::{self, Circumstances};
use crate::decision::{Fallback, Verdict};
use crate::persist;
use crate::plan::{Form, Match, Miss, Redirect, Segment};
use crate::program_name::{base_name, is_broad, is_interpreter};

fn step(layer: &str, rule: &str, effect: Effect, detail: impl Into<String>) -> TraceStep {
    TraceStep {
        layer: layer.to_owned(),
        rule: rule.to_owned(),
        key_path: None,
        source: Origin::Builtin,
        unset: false,
        effect,
        detail: detail.into(),
    }
}

fn at(mut step: TraceStep, key: &KeyPath, origin: &Origin) -> TraceStep {
    step.key_path = Some(key.clone());
    step.source = origin.clone();
    step
}

/// A key of the configuration, or the nearest one that is there.
fn keyed(step: TraceStep, config: &Node, key: &KeyPath) -> TraceStep {
    let (node, _, there) = config.nearest(key);
    TraceStep { unset: !there, ..at(step, key, &node.origin) }
}

/// Every rule, in order; people come after.
pub(super) fn trace(q: &Question<'_>, s: &State) -> Trace {
    let mut out: Trace = s.sandboxing.trace.clone();
    if let Some(by) = &s.denied_tool {
        let detail = "the tool policy denies `exec`: `openclaw explain tool exec` says more";
        let mut found = step("tool-policy", &format!("{}, {}", by.layer, by.rule), Effect::Removes, detail);
        found.key_path.clone_from(&by.key_path);
        found.source = by.source.clone();
        out.push(found);
    }
    if q.directive.is_some() || q.channel.is_some() {
        out.extend(s.gate.trace().iter().cloned());
        out.push(s.level.step.clone());
    }
    let mut decision = s.decision.trace.clone();
    let last = decision.pop();
    out.extend(
        decision.into_iter().filter(|step| step.key_path.is_some() || step.source == Origin::Builtin).map(
            |mut step| {
                // What is not set is shown by its place, not as a rule of the program.
                if step.key_path.is_none()
                    && step.layer == "tools.exec"
                    && matches!(step.rule.as_str(), "security" | "ask")
                {
                    let key = KeyPath::keys(["tools", "exec", step.rule.as_str()]);
                    let detail = format!("unset; {}", step.detail);
                    step = keyed(TraceStep { effect: Effect::Absent, detail, ..step }, q.config, &key);
                }
                step
            },
        ),
    );
    if !matches!(s.decision.route, Host::Sandbox | Host::Node) {
        out.extend(line_steps(q, s));
    }
    out.extend(last);
    out
}

/// The line and each command of it.
fn line_steps(q: &Question<'_>, s: &State) -> Trace {
    let mut out = Trace::new();
    if let Some(miss) = s.plan.miss.as_ref().filter(|_| s.plan.segments.is_empty()) {
        out.push(step("line", &miss.word, Effect::Holds, unread(miss)));
    }
    let several = s.plan.segments.len() > 1;
    for (i, segment) in s.plan.segments.iter().enumerate() {
        let layer = format!("segment {}", i + 1);
        out.push(segment_step(q, s, &layer, segment));
        if segment.matched.is_none() {
            out.extend(near_misses(q, &layer, segment));
        }
    }
    if several && s.plan.miss.is_some() {
        out.push(step(
            "line",
            "every-segment",
            Effect::Holds,
            "one command that is not automatic makes the whole line wait; no part of it runs before",
        ));
    }
    out
}

fn unread(miss: &Miss) -> String {
    match miss.word.as_str() {
        "redirection" => "writing to a file is never automatic; no key opens it".to_owned(),
        word => format!(
            "the line is not one that every shell reads alike ({word}, {}); no key opens it",
            miss.detail
        ),
    }
}

fn program(segment: &Segment) -> String {
    let word = segment.argv.first().map_or("", String::as_str);
    match &segment.executable {
        Some(found) => format!("{word} is {}", found.path),
        None => format!("no program {word} was found"),
    }
}

fn segment_step(q: &Question<'_>, s: &State, layer: &str, segment: &Segment) -> TraceStep {
    let program = program(segment);
    let entries = q.approvals.entries();
    match (&segment.matched, &segment.miss) {
        (Some(Match::Allowlist(pattern)), _) => {
            let found =
                entries.iter().find(|e| counts_for(e, &q.subject.agent) && e.rule.pattern == *pattern);
            let step = step(
                layer,
                &format!("allowlist:{pattern}"),
                Effect::Admits,
                format!("{program}; this entry admits it"),
            );
            found.map_or_else(|| step.clone(), |e| at(step.clone(), &e.key, &e.origin))
        }
        (Some(Match::Skill), _) => {
            step(layer, "skill", Effect::Admits, format!("{program}, a program of an installed skill"))
        }
        (Some(Match::SafeBin), _) => {
            let step = step(layer, "safe-bin", Effect::Admits, format!("{program}; this use only reads"));
            list_place(q, segment, step)
        }
        (None, miss) => {
            let unknown = Miss::new("miss", "");
            let miss = miss.as_ref().or(s.plan.miss.as_ref()).unwrap_or(&unknown);
            let detail = format!("{program}; {}", explained(q, segment, miss));
            let effect = if s.verdict == Verdict::Allow { Effect::Inert } else { Effect::Holds };
            list_place(q, segment, step(layer, &miss.word, effect, detail))
        }
    }
}

/// Where the list of safe programs names this one, or where the list would be.
fn list_place(q: &Question<'_>, segment: &Segment, step: TraceStep) -> TraceStep {
    let listed = settings::listed(q.config, &q.subject.agent);
    let Some(list) = listed else {
        return keyed(step, q.config, &KeyPath::keys(["tools", "exec", "safeBins"]));
    };
    match list.iter().find(|l| names(segment, &l.name)) {
        Some(found) => at(step, &found.key, &found.origin),
        None => keyed(step, q.config, &KeyPath::keys(["tools", "exec", "safeBins"])),
    }
}

fn names(segment: &Segment, entry: &str) -> bool {
    let path = segment.executable.as_ref().map(|e| e.path.as_str());
    let word = path.or(segment.argv.first().map(String::as_str)).unwrap_or_default();
    word == entry || word.rsplit('/').next() == Some(entry)
}

fn explained(q: &Question<'_>, segment: &Segment, miss: &Miss) -> String {
    let listed = settings::listed(q.config, &q.subject.agent);
    let name = segment.argv.first().map_or("", String::as_str);
    match miss.word.as_str() {
        "not-listed" if listed.is_none() => "it is not on the built-in list of safe programs (tools.exec.safeBins is unset) and no entry admits it".to_owned(),
        "not-listed" => "it is not in tools.exec.safeBins and no entry admits it".to_owned(),
        "option" | "operand" => {
            format!("{}: outside of the read-only profile of {name}", miss.detail)
        }
        "never-safe" => format!("listing {name} has no effect: shells, interpreters and programs that start others are never safe programs{}", warned(name)),
        "unresolved" => "it is on no directory of PATH".to_owned(),
        word if miss.detail.is_empty() => word.to_owned(),
        word => format!("{word}: {}", miss.detail),
    }
}

/// What else says that a listed name is no safe program.
fn warned(name: &str) -> &'static str {
    if is_interpreter(name) {
        "; the configuration's audit warns of it as tools.exec.safe_bins_interpreter_unprofiled"
    } else if is_broad(name) {
        "; the configuration's audit warns of it as tools.exec.safe_bins_broad_behavior"
    } else {
        ""
    }
}

/// Whether a command is a shell that is given a text to run.
fn is_shell_form(segment: &Segment) -> bool {
    let name = base_name(segment.argv.first().map_or("", String::as_str));
    segment.form == Form::InlineCode
        && matches!(name.as_str(), "sh" | "bash" | "dash" | "zsh" | "ksh" | "fish")
}

/// Entries of allow lists that look as if they should admit a command, and why they do not.
fn near_misses(q: &Question<'_>, layer: &str, segment: &Segment) -> Trace {
    let Some(program) = &segment.executable else { return Trace::new() };
    let base = |p: &str| p.rsplit('/').next().unwrap_or(p).to_owned();
    let near = |e: &&Entry| base(&e.rule.pattern) == base(&program.path);
    let inner = |e: &&Entry| {
        segment.form == Form::InlineCode
            && segment
                .argv
                .iter()
                .skip(1)
                .any(|a| a.split([' ', ';', '|', '&']).any(|w| base(w) == base(&e.rule.pattern)))
    };
    let entries = q.approvals.entries();
    let found = entries.iter().filter(|e| near(e) || inner(e));
    found
        .map(|e| {
            let detail = if !counts_for(e, &q.subject.agent) {
                format!("an entry of agent {} does not apply to {}", e.agent, q.subject.agent)
            } else if inner(&e) && !near(&e) {
                format!(
                    "{} is not looked up inside the text that {} runs",
                    base(&e.rule.pattern),
                    base(&program.path)
                )
            } else if !e.rule.pattern.contains(['/', '\\', '~']) {
                "a name without a slash never matches; entries are paths".to_owned()
            } else if e.rule.arguments.is_some() || e.rule.directory.is_some() {
                "bound to other arguments or another directory".to_owned()
            } else {
                format!("another path; the program is {}", program.path)
            };
            at(
                step(layer, &format!("allowlist:{}", e.rule.pattern), Effect::Inert, detail),
                &e.key,
                &e.origin,
            )
        })
        .collect()
}

/// Who can be asked.
pub(super) fn people(q: &Question<'_>, s: &State) -> Trace {
    if s.decision.verdict != Verdict::Ask || s.denied_tool.is_some() {
        return Trace::new();
    }
    let mut out = Trace::new();
    let (effect, detail) = match s.reach {
        Reach::Operator => (Effect::Holds, "an operator client is connected: it is asked"),
        Reach::Unknown => (
            Effect::Holds,
            "whether an operator client is connected is not known here; --approvers none and --approvers present answer for either",
        ),
        Reach::Chat => (Effect::Holds, "no operator client: the question goes to the chat of the session"),
        Reach::Nobody => {
            (Effect::Removes, "no operator client is connected and nothing forwards the question to a chat")
        }
    };
    out.push(keyed(step("approvers", "forwarding", effect, detail), q.config, &forwarding()));
    if s.reach == Reach::Operator {
        return out;
    }
    let fallback = step(
        "approvers",
        "askFallback",
        Effect::Keeps,
        format!("askFallback is {}: what happens when nobody answers", s.decision.ask_fallback.word()),
    );
    out.push(match q.approvals {
        Approvals::Present { tree, .. } => file_key(tree, q.subject.agent.as_str(), "askFallback")
            .map_or(fallback.clone(), |(k, o)| at(fallback, &k, &o)),
        Approvals::Absent | Approvals::Unreadable(_) => fallback,
    });
    out
}

/// A scalar of the approvals file.
fn file_key(tree: &Node, agent: &str, name: &str) -> Option<(KeyPath, Origin)> {
    let places = [vec!["agents", agent, name], vec!["agents", "*", name], vec!["defaults", name]];
    places.into_iter().find_map(|p| Some((KeyPath::keys(p.iter().copied()), tree.path(&p)?.origin.clone())))
}

/// The rule that decided.
pub(super) fn decided_by(q: &Question<'_>, s: &State) -> DecidedBy {
    let of = |step: TraceStep| DecidedBy {
        layer: step.layer,
        rule: step.rule,
        key_path: step.key_path,
        source: step.source,
        unset: step.unset,
    };
    if let Some(by) = &s.denied_tool {
        return DecidedBy { layer: format!("tool-policy, {}", by.layer), ..by.clone() };
    }
    let exec = |name: &str| {
        let worded = match name {
            "ask" => s.requested.ask.as_ref().map(|w| (&w.key, &w.origin)),
            "host" => s.requested.host.as_ref().map(|w| (&w.key, &w.origin)),
            _ => s.requested.security.as_ref().map(|w| (&w.key, &w.origin)),
        };
        let plain = step("tools.exec", name, Effect::Keeps, "");
        of(match worded {
            Some((key, origin)) => at(plain, key, origin),
            None => keyed(plain, q.config, &KeyPath::keys(["tools", "exec", name])),
        })
    };
    if s.reason == "no-approval-route" {
        return of(keyed(step("approvers", "forwarding", Effect::Removes, ""), q.config, &forwarding()));
    }
    if (s.decision.fallback == Fallback::SandboxInactive || s.decision.route == Host::Sandbox)
        && s.decision.ask != Ask::Always
        && let Some(mode) = s.sandboxing.trace.last()
    {
        return of(mode.clone());
    }
    match (s.verdict, s.decision.route) {
        (Verdict::Ask, Host::Prompt) => exec("security"),
        (Verdict::Ask, _) => exec("ask"),
        (Verdict::Allow, Host::Node) => exec("host"),
        (Verdict::Allow, _) if s.decision.reason == "ok" => {
            let found = s.plan.segments.first().map(|segment| segment_step(q, s, "segment 1", segment));
            found.map_or_else(|| exec("security"), of)
        }
        (Verdict::Allow, _) => exec("security"),
        (Verdict::Deny, _) if s.decision.enforce == Security::Deny => exec("security"),
        (Verdict::Deny, _) if s.plan.segments.is_empty() => of(step("line", &s.reason, Effect::Removes, "")),
        (Verdict::Deny, _) => exec("ask"),
    }
}

/// Further remarks.
pub(super) fn notes(q: &Question<'_>, s: &State) -> Vec<String> {
    let mut out = Vec::new();
    let elevated_asked = q.directive.is_some_and(|l| l != oc_policy::elevated::Level::Off);
    if elevated_asked && !s.gate.is_allowed() {
        out.push("Elevated is refused. Both lists, the global one and the agent's own, must hold the sender; the agent's list can only narrow. Being allowed to write to the bot is not enough.".to_owned());
    }
    if s.gate.is_allowed() && s.level.source == LevelSource::Default && q.channel.is_some() {
        out.push("Commands of this sender leave the sandbox without a directive; agents.defaults.elevatedDefault \"off\" requires one.".to_owned());
    }
    if s.decision.route == Host::Sandbox {
        out.push("In the sandbox no approval is involved unless tools.exec.ask is \"always\"; programs are those of the container.".to_owned());
        return out;
    }
    if s.decision.route == Host::Node && s.verdict != Verdict::Deny {
        out.push("The node reads the line: its own configuration, exec-approvals.json and people decide there. Programs, directories and lists of this host do not count.".to_owned());
        return out;
    }
    let redirected = |r: &Redirect| matches!(r, Redirect::OutToNull | Redirect::ErrToNull);
    if s.plan.segments.iter().any(|g| g.redirections.iter().any(redirected)) {
        out.push("Output to /dev/null is neutral: nothing is written.".to_owned());
    }
    if s.decision.fallback == Fallback::SandboxInactive {
        if s.requested.security.is_some() || s.requested.host.is_some() || s.requested.ask.is_some() {
            out.push("This session has no sandbox, so the command is meant for the gateway host; because tools.exec is written explicitly, the rules of the host apply to it.".to_owned());
        } else if s.verdict == Verdict::Allow {
            out.push("Nothing is configured for exec, so the command runs on the host without a question. The audit's name for commands that miss their sandbox is `tools.exec.host_sandbox_no_sandbox_defaults`; `tools.exec.security: \"sandbox\"` makes the rules of the host apply.".to_owned());
        }
        if s.sandboxing.mode == Mode::Off
            && s.plan.standing() != crate::plan::Standing::Hit
            && s.verdict != Verdict::Allow
        {
            out.push("sandbox.mode \"non-main\" would not change the main session.".to_owned());
        }
    }
    if s.reason == "no-approval-route" {
        let what =
            s.plan.miss.as_ref().map(|m| {
                format!("`{}` is not automatic ({}), so a person is wanted", q.request.text, m.word)
            });
        out.push(format!(
            "{}, and none can be reached. The command is not forbidden as such.",
            what.unwrap_or_else(|| "A person is wanted".to_owned())
        ));
    }
    if s.decision.verdict == Verdict::Ask && s.denied_tool.is_none() {
        match s.reach {
            Reach::Chat | Reach::Nobody => out.push(chat_note(q)),
            Reach::Unknown => out.push("Whether somebody can be asked right now is not known.".to_owned()),
            Reach::Operator => {}
        }
        if s.verdict == Verdict::Ask && s.decision.ask != Ask::Always {
            let circumstances = Circumstances {
                agent: q.subject.agent.to_string(),
                session: q.subject.session.to_string(),
                host: binding::Host::Gateway,
                node: None,
                security: s.decision.enforce,
                ask: s.decision.ask,
            };
            if let Err(why) = persist::offer(&s.plan, &circumstances, q.view) {
                let shell = s.plan.segments.iter().any(is_shell_form);
                let form = if shell { " (the shell form: a text that is run)" } else { "" };
                out.push(format!("Allow-always is not offered for this line: {why}{form}."));
            }
        }
        if s.verdict == Verdict::Ask {
            out.push("Or approve this one line when it asks.".to_owned());
        }
    }
    out
}

/// Where a forwarded question goes and who may answer.
fn chat_note(q: &Question<'_>) -> String {
    let known = q.channel.zip(q.sender.id.or(q.sender.e164)).filter(|(channel, sender)| {
        ["groupAllowFrom", "allowFrom"].iter().any(|list| {
            let list = q.config.path(&["channels", channel, list]).and_then(Node::entries);
            list.is_some_and(|l| l.iter().any(|e| e == sender))
        })
    });
    let here = known.map_or_else(String::new, |(_, sender)| format!(" (here {sender})"));
    format!(
        "A forwarded question is asked in the chat of that session; answers count only from senders that may give commands{here}."
    )
}

/// Facts of the subject.
pub(super) fn facts(q: &Question<'_>, s: &State) -> Map<String, Json> {
    let mut out = Map::new();
    let mut put = |key: &str, value: Json| out.insert(key.to_owned(), value);
    put("command", q.request.text.into());
    put("agentId", q.subject.agent.to_string().into());
    put("sessionKey", q.subject.session.to_string().into());
    put("route", s.decision.route.word().into());
    if s.decision.fallback == Fallback::SandboxInactive {
        put("routeFallback", "sandbox-inactive".into());
    }
    if s.decision.route != Host::Sandbox {
        put("enforce", s.decision.enforce.word().into());
        put("ask", s.decision.ask.word().into());
        if s.decision.verdict == Verdict::Ask && s.reach != Reach::Operator {
            put("askFallback", s.decision.ask_fallback.word().into());
        }
    }
    if q.directive.is_some() || q.channel.is_some() {
        let refused = s.gate.failures().first();
        put("elevated", s.level.level.word().into());
        put("elevatedGate", json!(s.gate));
        if let Some(failure) = refused.filter(|_| q.directive.is_some()) {
            put("elevatedRefusedBy", failure.stage.word().into());
        }
    }
    let segments = s.plan.segments.iter().enumerate().map(|(i, g)| {
        let step = segment_step(q, s, &format!("segment {}", i + 1), g);
        let matched = g.matched.as_ref().map(|_| step.rule.clone());
        json!({
            "argv": g.argv,
            "resolvedPath": g.executable.as_ref().map(|e| &e.path),
            "matched": matched,
            "reason": g.miss.as_ref().map(Miss::text),
            "keyPath": step.key_path,
            "source": step.source,
        })
    });
    put("segments", segments.collect());
    out
}
