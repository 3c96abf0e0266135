//! What becomes of a message, and which rule says so?

use oc_config::load::Loaded;
use oc_policy::access::AccessPolicy;
use oc_policy::access::explain::{Question as Asked, explain_message};
use oc_policy::inbound::{ConversationId, ConversationKind, Inbound, MutableNames, Phone, SenderId};
use oc_policy::mention::at_names;
use oc_types::{AccountId, ChannelId, Explanation};
use serde::Deserialize;

use super::{Unanswerable, refused, stores};

/// The question: a message as its channel would hand it over.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// The channel it comes through.
    pub channel: String,
    /// The channel account that receives it.
    #[serde(default = "default_account")]
    pub account: String,
    /// Where it is said: `direct`, `group:ID` or `channel:ID`.
    #[serde(default = "direct")]
    pub chat: String,
    /// The room's name.
    #[serde(default)]
    pub chat_name: Option<String>,
    /// The server's id.
    #[serde(default)]
    pub guild: Option<String>,
    /// The server's name.
    #[serde(default)]
    pub guild_name: Option<String>,
    /// The topic of a forum group.
    #[serde(default)]
    pub topic: Option<String>,
    /// The sender's id; on phone channels the number with `+`.
    #[serde(default)]
    pub sender: Option<String>,
    /// The sender's user name.
    #[serde(default)]
    pub username: Option<String>,
    /// The sender's display name.
    #[serde(default)]
    pub sender_name: Option<String>,
    /// The text.
    #[serde(default)]
    pub text: String,
    /// The service itself marks the bot as mentioned.
    #[serde(default)]
    pub mentioned: bool,
}

fn default_account() -> String {
    AccountId::DEFAULT.to_owned()
}

fn direct() -> String {
    "direct".to_owned()
}

/// Answers, also for a configuration that is invalid. `now_ms` is the moment to answer for, Unix milliseconds.
///
/// # Errors
/// A question that names no channel or chat.
pub fn explain(loaded: &Loaded, question: &Question, now_ms: i64) -> Result<Explanation, Unanswerable> {
    let message = message(question)?;
    let access = AccessPolicy::new(&loaded.tree).err().unwrap_or_default();
    if loaded.issues.iter().any(|issue| access.iter().all(|a| a.path != issue.path)) {
        // More than the access rules is wrong: the file as a whole is refused.
        return Ok(refused(loaded, "message"));
    }
    let read = stores::read(loaded, &message.channel, &message.account, now_ms);
    let asked = Asked { config: &loaded.tree, message: &message, pairing: &read.view, files: &read.files };
    Ok(explain_message(&asked))
}

fn message(args: &Question) -> Result<Inbound, Unanswerable> {
    let channel = ChannelId::parse(&args.channel).map_err(Unanswerable::new)?;
    let (kind, room) = match args.chat.split_once(':') {
        None if ConversationKind::parse(&args.chat) == ConversationKind::Direct => {
            (ConversationKind::Direct, "")
        }
        Some((kind, id)) if !id.trim().is_empty() => (ConversationKind::parse(kind), id),
        Some(_) | None => (ConversationKind::Unknown, ""),
    };
    if kind == ConversationKind::Unknown || (kind == ConversationKind::Direct && !room.is_empty()) {
        return Err(Unanswerable::new("--chat takes direct, group:ID or channel:ID"));
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
