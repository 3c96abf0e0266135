//! The four axes: route, enforcement, ask, elevation (exec-approval 3.1 and 3.2).

use oc_policy::elevated::ExecElevation;
use oc_policy::exec_route::Host;
use oc_types::{Effect, KeyPath, Origin, Trace, TraceStep};
use serde::Serialize;

use super::requested::{AskWord, HostWord, SecurityWord, Worded};
use super::{File, Question, ask_word, word};
use crate::approvals_file::{Ask, Security};

/// Whether the sandbox was wanted and is not active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// It runs where it was meant to.
    None,
    /// It was meant for the sandbox; the session has none, so it runs on the gateway host.
    SandboxInactive,
}

/// The settings in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes {
    /// Where.
    pub route: Host,
    /// How far it is checked there.
    pub enforce: Security,
    /// When a person is asked; never `elevated`, which has become `off` or `on-miss`.
    pub ask: Ask,
    /// See [`Fallback`].
    pub fallback: Fallback,
    /// Stable word: the call is refused before the line is looked at.
    pub refusal: Option<&'static str>,
}

fn step(
    layer: &str,
    rule: &str,
    from: Option<(&KeyPath, &Origin)>,
    effect: Effect,
    detail: String,
) -> TraceStep {
    TraceStep {
        layer: layer.to_owned(),
        rule: rule.to_owned(),
        key_path: from.map(|(k, _)| k.clone()),
        source: from.map_or(Origin::Builtin, |(_, o)| o.clone()),
        unset: false,
        effect,
        detail,
    }
}

fn place<T>(set: Option<&Worded<T>>) -> Option<(&KeyPath, &Origin)> {
    set.map(|w| (&w.key, &w.origin))
}

/// `elevated` is `on-miss` in an elevated session and `off` in another.
fn settled(ask: Ask, elevated: ExecElevation) -> Ask {
    match (ask, elevated) {
        (Ask::Elevated, ExecElevation::Off) => Ask::Off,
        (Ask::Elevated, ExecElevation::Ask | ExecElevation::Full) => Ask::OnMiss,
        (Ask::Off | Ask::OnMiss | Ask::Always, _) => ask,
    }
}

/// Where the configuration and the session put commands, before elevation and fall-back.
fn wanted(q: &Question<'_>) -> Host {
    let host = q.session.host.or(q.requested.host.as_ref().map(|h| h.value));
    match (q.requested.security.as_ref().map(|s| s.value), host) {
        // An authorised sender moved the session.
        (_, Some(HostWord::Gateway)) if q.session.host.is_some() => Host::Gateway,
        (_, Some(HostWord::Node)) if q.session.host.is_some() => Host::Node,
        (_, Some(HostWord::Sandbox)) if q.session.host.is_some() => Host::Sandbox,
        (Some(SecurityWord::Host), Some(HostWord::Node)) => Host::Node,
        (Some(SecurityWord::Host), _) => Host::Gateway,
        (Some(SecurityWord::Sandbox), _) => Host::Sandbox,
        (Some(SecurityWord::Ask), _) => Host::Prompt,
        (_, Some(HostWord::Gateway)) => Host::Gateway,
        (_, Some(HostWord::Node)) => Host::Node,
        (_, Some(HostWord::Sandbox | HostWord::Unknown) | None) => Host::Sandbox,
    }
}

/// Whether elevation moves this call to the gateway host. The seed's `security: ask` and `ask: always` hold at any level, and
/// `ask: off` beside `security: sandbox` stays in the sandbox.
fn leaves(q: &Question<'_>, from: Host) -> Option<Host> {
    if q.elevated == ExecElevation::Off {
        return None;
    }
    let ask = q.requested.ask.as_ref().map_or(AskWord::Known(Ask::OnMiss), |a| a.value);
    let by_elevation = ask == AskWord::Known(Ask::Elevated);
    let full = q.elevated == ExecElevation::Full;
    let stays = match q.requested.security.as_ref().map(|s| s.value) {
        Some(SecurityWord::Ask) => !(by_elevation && full),
        Some(SecurityWord::Sandbox) => {
            matches!(ask, AskWord::Known(Ask::Off | Ask::Always) | AskWord::Unknown)
        }
        Some(SecurityWord::Host | SecurityWord::Enforce(_) | SecurityWord::Unknown) | None => false,
    };
    (!stays && from != Host::Gateway).then_some(Host::Gateway)
}

