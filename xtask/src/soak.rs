//! `cargo xtask soak`: clients that come and go, hostile ones among them, while secrets and configuration change.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::steps::{built, root};

/// Arguments of `cargo xtask soak`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Clients at a time.
    #[arg(long, default_value_t = 2000)]
    clients: usize,
}

/// Builds the gateway and the load generator and lets them at each other; false when a promise is broken.
pub fn run(args: &Args) -> Result<bool> {
    for what in [&["--bin", "openclaw-gateway"][..], &["--package", "oc-gateway", "--example", "load"]] {
        let build =
            Command::new("cargo").args(["build", "--locked"]).args(what).current_dir(root()).status()?;
        ensure!(build.success(), "cargo build {} failed", what.join(" "));
    }
    let status = Command::new(built("debug/examples/load"))
        .arg("soak")
        .arg(built("debug/openclaw-gateway"))
        .args([args.seconds.to_string(), args.clients.to_string()])
        .status()?;
    println!(
        "goal {}: nothing acknowledged lost, nothing let in with an old secret, memory flat",
        if status.success() { "held" } else { "MISSED" }
    );
    Ok(status.success())
}
