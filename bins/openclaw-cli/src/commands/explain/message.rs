//! `openclaw explain message`: what would become of this message, and which rule says so.

use anyhow::{Context, Result};
use oc_config::load::Loaded;
use oc_gateway::explain::message::{self, Question};
use oc_types::{AccountId, Explanation};

use super::Common;

/// Arguments of `openclaw explain message`.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct MessageArgs {
    /// The channel it comes through.
    #[arg(long, value_name = "ID")]
    channel: String,
    /// The channel account that receives it.
    #[arg(long, value_name = "ID", default_value = AccountId::DEFAULT)]
    account: String,
    /// Where it is said: `direct`, `group:ID` or `channel:ID`.
    #[arg(long, value_name = "CHAT", default_value = "direct")]
    chat: String,
    /// The room's name.
    #[arg(long, value_name = "NAME")]
    chat_name: Option<String>,
    /// The server's id.
    #[arg(long, value_name = "ID")]
    guild: Option<String>,
    /// The server's name.
    #[arg(long, value_name = "NAME")]
    guild_name: Option<String>,
    /// The topic of a forum group.
    #[arg(long, value_name = "ID")]
    topic: Option<String>,
    /// The sender's id; on phone channels the number with `+`.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    sender: Option<String>,
    /// The sender's user name.
    #[arg(long, value_name = "@NAME")]
    username: Option<String>,
    /// The sender's display name.
    #[arg(long, value_name = "NAME")]
    sender_name: Option<String>,
    /// The text.
    #[arg(long, value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
    text: String,
    /// The service itself marks the bot as mentioned.
    #[arg(long)]
    mentioned: bool,
    /// Flags of every subject.
    #[command(flatten)]
    pub common: Common,
}

/// Answers, also for a configuration that is invalid.
///
/// # Errors
/// Arguments that name no channel, chat or moment.
pub fn explain(loaded: &Loaded, args: &MessageArgs) -> Result<Explanation> {
    let question = Question {
        channel: args.channel.clone(),
        account: args.account.clone(),
        chat: args.chat.clone(),
        chat_name: args.chat_name.clone(),
        guild: args.guild.clone(),
        guild_name: args.guild_name.clone(),
        topic: args.topic.clone(),
        sender: args.sender.clone(),
        username: args.username.clone(),
        sender_name: args.sender_name.clone(),
        text: args.text.clone(),
        mentioned: args.mentioned,
    };
    Ok(message::explain(loaded, &question, now_ms(args.common.now.as_deref())?)?)
}

/// The moment to answer for, Unix milliseconds.
fn now_ms(given: Option<&str>) -> Result<i64> {
    match given {
        Some(text) => {
            let moment: jiff::Timestamp = text
                .parse()
                .with_context(|| format!("--now {text:?} is no moment; write 2026-02-10T12:00:00Z"))?;
            Ok(moment.as_millisecond())
        }
        None => Ok(jiff::Timestamp::now().as_millisecond()),
    }
}
