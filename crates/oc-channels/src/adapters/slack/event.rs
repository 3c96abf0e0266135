//! An event, an interaction or a slash command of Slack as an event. What is not known becomes an unknown kind, which the door drops.

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Place, Sender, SenderId,
};
use serde_json::Value;

use super::mrkdwn::readable;
use super::{Own, Slack};
use crate::adapter::{Attachment, Destination, Event, MediaKind};
use crate::json::Members as _;

/// Reads what one bot hears.
pub(super) struct Reader<'a> {
    pub(super) bot: &'a Slack,
    pub(super) own: &'a Own,
}

/// Where something happened and who did it.
#[derive(Default)]
struct Found<'a> {
    channel: &'a str,
    kind: Option<ConversationKind>,
    user: Option<&'a str>,
    names: MutableNames,
    is_bot: bool,
    team: Option<&'a str>,
    name: Option<&'a str>,
}

impl Reader<'_> {
    /// Whether an installation is ours: a signature and the app's token prove the app, which may be installed elsewhere too (SP-405).
    fn is_ours(&self, team: Option<&str>, enterprise: Option<&str>, wide: bool) -> bool {
        if wide {
            self.own.enterprise.is_some() && enterprise == self.own.enterprise.as_deref()
        } else {
            team == Some(self.own.team.as_str())
        }
    }

    /// Whether our installation hears an event. Where it says who hears it, that counts: in a shared channel the workspace that stands
    /// outside may be that of the one who writes.
    fn hears(&self, body: &Value) -> bool {
        let of = |a: &Value| {
            self.is_ours(a.text("team_id"), a.text("enterprise_id"), a.is_true("is_enterprise_install"))
        };
        match body.items("authorizations") {
            [] => self.is_ours(body.text("team_id"), None, false),
            hearers => hearers.iter().any(of),
        }
    }

    /// The body of an `event_callback`. `None`: it is no event of a conversation, its twin comes too, or another installation hears it.
    pub(super) fn callback(&self, body: &Value) -> Option<Event> {
        if !self.hears(body) {
            return None;
        }
        let e = body.at("event");
        let id = body.text("event_id");
        let team = body.text("team_id");
        match e.text("type")? {
            "message" => self.message(e, team),
            // The same message comes as `message`; that one says what kind of conversation it is.
            "app_mention" => None,
            "reaction_added" | "reaction_removed" => self.reaction(e, team),
            "member_joined_channel" | "member_left_channel" => {
                let found =
                    Found { channel: e.text("channel")?, user: e.text("user"), team, ..Found::default() };
                Some(self.base(&found, EventKind::Membership, id?.to_owned()))
            }
            "pin_added" | "pin_removed" => {
                let found =
                    Found { channel: e.text("channel_id")?, user: e.text("user"), team, ..Found::default() };
                Some(self.base(&found, EventKind::Pin, id?.to_owned()))
            }
            _ => {
                let channel = e.text("channel").or(e.text("channel_id")).unwrap_or_default();
                let found = Found { channel, user: e.text("user"), team, ..Found::default() };
                Some(self.base(&found, EventKind::Unknown, id?.to_owned()))
            }
        }
    }

    fn message(&self, e: &Value, team: Option<&str>) -> Option<Event> {
        let channel = e.text("channel")?;
        let said = e.text("channel_type").map(kind_of_word);
        if let Some(kind) = said.filter(|k| *k != ConversationKind::Unknown) {
            self.bot.kinds().put(channel, kind);
        }
        let subtype = e.at("subtype").as_str();
        let (kind, m) = match subtype {
            None | Some("file_share" | "thread_broadcast" | "me_message" | "bot_message") => {
                (EventKind::Message, e)
            }
            // Without a mark of change a preview was added, and nobody said anything.
            Some("message_changed") => {
                let inner = e.at("message");
                (EventKind::Edit, Some(inner).filter(|m| m.at("edited").is_object())?)
            }
            Some("message_deleted") => (EventKind::Delete, e.at("previous_message")),
            Some("channel_join" | "channel_leave" | "group_join" | "group_leave") => {
                (EventKind::Membership, e)
            }
            Some("pinned_item" | "unpinned_item") => (EventKind::Pin, e),
            Some(_) => (EventKind::Unknown, e),
        };
        // A change tells the message; of a deletion it is not said who did it.
        let user = m.text("user").filter(|_| kind != EventKind::Delete);
        let found = Found {
            channel,
            kind: said,
            user,
            names: names(m),
            is_bot: m.text("bot_id").is_some() || subtype == Some("bot_message"),
            team,
            name: None,
        };
        let stamp = m.text("ts").or(e.text("deleted_ts")).or(e.text("ts"))?;
        let id = match kind {
            EventKind::Edit => format!("{stamp}:{}", m.at("edited").text("ts").unwrap_or_default()),
            _ => stamp.to_owned(),
        };
        let mut event = self.base(&found, kind, id);
        let by_us = m.text("bot_id").is_some() && m.text("bot_id") == self.own.bot.as_deref();
        event.message.from_me = event.message.from_me || by_us;
        if !matches!(kind, EventKind::Message | EventKind::Edit) {
            return Some(event);
        }
        let raw = m.at("text").as_str().unwrap_or_default();
        event.message.mentions = self.mentions(raw, m);
        event.message.text = readable(self.without_leading_mention(raw));
        event.message.sent_ms = millis(stamp);
        event.attachments = m.items("files").iter().filter_map(attachment).collect();
        event.reply.reply_to = Some(stamp.to_owned());
        if let Some(thread) = m.text("thread_ts").filter(|t| *t != stamp) {
            event.message.place.thread = Some(thread.to_owned());
            event.reply.thread = Some(thread.to_owned());
        }
        Some(event)
    }

    fn mentions(&self, raw: &str, m: &Value) -> Mentions {
        let mut found = Mentions { bot: Some(false), ..Mentions::default() };
        for part in raw.split('<').skip(1) {
            let body = part.split('>').next().unwrap_or_default();
            let target = body.split('|').next().unwrap_or_default();
            match target.strip_prefix('@') {
                Some(id) if id == self.own.user && !id.is_empty() => found.bot = Some(true),
                Some(_) => found.others = true,
                None => found.others = found.others || target.starts_with('!'),
            }
        }
        // The thread hangs below a message of the bot.
        found.reply_to_bot = m.text("parent_user_id").is_some_and(|id| id == self.own.user);
        found
    }

    fn without_leading_mention<'t>(&self, raw: &'t str) -> &'t str {
        let inner = raw.trim_start().strip_prefix("<@").and_then(|t| t.strip_prefix(self.own.user.as_str()));
        let body = inner.filter(|_| !self.own.user.is_empty());
        let after = body.and_then(|t| match t.chars().next() {
            Some('>') => t.get(1..),
            Some('|') => t.find('>').and_then(|end| t.get(end + 1..)),
            _ => None,
        });
        after.map_or(raw, str::trim_start)
    }

    fn reaction(&self, e: &Value, team: Option<&str>) -> Option<Event> {
        let item = e.at("item");
        let channel = item.text("channel")?;
        let added = e.text("type") == Some("reaction_added");
        let name = e.text("reaction").unwrap_or("?");
        let user = e.text("user")?;
        let id = format!("{}:{user}:{name}:{}", item.text("ts")?, e.text("event_ts").unwrap_or_default());
        let found = Found { channel, user: Some(user), team, ..Found::default() };
        let mut event = self.base(&found, EventKind::Reaction, id);
        if added {
            event.message.text = format!(":{name}:");
        }
        event.reply.reply_to = item.text("ts").map(str::to_owned);
        Some(event)
    }

    /// A press of a button, or another interaction. `None`: it is of another installation, or has no id.
    pub(super) fn interactive(&self, p: &Value) -> Option<Event> {
        let (team, enterprise) = (p.at("team").text("id"), p.at("enterprise").text("id"));
        if !self.is_ours(team, enterprise, p.is_true("is_enterprise_install")) {
            return None;
        }
        let channel = p.at("channel");
        let id = channel.text("id").or(p.at("container").text("channel_id")).unwrap_or_default();
        let action = p.items("actions").first();
        let button = p.text("type") == Some("block_actions")
            && action.is_some_and(|a| a.text("type") == Some("button"));
        let kind = if button { EventKind::Button } else { EventKind::Unknown };
        let user = p.at("user");
        let found = Found {
            channel: id,
            kind: channel.text("name").and_then(|name| kind_of_name(id, name)),
            user: user.text("id"),
            names: MutableNames::new(user.text("username").or(user.text("name")), None, None, None),
            is_bot: false,
            team: p.at("team").text("id"),
            name: channel.text("name"),
        };
        let stamp = action.and_then(|a| a.text("action_ts")).or(p.text("action_ts"));
        let mut event = self.base(&found, kind, p.text("trigger_id").or(stamp)?.to_owned());
        if button {
            event.payload = action.and_then(|a| a.text("value")).map(str::to_owned);
            let message = p.at("message");
            if let Some(thread) = message.text("thread_ts").filter(|t| Some(*t) != message.text("ts")) {
                event.message.place.thread = Some(thread.to_owned());
                event.reply.thread = Some(thread.to_owned());
            }
        }
        Some(event)
    }

    /// A slash command; `field` reads its members. `None`: it is of another installation, or incomplete.
    pub(super) fn slash(&self, field: &dyn Fn(&str) -> Option<String>) -> Option<Event> {
        let text = |name: &str| field(name).filter(|t| !t.trim().is_empty());
        let (channel, name) = (text("channel_id")?, text("channel_name"));
        let (user, user_name, team) = (text("user_id"), text("user_name"), text("team_id"));
        let wide = text("is_enterprise_install").as_deref() == Some("true");
        if !self.is_ours(team.as_deref(), text("enterprise_id").as_deref(), wide) {
            return None;
        }
        let command = text("command")?;
        let words = text("text").unwrap_or_default();
        let found = Found {
            channel: &channel,
            kind: name.as_deref().and_then(|name| kind_of_name(&channel, name)),
            user: user.as_deref(),
            names: MutableNames::new(user_name.as_deref(), None, None, None),
            is_bot: false,
            team: team.as_deref(),
            name: name.as_deref(),
        };
        let mut event = self.base(&found, EventKind::SlashCommand, text("trigger_id")?);
        // Addressed to the bot by its nature.
        event.message.mentions.bot = Some(true);
        let own = command.trim_start_matches('/') == self.bot.command;
        event.message.text = match (own, words.trim()) {
            (true, words) if words.starts_with('/') => words.to_owned(),
            (true, words) => format!("/{words}"),
            (false, words) => format!("{} {words}", command.trim()).trim_end().to_owned(),
        };
        Some(event)
    }

    fn base(&self, found: &Found<'_>, kind: EventKind, id: String) -> Event {
        let known = || self.bot.kinds().get(found.channel).copied();
        // What the event itself says counts; of one that says nothing what was said before; then the strictest rule (SP-415).
        let conversation_kind = found.kind.or_else(known).unwrap_or(ConversationKind::Unknown);
        let place = ConversationId::new(found.channel);
        let sender = found.user.and_then(SenderId::new);
        // A direct chat is its person; the conversation in which it happens is where the answer goes.
        let peer = match (conversation_kind, &sender) {
            (ConversationKind::Direct, Some(person)) => ConversationId::new(person.as_str()),
            _ => place.clone(),
        };
        let mut message = Inbound::new(self.bot.channel.clone(), conversation_kind, peer);
        message.event = kind;
        message.account.clone_from(&self.bot.account);
        message.from_me = sender.as_ref().is_some_and(|s| s.as_str() == self.own.user);
        message.sender = Sender { id: sender, phone: None, names: found.names.clone(), is_bot: found.is_bot };
        message.bot_username.clone_from(&self.own.name);
        message.mentions = Mentions { bot: Some(false), ..Mentions::default() };
        message.place = Place {
            team: found.team.map(str::to_owned),
            name: found.name.map(str::to_owned),
            ..Place::default()
        };
        Event {
            id,
            message,
            reply: Destination { conversation: place, thread: None, reply_to: None },
            attachments: Vec::new(),
            quoted: None,
            payload: None,
        }
    }
}

