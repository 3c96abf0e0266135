//! The parts of the settings that are plain values.

use std::path::PathBuf;

use oc_types::Node;

use super::{AuthKind, Flags};

/// `gateway.controlUi`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlUi {
    /// Whether the console is served at all.
    pub enabled: bool,
    /// Where, without a slash at the end; empty is the root.
    pub base_path: String,
    /// Origins beside the gateway's own, as written.
    pub allowed_origins: Vec<String>,
    /// A console without a device identity may come in with the shared secret (break-glass, SP-351).
    pub allow_insecure_auth: bool,
    /// The console's device part is not looked at (break-glass, SP-351).
    pub disable_device_auth: bool,
}

/// `gateway.tls`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Make a certificate when there is none.
    pub auto_generate: bool,
    /// `certPath`.
    pub cert: Option<PathBuf>,
    /// `keyPath`.
    pub key: Option<PathBuf>,
}

/// How the tailnet reaches the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TailscaleMode {
    /// Not through Tailscale.
    Off,
    /// Published in the tailnet.
    Serve,
    /// Published to the internet.
    Funnel,
}

impl TailscaleMode {
    /// The word in the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Serve => "serve",
            Self::Funnel => "funnel",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Off, Self::Serve, Self::Funnel].into_iter().find(|m| m.word() == word)
    }
}

/// `gateway.tailscale` and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tailscale {
    /// Whether it is published.
    pub mode: TailscaleMode,
    /// Take the publication back at the end.
    pub reset_on_exit: bool,
    /// Whether a confirmed tailnet identity opens the WebSocket (`gateway.auth.allowTailscale`; without the key: with `serve`, unless the
    /// mode is `password`).
    pub identity: bool,
}

/// `gateway.nodes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeRules {
    /// Commands beyond the defaults of the platform.
    pub allow: Vec<String>,
    /// Commands to refuse; wins.
    pub deny: Vec<String>,
    /// `browser.mode` is `off`: no node passes its browser on.
    pub browser_off: bool,
}

/// What a changed configuration does to a running gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadMode {
    /// Nothing.
    Off,
    /// What can be swapped is swapped; the rest waits for a restart.
    Hot,
    /// Every change restarts.
    Restart,
    /// Swapped where possible, restarted otherwise.
    Hybrid,
}

/// `gateway.reload`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// What a change does.
    pub mode: ReloadMode,
    /// How long to wait for the end of a burst of changes, in milliseconds.
    pub debounce_ms: u64,
}

/// Largest body of `POST /v1/responses` that can be configured, in bytes.
const RESPONSES_BODY: usize = 20 * 1024 * 1024;

/// `gateway.http.endpoints`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// `POST /v1/chat/completions`.
    pub chat_completions: bool,
    /// `POST /v1/responses`.
    pub responses: bool,
    /// Largest body of the latter, in bytes.
    pub responses_body: usize,
}

pub(super) fn text(config: &Node, path: &[&str]) -> Option<String> {
    config.path(path).and_then(Node::as_str).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned)
}

pub(super) fn texts(config: &Node, path: &[&str]) -> Vec<String> {
    config.path(path).and_then(Node::entries).unwrap_or_default()
}

fn is_on(config: &Node, path: &[&str]) -> bool {
    config.path(path).and_then(Node::as_bool) == Some(true)
}

pub(super) fn control_ui(config: &Node) -> ControlUi {
    let base = text(config, &["gateway", "controlUi", "basePath"]).unwrap_or_default();
    let base = base.trim_matches('/');
    ControlUi {
        enabled: config.path(&["gateway", "controlUi", "enabled"]).and_then(Node::as_bool) != Some(false),
        base_path: if base.is_empty() { String::new() } else { format!("/{base}") },
        allowed_origins: texts(config, &["gateway", "controlUi", "allowedOrigins"]),
        allow_insecure_auth: is_on(config, &["gateway", "controlUi", "allowInsecureAuth"]),
        disable_device_auth: is_on(config, &["gateway", "controlUi", "dangerouslyDisableDeviceAuth"]),
    }
}

pub(super) fn tls(config: &Node) -> Option<Tls> {
    is_on(config, &["gateway", "tls", "enabled"]).then(|| Tls {
        auto_generate: config.path(&["gateway", "tls", "autoGenerate"]).and_then(Node::as_bool)
            != Some(false),
        cert: text(config, &["gateway", "tls", "certPath"]).map(PathBuf::from),
        key: text(config, &["gateway", "tls", "keyPath"]).map(PathBuf::from),
    })
}

pub(super) fn tailscale(config: &Node, flags: &Flags, kind: AuthKind) -> Tailscale {
    let configured = text(config, &["gateway", "tailscale", "mode"]).and_then(|w| TailscaleMode::parse(&w));
    let mode = flags.tailscale.or(configured).unwrap_or(TailscaleMode::Off);
    let written = config.path(&["gateway", "auth", "allowTailscale"]).and_then(Node::as_bool);
    let identity = written.unwrap_or(mode == TailscaleMode::Serve && kind != AuthKind::Password);
    let reset_on_exit =
        flags.tailscale_reset_on_exit || is_on(config, &["gateway", "tailscale", "resetOnExit"]);
    Tailscale { mode, reset_on_exit, identity }
}

pub(super) fn nodes(config: &Node) -> NodeRules {
    let both = |new: &str, old: &str| {
        let mut all = texts(config, &["gateway", "nodes", "commands", new]);
        all.extend(texts(config, &["gateway", "nodes", old]));
        all
    };
    NodeRules {
        allow: both("allow", "allowCommands"),
        deny: both("deny", "denyCommands"),
        browser_off: text(config, &["gateway", "nodes", "browser", "mode"]).as_deref() == Some("off"),
    }
}

pub(super) fn reload(config: &Node) -> Reload {
    let mode = match text(config, &["gateway", "reload", "mode"]).as_deref() {
        Some("off") => ReloadMode::Off,
        Some("hot") => ReloadMode::Hot,
        Some("restart") => ReloadMode::Restart,
        _ => ReloadMode::Hybrid,
    };
    let debounce = config.path(&["gateway", "reload", "debounceMs"]).and_then(Node::as_number);
    let debounce = debounce.and_then(|n| oc_types::tree::number_text(n).parse().ok());
    Reload { mode, debounce_ms: debounce.unwrap_or(300).min(60_000) }
}

pub(super) fn endpoints(config: &Node) -> Endpoints {
    let on = |name: &str| is_on(config, &["gateway", "http", "endpoints", name, "enabled"]);
    let most = config.path(&["gateway", "http", "endpoints", "responses", "maxBodyBytes"]);
    let most = most.and_then(Node::as_number).map(oc_types::tree::number_text).and_then(|n| n.parse().ok());
    Endpoints {
        chat_completions: on("chatCompletions"),
        responses: on("responses"),
        responses_body: most.unwrap_or(RESPONSES_BODY).min(RESPONSES_BODY),
    }
}
