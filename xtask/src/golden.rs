//! `cargo xtask golden DIR...`: runs the product's own functions over folders of case files.
//!
//! A file `<kind>.jsonl` holds one case a line. The kind is the file's name, and what stands in the row where two areas use one
//! name; the folder may be any. Every case that differs is printed. The last line is `N of M cases agree`, over the active cases;
//! the line before it is `P pending`. A pending case waits for something that is not built, for the reason its kind gives; one that
//! passes although it is pending fails the run, so that the list cannot go stale.

mod channels;
mod policy;
mod sandbox;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// Folders of case files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders that hold `<kind>.jsonl` files.
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
}

/// One kind of case. Areas list theirs in a `KINDS` table.
pub(crate) struct Kind {
    /// The file's name without `.jsonl`.
    pub stem: &'static str,
    /// Whether a row is of this kind, for names that two areas share.
    pub claims: fn(&Value) -> bool,
    /// Whether the case counts.
    pub standing: fn(&Value) -> Standing,
    /// Runs the product on a row; the error says in what it differs, shortest form first.
    pub run: fn(&Value) -> Result<(), String>,
}

/// Whether a case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has to agree.
    Active,
    /// It waits; the text says for what.
    #[expect(dead_code, reason = "no area waits for anything at this point")]
    Pending(&'static str),
}

/// For kinds whose file name is theirs alone.
pub(crate) fn any(_: &Value) -> bool {
    true
}

/// A member of a row; `null` when it is not there.
pub(crate) fn member<'v>(row: &'v Value, name: &str) -> &'v Value {
    row.get(name).unwrap_or(&Value::Null)
}

/// Compares what is expected with what came out.
pub(crate) fn same(what: &str, expected: &Value, got: &Value) -> Result<(), String> {
    if expected == got {
        return Ok(());
    }
    Err(format!("{what}\nexpected {expected}\ngot      {got}"))
}

/// For kinds of which every case counts.
pub(crate) fn active(_: &Value) -> Standing {
    Standing::Active
}

fn kinds() -> impl Iterator<Item = &'static Kind> {
    [policy::KINDS, sandbox::KINDS, channels::KINDS].into_iter().flatten()
}

#[derive(Default)]
struct Tally {
    agree: usize,
    active: usize,
    /// Reason and number.
    pending: Vec<(&'static str, usize)>,
    /// Pending cases that pass.
    stale: Vec<String>,
}

/// Runs the cases of all folders. `Ok(false)`: something differs.
///
/// # Errors
/// A folder or file that cannot be read, a row that is no JSON, a kind that nobody knows, a folder without cases.
pub fn run(args: &Args) -> anyhow::Result<bool> {
    let mut tally = Tally::default();
    for dir in &args.dirs {
        folder(dir, &mut tally)?;
    }
    for (reason, number) in &tally.pending {
        println!("pending ({number}): {reason}");
    }
    for name in &tally.stale {
        println!("PASSES ALTHOUGH PENDING: {name}: make it active");
    }
    println!("{} pending", tally.pending.iter().map(|(_, n)| n).sum::<usize>());
    println!("{} of {} cases agree", tally.agree, tally.active);
    Ok(tally.agree == tally.active && tally.stale.is_empty())
}

fn folder(dir: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    let listing = std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut files: Vec<PathBuf> = listing.map(|e| Ok(e?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|p| p.extension().is_some_and(|e| e == "jsonl"));
    files.sort();
    if files.is_empty() {
        bail!("{} holds no .jsonl case file", dir.display());
    }
    for file in files {
        let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        for (index, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let at = || format!("{}:{}", file.display(), index + 1);
            let row: Value = serde_json::from_str(line).with_context(at)?;
            case(&stem, &row, &at(), tally)?;
        }
    }
    Ok(())
}

fn case(stem: &str, row: &Value, at: &str, tally: &mut Tally) -> anyhow::Result<()> {
    let Some(kind) = kinds().find(|k| k.stem == stem && (k.claims)(row)) else {
        bail!("{at}: no area knows cases of the kind {stem:?} with these members");
    };
    let name = row.get("name").and_then(Value::as_str).unwrap_or("?");
    let result = (kind.run)(row);
    match (kind.standing)(row) {
        Standing::Active => {
            tally.active += 1;
            match result {
                Ok(()) => tally.agree += 1,
                Err(difference) => println!("DIFFERS {at} {name}\n  {}", difference.replace('\n', "\n  ")),
            }
        }
        Standing::Pending(reason) => {
            match tally.pending.iter_mut().find(|(r, _)| *r == reason) {
                Some((_, number)) => *number += 1,
                None => tally.pending.push((reason, 1)),
            }
            if result.is_ok() {
                tally.stale.push(format!("{at} {name}"));
            }
        }
    }
    Ok(())
}
