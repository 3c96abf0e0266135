//! What the configuration, the environment and the command line say about the gateway, read once for each snapshot (gateway 1, 2).
//!
//! Pure: the configuration tree, the variables and the flags come in, [`Settings`] or everything that is wrong come out.
//!
//! Invariant: nothing here widens. What cannot be read, or is missing where it is needed, is a [`StartRefused`] that names the key and
//! the fix (SP-050, SP-320).

use oc_config::Environment;
use oc_config::setting::{BindMode, GatewayMode};
use oc_types::{KeyPath, Node, Secret};

use crate::entrance::credential::{Accepts, Key};
use crate::entrance::peer::TrustedProxies;
use crate::entrance::throttle::{Limits, Loopback};

mod hooks;
mod parts;
mod refused;
#[cfg(test)]
mod tests;

pub use hooks::{Action, Hooks, Mapping};
pub use parts::{ControlUi, Endpoints, NodeRules, Reload, ReloadMode, Tailscale, TailscaleMode, Tls};
pub use refused::StartRefused;

/// The port when nothing names one.
pub const DEFAULT_PORT: u16 = 18_789;

/// What the command line says. It wins over the configuration, which wins over the environment.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--port`.
    pub port: Option<u16>,
    /// Any free port, whatever is configured (`--port 0`).
    pub any_port: bool,
    /// `--bind`.
    pub bind: Option<BindMode>,
    /// `--auth`: `token` or `password`.
    pub auth: Option<AuthKind>,
    /// `--token`.
    pub token: Option<Secret>,
    /// `--password`.
    pub password: Option<Secret>,
    /// `--allow-unconfigured`: start although `gateway.mode` is not `local`.
    pub allow_unconfigured: bool,
    /// `--tailscale`.
    pub tailscale: Option<TailscaleMode>,
    /// `--verbose`: the console of the log says more.
    pub verbose: bool,
    /// `--tailscale-reset-on-exit`.
    pub tailscale_reset_on_exit: bool,
}

/// How callers prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthKind {
    /// A shared token.
    Token,
    /// A shared password.
    Password,
}

impl AuthKind {
    /// The word in the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Password => "password",
        }
    }
}

/// The credentials of the configuration after references to files and keychains were followed (the edge does that). A reference that
/// leads nowhere is an error for that credential; nothing takes its place (SP-066).
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// `gateway.auth.token`.
    pub token: Option<Secret>,
    /// `gateway.auth.password`.
    pub password: Option<Secret>,
    /// `hooks.token`.
    pub hooks: Option<Secret>,
    /// What could not be resolved, in words.
    pub failed: Vec<String>,
}

/// Everything the server needs to know. One value for each snapshot; never changed afterwards.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The one port for WebSocket and HTTP.
    pub port: u16,
    /// Where to listen.
    pub bind: BindMode,
    /// `gateway.customBindHost`.
    pub custom_host: Option<String>,
    /// Token or password.
    pub kind: AuthKind,
    /// What opens the door.
    pub accepts: Accepts,
    /// Whose forwarding headers count.
    pub proxies: TrustedProxies,
    /// `gateway.controlUi`.
    pub control_ui: ControlUi,
    /// `gateway.auth.rateLimit`.
    pub limits: Limits,
    /// `gateway.tls`, when enabled.
    pub tls: Option<Tls>,
    /// `gateway.tailscale`.
    pub tailscale: Tailscale,
    /// `gateway.nodes`.
    pub nodes: NodeRules,
    /// `gateway.reload`.
    pub reload: Reload,
    /// `hooks`, when enabled.
    pub hooks: Option<Hooks>,
    /// `gateway.http.endpoints`.
    pub endpoints: Endpoints,
    /// `gateway.tools.deny`.
    pub tools_deny: Vec<String>,
    /// `gateway.tools.allow`.
    pub tools_allow: Vec<String>,
    /// What is odd and accepted, in words.
    pub warnings: Vec<String>,
}

/// Reads the settings.
///
/// # Errors
/// Everything that keeps the gateway from starting, at once.
pub fn read(
    config: &Node,
    environment: &Environment,
    flags: &Flags,
    resolved: &Resolved,
) -> Result<Settings, Vec<StartRefused>> {
    let mut wrong: Vec<StartRefused> = Vec::new();
    let mut warnings = Vec::new();
    mode(config, flags, &mut wrong);
    for failed in &resolved.failed {
        wrong.push(StartRefused::Credential(failed.clone()));
    }
    let bind = flags.bind.map_or_else(|| word::<BindMode>(config, "gateway.bind", &mut wrong), Some);
    let bind = bind.unwrap_or(BindMode::Loopback);
    let (kind, accepts) = credential(config, environment, flags, resolved, &mut wrong);
    let tailscale = parts::tailscale(config, flags, kind);
    if !(accepts.is_usable() || kind == AuthKind::Token && tailscale.identity) {
        wrong.push(StartRefused::NoCredential { kind });
    }
    if !accepts.is_usable() && !matches!(bind, BindMode::Loopback | BindMode::Auto) {
        wrong.push(StartRefused::Exposed { bind });
    }
    if tailscale.mode != TailscaleMode::Off && !matches!(bind, BindMode::Loopback | BindMode::Auto) {
        wrong.push(StartRefused::TailscaleNeedsLoopback { mode: tailscale.mode.word() });
    }
    if tailscale.mode == TailscaleMode::Funnel && kind != AuthKind::Password {
        wrong.push(StartRefused::FunnelNeedsPassword);
    }
    let entries = config.path(&["gateway", "trustedProxies"]).and_then(Node::entries).unwrap_or_default();
    let (proxies, unread) = TrustedProxies::read(entries.iter().map(String::as_str));
    for entry in unread {
        warnings.push(format!(
            "gateway.trustedProxies: \"{}\" is no address or range; it trusts nobody",
            oc_text::visible(&entry, 60)
        ));
    }
    let hooks = hooks::read(config, resolved, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Settings {
        port: port(config, environment, flags),
        bind,
        custom_host: parts::text(config, &["gateway", "customBindHost"]),
        kind,
        accepts,
        proxies,
        control_ui: parts::control_ui(config),
        limits: limits(config),
        tls: parts::tls(config),
        tailscale,
        nodes: parts::nodes(config),
        reload: parts::reload(config),
        hooks,
        endpoints: parts::endpoints(config),
        tools_deny: parts::texts(config, &["gateway", "tools", "deny"]),
        tools_allow: parts::texts(config, &["gateway", "tools", "allow"]),
        warnings,
    })
}

