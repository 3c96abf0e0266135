//! `cargo xtask fuzz`: replay the committed corpus, then look for new inputs for a while.
//!
//! cargo-fuzz works on the stable toolchain with `RUSTC_BOOTSTRAP=1`; safe Rust needs no address sanitizer.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::steps::root;

/// Arguments of `cargo xtask fuzz`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this target.
    target: Option<String>,
    /// Seconds for each target, after the corpus.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// Runs every target; false when one found something.
pub fn run(args: &Args) -> Result<bool> {
    let folder = root().join("tests/fuzz");
    let mut ok = true;
    for target in targets(&folder)? {
        if args.target.as_ref().is_some_and(|t| *t != target) {
            continue;
        }
        println!("==> fuzz {target}: corpus, then {} s", args.seconds);
        let limit = format!("-max_total_time={}", args.seconds);
        // New inputs go to the build folder; the committed corpus is only read.
        let found = root().join("target/fuzz-corpus").join(&target);
        std::fs::create_dir_all(&found)?;
        let (found, corpus) = (found.display().to_string(), format!("tests/fuzz/corpus/{target}"));
        // libFuzzer talks a lot; what it said matters when it found something.
        let said = root().join("target/fuzz-corpus").join(format!("{target}.log"));
        let log = File::create(&said).with_context(|| said.display().to_string())?;
        let status = Command::new("cargo")
            .args([
                "fuzz",
                "run",
                "--fuzz-dir",
                "tests/fuzz",
                "--sanitizer",
                "none",
                &target,
                &found,
                &corpus,
                "--",
            ])
            .args([
                limit.as_str(),
                "-rss_limit_mb=2048",
                "-timeout=20",
                "-max_len=65536",
                "-print_final_stats=1",
            ])
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(root())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()
            .context("cannot start cargo fuzz: cargo install cargo-fuzz --locked")?;
        report(&target, &said, status.success())?;
        ok &= status.success();
    }
    Ok(ok)
}

/// One line for a clean run, the end of the log for a finding (or a build that failed).
fn report(target: &str, said: &Path, clean: bool) -> Result<()> {
    let text = String::from_utf8_lossy(&std::fs::read(said)?).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let shown = if clean {
        lines.iter().filter(|l| l.starts_with("Done ")).copied().collect()
    } else {
        lines.get(lines.len().saturating_sub(60)..).unwrap_or_default().to_vec()
    };
    for line in shown {
        println!("{target}: {line}");
    }
    if !clean {
        println!("{target}: FAILED; everything it said: {}", said.display());
    }
    Ok(())
}

/// The names of the fuzz targets.
pub fn targets(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let list = std::fs::read_dir(folder.join("fuzz_targets"));
    for entry in list.with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if let (Some(stem), true) = (path.file_stem(), path.extension().is_some_and(|e| e == "rs")) {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
