//! The rules that were consulted, in the order of the handshake, each with its key and place.

use oc_types::{DecidedBy, Effect, Explanation, KeyPath, Node, Trace, TraceStep};

use super::{Asked, ClientIs, is_set, no_facts};
use crate::entrance::admission::Verdict;
use crate::entrance::peer::{Caller, is_tailnet};
use crate::http::route::Route;
use crate::settings::{AuthKind, Settings, StartRefused};

/// The trace while it grows.
pub(super) struct Story<'t> {
    tree: &'t Node,
    trace: Trace,
    facts: serde_json::Map<String, serde_json::Value>,
}

/// The stage that a verdict was reached in.
pub(super) fn stage_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Admit(_) => "credential",
        Verdict::Pair { .. } => "pairing",
        Verdict::Refuse(refusal) => match refusal.cause {
            "origin-mismatch" => "origin",
            "control-ui-insecure-auth" | "device-required" => "device",
            cause if cause.starts_with("device-") => "device",
            _ => "credential",
        },
    }
}

impl<'t> Story<'t> {
    pub(super) fn new(tree: &'t Node) -> Self {
        Self { tree, trace: Vec::new(), facts: no_facts() }
    }

    fn step(&mut self, layer: &str, rule: &str, key: &str, effect: Effect, detail: String) {
        let path = KeyPath::dotted(key);
        let (nearest, _, whole) = self.tree.nearest(&path);
        let step = TraceStep {
            layer: layer.to_owned(),
            rule: rule.to_owned(),
            key_path: Some(path),
            source: nearest.origin.clone(),
            unset: !whole,
            effect,
            detail,
        };
        self.trace.push(step);
    }

    /// The rule at a key, for the answer.
    pub(super) fn decided(&self, key: &KeyPath) -> DecidedBy {
        let (nearest, _, whole) = self.tree.nearest(key);
        DecidedBy {
            layer: String::new(),
            rule: String::new(),
            key_path: Some(key.clone()),
            source: nearest.origin.clone(),
            unset: !whole,
        }
    }

    /// Where the secret stands: the configured key, else where it would.
    pub(super) fn secret_key(&self, settings: &Settings) -> KeyPath {
        KeyPath::dotted(match settings.kind {
            AuthKind::Token => "gateway.auth.token",
            AuthKind::Password => "gateway.auth.password",
        })
    }

    pub(super) fn refusal_key(&self, settings: &Settings, cause: &str) -> KeyPath {
        match cause {
            "control-ui-insecure-auth" => KeyPath::dotted("gateway.controlUi.allowInsecureAuth"),
            "origin-mismatch" => KeyPath::dotted("gateway.controlUi.allowedOrigins"),
            _ => self.secret_key(settings),
        }
    }

    pub(super) fn start(&mut self, why: &[StartRefused]) {
        for one in why {
            let key = match one {
                StartRefused::NoCredential { kind: AuthKind::Token } => "gateway.auth.token",
                StartRefused::NoCredential { kind: AuthKind::Password } => "gateway.auth.password",
                StartRefused::Exposed { .. } => "gateway.bind",
                StartRefused::TailscaleNeedsLoopback { .. } | StartRefused::FunnelNeedsPassword => {
                    "gateway.tailscale.mode"
                }
                StartRefused::AuthMode { .. } => "gateway.auth.mode",
                StartRefused::HooksToken | StartRefused::HooksTokenShared => "hooks.token",
                StartRefused::HooksPath => "hooks.path",
                StartRefused::Unconfigured
                | StartRefused::Remote
                | StartRefused::Invalid(_)
                | StartRefused::Credential(_) => "gateway.mode",
            };
            self.step("start", "refused", key, Effect::Removes, one.to_string());
        }
    }

    /// The address, and whether it is this machine.
    pub(super) fn caller(&mut self, asked: &Asked<'_>, settings: &Settings, caller: Caller) {
        let forwarding = asked.forwarding();
        let trusted = settings.proxies.contains(asked.peer);
        let shown = caller.address().map_or_else(|| "unknown".to_owned(), |a| a.to_string());
        self.facts.insert("clientAddress".to_owned(), shown.clone().into());
        self.facts.insert("local".to_owned(), caller.is_local_direct().into());
        let why = match (caller, forwarding.is_empty(), trusted) {
            (Caller::LocalDirect(a), _, _) if is_tailnet(a) => format!(
                "{a} is this host's own tailnet address, the listener is bound there, there is no proxy header, and Host is that address: local"
            ),
            (Caller::LocalDirect(a), _, _) => {
                format!("{a} is this machine, Host names it, and there is no proxy header: local")
            }
            (Caller::At(a), false, true) => format!(
                "the client is {a}, the rightmost address of the header that is no trusted proxy; a forwarded address is never local"
            ),
            (Caller::At(a), false, false) => format!(
                "the client is {a}; the proxy header from an address outside of gateway.trustedProxies is ignored, and takes locality away"
            ),
            (Caller::At(a), true, _) if is_tailnet(a) => {
                format!("{a} is another machine of the tailnet, however near: not local")
            }
            (Caller::At(a), true, _) if a.is_loopback() => {
                format!("{a} is this machine, but Host does not name it: not local")
            }
            (Caller::At(a), true, _) => format!("{a} is another machine: not local"),
            (Caller::Unknown, _, _) => {
                "the trusted proxy does not say for whom it speaks: the client is unknown and not local"
                    .to_owned()
            }
        };
        let key = if forwarding.is_empty() { "gateway.bind" } else { "gateway.trustedProxies" };
        let effect = if caller.is_local_direct() { Effect::Admits } else { Effect::Keeps };
        self.step("caller", "locality", key, effect, why);
    }

