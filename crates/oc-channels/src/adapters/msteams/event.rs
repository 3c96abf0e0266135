//! An activity as an event. What is not known becomes an unknown kind, which the door drops.

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Place, Sender, SenderId,
};
use serde_json::Value;

use super::Teams;
use super::send::PAYLOAD;
use crate::adapter::{Attachment, Destination, Event, MediaKind};
use crate::ingress::LONGEST_TEXT;
use crate::json::Members as _;

/// Mentions of a message that are read.
const MOST_MENTIONS: usize = 64;
/// How a mention begins in a text, and the longest one, in bytes.
const TAG: &str = "<at";
const LONGEST_TAG: usize = 512;

/// A conversation's own id, and the thread that stands behind it.
pub(super) fn base_of(id: &str) -> (&str, Option<&str>) {
    match id.split_once(";messageid=") {
        Some((base, thread)) => (base, Some(thread).filter(|t| !t.is_empty())),
        None => (id, None),
    }
}

/// Reads an activity. `None`: it tells of nothing that was done (typing), or has no id.
pub(super) fn read(a: &Value, teams: &Teams) -> Option<Event> {
    let value = a.at("value");
    let payload = value.text(PAYLOAD).or(value.at("action").at("data").text(PAYLOAD));
    let kind = match a.text("type")? {
        "typing" => return None,
        "message" if payload.is_some() => EventKind::Button,
        // A card that is not ours, filled in.
        "message" if value.is_object() => EventKind::Card,
        "message" => EventKind::Message,
        "messageUpdate" => EventKind::Edit,
        "messageDelete" => EventKind::Delete,
        "messageReaction" => EventKind::Reaction,
        "conversationUpdate" | "installationUpdate" => EventKind::Membership,
        "invoke" if a.text("name") == Some("adaptiveCard/action") && payload.is_some() => EventKind::Button,
        "invoke" => EventKind::Card,
        _ => EventKind::Unknown,
    };
    let conversation = a.at("conversation");
    let (place, thread) = base_of(conversation.text("id").unwrap_or_default());
    let conversation_kind = match conversation.text("conversationType") {
        Some("personal") => ConversationKind::Direct,
        Some("groupChat") => ConversationKind::Group,
        Some("channel") => ConversationKind::Channel,
        _ => ConversationKind::Unknown,
    };
    let from = a.at("from");
    let sender = from.text("aadObjectId").or(from.text("id")).and_then(SenderId::new);
    // A direct chat is its person; the conversation in which it happens is where the answer goes.
    let peer = match (conversation_kind, &sender) {
        (ConversationKind::Direct, Some(person)) => ConversationId::new(person.as_str()),
        _ => ConversationId::new(place),
    };
    let own = a.at("recipient").text("id");
    let mut message = Inbound::new(teams.channel.clone(), conversation_kind, peer);
    message.event = kind;
    message.account.clone_from(&teams.account);
    message.from_me = from.text("id").is_some_and(|id| {
        let app = id.strip_prefix("28:");
        app.is_some_and(|app| Some(id) == own || app.eq_ignore_ascii_case(&teams.app_id))
    });
    message.sender = Sender {
        id: sender,
        phone: None,
        names: MutableNames::new(None, from.text("name"), None, None),
        is_bot: from.text("role") == Some("bot") || from.text("id").is_some_and(|id| id.starts_with("28:")),
    };
    message.sent_ms = a
        .text("timestamp")
        .and_then(|t| t.parse::<jiff::Timestamp>().ok())
        .map(jiff::Timestamp::as_millisecond);
    let data = a.at("channelData");
    let threaded = thread.filter(|_| conversation_kind == ConversationKind::Channel);
    message.place = Place {
        name: data.at("channel").text("name").or(conversation.text("name")).map(str::to_owned),
        team: data.at("team").text("id").map(str::to_owned),
        thread: threaded.map(str::to_owned),
        ..Place::default()
    };
    let id = event_id(a, kind)?;
    message.mentions = Mentions { bot: Some(false), ..Mentions::default() };
    if matches!(kind, EventKind::Message | EventKind::Edit) {
        message.mentions = mentions(a, own);
        message.text = words(a, own);
    } else if kind == EventKind::Reaction {
        let added = a.items("reactionsAdded").iter().filter_map(|r| r.text("type"));
        message.text = added.collect::<Vec<_>>().join(" ");
    }
    Some(Event {
        id,
        message,
        reply: Destination {
            conversation: ConversationId::new(place),
            thread: threaded.filter(|_| teams.threads).map(str::to_owned),
            reply_to: a.text("id").map(str::to_owned),
        },
        attachments: a.items("attachments").iter().filter_map(attachment).collect(),
        quoted: None,
        payload: payload.filter(|_| kind == EventKind::Button).map(str::to_owned),
    })
}