/// The service's word for a conversation; a private channel is called `group` there.
fn kind_of_word(word: &str) -> ConversationKind {
    match word {
        "im" => ConversationKind::Direct,
        "mpim" => ConversationKind::Group,
        "channel" | "group" => ConversationKind::Channel,
        _ => ConversationKind::Unknown,
    }
}

/// What a conversation's name says where no word does. Private channels and group chats have one name, so it says nothing of them.
fn kind_of_name(id: &str, name: &str) -> Option<ConversationKind> {
    match (id.chars().next(), name) {
        (Some('D'), "directmessage") => Some(ConversationKind::Direct),
        (Some('C'), name)
            if !matches!(name, "directmessage" | "privategroup") && !name.starts_with("mpdm-") =>
        {
            Some(ConversationKind::Channel)
        }
        _ => None,
    }
}

fn names(m: &Value) -> MutableNames {
    let profile = m.at("user_profile");
    MutableNames::new(
        profile.text("name").or(m.text("username")),
        profile.text("display_name").or(profile.text("real_name")),
        None,
        None,
    )
}

fn millis(stamp: &str) -> Option<i64> {
    let (seconds, micros) = stamp.split_once('.').unwrap_or((stamp, "0"));
    let micros: i64 = micros.parse().ok()?;
    Some(seconds.parse::<i64>().ok()?.saturating_mul(1000).saturating_add(micros / 1000))
}

/// A file of the service. One that lies elsewhere has an address that its sender chose, and is none.
fn attachment(f: &Value) -> Option<Attachment> {
    if f.is_true("is_external") || f.text("mode") == Some("external") {
        return None;
    }
    let media = f.text("mimetype").map(str::to_owned);
    let kind = MediaKind::of_type(media.as_deref());
    Some(Attachment {
        kind,
        name: f.text("name").map(str::to_owned),
        media_type: media,
        bytes: f.at("size").as_u64(),
        handle: f.text("url_private_download").or(f.text("url_private"))?.to_owned(),
    })
}
