//! What a call costs in a container, in a native sandbox and on the host, beside `docker exec`, `docker run` and a bare process.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::engine::Engine;
use crate::steps::root;

/// Arguments of `bench sandbox`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Runs of what is quick.
    #[arg(long, default_value_t = 100)]
    runs: usize,
    /// Runs that make a container each.
    #[arg(long, default_value_t = 15)]
    cold_runs: usize,
}

/// Builds what is measured, has an engine, measures and prints; false when a promise is broken.
pub fn run(args: &Args) -> Result<bool> {
    // As root one is started when none answers; it ends with this.
    let Some(_engine) = Engine::find(true) else {
        bail!("the comparison needs a container engine: none answers, and only root can start one");
    };
    cargo(&["build", "--release", "--locked", "--package", "openclaw-cli"])?;
    cargo(&["xtask", "runner", "--release"])?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let program = target.join("release/openclaw").display().to_string();
    let (runs, colds) = (args.runs.max(1).to_string(), args.cold_runs.max(1).to_string());
    let measured = ["test", "--release", "--locked", "--quiet", "--package", "oc-sandbox", "--lib"];
    let which = ["--", "--ignored", "--exact", "--nocapture", "container::live::bench::figures"];
    let status = Command::new("cargo")
        .args(measured.iter().chain(&which))
        .env("OC_BENCH_OPENCLAW", program)
        .env("OC_BENCH_RUNS", runs)
        .env("OC_BENCH_COLD_RUNS", colds)
        .current_dir(root())
        .status()
        .context("cargo cannot be started")?;
    Ok(status.success())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let status = Command::new("cargo").args(arguments).current_dir(root()).status();
    ensure!(status.context("cargo cannot be started")?.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}
