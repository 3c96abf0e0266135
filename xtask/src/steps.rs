//! Running other programs, one step after the other, and saying what was skipped.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
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

/// Last lines of a failed step that are printed again under the summary.
const TAIL: usize = 120;

/// A step that failed, with the end of what it printed: a long log is often read from its end only.
#[derive(Debug)]
struct Failure {
    name: String,
    tail: VecDeque<String>,
}

/// The outcome of all steps.
#[derive(Debug, Default)]
pub struct Steps {
    failed: Vec<Failure>,
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
        let (read, write) = std::io::pipe().context("cannot make a pipe")?;
        let mut command = Command::new(program);
        command.args(args).envs(env.iter().copied()).current_dir(root()).stdin(Stdio::null());
        command.stdout(write.try_clone().context("cannot copy a pipe")?).stderr(write);
        let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        // The writing ends go with it: else the reader below would wait for this process too.
        drop(command);
        let tail = show(read);
        let status = child.wait().with_context(|| format!("cannot wait for {program}"))?;
        let took = start.elapsed().as_secs();
        if status.success() {
            println!("<== {name}: ok ({took} s)");
        } else {
            println!("<== {name}: FAILED ({took} s)");
            self.failed.push(Failure { name: name.to_owned(), tail });
        }
        Ok(())
    }

    /// Records the result of a step that ran inside this program.
    pub fn record(&mut self, name: &str, ok: bool) {
        println!("<== {name}: {}", if ok { "ok" } else { "FAILED" });
        if !ok {
            self.failed.push(Failure { name: name.to_owned(), tail: VecDeque::new() });
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
        for failure in &self.failed {
            println!("---- end of what {} printed", failure.name);
            for line in &failure.tail {
                println!("{line}");
            }
            println!();
        }
        for s in &self.skipped {
            println!("skipped: {s}");
        }
        for failure in &self.failed {
            println!("FAILED:  {}", failure.name);
        }
        if self.strict && !self.skipped.is_empty() {
            println!("skipping is not allowed here (CI is set)");
            return false;
        }
        println!("{}", if self.failed.is_empty() { "all steps passed" } else { "some steps failed" });
        self.failed.is_empty()
    }
}

/// Prints what comes, line by line, and keeps the end of it.
fn show(from: impl std::io::Read) -> VecDeque<String> {
    let mut tail = VecDeque::new();
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
        println!("{text}");
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(text);
        line.clear();
    }
    tail
}
