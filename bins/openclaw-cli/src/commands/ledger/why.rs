//! `openclaw ledger why ID`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_fs::ledger::{Line, Record};
use serde_json::Value as Json;

use super::{head, line, lines};
use crate::app::App;

/// Shortest beginning of an id that is looked for.
const SHORTEST: usize = 8;

/// Arguments of `openclaw ledger why`.
#[derive(Debug, clap::Args)]
pub struct WhyArgs {
    /// A record's number, a call's id or an approval's id (the first 8 characters are enough).
    id: String,
    /// One JSON array of the records.
    #[arg(long)]
    json: bool,
}

/// Shows every record of a call.
pub fn run(app: &App, args: &WhyArgs) -> Result<ExitCode> {
    let lines = lines(app)?;
    let records: Vec<&Record> = find(&lines, args.id.trim())?;
    if args.json {
        app.print(&format!("{}\n", serde_json::to_string_pretty(&records)?));
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = String::new();
    for record in records {
        head(&mut out, record);
        let e = &record.entry;
        for (name, value) in [("call", Some(&e.call)), ("approval", e.approval_id.as_ref())] {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                line(&mut out, 4, &format!("{name} {value}"));
            }
        }
        for (name, value) in &e.inputs {
            match value {
                Json::Null => {}
                Json::String(text) => line(&mut out, 6, &format!("{name}: {text}")),
                other => line(&mut out, 6, &format!("{name}: {other}")),
            }
        }
        if !e.config_gen.is_empty() {
            line(&mut out, 6, &format!("configuration: {}", e.config_gen));
        }
    }
    app.print(&out);
    Ok(ExitCode::SUCCESS)
}

/// The records that an id names: by number, else by call or approval.
fn find<'l>(lines: &'l [Line], id: &str) -> Result<Vec<&'l Record>> {
    let records = || lines.iter().filter_map(|l| l.record.as_ref().ok());
    let seq: Option<u64> = id.strip_prefix('#').unwrap_or(id).parse().ok();
    let by_number = seq.and_then(|n| records().find(|r| r.seq == n));
    if let Some(record) = by_number {
        let call = &record.entry.call;
        return Ok(match call.is_empty() {
            true => vec![record],
            false => records().filter(|r| r.entry.call == *call).collect(),
        });
    }
    let names = |r: &Record, whole: bool| {
        let one = |text: &str| if whole { text == id } else { text.starts_with(id) };
        one(&r.entry.call) || r.entry.approval_id.as_deref().is_some_and(one)
    };
    for whole in [true, false] {
        if !whole && id.chars().count() < SHORTEST {
            break;
        }
        let mut calls: Vec<&str> =
            records().filter(|r| names(r, whole)).map(|r| r.entry.call.as_str()).collect();
        calls.sort_unstable();
        calls.dedup();
        match calls.as_slice() {
            [] => {}
            [call] => return Ok(records().filter(|r| r.entry.call == **call).collect()),
            more => bail!("{id} begins the ids of {} calls; give more of it", more.len()),
        }
    }
    bail!("no record of the ledger is called {id}; `openclaw ledger show` lists them")
}