/// `gateway.mode` must be `local`, or the operator says that nothing is configured yet.
fn mode(config: &Node, flags: &Flags, wrong: &mut Vec<StartRefused>) {
    match word::<GatewayMode>(config, "gateway.mode", wrong) {
        Some(GatewayMode::Local) => {}
        Some(GatewayMode::Remote) => wrong.push(StartRefused::Remote),
        None if flags.allow_unconfigured => {}
        None => wrong.push(StartRefused::Unconfigured),
    }
}

/// The port: flag, environment, configuration, default.
#[must_use]
pub fn port(config: &Node, environment: &Environment, flags: &Flags) -> u16 {
    let named = ["OPENCLAW_GATEWAY_PORT", "CLAWDBOT_GATEWAY_PORT"];
    let variable = named.iter().find_map(|n| environment.text(n)?.parse::<u16>().ok().filter(|p| *p > 0));
    let configured = config.path(&["gateway", "port"]).and_then(Node::as_number);
    let configured = configured.and_then(|n| oc_types::tree::number_text(n).parse::<u16>().ok());
    if flags.any_port {
        return 0;
    }
    flags.port.or(variable).or(configured.filter(|p| *p > 0)).unwrap_or(DEFAULT_PORT)
}

/// The credential: flag, configuration, environment. The mode is `password` when a password is known and nothing names a mode.
fn credential(
    config: &Node,
    environment: &Environment,
    flags: &Flags,
    resolved: &Resolved,
    wrong: &mut Vec<StartRefused>,
) -> (AuthKind, Accepts) {
    let variable =
        |names: [&str; 2]| names.iter().find_map(|n| environment.text(n)).map(|s| Secret::new(s.to_owned()));
    let present = |s: &Option<Secret>| s.clone().filter(|s| !s.is_blank());
    let token = present(&flags.token)
        .or_else(|| present(&resolved.token))
        .or_else(|| variable(["OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN"]));
    let password = present(&flags.password)
        .or_else(|| present(&resolved.password))
        .or_else(|| variable(["OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD"]));
    let named = match config.path(&["gateway", "auth", "mode"]).and_then(Node::as_str) {
        None => None,
        Some("token") => Some(AuthKind::Token),
        Some("password") => Some(AuthKind::Password),
        Some(other) => {
            wrong.push(StartRefused::AuthMode { word: oc_text::visible(other, 40) });
            None
        }
    };
    let kind =
        flags.auth.or(named).unwrap_or(if password.is_some() { AuthKind::Password } else { AuthKind::Token });
    let key = |secret: Option<Secret>| secret.as_ref().and_then(Key::new);
    let accepts = match kind {
        AuthKind::Token => Accepts::Token(key(token)),
        AuthKind::Password => Accepts::Password(key(password)),
    };
    (kind, accepts)
}

fn limits(config: &Node) -> Limits {
    let base = ["gateway", "auth", "rateLimit"];
    let number = |key: &str| {
        let n = config.path(&base).and_then(|n| n.get(key)).and_then(Node::as_number)?;
        oc_types::tree::number_text(n).parse::<u64>().ok()
    };
    let defaults = Limits::default();
    let exempt = config.path(&base).and_then(|n| n.get("exemptLoopback")).and_then(Node::as_bool);
    Limits {
        max_attempts: number("maxAttempts")
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(defaults.max_attempts),
        window_ms: number("windowMs").unwrap_or(defaults.window_ms),
        lockout_ms: number("lockoutMs").unwrap_or(defaults.lockout_ms),
        loopback: if exempt == Some(false) { Loopback::Locked } else { Loopback::Delayed },
    }
}

fn word<S: oc_config::setting::Setting>(
    config: &Node,
    path: &str,
    wrong: &mut Vec<StartRefused>,
) -> Option<S> {
    let path = KeyPath::dotted(path);
    match S::read(config, &path) {
        Ok(found) => found,
        Err(issue) => {
            wrong.push(StartRefused::Invalid(issue.to_string()));
            None
        }
    }
}
