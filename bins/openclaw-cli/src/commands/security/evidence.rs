//! `openclaw security collect`: one file with what a report about an incident needs, every credential masked.

mod gather;
mod known;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_audit::evidence::Masks;
use oc_config::load::Reading;
use oc_fs::atomic;
use oc_text::Redactor;
use oc_types::Node;
use serde_json::{Value, json};

use crate::app::App;

/// Arguments of `openclaw security collect`.
#[derive(Debug, clap::Args)]
pub struct CollectArgs {
    /// Where to write it [default: openclaw-evidence-TIME.json in the current directory]; `-` prints it.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Leave the conversations out.
    #[arg(long)]
    no_transcripts: bool,
    /// How many conversations of each agent, the newest.
    #[arg(long, value_name = "N", default_value_t = 10)]
    sessions: usize,
    /// How many lines from the end of each conversation and log.
    #[arg(long, value_name = "N", default_value_t = 200)]
    lines: usize,
    /// Print what was written as JSON.
    #[arg(long)]
    json: bool,
}

/// Collects, masks, writes.
///
/// # Errors
/// When the file cannot be written, or a secret would stand in it.
pub fn run(app: &App, args: &CollectArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let masks = Masks::new(known::secrets(&loaded), redactor(&loaded.tree));
    let evidence = masks.json(&gather::all(app, &loaded, args, &masks));
    let text = format!("{evidence:#}\n");
    if masks.leaks(&text) {
        bail!("nothing was written: a secret would stand in the file; please report this");
    }
    let Some(path) = target(args) else {
        app.print(&text);
        return Ok(ExitCode::SUCCESS);
    };
    let path = app.cwd.join(path);
    atomic::replace(&path, text.as_bytes())?;
    if args.json {
        let out = json!({ "ok": true, "file": path.to_string_lossy(), "bytes": text.len(), "missing": evidence.get("missing") });
        app.print(&format!("{out:#}\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let count = |name: &str| evidence.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    app.print(&format!(
        "wrote {} ({} KiB, readable by you only)\n  {} conversations, {} log files, {} ledger records, {} configuration changes, {} findings\n  credentials are masked; read it before you pass it on: it holds what people wrote\n",
        path.display(),
        text.len().div_ceil(1024),
        count("transcripts"),
        count("logs"),
        count("ledger"),
        count("configChanges"),
        evidence.pointer("/audit/findings").and_then(Value::as_array).map_or(0, Vec::len),
    ));
    for missing in evidence.get("missing").and_then(Value::as_array).into_iter().flatten() {
        app.note(&format!("not in it: {}", missing.as_str().unwrap_or_default()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Where to; `None` is standard output.
fn target(args: &CollectArgs) -> Option<PathBuf> {
    match &args.output {
        Some(path) if path.as_os_str() == "-" => None,
        Some(path) => Some(path.clone()),
        None => {
            let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
            Some(PathBuf::from(format!("openclaw-evidence-{now}.json")))
        }
    }
}

/// The patterns of the configuration, whatever `logging.redactSensitive` says.
fn redactor(tree: &Node) -> Redactor {
    let patterns = tree.path(&["logging", "redactPatterns"]).and_then(Node::entries).unwrap_or_default();
    // Own patterns replace the built-in ones in logs; here both count.
    if patterns.is_empty() {
        return Redactor::standard();
    }
    let built_in = oc_text::redact::default_patterns().map(|(_, p)| p.to_owned());
    Redactor::custom(&built_in.chain(patterns).collect::<Vec<_>>()).0
}
