//! `openclaw plugins list` and `check`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_config::load::Loaded;
use oc_extensions::plugin::Standing;
use oc_fs::plugin_review::{Review, review};
use oc_fs::plugins::{Installed, installed};
use oc_text::visible;
use oc_types::Node;
use serde_json::{Value, json};

use super::loaded;
use crate::app::App;
use crate::sheet::Sheet;
use crate::wire;

/// Arguments of `openclaw plugins list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `openclaw plugins check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The plugin; default: all.
    id: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn record<'l>(loaded: &'l Loaded, name: &str) -> Option<&'l Node> {
    loaded.tree.path(&["plugins", "installs", name])
}

fn from(record: Option<&Node>) -> Option<String> {
    let text = |key: &str| record?.get(key).and_then(Node::as_str);
    text("spec").or_else(|| text("sourcePath")).map(|s| visible(s, 300))
}

/// Lists.
///
/// # Errors
/// An invalid configuration.
pub fn list(app: &App, args: &ListArgs) -> Result<ExitCode> {
    let loaded = loaded(app)?;
    let all = installed(&loaded.locations.state_dir, &loaded.tree);
    if args.json {
        let rows: Vec<Value> = all.iter().map(|p| row(&loaded, p)).collect();
        wire::print_json(app, &json!({ "plugins": rows }));
        return Ok(ExitCode::SUCCESS);
    }
    let mut sheet = Sheet::new(10);
    if all.is_empty() {
        sheet.line("No plugins are installed");
    }
    for plugin in &all {
        sheet.heading(&visible(&plugin.name, 80));
        sheet.row("Standing", &plugin.standing.explained(&plugin.name));
        if let Some(manifest) = &plugin.manifest {
            sheet.some("About", manifest.description.clone().or_else(|| manifest.name.clone()));
            let tools: Vec<&str> = manifest.tools.iter().map(|t| t.name.as_str()).collect();
            sheet.some("Tools", Some(tools.join(", ")));
            sheet.some("Starts", manifest.server.as_ref().map(|s| s.shown()));
        }
        sheet.some("From", from(record(&loaded, &plugin.name)));
        sheet.row("Folder", &plugin.folder.display().to_string());
    }
    app.print(&sheet.text());
    Ok(ExitCode::SUCCESS)
}

fn row(loaded: &Loaded, plugin: &Installed) -> Value {
    let manifest = plugin.manifest.as_ref();
    json!({
        "id": plugin.name,
        "folder": plugin.folder.display().to_string(),
        "standing": plugin.standing.word(),
        "loaded": plugin.standing == Standing::Loaded,
        "why": plugin.standing.explained(&plugin.name),
        "version": manifest.and_then(|m| m.version.clone()),
        "tools": manifest.map(|m| m.tools.iter().map(|t| t.name.clone()).collect::<Vec<_>>()),
        "starts": manifest.and_then(|m| m.server.as_ref()).map(|s| s.shown()),
        "install": record(loaded, &plugin.name).map(Node::to_json),
    })
}

