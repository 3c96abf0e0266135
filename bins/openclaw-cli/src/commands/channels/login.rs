//! `openclaw channels login`: a credential into a file of its own, and the key that names the file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use oc_channels::account::Setup;
use oc_channels::adapters::{AccountState, accounts};
use oc_config::change_log::Access;
use oc_config::edit::Change;
use oc_config::load::{Loaded, Reading};
use oc_fs::config_store::{self, Edited, Force, Writer};
use oc_fs::{atomic, lockdown_record, mode, owned_file};
use oc_gateway::service::Kind;
use oc_text::visible;
use oc_types::{AccountId, ChannelId, Secret};
use serde_json::json;

use super::super::config::note_access;
use super::super::service::status as service_status;
use super::ask::{self, Source};
use super::credentials::{Service, Slot, channel, service};
use super::seat::{self, Seat, naming, place, valid, workspaces};
use crate::app::App;
use crate::sheet::Sheet;

/// Largest credential file, in bytes.
const LIMIT: u64 = 64 * 1024;

/// Arguments of `openclaw channels login`.
#[derive(Debug, clap::Args)]
pub struct LoginArgs {
    /// The channel.
    #[arg(long, value_name = "CHANNEL")]
    channel: String,
    /// The account of the channel [default: the channel's own].
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Only this credential, such as `appToken`.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Read the credentials from this file (mode 0600), one a line. Otherwise they are asked for, or read from standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A credential that is stored.
struct Stored {
    file: PathBuf,
    secret: Secret,
    before: Option<Vec<u8>>,
}

/// Stores credentials.
///
/// # Errors
/// Why nothing was changed.
pub fn run(app: &App, args: &LoginArgs) -> Result<ExitCode> {
    let loaded = valid(app)?;
    let channel = channel(&args.channel)?;
    let service = service(&channel)?;
    let seat = Seat::of(&loaded.tree, &channel, args.account.as_deref())?;
    let slots = slots(service, &seat, args.key.as_deref())?;
    let workspaces = workspaces(&place(&loaded));
    let from = Source::of(args.token_file.as_deref(), &workspaces);
    let mut changes = settings(service, &seat, &from)?;
    let wanted: Vec<_> = slots.iter().map(|s| (seat.at(s.key), s.what)).collect();
    let secrets = from.secrets(&wanted)?;
    let mut stored = Vec::new();
    for (slot, secret) in slots.into_iter().zip(secrets) {
        let file = seat.file(&loaded.locations.credentials, slot);
        changes.extend(pointing(&loaded, &seat, slot, &file)?);
        let before = owned_file::read(&file, LIMIT).with_context(|| file.display().to_string())?;
        stored.push(Stored { file, secret, before });
    }
    let done = store(app, &loaded, &changes, &stored)?;
    let mut sheet = Sheet::new(8);
    sheet.line(&format!("Signed in: {channel}, account {}", visible(seat.account(), 64)));
    for one in &stored {
        sheet.row("Stored", &format!("{} (mode 0600)", one.file.display()));
    }
    if done.plan.is_empty() {
        sheet.row("Set", "nothing: the configuration names these files already");
    }
    for entry in &done.changes {
        sheet.row("Set", &entry.path.to_string());
    }
    for file in &done.plan.files {
        sheet.row("Wrote", &file.path.display().to_string());
    }
    if let Some(why) = unusable(&done.after, &channel, seat.account()) {
        sheet.row("Missing", &why);
    }
    sheet.row("Next", &format!("openclaw channels test {}", seat.flags()));
    sheet.row("", restart(app));
    app.print(&sheet.text());
    note_access(app, &done.changes);
    let says = done.changes.iter().any(|entry| entry.access == Access::Widens);
    let was_shut = matches!(state(&loaded, &channel, seat.account()), None | Some(AccountState::NotSetUp(_)));
    if was_shut && !says {
        app.note(&format!(
            "note: {} is set up now: a new way in, by the rules that stand there",
            seat.base()
        ));
    }
    warn(app, &done);
    Ok(ExitCode::SUCCESS)
}

/// How the gateway takes what changed: one that is no service was started by hand.
fn restart(app: &App) -> &'static str {
    match service_status(app, Kind::Gateway) {
        Ok((status, _)) if status.file.is_some() => "then restart the gateway: `openclaw gateway restart`",
        Ok(_) | Err(_) => "then restart the gateway, if it runs",
    }
}

/// Says when the change log has no record.
fn warn(app: &App, done: &Edited) {
    if let Some(why) = &done.unrecorded {
        app.note(&format!("warning: the change log has no record of this: {why}"));
    }
}

