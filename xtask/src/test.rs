//! `cargo xtask test`: everything that has to hold before a change lands.

use anyhow::Result;

use crate::engine::Engine;
use crate::install;
use crate::steps::{Steps, has, root};
use crate::tidy;

/// Arguments of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run only the steps whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Leave out the slow steps (soak, fuzzing).
    #[arg(long)]
    quick: bool,
    /// First install the tools that are missing (Debian packages need root).
    #[arg(long)]
    install: bool,
}

/// Runs the steps. In CI (`CI` set) a step that cannot run counts as failed.
pub fn run(args: &Args) -> Result<bool> {
    if args.install {
        install::run()?;
    }
    let strict = std::env::var_os("CI").is_some();
    let mut s = Steps::new(strict, args.only.clone());
    s.run("format", "cargo", &["fmt", "--all", "--check"])?;
    s.run("lints", "cargo", &["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    if s.wants("tidy") {
        println!("\n==> tidy");
        let ok = tidy::run()?;
        s.record("tidy", ok);
    }
    // Tests that need a tool which is missing say so and pass; where nothing may be skipped they fail.
    // Screenshots and the like stay after the run, for a look.
    let artifacts = root().join("target/artifacts").display().to_string();
    let env = [
        ("OC_ARTIFACTS", artifacts.as_str()),
        ("INSTA_UPDATE", "no"),
        (
            "OC_REQUIRE",
            if strict {
                "chromium tmux xmllint docker peer debootstrap namespaces nginx python3 systemd-analyze fakellm mcp openai telegram-test-api ngircd synapse npm openssl"
            } else {
                ""
            },
        ),
    ];
    for tool in ["chromium", "tmux", "xmllint"] {
        if !install::is_there(tool) {
            s.skip(&format!("tests with {tool}"), "it is not installed; the rest runs");
        }
    }
    // Lives until the tests have run; an engine that ran before stays.
    let engine = if s.wants("tests") { Engine::find(args.install) } else { None };
    if engine.is_none() {
        s.skip(
            "tests with a container engine",
            "none answers; `cargo xtask test --install` as root starts one; the rest runs",
        );
    }
    // The executors' tests start it.
    s.run("runner", "cargo", &["xtask", "runner"])?;
    if has("cargo-nextest") {
        s.run_with(
            "tests",
            "cargo",
            &["nextest", "run", "--locked", "--workspace", "--failure-output", "immediate-final"],
            &env,
        )?;
    } else {
        s.run_with("tests", "cargo", &["test", "--locked", "--workspace"], &env)?;
    }
    drop(engine);
    // Short here, five minutes where nothing may be skipped.
    let seconds = if strict { "300" } else { "60" };
    if args.quick {
        println!("\n(soak left out: --quick)");
    } else {
        s.run("soak", "cargo", &["xtask", "soak", "--seconds", seconds])?;
    }
    s.run("doctests", "cargo", &["test", "--locked", "--workspace", "--doc"])?;
    s.run_with(
        "docs",
        "cargo",
        &["doc", "--locked", "--workspace", "--no-deps"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    for area in ["policy", "sandbox", "channels"] {
        let folder = format!("fixtures/{area}");
        s.run(&format!("cases: {area}"), "cargo", &["xtask", "golden", &folder])?;
    }
    s.run("cases: audit", "cargo", &["xtask", "audit-fixtures"])?;
    s.run("embedding", "cargo", &["run", "--locked", "--manifest-path", "docs/embedding/Cargo.toml"])?;
    dependencies(&mut s)?;
    secrets(&mut s)?;
    if args.quick {
        println!("\n(fuzzing left out: --quick)");
    } else if has("cargo-fuzz") {
        s.run("fuzzing", "cargo", &["xtask", "fuzz", "--seconds", "60"])?;
    } else {
        s.skip("fuzzing", "cargo-fuzz is not installed: cargo install cargo-fuzz --locked");
    }
    Ok(s.finish())
}

fn dependencies(s: &mut Steps) -> Result<()> {
    if has("cargo-deny") {
        // Offline, but for every target: what the lock file names has to be on the machine first.
        s.run("fetch for the dependency policy", "cargo", &["fetch", "--locked"])?;
        // The advisory database cannot be reached everywhere; `cargo deny check advisories` is for machines that reach it.
        s.run(
            "dependency policy",
            "cargo",
            &["deny", "--offline", "--locked", "check", "bans", "licenses", "sources"],
        )
    } else {
        s.skip("dependency policy", "cargo-deny is not installed: cargo install cargo-deny --locked");
        Ok(())
    }
}

fn secrets(s: &mut Steps) -> Result<()> {
    if has("detect-secrets") {
        s.run("secret scan", "bash", &[&root().join(".ci/secret-scan").display().to_string()])
    } else {
        s.skip("secret scan", "detect-secrets is not installed: pip install detect-secrets==1.5.0");
        Ok(())
    }
}
