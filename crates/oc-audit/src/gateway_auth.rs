//! How the gateway is reached and what it asks for: bind, Tailscale, token, password (audit spec 1.3).
//!
//! "Set" follows JavaScript's `??`, as the configuration format has always done: an empty text is set and hides what stands behind it.

use oc_types::KeyPath;

use crate::AuditContext;

/// What the gateway asks callers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A token.
    Token,
    /// A password.
    Password,
    /// Nothing (a newer release's word).
    None,
    /// A reverse proxy says who it is (a newer release's word).
    TrustedProxy,
}

/// Where a credential comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Its key in the configuration.
    Config,
    /// An environment variable of this name.
    Env(&'static str),
}

/// A credential that is set, possibly to nothing. Its `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct Credential<'a> {
    /// The value, untrimmed.
    pub value: &'a str,
    /// Where it comes from.
    pub place: Place,
}

impl std::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential(not shown, from {:?})", self.place)
    }
}

impl Credential<'_> {
    /// Whether nothing is left after trimming.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.value.trim().is_empty()
    }

    /// The length that counts: UTF-16 units after trimming.
    #[must_use]
    pub fn length(&self) -> usize {
        secret_length(self.value)
    }
}

/// The length of a secret as the thresholds count it: UTF-16 units after trimming.
#[must_use]
pub fn secret_length(text: &str) -> usize {
    text.trim().encode_utf16().count()
}

/// Fewest characters of a token that is not called short.
pub const MIN_SECRET: usize = 24;

/// Whether a secret is set and too short.
#[must_use]
pub fn is_short(length: usize) -> bool {
    (1..MIN_SECRET).contains(&length)
}

/// The resolved settings.
#[derive(Clone, Copy, Debug)]
pub struct GatewayAuth<'a> {
    /// What is asked for.
    pub mode: Mode,
    /// Whether `gateway.auth.mode` says so.
    pub mode_set: bool,
    /// The token.
    pub token: Option<Credential<'a>>,
    /// The password.
    pub password: Option<Credential<'a>>,
    /// Whether Tailscale's identity headers are accepted.
    pub allow_tailscale: bool,
    /// `gateway.tailscale.mode`.
    pub tailscale: &'a str,
    /// `gateway.bind`.
    pub bind: &'a str,
    /// Whether the console is served.
    pub control_ui: bool,
}

impl<'a> GatewayAuth<'a> {
    /// Resolves the settings.
    #[must_use]
    pub fn resolve(ctx: &AuditContext<'a>) -> Self {
        let token = credential(ctx, "token", ["OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN"]);
        let password =
            credential(ctx, "password", ["OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD"]);
        let word = ctx.text(&["gateway", "auth", "mode"]);
        let mode = match word {
            Some("token") => Mode::Token,
            Some("password") => Mode::Password,
            Some("none") => Mode::None,
            Some("trusted-proxy") => Mode::TrustedProxy,
            _ if password.is_some_and(|p| !p.value.is_empty()) => Mode::Password,
            _ => Mode::Token,
        };
        let tailscale = ctx.text(&["gateway", "tailscale", "mode"]).unwrap_or("off");
        let allow_tailscale = ctx
            .flag(&["gateway", "auth", "allowTailscale"])
            .unwrap_or(tailscale == "serve" && mode != Mode::Password);
        Self {
            mode,
            mode_set: word.is_some(),
            token,
            password,
            allow_tailscale,
            tailscale,
            bind: ctx.text(&["gateway", "bind"]).unwrap_or("loopback"),
            control_ui: ctx.flag(&["gateway", "controlUi", "enabled"]) != Some(false),
        }
    }

    /// The credential that the mode asks for.
    #[must_use]
    pub fn active(&self) -> Option<Credential<'a>> {
        match self.mode {
            Mode::Token => self.token,
            Mode::Password => self.password,
            Mode::None | Mode::TrustedProxy => None,
        }
    }

    /// Whether callers must know a secret. `gateway.remote.*` never counts: it is what this machine sends to another gateway.
    #[must_use]
    pub fn shared_secret(&self) -> bool {
        self.active().is_some_and(|c| !c.is_blank())
    }

    /// Whether Tailscale says who the caller is.
    #[must_use]
    pub fn tailscale_auth(&self) -> bool {
        self.allow_tailscale && self.tailscale == "serve"
    }

    /// Whether the port listens beyond loopback.
    #[must_use]
    pub fn exposed(&self) -> bool {
        self.bind != "loopback"
    }

    /// Whether other machines reach it in any way.
    #[must_use]
    pub fn remote(&self) -> bool {
        self.exposed() || matches!(self.tailscale, "serve" | "funnel")
    }
}

fn credential<'a>(ctx: &AuditContext<'a>, key: &str, variables: [&'static str; 2]) -> Option<Credential<'a>> {
    if let Some(value) = ctx.text(&["gateway", "auth", key]) {
        return Some(Credential { value, place: Place::Config });
    }
    variables.into_iter().find_map(|name| Some(Credential { value: ctx.env(name)?, place: Place::Env(name) }))
}

/// The port of the gateway: environment, then `gateway.port`, then 18789.
#[must_use]
pub fn gateway_port(ctx: &AuditContext<'_>) -> u32 {
    let from_env = ["OPENCLAW_GATEWAY_PORT", "CLAWDBOT_GATEWAY_PORT"]
        .into_iter()
        .find_map(|name| leading_integer(ctx.env(name)?))
        .filter(|p| *p > 0);
    let from_config = || {
        let n = ctx.config.at(&KeyPath::dotted("gateway.port"))?.as_number()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range-checked")]
        (n >= 1.0 && n <= f64::from(u32::MAX)).then_some(n as u32)
    };
    from_env.or_else(from_config).unwrap_or(18_789)
}

/// The integer a text starts with (`18789abc` is 18789), as upstream reads it.
fn leading_integer(text: &str) -> Option<u32> {
    let digits: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
