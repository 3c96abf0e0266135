//! `openclaw security undo`.

use std::process::ExitCode;

use anyhow::Result;
use oc_config::load::Reading;
use oc_fs::fix_record;
use serde_json::json;

use crate::app::App;

/// Arguments of `openclaw security undo`.
#[derive(Debug, clap::Args)]
pub struct UndoArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Puts back what the last fix changed, or says why not.
///
/// # Errors
/// When there is nothing to undo, or something was changed since.
pub fn run(app: &App, args: &UndoArgs) -> Result<ExitCode> {
    let places = app.load(Reading::Product).locations;
    let record = fix_record::undo(&places.state_dir)?;
    if args.json {
        let files: Vec<_> = record.files.iter().map(|f| f.path.to_string_lossy()).collect();
        let modes: Vec<_> = record
            .modes
            .iter()
            .map(|m| json!({ "path": m.path.to_string_lossy(), "mode": m.before }))
            .collect();
        app.print(&format!("{:#}\n", json!({ "fixedAt": record.at, "files": files, "modes": modes })));
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for file in &record.files {
        text.push_str(&format!("restored {}\n", file.path.display()));
    }
    for entry in &record.modes {
        text.push_str(&format!("chmod {:04o} {}\n", entry.before, entry.path.display()));
    }
    app.print(&text);
    Ok(ExitCode::SUCCESS)
}