fn slots(service: &'static Service, seat: &Seat<'_>, key: Option<&str>) -> Result<Vec<&'static Slot>> {
    if service.slots.is_empty() {
        bail!(
            "{}: no credential is kept here; its program signs in by itself (docs/channels/{}.md), and `openclaw channels test` tries it",
            service.id,
            service.id
        );
    }
    let Some(key) = key else {
        return Ok(service.slots.iter().filter(|s| seat.asks(s)).collect());
    };
    let named = |s: &&Slot| s.name() == key || s.key.last() == Some(&key);
    match service.slots.iter().find(named) {
        Some(slot) => Ok(vec![slot]),
        None => {
            let known: Vec<String> = service.slots.iter().map(Slot::name).collect();
            bail!("--key: {} takes {}", service.id, known.join(", "))
        }
    }
}

/// What the adapter needs beside credentials, asked for where somebody can answer.
fn settings(service: &Service, seat: &Seat<'_>, from: &Source<'_>) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for (key, what) in service.settings {
        if seat.in_force(key).is_some() {
            continue;
        }
        let path = seat.at(key);
        match from {
            Source::Person => {
                let text = ask::setting(&format!("{what} ({path}): "))?;
                changes.push(Change::Set { path, value: json!(text) });
            }
            Source::File { .. } | Source::Input => {
                bail!("nothing was changed: {what} is needed first: openclaw config set {path} ...")
            }
        }
    }
    Ok(changes)
}

/// The changes that make a key name the file.
fn pointing(loaded: &Loaded, seat: &Seat<'_>, slot: &Slot, file: &Path) -> Result<Vec<Change>> {
    let Some(text) = file.to_str() else { bail!("{}: the path is no UTF-8 text", file.display()) };
    let key = seat.at(slot.key);
    let (at, value) = match slot.file_key {
        Some(name) => (seat.at(&[name]), json!(text)),
        None => (key.clone(), json!({ "file": text })),
    };
    let ours = [at.clone(), at.key("file"), key.key("file")];
    if let Some(other) = naming(&loaded.tree, file).into_iter().find(|p| !ours.contains(p)) {
        bail!("nothing was changed: {} is the credential of {other} already", file.display());
    }
    let mut changes = Vec::new();
    if slot.file_key.is_some() && seat.own(slot.key).is_some() {
        changes.push(Change::Unset { path: key });
    }
    changes.push(Change::Set { path: at, value });
    Ok(changes)
}

/// Files first, then the keys that name them; when the keys cannot be written, the files are as before.
fn store(app: &App, loaded: &Loaded, changes: &[Change], stored: &[Stored]) -> Result<Edited> {
    let request = app.load_request(Reading::Product);
    // A configuration that could not take the keys is found before a file is touched.
    config_store::preview(&request, changes).context("nothing was changed")?;
    let folder = &loaded.locations.credentials;
    mode::create_directories(folder).with_context(|| folder.display().to_string())?;
    let done = write(app, changes, stored);
    if done.is_err() {
        // The failure that matters is reported.
        for one in stored {
            let _ = match &one.before {
                Some(bytes) => atomic::replace(&one.file, bytes).map_err(anyhow::Error::from),
                None => std::fs::remove_file(&one.file).map_err(anyhow::Error::from),
            };
        }
    }
    done.context("nothing was changed")
}

fn write(app: &App, changes: &[Change], stored: &[Stored]) -> Result<Edited> {
    for one in stored {
        atomic::replace(&one.file, format!("{}\n", one.secret.expose()).as_bytes())?;
    }
    edit(app, "openclaw channels login", changes)
}

/// Writes changes that concern an account's own keys alone, in the record of a lockdown as well.
///
/// # Errors
/// Why they were not written.
pub(super) fn edit(app: &App, name: &str, changes: &[Change]) -> Result<Edited> {
    // These keys and no others: what `--force` guards is not among them.
    let writer = Writer { name, force: Force::Yes, expected: None };
    let done = config_store::edit(&app.load_request(Reading::Product), changes, writer)?;
    let places = &done.before.locations;
    for file in done.plan.files.iter().filter(|f| f.path == places.config) {
        if let Err(e) = lockdown_record::amend(&places.state_dir, file, changes) {
            app.note(&format!("warning: the record of the lockdown was not changed: {e}"));
        }
    }
    Ok(done)
}

/// What can be done with the account; `None`: there is none.
fn state(loaded: &Loaded, channel: &ChannelId, account: &str) -> Option<AccountState> {
    let workspaces = workspaces(&seat::place(loaded));
    let setup =
        Setup { config: &loaded.tree, state_dir: &loaded.locations.state_dir, workspaces: &workspaces };
    let same = |id: &str| AccountId::normalized(id) == AccountId::normalized(account);
    accounts(setup).into_iter().find(|a| a.channel == *channel && same(&a.id)).map(|a| a.state)
}

/// Why the account does not start yet.
fn unusable(after: &Loaded, channel: &ChannelId, account: &str) -> Option<String> {
    match state(after, channel, account)? {
        AccountState::Ready(_) => None,
        AccountState::Off(key) => Some(format!("{key} switches the account off")),
        AccountState::NotSetUp(why) | AccountState::Unusable(why) => {
            Some(seat::place(after).redactor.redact(&why.to_string()))
        }
    }
}
