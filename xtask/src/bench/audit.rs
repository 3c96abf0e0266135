//! `openclaw security audit` beside `find` over the same tree and, when given, the reference release.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::measure::{Figures, median};
use crate::steps::root;

/// Arguments of `bench audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Session files of the large state directory.
    #[arg(long, default_value_t = 100_000)]
    files: usize,
    /// Runs of each command; the median is printed.
    #[arg(long, default_value_t = 15)]
    runs: usize,
}

/// Goal: wall time of the small directory, milliseconds.
const SMALL_MS: f64 = 5.0;
/// Goal: peak memory of the small directory, KiB.
const SMALL_KIB: f64 = 12.0 * 1024.0;
/// Goal: wall time of the large directory as a multiple of `find`.
const LARGE_RATIO: f64 = 2.0;

/// Measures and prints; false when a goal is missed.
pub fn run(args: &Args) -> Result<bool> {
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked", "--package", "openclaw-cli"])
        .current_dir(root())
        .status()?;
    ensure!(built.success(), "the release build failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    let openclaw = target.join("release/openclaw").display().to_string();
    let home = tempfile::tempdir()?;
    let small = home.path().join("small/.openclaw");
    let large = home.path().join("large/.openclaw");
    state(&small, 0)?;
    state(&large, args.files)?;
    println!("{:<34} {:>10} {:>10} {:>10}", "command", "wall ms", "cpu ms", "peak MiB");
    let ours_small = row("openclaw, small", args.runs, &audit(&openclaw), &small)?;
    let ours_large =
        row(&format!("openclaw, {} session files", args.files), args.runs, &audit(&openclaw), &large)?;
    let find = |dir: &Path| {
        vec!["find".to_owned(), dir.display().to_string(), "-printf".to_owned(), "%m %s %p\\n".to_owned()]
    };
    row("find, small", args.runs, &find(&small), &small)?;
    let find_large = row(&format!("find, {} session files", args.files), args.runs, &find(&large), &large)?;
    if let Some(peer) = std::env::var_os("OPENCLAW_PEER") {
        let peer = peer.to_string_lossy().into_owned();
        let theirs = row("reference release, small", args.runs.min(3), &audit(&peer), &small)?;
        row("reference release, large", args.runs.min(3), &audit(&peer), &large)?;
        println!(
            "small: {:.0}x faster than the reference release, {:.0}x less memory",
            theirs.wall_ms / ours_small.wall_ms,
            theirs.peak_kib / ours_small.peak_kib
        );
    } else {
        println!("(set OPENCLAW_PEER to a command of the reference release to measure it beside)");
    }
    let ratio = ours_large.wall_ms / find_large.wall_ms;
    println!("large: {ratio:.2}x the wall time of find");
    let mut ok = true;
    for (held, what) in [
        (ours_small.wall_ms <= SMALL_MS, format!("small directory within {SMALL_MS} ms")),
        (ours_small.peak_kib <= SMALL_KIB, format!("small directory within {} MiB", SMALL_KIB / 1024.0)),
        (ratio <= LARGE_RATIO, format!("large directory within {LARGE_RATIO}x find")),
    ] {
        println!("goal {}: {what}", if held { "held" } else { "MISSED" });
        ok &= held;
    }
    Ok(ok)
}

fn audit(program: &str) -> Vec<String> {
    [program, "security", "audit", "--json"].map(str::to_owned).to_vec()
}

fn row(name: &str, runs: usize, command: &[String], state: &Path) -> Result<Figures> {
    let home = state.parent().context("no home")?.display().to_string();
    let f = median(runs, command, &[("HOME".to_owned(), home), ("NO_COLOR".to_owned(), "1".to_owned())])?;
    println!("{name:<34} {:>10.2} {:>10.2} {:>10.1}", f.wall_ms, f.cpu_ms, f.peak_kib / 1024.0);
    Ok(f)
}

/// A state directory with a plausible configuration and so many session files.
fn state(dir: &Path, sessions: usize) -> Result<()> {
    let folder = dir.join("agents/main/sessions");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir.join("credentials"))?;
    let config = r#"{
  gateway: { mode: "local", bind: "loopback", auth: { mode: "token", token: "0123456789abcdef0123456789abcdef" } },
  channels: { whatsapp: { dmPolicy: "pairing", groups: { "*": { requireMention: true } } } },
}
"#; // pragma: allowlist secret
    write(&dir.join("openclaw.json"), config)?;
    write(&folder.join("sessions.json"), "{}\n")?;
    for i in 0..sessions {
        write(
            &folder.join(format!("{i:08x}-0000-4000-8000-000000000000.jsonl")),
            "{\"type\":\"session\"}\n",
        )?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())?;
    Ok(())
}
