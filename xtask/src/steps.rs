//! Running other programs, one step after the other, and saying what was skipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

/// The project folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A file of the build folder.
pub fn built(path: &str) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join(path)
}

/// Whether a program can be started.
pub fn has(program: &str) -> bool {
    answers(program, "--version")
}

/// Whether a program can be started with this argument.
pub fn answers(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// The outcome of all steps.
#[derive(Debug, Default)]
pub struct Steps {
    failed: Vec<String>,
    skipped: Vec<String>,
    strict: bool,
    only: Option<String>,
}

impl Steps {
    /// No step yet. `strict`: a skip is a failure (CI). `only`: only steps whose name holds this text run.
    pub fn new(strict: bool, only: Option<String>) -> Self {
        Self { strict, only, ..Self::default() }
    }

    /// Whether a step is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|o| name.contains(o.as_str()))
    }

    /// Runs one step from the project folder.
    pub fn run(&mut self, name: &str, program: &str, args: &[&str]) -> Result<()> {
        self.run_with(name, program, args, &[])
    }

    /// Runs one step with extra environment variables.
    pub fn run_with(&mut self, name: &str, program: &str, args: &[&str], env: &[(&str, &str)]) -> Result<()> {
        if !self.wants(name) {
            return Ok(());
        }
        println!("\n==> {name}: {program} {}", args.join(" "));
        let start = Instant::now();
        let status = Command::new(program)
            .args(args)
            .envs(env.iter().copied())
            .current_dir(root())
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("cannot start {program}"))?;
        let took = start.elapsed().as_secs();
        if status.success() {
            println!("<== {name}: ok ({took} s)");
        } else {
            println!("<== {name}: FAILED ({took} s)");
            self.failed.push(name.to_owned());
        }
        Ok(())
    }

    /// Records the result of a step that ran inside this program.
    pub fn record(&mut self, name: &str, ok: bool) {
        println!("<== {name}: {}", if ok { "ok" } else { "FAILED" });
        if !ok {
            self.failed.push(name.to_owned());
        }
    }

    /// Records that a step could not run here.
    pub fn skip(&mut self, name: &str, why: &str) {
        if !self.wants(name) {
            return;
        }
        println!("\n==> {name}: SKIPPED: {why}");
        self.skipped.push(format!("{name} ({why})"));
    }

    /// Prints the summary; whether everything that had to pass passed.
    pub fn finish(&self) -> bool {
        println!();
        for s in &self.skipped {
            println!("skipped: {s}");
        }
        for f in &self.failed {
            println!("FAILED:  {f}");
        }
        if self.strict && !self.skipped.is_empty() {
            println!("skipping is not allowed here (CI is set)");
            return false;
        }
        println!("{}", if self.failed.is_empty() { "all steps passed" } else { "some steps failed" });
        self.failed.is_empty()
    }
}