/// An edit has the id of what it changes, so its time makes it another event; so it is with what is done to a message.
fn event_id(a: &Value, kind: EventKind) -> Option<String> {
    let id = a.text("id").or(a.text("replyToId"));
    match kind {
        EventKind::Message | EventKind::Button | EventKind::Card | EventKind::Delete => id.map(str::to_owned),
        _ => Some(format!("{}:{}", id.unwrap_or_default(), a.text("timestamp")?)),
    }
}

fn named(a: &Value) -> impl Iterator<Item = &Value> {
    a.items("entities").iter().filter(|e| e.text("type") == Some("mention")).take(MOST_MENTIONS)
}

fn mentions(a: &Value, own: Option<&str>) -> Mentions {
    let is_own = |e: &&Value| e.at("mentioned").text("id").is_some_and(|id| Some(id) == own);
    Mentions {
        bot: Some(named(a).any(|e| is_own(&e))),
        others: named(a).any(|e| !is_own(&e)),
        reply_to_bot: false,
    }
}

/// The words, without the bot's own mention and with other mentions as names. One pass from left to right: what a mention puts in is not
/// looked at again, and when the text is longer than is read anyway the rest is left.
fn words(a: &Value, own: Option<&str>) -> String {
    let shown = |e: &Value| {
        let is_own = e.at("mentioned").text("id").is_some_and(|id| Some(id) == own);
        let name = e.at("mentioned").text("name").unwrap_or_default();
        if is_own { String::new() } else { format!("@{name}") }
    };
    let tags: Vec<(&str, String)> = named(a)
        .filter_map(|e| {
            Some((e.text("text").filter(|t| t.len() <= LONGEST_TAG && t.starts_with(TAG))?, shown(e)))
        })
        .collect();
    let mut out = String::new();
    let mut rest = a.at("text").as_str().unwrap_or_default();
    while let Some((before, from)) = rest.find(TAG).and_then(|at| rest.split_at_checked(at)) {
        plain(&mut out, before);
        let listed = tags.iter().find_map(|(tag, shown)| Some((from.strip_prefix(tag)?, shown.as_str())));
        // One that is not listed is text like any other.
        let bare = || from.strip_prefix("<at>").map(|after| (after, "@"));
        let (after, put) = listed.or_else(bare).unwrap_or((from.strip_prefix(TAG).unwrap_or_default(), TAG));
        out.push_str(put);
        rest = after;
        if out.len() > LONGEST_TEXT {
            return out;
        }
    }
    plain(&mut out, rest);
    out.trim().to_owned()
}

/// Text between mentions, as it is read.
fn plain(out: &mut String, text: &str) {
    let text = text.replace("</at>", "").replace("&nbsp;", " ");
    // In this order, so that `&amp;lt;` is `&lt;`.
    out.push_str(
        &text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"),
    );
}

fn attachment(f: &Value) -> Option<Attachment> {
    let media = f.text("contentType")?;
    let (kind, handle, media_type) = if media == "application/vnd.microsoft.teams.file.download.info" {
        (MediaKind::Document, f.at("content").text("downloadUrl")?, None)
    } else {
        let kind = match MediaKind::of_type(Some(media)) {
            // The words once more, cards, previews.
            MediaKind::Document => return None,
            kind @ (MediaKind::Image | MediaKind::Audio | MediaKind::Video) => kind,
        };
        (kind, f.text("contentUrl")?, Some(media.to_owned()))
    };
    Some(Attachment {
        kind,
        name: f.text("name").map(str::to_owned),
        media_type,
        bytes: None,
        handle: handle.to_owned(),
    })
}
