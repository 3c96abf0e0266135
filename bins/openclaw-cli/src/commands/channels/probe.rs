//! `openclaw channels test`: each account asks its service who it is. Sends nothing to anybody.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use oc_channels::account::Setup;
use oc_channels::adapter::{AdapterFailure, SelfIdentity};
use oc_channels::adapters::{Account, AccountState, accounts};
use oc_text::redact::Redactor;
use oc_text::visible;
use oc_types::{AccountId, KeyPath, Node};
use serde_json::{Value, json};

use super::credentials::{channel, service};
use super::seat::{Seat, place, valid, workspaces};
use crate::app::App;
use crate::sheet::Sheet;
use crate::wire::print_json;

/// Arguments of `openclaw channels test`.
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// Only this channel.
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Only this account.
    #[arg(long, value_name = "ACCOUNT", requires = "channel")]
    account: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How an account stands.
#[derive(Debug)]
enum Outcome {
    /// The service knows it.
    Known(SelfIdentity),
    /// A key switches it off.
    Off(KeyPath),
    /// The section says nothing of an account.
    NotSetUp(AdapterFailure),
    /// It cannot be used, or the service does not take it.
    Failed(AdapterFailure),
    /// No answer came in time.
    Late(Duration),
}

/// One account.
struct Row {
    channel: String,
    account: String,
    outcome: Outcome,
    /// What to do.
    fix: Option<String>,
}

/// Tries accounts.
///
/// # Errors
/// Nothing is configured that could be tried.
pub fn run(app: &App, args: &TestArgs, limit: Duration) -> Result<ExitCode> {
    let loaded = valid(app)?;
    let only = args.channel.as_deref().map(channel).transpose()?;
    if let Some(only) = &only {
        service(only)?;
    }
    let place = place(&loaded);
    let workspaces = workspaces(&place);
    let setup =
        Setup { config: &loaded.tree, state_dir: &loaded.locations.state_dir, workspaces: &workspaces };
    let mut all = accounts(setup);
    all.retain(|a| only.as_ref().is_none_or(|c| a.channel == *c));
    let none = || match &only {
        Some(c) => format!("channels.{c} is not set; `openclaw channels login --channel {c}` sets it up"),
        None => "no channel is configured; `openclaw channels login --channel NAME` sets one up".to_owned(),
    };
    if all.is_empty() {
        bail!("{}", none());
    }
    if let Some(wanted) = &args.account {
        let same = |id: &str| AccountId::normalized(id) == AccountId::normalized(wanted);
        let known: Vec<String> = all.iter().map(|a| visible(&a.id, 64)).collect();
        all.retain(|a| same(&a.id));
        if all.is_empty() {
            bail!("there is no such account; there are {}", known.join(", "));
        }
    }
    let rows = try_all(&loaded.tree, all, limit)?;
    // Who names a channel wants it to work; otherwise one that is off, or was never set up, is no failure.
    let well = rows.iter().all(|r| match r.outcome {
        Outcome::Known(_) => true,
        Outcome::Off(_) | Outcome::NotSetUp(_) => only.is_none(),
        Outcome::Failed(_) | Outcome::Late(_) => false,
    });
    if args.json {
        print_json(app, &in_json(&rows, well, &place.redactor));
    } else {
        app.print(&render(&rows, &place.redactor));
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn try_all(tree: &Node, all: Vec<Account>, limit: Duration) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the test could not be started")?;
    let rows = runtime.block_on(async {
        let asked: Vec<_> =
            all.into_iter().map(|a| (a.channel, a.id, tokio::spawn(ask(a.state, limit)))).collect();
        let mut rows = Vec::new();
        for (channel, account, task) in asked {
            let outcome = task.await.context("the test ended early")?;
            let seat = Seat::of(tree, &channel, Some(&account))?;
            let fix = fix(&outcome, &seat, service(&channel)?.slots.iter().map(|s| (s.key, s.file_key)));
            rows.push(Row { channel: channel.as_str().to_owned(), account, outcome, fix });
        }
        anyhow::Ok(rows)
    });
    runtime.shutdown_background();
    rows
}

async fn ask(state: AccountState, limit: Duration) -> Outcome {
    match state {
        AccountState::Off(key) => Outcome::Off(key),
        AccountState::NotSetUp(why) => Outcome::NotSetUp(why),
        AccountState::Unusable(why) => Outcome::Failed(why),
        AccountState::Ready(adapter) => match tokio::time::timeout(limit, adapter.who()).await {
            Ok(Ok(who)) => Outcome::Known(who),
            Ok(Err(why)) => Outcome::Failed(why),
            Err(_) => Outcome::Late(limit),
        },
    }
}

/// What a person does about it.
fn fix<'s>(
    outcome: &Outcome,
    seat: &Seat<'_>,
    mut slots: impl Iterator<Item = (&'s [&'s str], Option<&'s str>)>,
) -> Option<String> {
    let login = || format!("openclaw channels login {}", seat.flags());
    let look = || format!("look at the network, and at the address in {}", seat.base());
    match outcome {
        Outcome::Known(_) => None,
        Outcome::Off(key) => Some(format!("openclaw config set {key} true")),
        Outcome::Late(_) => Some(look()),
        Outcome::NotSetUp(why) | Outcome::Failed(why) => match why {
            AdapterFailure::Credential { .. } => Some(login()),
            AdapterFailure::Settings { key, .. } => {
                let last = key.rsplit('.').next().unwrap_or(key);
                let secret = slots.any(|(k, file)| k.last() == Some(&last) || file == Some(last));
                Some(if secret { login() } else { format!("openclaw config set {key} ...") })
            }
            AdapterFailure::RateLimited { .. } => Some("wait, then try again".to_owned()),
            AdapterFailure::Conflict { .. } => {
                Some("end the other program that uses this account".to_owned())
            }
            AdapterFailure::Unavailable { .. }
            | AdapterFailure::Formatting { .. }
            | AdapterFailure::Refused { .. } => Some(look()),
        },
    }
}

