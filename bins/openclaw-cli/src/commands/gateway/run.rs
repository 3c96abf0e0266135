//! `openclaw gateway run`: the gateway itself, in the foreground. `openclaw-gateway` is the same server.

use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_config::load::Reading;
use oc_config::setting::{BindMode, Setting as _};
use oc_gateway::server::process::{self, Ready};
use oc_gateway::server::snapshot::Source;
use oc_gateway::settings::{AuthKind, Flags, TailscaleMode};
use oc_types::Secret;

use crate::app::App;
use crate::wire::WireArgs;

/// Arguments of `openclaw gateway run`. They may stand before `run` as well.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct RunArgs {
    /// The port instead of `gateway.port`; 0 takes a free one.
    #[arg(long, global = true, value_name = "PORT", help_heading = "Running")]
    port: Option<u16>,
    /// Where to listen instead of `gateway.bind`.
    #[arg(long, global = true, value_name = "MODE", help_heading = "Running", value_parser = ["loopback", "lan", "tailnet", "custom", "auto"])]
    bind: Option<String>,
    /// How callers prove who they are, instead of `gateway.auth.mode`.
    #[arg(long, global = true, value_name = "MODE", help_heading = "Running", value_parser = ["token", "password"])]
    auth: Option<String>,
    /// Start although `gateway.mode` is not set.
    #[arg(long, global = true, help_heading = "Running")]
    allow_unconfigured: bool,
    /// How the tailnet reaches it, instead of `gateway.tailscale.mode`.
    #[arg(long, global = true, value_name = "MODE", help_heading = "Running", value_parser = ["off", "serve", "funnel"])]
    tailscale: Option<String>,
    /// Take the Tailscale publication back at the end.
    #[arg(long, global = true, help_heading = "Running")]
    tailscale_reset_on_exit: bool,
    /// Say more on the console; the log file stays as it is.
    #[arg(long, short, global = true, help_heading = "Running")]
    verbose: bool,
}

impl RunArgs {
    fn flags(&self, wire: &WireArgs) -> Flags {
        let secret = |text: &Option<String>| text.as_ref().map(|t| Secret::new(t.trim().to_owned()));
        Flags {
            port: self.port.filter(|p| *p > 0),
            any_port: self.port == Some(0),
            bind: self.bind.as_deref().and_then(BindMode::from_word),
            auth: match self.auth.as_deref() {
                Some("token") => Some(AuthKind::Token),
                Some("password") => Some(AuthKind::Password),
                _ => None,
            },
            token: secret(&wire.token),
            password: secret(&wire.password),
            allow_unconfigured: self.allow_unconfigured,
            tailscale: self.tailscale.as_deref().and_then(TailscaleMode::parse),
            tailscale_reset_on_exit: self.tailscale_reset_on_exit,
            verbose: self.verbose,
        }
    }
}

/// Serves until a signal ends it.
///
/// # Errors
/// When it does not start; the message names every reason.
pub fn run(app: &App, wire: &WireArgs, args: &RunArgs) -> Result<ExitCode> {
    if wire.url.is_some() || wire.tls_fingerprint.is_some() {
        bail!("--url and --tls-fingerprint are for talking to a gateway; `gateway run` starts one");
    }
    let source = Source { request: app.load_request(Reading::Product), flags: args.flags(wire) };
    process::run(&source, &mut |ready| said(app, ready))?;
    Ok(ExitCode::SUCCESS)
}

fn said(app: &App, ready: &Ready) {
    if ready.again {
        return;
    }
    let scheme = if ready.fingerprint.is_some() { "https" } else { "http" };
    let mut out = String::new();
    for address in &ready.addresses {
        out.push_str(&format!("listening on {address}\n"));
    }
    if let Some(fingerprint) = &ready.fingerprint {
        out.push_str(&format!("certificate {fingerprint}\n"));
    }
    if let (Some(path), Some(address)) = (&ready.console, ready.addresses.first()) {
        let port = address.port();
        let host = if address.ip().is_unspecified() || address.ip().is_loopback() {
            "127.0.0.1".to_owned()
        } else {
            address.ip().to_string()
        };
        out.push_str(&format!("console at {scheme}://{host}:{port}{path}\n"));
    }
    out.push_str("Ctrl-C stops it.\n");
    app.print(&out);
}
