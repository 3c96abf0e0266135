//! `openclaw onboard [--secure]`: the first configuration. Every way through it makes a token, on loopback too.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use oc_config::baseline::{self, Baseline};
use oc_config::load::Reading;
use oc_fs::{atomic, backup, config_store, mode, random};

use crate::app::App;

/// Arguments of `openclaw onboard`.
#[derive(Debug, clap::Args)]
pub struct OnboardArgs {
    /// Write the secure baseline: pairing, sandbox with limits, no elevation, nothing revealing on the network.
    #[arg(long)]
    secure: bool,
    /// Replace an existing configuration; a backup is kept beside it.
    #[arg(long)]
    force: bool,
    /// Print what would be written, with a placeholder for the token, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Bytes of the generated gateway token.
const TOKEN_BYTES: usize = 32;

/// Writes the configuration.
///
/// # Errors
/// When there is one already (without `--force`), or it cannot be written.
pub fn run(app: &App, args: &OnboardArgs) -> Result<ExitCode> {
    let which = if args.secure { Baseline::Secure } else { Baseline::Plain };
    let token = random::token_hex(TOKEN_BYTES)?;
    let text = baseline::text(which, &token);
    if args.dry_run {
        app.print(&text.replace(token.expose(), "<generated token>"));
        return Ok(ExitCode::SUCCESS);
    }
    let places = app.load(Reading::Product).locations;
    let config = &places.config;
    let there = config.symlink_metadata().is_ok();
    if there && !args.force {
        bail!(
            "{} exists already and stays as it is: look at it with `openclaw security audit`, \
             or replace it with --force (a backup is kept)",
            config.display()
        );
    }
    if config.extension().is_some_and(|e| e == "toml") {
        bail!("{} is TOML; onboard writes JSON5: move it away first", config.display());
    }
    for folder in [&places.state_dir, &places.credentials, &places.state_dir.join("agents/main/sessions")] {
        mode::create_directories(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    if let Some(folder) = config.parent() {
        mode::create_directories(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    if there {
        backup::rotate(config).with_context(|| format!("cannot back up {}", config.display()))?;
    }
    let before = std::fs::read_to_string(config).unwrap_or_default();
    atomic::replace(config, text.as_bytes())?;
    if let Err(e) =
        config_store::record_replaced(&places.state_dir, config, &before, &text, "openclaw onboard")
    {
        app.note(&format!("warning: the change log has no record of this: {e}"));
    }
    app.print(&format!(
        "wrote {}\n\
         A gateway token was generated; it stands at gateway.auth.token and is not shown.\n\
         Next: openclaw security audit\n",
        config.display()
    ));
    Ok(ExitCode::SUCCESS)
}