    pub(super) fn handshake(&mut self, asked: &Asked<'_>, settings: &Settings, verdict: &Verdict) {
        let cause = match verdict {
            Verdict::Refuse(refusal) => Some(refusal.cause),
            Verdict::Admit(_) | Verdict::Pair { .. } => None,
        };
        let page = asked.question.client == ClientIs::ControlUi || asked.header("origin").is_some();
        if page {
            let (effect, detail) = if cause == Some("origin-mismatch") {
                (
                    Effect::Removes,
                    "the page's origin is neither the gateway's own address nor listed".to_owned(),
                )
            } else {
                (Effect::Keeps, "the origin equals Host, which is an own address, or is listed".to_owned())
            };
            self.step("origin", "origin", "gateway.controlUi.allowedOrigins", effect, detail);
        }
        if cause == Some("origin-mismatch") {
            return;
        }
        match cause {
            Some("control-ui-insecure-auth") => {
                let why = "a browser makes a device identity only in a secure context (HTTPS or localhost), and this console has none; \
                           the token was not the reason";
                self.step(
                    "device",
                    "control-ui-insecure-auth",
                    "gateway.controlUi.allowInsecureAuth",
                    Effect::Removes,
                    why.to_owned(),
                );
                self.step(
                    "device",
                    "control-ui-insecure-auth",
                    "gateway.controlUi.dangerouslyDisableDeviceAuth",
                    Effect::Absent,
                    "not set".to_owned(),
                );
                return;
            }
            Some("device-required") => {
                let why = "neither a shared secret nor a device was shown";
                self.step("device", "device-required", "gateway.auth.mode", Effect::Removes, why.to_owned());
            }
            _ => {}
        }
        self.credential(settings, cause.filter(|c| c.contains("token") || c.contains("password")));
        match verdict {
            Verdict::Pair { why, silent, .. } => {
                let (effect, detail) = if *silent {
                    (
                        Effect::Admits,
                        "a local device is approved without a question the first time".to_owned(),
                    )
                } else {
                    (
                        Effect::Holds,
                        format!("{}: the token was accepted; a person approves the device", why.word()),
                    )
                };
                self.step("pairing", why.word(), "gateway.auth.mode", effect, detail);
            }
            Verdict::Admit(_) | Verdict::Refuse(_) => {}
        }
    }

    /// The secret: its mode, and whether it was right.
    pub(super) fn credential(&mut self, settings: &Settings, wrong: Option<&str>) {
        let mode = format!("callers show the {}", settings.kind.word());
        self.step("credential", "mode", "gateway.auth.mode", Effect::Keeps, mode);
        let key = self.secret_key(settings);
        let place = if is_set(self.tree, &key) {
            "its value is not shown"
        } else {
            "it comes from the environment and is not shown"
        };
        let (rule, effect, detail) = match wrong {
            None => {
                ("accepted", Effect::Admits, format!("the {} was accepted; {place}", settings.kind.word()))
            }
            Some(word) if word.ends_with("missing") => {
                (word, Effect::Removes, format!("nothing was shown where {key} is expected; {place}"))
            }
            Some(word) => (word, Effect::Removes, format!("another value than {key} was shown; {place}")),
        };
        self.step("credential", rule, &key.to_string(), effect, detail);
    }

    pub(super) fn route(&mut self, path: &str, route: &Route) {
        let what = match route {
            Route::NotFound => "there is nothing at this path".to_owned(),
            Route::Health | Route::Ready => "open, and says liveness only".to_owned(),
            Route::Console(_) | Route::ConsoleRedirect => {
                "the console's files are open; its data needs the handshake".to_owned()
            }
            Route::Hook(_) => "hooks have a secret of their own".to_owned(),
            Route::ToolsInvoke | Route::ChatCompletions | Route::Responses | Route::Metrics => {
                "needs the shared secret, from everywhere".to_owned()
            }
        };
        let shown = oc_text::visible(path, 80);
        self.step("route", &shown, "gateway.http", Effect::Keeps, what);
    }

    /// The answer so far.
    pub(super) fn end(self, verdict: &str, reason: &str, decided_by: DecidedBy) -> Explanation {
        Explanation {
            subject: "connection".to_owned(),
            verdict: verdict.to_owned(),
            reason: reason.to_owned(),
            decided_by,
            trace: self.trace,
            flip: Vec::new(),
            notes: Vec::new(),
            facts: self.facts,
        }
    }
}

/// What else is worth saying.
pub(super) fn notes(
    asked: &Asked<'_>,
    settings: &Settings,
    caller: Caller,
    verdict: &Verdict,
) -> Vec<String> {
    let mut out = Vec::new();
    if !asked.forwarding().is_empty() {
        out.push(
            "gateway.trustedProxies changes the client address that is logged and judged; it makes nobody local.".to_owned(),
        );
    }
    if caller.is_local_direct() && matches!(verdict, Verdict::Refuse(_)) {
        out.push("Being local waives pairing, never the secret.".to_owned());
    }
    let paired = asked.question.device == super::DeviceIs::Paired;
    if matches!(verdict, Verdict::Refuse(r) if paired && r.cause.ends_with("missing")) {
        out.push("The device is known; its token was not sent.".to_owned());
    }
    if settings.control_ui.allow_insecure_auth || settings.control_ui.disable_device_auth {
        out.push(
            "A break-glass switch of the console is on; `openclaw security audit` reports it.".to_owned(),
        );
    }
    out
}

/// The same for a request.
pub(super) fn request_notes(caller: Caller) -> Vec<String> {
    if caller.is_local_direct() {
        vec!["Being local waives pairing, never the secret.".to_owned()]
    } else {
        Vec::new()
    }
}