/// Looks plugins over.
///
/// # Errors
/// An invalid configuration, an id that is not installed.
pub fn check(app: &App, args: &CheckArgs) -> Result<ExitCode> {
    let loaded = loaded(app)?;
    let mut all = installed(&loaded.locations.state_dir, &loaded.tree);
    if let Some(id) = args.id.as_deref().map(str::trim) {
        all.retain(|p| p.name == id);
        if all.is_empty() {
            bail!("no plugin {} is installed", visible(id, 80));
        }
    }
    let looked: Vec<(&Installed, Option<Review>, Vec<String>)> = all
        .iter()
        .map(|plugin| {
            let review = plugin.manifest.as_ref().and_then(|_| review(&plugin.folder).ok());
            let notes = notes(&loaded, plugin, review.as_ref());
            (plugin, review, notes)
        })
        .collect();
    let speaks_against = |(plugin, review, _): &(&Installed, Option<Review>, Vec<String>)| {
        let bad = review.as_ref().is_none_or(|r| !r.blockers.is_empty());
        bad && plugin.standing == Standing::Loaded
    };
    let failed = looked.iter().any(speaks_against);
    if args.json {
        let row = |(plugin, review, notes): &(&Installed, Option<Review>, Vec<String>)| {
            let mut out = row(&loaded, plugin);
            let blocker = |b: &oc_fs::plugin_review::Blocker| json!({ "rule": b.rule, "file": b.file, "line": b.line, "message": b.message, "acceptable": b.acceptable });
            if let (Some(members), Some(review)) = (out.as_object_mut(), review) {
                members.insert("files".to_owned(), review.files.into());
                let blockers: Vec<Value> = review.blockers.iter().map(blocker).collect();
                members.insert("blockers".to_owned(), blockers.into());
                members.insert("remarks".to_owned(), review.remarks.clone().into());
            }
            if let Some(members) = out.as_object_mut() {
                members.insert("notes".to_owned(), notes.clone().into());
            }
            out
        };
        wire::print_json(
            app,
            &json!({ "plugins": looked.iter().map(row).collect::<Vec<_>>(), "ok": !failed }),
        );
    } else {
        let mut sheet = Sheet::new(10);
        if looked.is_empty() {
            sheet.line("No plugins are installed");
        }
        for (plugin, review, notes) in &looked {
            sheet.heading(&visible(&plugin.name, 80));
            sheet.row("Standing", &plugin.standing.explained(&plugin.name));
            if let Some(review) = review {
                review_lines(&mut sheet, review);
            }
            for note in notes {
                sheet.row("Note", note);
            }
        }
        app.print(&sheet.text());
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Where the record and the folder do not fit together.
fn notes(loaded: &Loaded, plugin: &Installed, review: Option<&Review>) -> Vec<String> {
    let mut out = Vec::new();
    match record(loaded, &plugin.name) {
        None => out.push(format!(
            "plugins.installs.{} is missing: it is not known where this came from",
            plugin.name
        )),
        Some(record) => {
            let text = |key: &str| record.get(key).and_then(Node::as_str);
            let there = review.and_then(|r| r.version.as_deref());
            if let (Some(recorded), Some(there)) = (text("version"), there)
                && recorded != there
            {
                out.push(format!(
                    "version {} was installed, {} lies there",
                    visible(recorded, 100),
                    visible(there, 100)
                ));
            }
            if text("source") == Some("npm") && text("integrity").is_none() {
                out.push("no integrity is recorded".to_owned());
            }
        }
    }
    out
}

/// What a look at a plugin found.
pub(super) fn review_lines(sheet: &mut Sheet<'_>, review: &Review) {
    let manifest = &review.manifest;
    let tools: Vec<&str> = manifest.tools.iter().map(|t| t.name.as_str()).collect();
    sheet.some("Tools", Some(tools.join(", ")));
    if let Some(server) = &manifest.server {
        sheet.row("Starts", &format!("{} (a process of its own, over MCP)", server.shown()));
        if !server.env.is_empty() {
            let id = &manifest.id;
            let names = server.env.join(", ");
            sheet.row("Asks for", &format!("{names} (it gets what plugins.entries.{id}.config.env says)"));
        }
    }
    let files = if review.files == 1 { "file" } else { "files" };
    sheet.row("Scanned", &format!("{} {files}", review.files));
    for blocker in &review.blockers {
        sheet.row("CRITICAL", &blocker.to_string());
    }
    for remark in &review.remarks {
        sheet.row("Remark", remark);
    }
    if !review.scripts.is_empty() {
        sheet.row("Scripts", &format!("{} (never run)", review.scripts.join(", ")));
    }
    if !review.needs.is_empty() {
        sheet.row(
            "Needs",
            &format!("{} (not in the package; --dependencies fetches them)", review.needs.join(", ")),
        );
    }
}