/// Works the axes out, with the rules consulted.
pub(super) fn axes(q: &Question<'_>) -> (Axes, Trace) {
    let mut trace = Trace::new();
    let r = q.requested;
    let meant = wanted(q);
    let mut refusal = None;

    // The route.
    let by_security = matches!(
        r.security.as_ref().map(|s| s.value),
        Some(SecurityWord::Host | SecurityWord::Sandbox | SecurityWord::Ask)
    );
    let (rule, from) = if q.session.host.is_some() {
        ("session", None)
    } else if by_security {
        ("security", place(r.security.as_ref()))
    } else {
        ("host", place(r.host.as_ref()))
    };
    trace.push(step("route", rule, from, Effect::Keeps, format!("runs on: {}", meant.word())));
    if by_security
        && q.session.host.is_none()
        && let Some(host) = r.host.as_ref().filter(|h| {
            let agree = matches!(
                (meant, h.value),
                (Host::Gateway, HostWord::Gateway)
                    | (Host::Sandbox, HostWord::Sandbox)
                    | (Host::Node, HostWord::Node)
            );
            !agree
        })
    {
        let detail = "security decides where commands run".to_owned();
        trace.push(step("route", "host", Some((&host.key, &host.origin)), Effect::Inert, detail));
    }
    let mut route = meant;
    if let Some(to) = leaves(q, meant) {
        route = to;
        trace.push(step(
            "elevated",
            "host",
            None,
            Effect::Keeps,
            "elevation takes it to the gateway host".to_owned(),
        ));
    }
    if let Some(call) = q.call.host {
        let same = matches!(
            (meant, call),
            (Host::Gateway, HostWord::Gateway)
                | (Host::Sandbox, HostWord::Sandbox)
                | (Host::Node, HostWord::Node)
        );
        if !same && q.elevated == ExecElevation::Off {
            refusal = Some("host-not-allowed");
        }
    }
    let bound = r.node.as_ref().map(|n| n.value.as_str()).or(q.session.node.as_deref());
    if let (Some(bound), Some(asked)) = (bound, q.call.node.as_deref())
        && bound != asked
    {
        refusal = Some("node-not-allowed");
    }
    let mut fallback = Fallback::None;
    if route == Host::Sandbox && !q.runs.is_sandboxed() {
        route = Host::Gateway;
        fallback = Fallback::SandboxInactive;
        trace.push(step(
            "route",
            "sandbox-inactive",
            None,
            Effect::Keeps,
            "this session has no sandbox, so it runs on the gateway host".to_owned(),
        ));
    }

    let (mut enforce, mut ask) = requested_side(q, route, fallback, &mut trace);

    // The session and the call: the stricter of each (SP-184).
    for (layer, security, asked) in
        [("session", q.session.security, q.session.ask), ("call", q.call.security, q.call.ask)]
    {
        if let Some(security) = security {
            enforce = enforce.min(security);
            trace.push(step(layer, "security", None, Effect::Keeps, format!("at most {}", word(security))));
        }
        if let Some(asked) = asked {
            ask = ask.max(settled(asked, q.elevated));
            trace.push(step(layer, "ask", None, Effect::Keeps, format!("at least {}", ask_word(asked))));
        }
    }

    // The file of the host. It says nothing about containers.
    if route != Host::Sandbox {
        match q.file {
            File::Absent => {}
            File::Unreadable(_) if route == Host::Prompt => {
                // The sandbox may still be chosen; the host is judged again when it is.
                enforce = Security::Deny;
            }
            File::Unreadable(why) => {
                refusal = refusal.or(Some("approvals-file-unreadable"));
                enforce = Security::Deny;
                trace.push(step("approvals-file", "unreadable", None, Effect::Removes, why.clone()));
            }
            File::Present(posture) => {
                if let Some(security) = posture.security {
                    enforce = enforce.min(security);
                    trace.push(step(
                        "approvals-file",
                        "security",
                        None,
                        Effect::Keeps,
                        format!("at most {}", word(security)),
                    ));
                }
                if let Some(asked) = posture.ask {
                    ask = ask.max(settled(asked, q.elevated));
                    trace.push(step(
                        "approvals-file",
                        "ask",
                        None,
                        Effect::Keeps,
                        format!("at least {}", ask_word(asked)),
                    ));
                }
            }
        }
    }
    (Axes { route, enforce, ask, fallback, refusal }, trace)
}

