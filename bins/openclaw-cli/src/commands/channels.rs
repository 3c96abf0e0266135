//! `openclaw channels`: how the channels stand, their credentials, and whether those work.

mod ask;
mod credentials;
mod login;
mod logout;
mod probe;
mod seat;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use oc_gateway::client::DEFAULT_TIMEOUT;
use oc_text::visible;
use serde_json::{Value, json};

use super::health::standing;
use crate::app::App;
use crate::sheet::{Sheet, list, text};
use crate::wire::{self, WireArgs};

/// Time beside what the probes take.
const MARGIN: Duration = Duration::from_secs(2);

/// Arguments of `openclaw channels`.
#[derive(Debug, clap::Args)]
pub struct ChannelsArgs {
    #[command(flatten)]
    wire: WireArgs,
    #[command(subcommand)]
    command: ChannelsCommand,
}

/// The commands below `openclaw channels`.
#[derive(Debug, clap::Subcommand)]
enum ChannelsCommand {
    /// Show which channels are configured, and how they stand.
    Status(StatusArgs),
    /// Store the credential of an account. It is asked for, or read from a file or standard input.
    Login(login::LoginArgs),
    /// Remove the credential of an account. Who may write stays as it is.
    Logout(logout::LogoutArgs),
    /// Ask the services who the accounts are. Needs no gateway and sends nothing.
    Test(probe::TestArgs),
}

/// Arguments of `openclaw channels status`.
#[derive(Debug, clap::Args)]
struct StatusArgs {
    /// Have the credentials tried.
    #[arg(long)]
    probe: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a command below `openclaw channels`.
///
/// # Errors
/// What the command reports.
pub fn run(app: &App, args: &ChannelsArgs) -> Result<ExitCode> {
    match &args.command {
        ChannelsCommand::Status(status) => show(app, args, status),
        ChannelsCommand::Login(login) => no_gateway(&args.wire).and_then(|()| login::run(app, login)),
        ChannelsCommand::Logout(logout) => no_gateway(&args.wire).and_then(|()| logout::run(app, logout)),
        ChannelsCommand::Test(test) => {
            no_gateway(&args.wire)?;
            probe::run(app, test, args.wire.timeout_or(DEFAULT_TIMEOUT))
        }
    }
}

/// `--token` is the gateway's: a bot's token that was given there was seen by other users, and would be forgotten silently.
fn no_gateway(wire: &WireArgs) -> Result<()> {
    if wire.url.is_some() || wire.token.is_some() || wire.password.is_some() || wire.tls_fingerprint.is_some()
    {
        bail!(
            "this command asks no gateway: leave out --url, --token, --password and --tls-fingerprint. \
             A credential is never an argument, where other users see it: use --token-file or standard input, and \
             renew one that was given that way"
        );
    }
    Ok(())
}

fn show(app: &App, args: &ChannelsArgs, status: &StatusArgs) -> Result<ExitCode> {
    let timeout = args.wire.timeout_or(DEFAULT_TIMEOUT);
    let ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).max(1000);
    let params = json!({"probe": status.probe, "timeoutMs": ms});
    let answer = wire::with(app, &args.wire, |c| {
        c.call_within("channels.status", params, timeout.saturating_add(MARGIN))
    })?;
    if status.json {
        wire::print_json(app, &answer);
    } else {
        app.print(&render(&answer));
    }
    Ok(ExitCode::SUCCESS)
}

fn render(answer: &Value) -> String {
    let order = list(answer, "channelOrder");
    let mut sheet = Sheet::new(12);
    if order.is_empty() {
        sheet.line("No channel is configured.");
    }
    for id in order.iter().filter_map(Value::as_str) {
        let label = answer.get("channelLabels").and_then(|l| text(l, id)).unwrap_or(id);
        let channel = answer.get("channels").and_then(|c| c.get(id)).unwrap_or(&Value::Null);
        sheet.heading(&visible(label, 60));
        sheet.row("Standing", &standing(channel));
        let accounts = answer.get("channelAccounts").map(|a| list(a, id)).unwrap_or_default();
        for account in accounts {
            let name = text(account, "name").or_else(|| text(account, "accountId")).unwrap_or("?");
            sheet.row("Account", &format!("{name}: {}", standing(account)));
        }
    }
    sheet.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read() {
        let answer = json!({"channelOrder": ["telegram"], "channelLabels": {"telegram": "Telegram"},
            "channels": {"telegram": {"configured": true, "running": false, "lastError": "401 Unauthorized"}},
            "channelAccounts": {"telegram": [{"accountId": "default", "configured": true, "running": false}, {"accountId": "work", "configured": false}]}});
        insta::assert_snapshot!(format!("{}---\n{}", render(&answer), render(&json!({}))));
    }
}
