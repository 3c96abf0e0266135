//! Wall time, CPU time and peak memory of one command.
//!
//! The kernel reports the peak only over all children of a process, so each measured run gets a process of its own.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};

/// Arguments of the internal measuring command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The command.
    #[arg(trailing_var_arg = true, required = true)]
    command: Vec<String>,
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Wall time in milliseconds.
    pub wall_ms: f64,
    /// User and system time in milliseconds.
    pub cpu_ms: f64,
    /// Peak resident memory in KiB.
    pub peak_kib: f64,
}

/// Runs the command and prints `wall cpu peak`.
pub fn run(args: &Args) -> Result<bool> {
    let (program, rest) = args.command.split_first().context("no command")?;
    let start = Instant::now();
    Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    let wall = start.elapsed().as_secs_f64() * 1000.0;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let ms = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 * 1000.0 + t.tv_usec() as f64 / 1000.0;
    println!("{wall} {} {}", ms(usage.user_time()) + ms(usage.system_time()), usage.max_rss());
    Ok(true)
}

/// The median of several runs of a command, each in a measuring process of its own.
pub fn median(runs: usize, command: &[String], env: &[(String, String)]) -> Result<Figures> {
    let me = std::env::current_exe()?;
    let mut all = Vec::new();
    for _ in 0..runs {
        let out = Command::new(&me)
            .args(["bench", "measure", "--"])
            .args(command)
            .envs(env.iter().map(|(k, v)| (k, v)))
            .output()?;
        let text = String::from_utf8_lossy(&out.stdout);
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        let [wall_ms, cpu_ms, peak_kib] = numbers.as_slice() else {
            bail!("measuring {command:?} failed: {}", String::from_utf8_lossy(&out.stderr));
        };
        all.push(Figures { wall_ms: *wall_ms, cpu_ms: *cpu_ms, peak_kib: *peak_kib });
    }
    let middle = |pick: fn(&Figures) -> f64| {
        let mut values: Vec<f64> = all.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Ok(Figures {
        wall_ms: middle(|f| f.wall_ms),
        cpu_ms: middle(|f| f.cpu_ms),
        peak_kib: middle(|f| f.peak_kib),
    })
}
