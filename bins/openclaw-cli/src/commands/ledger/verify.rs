//! `openclaw ledger verify`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use oc_fs::ledger::{Verification, verify};

use super::{directory, line};
use crate::app::App;

/// Arguments of `openclaw ledger verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The hash of a record that was noted elsewhere: it must be in the chain.
    #[arg(long, value_name = "HASH")]
    anchor: Option<String>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Checks the chain. Exit code 1 when it is damaged.
pub fn run(app: &App, args: &VerifyArgs) -> Result<ExitCode> {
    let directory = directory(app);
    let found = verify(&directory, args.anchor.as_deref())
        .with_context(|| format!("the ledger {} cannot be read", directory.display()))?;
    if args.json {
        let mut json = serde_json::to_value(&found)?;
        if let Some(members) = json.as_object_mut() {
            members.insert("whole".to_owned(), found.is_whole().into());
        }
        app.print(&format!("{}\n", serde_json::to_string_pretty(&json)?));
    } else {
        let mut out = text(&found);
        if !found.is_whole() {
            line(&mut out, 0, &format!("Folder: {}", directory.display()));
        }
        app.print(&out);
    }
    Ok(if found.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn text(v: &Verification) -> String {
    let mut out = String::new();
    for b in &v.breaks {
        let name = b.file.file_name().unwrap_or(b.file.as_os_str()).to_string_lossy();
        let place = match b.line {
            0 => name.into_owned(),
            line => format!("{name} line {line} (byte {})", b.offset),
        };
        let record = b.seq.map(|s| format!(", record {s}")).unwrap_or_default();
        line(&mut out, 0, &format!("damaged: {place}{record}"));
        line(&mut out, 2, &b.what);
    }
    if v.unfinished > 0 {
        let n = v.unfinished;
        line(
            &mut out,
            0,
            &format!("unfinished last line of {n} bytes, never acknowledged; the next call sets it aside"),
        );
    }
    for seq in &v.set_aside {
        line(&mut out, 0, &format!("an unfinished line was set aside: record {seq} tells of it"));
    }
    let summary = match (v.is_whole(), v.records) {
        (true, 0) => "The ledger is empty.".to_owned(),
        (true, n) => format!("The ledger is whole: {n} records in {} files.", v.files),
        (false, n) => format!("The ledger is damaged in {} places; {n} records can be read.", v.breaks.len()),
    };
    line(&mut out, 0, &summary);
    if v.records > 0 {
        out.push_str(&format!("Last record: {}\n{}\n", v.head.seq, v.head.hash));
    }
    out
}
