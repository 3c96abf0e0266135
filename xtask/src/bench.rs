//! `cargo xtask bench`: speed and memory, side by side in one run. Never part of the tests.

mod audit;
pub(crate) mod gateway;
mod ingress;
mod measure;
mod sandbox;

use anyhow::Result;

/// Arguments of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to measure.
    #[command(subcommand)]
    what: What,
}

/// What can be measured.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// `openclaw security audit` on a small and a large state directory, beside `find` and, with `OPENCLAW_PEER`, the reference release.
    Audit(audit::Args),
    /// The gateway: start, memory, handshakes, calls, beside a bare server and, with `OPENCLAW_PEER`, the reference release.
    Gateway(gateway::Args),
    /// The ingress of messages: decisions, whole turns, what is added to one, memory of many sessions.
    Ingress(ingress::Args),
    /// The decision core: one decision, a full tool set, reach.
    Policy,
    /// A command and a file in each place, beside `docker exec`, `docker run` and a bare process. Needs an engine; root starts one.
    Sandbox(sandbox::Args),
    /// Internal: run a command and print wall time, CPU time and peak memory as one line.
    #[command(hide = true)]
    Measure(measure::Args),
}

/// Runs a benchmark.
pub fn run(args: &Args) -> Result<bool> {
    match &args.what {
        What::Audit(a) => audit::run(a),
        What::Gateway(a) => gateway::run(a),
        What::Ingress(a) => ingress::run(a),
        What::Policy => of_crate("oc-policy"),
        What::Sandbox(a) => sandbox::run(a),
        What::Measure(a) => measure::run(a),
    }
}

/// Runs a crate's own benches.
fn of_crate(name: &str) -> Result<bool> {
    let status = std::process::Command::new("cargo")
        .args(["bench", "--locked", "--package", name])
        .current_dir(crate::steps::root())
        .status()?;
    Ok(status.success())
}
