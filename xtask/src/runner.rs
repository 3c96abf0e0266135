//! `cargo xtask runner`: the resident runner as a static program, where the product and the tests look for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::steps::root;

/// Arguments of `cargo xtask runner`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Build it optimised, for `target/release`.
    #[arg(long)]
    release: bool,
}

/// Builds the program, checks that it is static, and puts it to `target/<profile>/libexec/openclaw-runner`.
pub fn run(args: &Args) -> Result<bool> {
    let (profile, folder) = if args.release { ("release", "release") } else { ("dev", "debug") };
    let target = host()?;
    let build = root().join("target/runner");
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--locked", "--package", "openclaw-runner", "--profile", profile, "--target", &target])
        // With a target named, these flags reach the program but not the build scripts and macros.
        .args(["--config", &format!("target.{target}.rustflags=[\"-C\", \"target-feature=+crt-static\", \"-C\", \"relocation-model=static\"]")])
        .arg("--target-dir")
        .arg(&build)
        .current_dir(root())
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .context("cargo cannot be started")?;
    if !status.success() {
        return Ok(false);
    }
    let built = build.join(&target).join(folder).join(oc_sandbox::runner_file::NAME);
    if !oc_sandbox::runner_file::is_static(&built) {
        bail!("{} asks for an interpreter; it would not start in a container", built.display());
    }
    let to = place(folder);
    install(&built, &to).with_context(|| format!("cannot put the runner to {}", to.display()))?;
    println!("{}", to.display());
    Ok(true)
}

fn place(folder: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join(folder).join("libexec").join(oc_sandbox::runner_file::NAME)
}

/// A rename, so that a container that has the old file mounted keeps it.
fn install(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("a path without a folder")?;
    std::fs::create_dir_all(folder)?;
    if std::fs::read(from).ok() == std::fs::read(to).ok() {
        return Ok(());
    }
    let next = to.with_extension("next");
    std::fs::copy(from, &next)?;
    std::fs::rename(&next, to)?;
    Ok(())
}

fn host() -> Result<String> {
    let out =
        Command::new("rustc").arg("-vV").current_dir(root()).output().context("rustc cannot be started")?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let host = text.lines().find_map(|l| l.strip_prefix("host: ")).map(str::to_owned);
    host.context("rustc does not name its host")
}
