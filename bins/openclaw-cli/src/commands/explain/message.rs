//! `openclaw explain message`: what would become of this message, and which rule says so.

mod stores;

use anyhow::{Context, Result, bail};
use oc_config::load::Loaded;
use oc_policy::access::AccessPolicy;
use oc_policy::access::explain::{Question, explain_message};
use oc_policy::inbound::{ConversationId, ConversationKind, Inbound, MutableNames, Phone, SenderId};
use oc_policy::mention::at_names;
use oc_types::{AccountId, ChannelId, Explanation, KeyPath};

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
    let message = message(args)?;
    let access = AccessPolicy::new(&loaded.tree).err().unwrap_or_default();
    if loaded.issues.iter().any(|issue| access.iter().all(|a| a.path != issue.path)) {
        // More than the access rules is wrong: the file as a whole is refused.
        let refused = oc_config::explain::invalid(loaded, &KeyPath::root());
        return Ok(Explanation { subject: "message".to_owned(), ..refused });
    }
    let now_ms = now_ms(args.common.now.as_deref())?;
    let read = stores::read(loaded, &message.channel, &message.account, now_ms);
    let question =
        Question { config: &loaded.tree, message: &message, pairing: &read.view, files: &read.files };
    Ok(explain_message(&question))
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

fn message(args: &MessageArgs) -> Result<Inbound> {
    let channel = ChannelId::parse(&args.channel)?;
    let (kind, room) = match args.chat.split_once(':') {
        None if ConversationKind::parse(&args.chat) == ConversationKind::Direct => {
            (ConversationKind::Direct, "")
        }
        Some((kind, id)) if !id.trim().is_empty() => (ConversationKind::parse(kind), id),
        Some(_) | None => (ConversationKind::Unknown, ""),
    };
    if kind == ConversationKind::Unknown || (kind == ConversationKind::Direct && !room.is_empty()) {
        bail!("--chat takes direct, group:ID or channel:ID");
    }
    let sender = args.sender.as_deref().unwrap_or_default();
    let place = if kind == ConversationKind::Direct { sender } else { room };
    let name = channel.as_str().to_owned();
    let mut message = Inbound::new(channel, kind, ConversationId::new(place));
    args.account.clone_into(&mut message.account);
    let phones = matches!(name.as_str(), "whatsapp" | "signal" | "imessage" | "bluebubbles");
    message.sender.phone = Phone::parse(sender).filter(|_| phones);
    message.sender.id = SenderId::new(sender).filter(|_| message.sender.phone.is_none());
    message.sender.names =
        MutableNames::new(args.username.as_deref(), args.sender_name.as_deref(), None, None);
    args.text.clone_into(&mut message.text);
    // These services say themselves whether the bot is mentioned; elsewhere only patterns tell.
    let says = matches!(
        name.as_str(),
        "telegram" | "whatsapp" | "discord" | "slack" | "matrix" | "mattermost" | "msteams" | "googlechat"
    );
    message.mentions.bot = (says || args.mentioned).then_some(args.mentioned);
    message.mentions.others = name == "telegram" && !args.mentioned && at_names(&args.text).next().is_some();
    message.place.name.clone_from(&args.chat_name);
    message.place.guild.clone_from(&args.guild);
    message.place.guild_name.clone_from(&args.guild_name);
    message.place.topic.clone_from(&args.topic);
    Ok(message)
}
