//! `openclaw channels logout`: the credentials of an account go, its access lists stay.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_config::edit::Change;
use oc_config::load::Loaded;
use oc_text::visible;
use oc_types::{KeyPath, Node, Origin};

use super::credentials::{Service, channel, service};
use super::login::edit;
use super::seat::{Seat, naming, valid};
use crate::app::App;
use crate::sheet::Sheet;

/// Arguments of `openclaw channels logout`.
#[derive(Debug, clap::Args)]
pub struct LogoutArgs {
    /// The channel.
    #[arg(long, value_name = "CHANNEL")]
    channel: String,
    /// The account of the channel [default: the channel's own].
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// What goes, and what of it lies where this program did not put it.
#[derive(Debug, Default)]
struct Going {
    keys: Vec<(KeyPath, &'static str)>,
    files: Vec<PathBuf>,
    kept: Vec<String>,
}

/// Removes credentials.
///
/// # Errors
/// Why nothing was removed, or what was not.
pub fn run(app: &App, args: &LogoutArgs) -> Result<ExitCode> {
    let loaded = valid(app)?;
    let channel = channel(&args.channel)?;
    let service = service(&channel)?;
    let seat = Seat::of(&loaded.tree, &channel, args.account.as_deref())?;
    if loaded.tree.at(seat.base()).is_none() {
        bail!("{} is not set: there is nothing to remove", visible(&seat.base().to_string(), 200));
    }
    let going = look(&loaded, service, &seat);
    if going.keys.is_empty() && going.files.is_empty() {
        app.print(&format!("{} holds no credential.\nAt the service: {}.\n", seat.base(), service.revoke));
        return Ok(ExitCode::SUCCESS);
    }
    let mut sheet = Sheet::new(8);
    sheet.line(&format!("Sign out: {channel}, account {}", visible(seat.account(), 64)));
    for (key, kind) in &going.keys {
        sheet.row("Key", &format!("{key} ({kind})"));
    }
    for file in &going.files {
        sheet.row("File", &file.display().to_string());
    }
    for kept in &going.kept {
        sheet.row("Stays", kept);
    }
    sheet.row("Stays", "who may write: access lists and pairings");
    app.print(&sheet.text());
    if !args.yes && !confirmed(app)? {
        app.print("Nothing was removed.\n");
        return Ok(ExitCode::from(1));
    }
    let changes: Vec<Change> =
        going.keys.iter().map(|(path, _)| Change::Unset { path: path.clone() }).collect();
    let done = edit(app, "openclaw channels logout", &changes)?;
    let mut failed = false;
    for file in &going.files {
        if let Some(other) = naming(&done.after.tree, file).first() {
            app.note(&format!("openclaw: {} stays: {other} names it, too", file.display()));
        } else if let Err(e) = std::fs::remove_file(file) {
            app.note(&format!("openclaw: {} was not removed: {e}", file.display()));
            failed = true;
        }
    }
    if let Some(why) = &done.unrecorded {
        app.note(&format!("warning: the change log has no record of this: {why}"));
    }
    app.print(&format!(
        "Removed. Earlier copies (`{}.bak`, backups) may still hold what stood in the configuration, and the service\n\
         takes it until it is revoked there: {}.\n",
        loaded.locations.config.file_name().map(|n| n.to_string_lossy()).unwrap_or_default(),
        service.revoke
    ));
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn look(loaded: &Loaded, service: &'static Service, seat: &Seat<'_>) -> Going {
    let mut going = Going::default();
    for slot in service.slots {
        let own = seat.file(&loaded.locations.credentials, slot);
        let mut note = |key: &[&str], node: &Node, named: Option<&str>| {
            let path = seat.at(key);
            let kind = match (named, &node.origin) {
                (Some(file), _) => {
                    if own.to_str() != Some(file) {
                        going.kept.push(format!("{file}: it is yours; remove it when nothing else needs it"));
                    }
                    "names a file"
                }
                (None, Origin::Env { .. }) => {
                    going.kept.push(format!("the variable that {path} was taken from"));
                    "a variable"
                }
                (None, _) if node.get("keychain").is_some() => {
                    going.kept.push(format!("the keychain item that {path} names"));
                    "names a keychain item"
                }
                (None, _) => "the credential itself",
            };
            going.keys.push((path, kind));
        };
        if let Some(node) = seat.own(slot.key) {
            note(slot.key, node, node.get("file").and_then(Node::as_str));
        }
        if let Some(name) = slot.file_key
            && let Some(node) = seat.own(&[name])
        {
            note(&[name], node, node.as_str());
        }
        if own.symlink_metadata().is_ok() {
            going.files.push(own);
        }
    }
    going
}

fn confirmed(app: &App) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nothing was removed: nobody can be asked here; add --yes");
    }
    app.print("Remove them? [y/N] ");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