impl Outcome {
    fn kind(&self) -> &'static str {
        match self {
            Self::Known(_) => "ok",
            Self::Off(_) => "off",
            Self::NotSetUp(_) => "not-set-up",
            Self::Late(_) => "timeout",
            Self::Failed(why) => match why {
                AdapterFailure::Credential { .. } => "credential",
                AdapterFailure::Settings { .. } => "settings",
                AdapterFailure::RateLimited { .. } => "rate-limited",
                AdapterFailure::Conflict { .. } => "conflict",
                AdapterFailure::Unavailable { .. } => "unavailable",
                AdapterFailure::Formatting { .. } | AdapterFailure::Refused { .. } => "refused",
            },
        }
    }

    fn key(&self) -> Option<String> {
        match self {
            Self::Off(key) => Some(key.to_string()),
            Self::NotSetUp(why) | Self::Failed(why) => match why {
                AdapterFailure::Credential { key, .. } | AdapterFailure::Settings { key, .. } => {
                    Some(key.clone())
                }
                AdapterFailure::RateLimited { .. }
                | AdapterFailure::Conflict { .. }
                | AdapterFailure::Unavailable { .. }
                | AdapterFailure::Formatting { .. }
                | AdapterFailure::Refused { .. } => None,
            },
            Self::Known(_) | Self::Late(_) => None,
        }
    }

    fn message(&self) -> Option<String> {
        match self {
            Self::Known(_) => None,
            Self::Off(key) => Some(format!("{key} switches the account off")),
            Self::Late(limit) => Some(format!("no answer within {} ms", limit.as_millis())),
            // The key stands in a row of its own: beside it, the first word would be masked like a value.
            Self::NotSetUp(why) | Self::Failed(why) => Some(match why {
                AdapterFailure::Settings { why, .. } => why.clone(),
                AdapterFailure::Credential { service, why, .. } => {
                    format!("{service} refuses the credential ({why})")
                }
                AdapterFailure::RateLimited { .. }
                | AdapterFailure::Conflict { .. }
                | AdapterFailure::Unavailable { .. }
                | AdapterFailure::Formatting { .. }
                | AdapterFailure::Refused { .. } => why.to_string(),
            }),
        }
    }
}

fn in_json(rows: &[Row], well: bool, redactor: &Redactor) -> Value {
    let row = |r: &Row| {
        let who = match &r.outcome {
            Outcome::Known(who) => json!({ "id": who.id, "username": who.username }),
            Outcome::Off(_) | Outcome::NotSetUp(_) | Outcome::Failed(_) | Outcome::Late(_) => Value::Null,
        };
        let error = r.outcome.message().map(|m| {
            json!({ "kind": r.outcome.kind(), "key": r.outcome.key(), "message": redactor.redact(&m), "fix": r.fix })
        });
        json!({ "channel": r.channel, "account": r.account, "result": r.outcome.kind(), "bot": who, "error": error })
    };
    json!({ "ok": well, "accounts": rows.iter().map(row).collect::<Vec<_>>() })
}

fn render(rows: &[Row], redactor: &Redactor) -> String {
    let filter = |text: &str| redactor.redact(text);
    let mut sheet = Sheet::new(6).filtered(&filter);
    for r in rows {
        sheet.heading(&visible(&format!("{}, account {}", r.channel, r.account), 120));
        match &r.outcome {
            Outcome::Known(who) => {
                let name = who.username.as_deref().filter(|n| *n != who.id);
                sheet.row("Bot", &name.map_or_else(|| who.id.clone(), |n| format!("{n} (id {})", who.id)));
                sheet.row("Result", "the service knows it");
            }
            Outcome::Off(_) => sheet.row("Result", "off"),
            Outcome::NotSetUp(_) => sheet.row("Result", "not set up"),
            Outcome::Failed(_) | Outcome::Late(_) => sheet.row("Result", "failed"),
        }
        sheet.some("Key", r.outcome.key());
        sheet.some("Why", r.outcome.message());
        sheet.some("Fix", r.fix.clone());
    }
    sheet.text()
}