/// What the configuration and the elevated level ask for, before session, call and file.
fn requested_side(q: &Question<'_>, route: Host, fallback: Fallback, trace: &mut Trace) -> (Security, Ask) {
    let r = q.requested;
    let security = r.security.as_ref().map(|s| s.value);
    let said = match r.ask.as_ref().map(|a| a.value) {
        None => Ask::OnMiss,
        Some(AskWord::Known(ask)) => ask,
        Some(AskWord::Unknown) => Ask::Always,
    };
    let mut ask = settled(said, q.elevated);
    let mut enforce = match security {
        None | Some(SecurityWord::Host | SecurityWord::Sandbox | SecurityWord::Ask) => Security::Allowlist,
        Some(SecurityWord::Enforce(security)) => security,
        Some(SecurityWord::Unknown) => Security::Deny,
    };
    if matches!(r.host.as_ref().map(|h| h.value), Some(HostWord::Unknown)) {
        enforce = Security::Deny;
    }
    let effect = Effect::Keeps;
    trace.push(step(
        "tools.exec",
        "security",
        place(r.security.as_ref()),
        effect,
        format!("enforcement {}", word(enforce)),
    ));
    trace.push(step("tools.exec", "ask", place(r.ask.as_ref()), effect, format!("asks {}", ask_word(said))));

    // The seed calls `off` "no approval needed" beside `security: host`.
    if security == Some(SecurityWord::Host) && ask == Ask::Off {
        enforce = Security::Full;
        trace.push(step(
            "tools.exec",
            "off-on-host",
            place(r.ask.as_ref()),
            effect,
            "nobody is asked on the host".to_owned(),
        ));
    }
    if q.elevated == ExecElevation::Full
        && route == Host::Gateway
        && fallback == Fallback::None
        && enforce != Security::Deny
    {
        enforce = Security::Full;
        // `always` is "every command" at any level.
        if ask != Ask::Always {
            ask = Ask::Off;
        }
        trace.push(step(
            "elevated",
            "full",
            None,
            effect,
            "the configuration's side becomes full and off".to_owned(),
        ));
    }
    if fallback == Fallback::SandboxInactive {
        let nothing_set =
            r.security.is_none() && r.host.is_none() && r.ask.is_none() && q.session.host.is_none();
        if nothing_set && *q.file == File::Absent {
            trace.push(step(
                "tools.exec",
                "unset",
                None,
                Effect::Absent,
                "nothing is configured, so nobody is asked".to_owned(),
            ));
            return (Security::Full, Ask::Off);
        }
        if security == Some(SecurityWord::Sandbox) && ask == Ask::Off {
            ask = Ask::OnMiss;
            trace.push(step(
                "route",
                "sandbox-inactive",
                place(r.security.as_ref()),
                Effect::Holds,
                "outside of the sandbox a person is asked about what is not listed".to_owned(),
            ));
        }
    }
    (enforce, ask)
}
