//! `cargo xtask audit-fixtures`: the black-box cases of `openclaw security audit`. The last line is `N of M cases agree`.

mod case;
mod compare;
mod tree;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::steps::root;
use case::Case;
use tree::Tree;

/// Arguments of `cargo xtask audit-fixtures`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders or files with cases [default: fixtures/audit fixtures/audit-latest].
    cases: Vec<PathBuf>,
    /// The command under test [default: the `openclaw` built beside this program, built first when missing].
    #[arg(long)]
    cmd: Option<PathBuf>,
    /// Only cases whose file name holds this text.
    #[arg(long, default_value = "")]
    only: String,
    /// Cases at a time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Which keys the command knows: `era` takes the form in this product's keys, `2026.9` newer configurations as they stand.
    #[arg(long, default_value = "era", value_parser = ["era", "2026.9"])]
    dialect: String,
    /// Print the command's output for cases that differ.
    #[arg(long)]
    verbose: bool,
}

/// Runs the cases; whether all agree.
pub fn run(args: &Args) -> Result<bool> {
    let command = match &args.cmd {
        Some(path) => path.canonicalize().with_context(|| format!("{} is not there", path.display()))?,
        None => own_command()?,
    };
    let files = files(args)?;
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Option<Vec<String>>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.clamp(1, 16) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(i) else { return };
                    let differences = match one(&command, file, args) {
                        Ok(result) => result,
                        Err(e) => Some(vec![format!("cannot be run: {e:#}")]),
                    };
                    if let Ok(mut all) = results.lock() {
                        all.push((i, differences));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by_key(|(i, _)| *i);
    let (mut agree, mut skipped) = (0_usize, 0_usize);
    for (i, differences) in &results {
        match differences {
            None => skipped += 1,
            Some(list) if list.is_empty() => agree += 1,
            Some(list) => {
                let name = files.get(*i).map(|f| f.display().to_string()).unwrap_or_default();
                println!("DIFFERS {name}");
                for line in list {
                    println!("    {line}");
                }
            }
        }
    }
    let ran = results.len() - skipped;
    if skipped > 0 {
        println!("{skipped} cases skipped: their configuration has no form in this dialect");
    }
    println!("{agree} of {ran} cases agree");
    Ok(ran > 0 && agree == ran)
}

/// The `openclaw` beside this program.
fn own_command() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let built = here.with_file_name("openclaw");
    if !built.exists() {
        let status =
            Command::new("cargo").args(["build", "-p", "openclaw-cli"]).current_dir(root()).status()?;
        if !status.success() || !built.exists() {
            bail!("the command could not be built; name one with --cmd");
        }
    }
    Ok(built)
}

fn files(args: &Args) -> Result<Vec<PathBuf>> {
    let given = if args.cases.is_empty() {
        vec![root().join("fixtures/audit"), root().join("fixtures/audit-latest")]
    } else {
        args.cases.clone()
    };
    let mut out = Vec::new();
    for path in given {
        if path.is_dir() {
            let mut inner: Vec<PathBuf> = std::fs::read_dir(&path)?
                .filter_map(|e| Some(e.ok()?.path()))
                .filter(|p| p.extension().is_some_and(|e| e == "json"))
                .collect();
            inner.sort();
            out.extend(inner);
        } else {
            out.push(path);
        }
    }
    out.retain(|p| p.file_name().is_some_and(|n| n.to_string_lossy().contains(&args.only)));
    Ok(out)
}

/// The differences of one case; `None` when it cannot be put in this dialect.
fn one(command: &Path, file: &Path, args: &Args) -> Result<Option<Vec<String>>> {
    let mut case: Case = serde_json::from_str(&std::fs::read_to_string(file)?)
        .with_context(|| format!("{} is no case", file.display()))?;
    if args.dialect == "era" && !case.put_in_own_dialect() {
        return Ok(None);
    }
    let tree = Tree::build(&case)?;
    let output = start(command, &case, &tree)?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let got = compare::observe(&case, &tree, output.status.code().unwrap_or(-1), &stdout);
    let mut differences = compare::differences(&case.expected, &got);
    if args.verbose && !differences.is_empty() {
        let text = format!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
        differences.extend(text.trim().lines().map(|l| format!("| {l}")));
    }
    Ok(Some(differences))
}

fn start(command: &Path, case: &Case, tree: &Tree) -> Result<std::process::Output> {
    let mut run = Command::new(command);
    run.env_clear();
    for name in ["PATH", "LANG", "LC_ALL", "TERM"] {
        if let Some(value) = std::env::var_os(name) {
            run.env(name, value);
        }
    }
    run.env("HOME", tree.home())
        .env("NO_COLOR", "1")
        .env("OPENCLAW_HIDE_BANNER", "1")
        .env("OPENCLAW_AUDIT_RULES", case.rules.as_deref().unwrap_or("2026.2"));
    for (name, value) in &case.env {
        run.env(name, tree.filled_in(value));
    }
    run.args(["security", "audit", "--json"]).args(case.args.iter().map(|a| tree.filled_in(a)));
    run.current_dir(tree.cwd()).stdin(Stdio::null());
    run.output().with_context(|| format!("{} cannot be started", command.display()))
}

/// The report in the output: the first JSON object that has findings, or holds one under `report`.
fn find_report(text: &str) -> Option<Value> {
    let starts = text
        .match_indices('{')
        .map(|(i, _)| i)
        .filter(|i| *i == 0 || text.get(..*i).is_some_and(|before| before.ends_with('\n')));
    starts
        .filter_map(|i| serde_json::Deserializer::from_str(text.get(i..)?).into_iter::<Value>().next()?.ok())
        .map(|doc| doc.get("report").filter(|r| r.is_object()).cloned().unwrap_or(doc))
        .find(|doc| doc.get("findings").is_some_and(Value::is_array))
}
