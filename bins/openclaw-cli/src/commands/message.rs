//! `openclaw message`: messages to chats, through the running gateway.

use std::process::ExitCode;

use anyhow::Result;
use oc_text::visible;
use serde_json::json;

use crate::app::App;
use crate::sheet::text;
use crate::wire::{self, WireArgs};

/// Arguments of `openclaw message`.
#[derive(Debug, clap::Args)]
pub struct MessageArgs {
    #[command(flatten)]
    wire: WireArgs,
    #[command(subcommand)]
    command: MessageCommand,
}

/// The commands below `openclaw message`.
#[derive(Debug, clap::Subcommand)]
enum MessageCommand {
    /// Send a text to a conversation.
    Send(SendArgs),
}

/// Arguments of `openclaw message send`.
#[derive(Debug, clap::Args)]
struct SendArgs {
    /// The channel.
    #[arg(long)]
    channel: String,
    /// The conversation's id at the service.
    #[arg(long, short, value_name = "ID")]
    target: String,
    /// The text.
    #[arg(long, short)]
    message: String,
    /// The account; without it `default`.
    #[arg(long)]
    account: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a command below `openclaw message`.
///
/// # Errors
/// No connection, a refused call, a service that does not take the message.
pub fn run(app: &App, args: &MessageArgs) -> Result<ExitCode> {
    let MessageCommand::Send(send) = &args.command;
    let key = oc_fs::random::token_hex(16)?;
    let mut params = json!({
        "channel": send.channel, "to": send.target, "message": send.message, "idempotencyKey": key.expose(),
    });
    if let (Some(account), Some(members)) = (&send.account, params.as_object_mut()) {
        members.insert("accountId".to_owned(), json!(account));
    }
    let answer = wire::call(app, &args.wire, "send", params)?;
    if send.json {
        wire::print_json(app, &answer);
    } else {
        let id = text(&answer, "messageId")
            .map(|id| format!(" (message {})", visible(id, 80)))
            .unwrap_or_default();
        app.print(&format!("Sent to {} on {}{id}.\n", visible(&send.target, 80), visible(&send.channel, 40)));
    }
    Ok(ExitCode::SUCCESS)
}
