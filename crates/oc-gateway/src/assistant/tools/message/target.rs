//! The conversation that a call names: an id of the service. Names of people and rooms, and what can be given to somebody else, are none.

use oc_policy::inbound::{ConversationId, Phone};
use oc_types::ChannelId;
use serde_json::{Map, Value};

use super::super::text;

/// Longest id, in bytes.
const LONGEST: usize = 256;

/// The target as it is written; `None` is the conversation at hand. Several at once are not taken.
pub(super) fn named(arguments: &Map<String, Value>) -> Result<Option<&str>, String> {
    let one = text(arguments, "target").or_else(|| text(arguments, "to"));
    let several = match arguments.get("targets").filter(|v| !v.is_null()) {
        None => Vec::new(),
        Some(Value::Array(list)) => {
            let all: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            all.ok_or("`targets` must be a list of texts")?
        }
        Some(_) => return Err("`targets` must be a list of texts".to_owned()),
    };
    match (one, several.as_slice()) {
        (one, []) => Ok(one),
        (None, [only]) => Ok(Some(only.trim()).filter(|t| !t.is_empty())),
        (Some(one), [only]) if one == only.trim() => Ok(Some(one)),
        (_, _) => Err("one conversation a call: give one `target`".to_owned()),
    }
}

/// The id of a conversation of a channel.
///
/// # Errors
/// A sentence for the model: a text that is a name, or nothing of this channel.
pub fn conversation(channel: &ChannelId, written: &str) -> Result<ConversationId, String> {
    let written = written.trim();
    let own = written.split_once(':').filter(|(word, _)| word.eq_ignore_ascii_case(channel.as_str()));
    let id = own.map_or(written, |(_, rest)| rest.trim());
    let plain = !id.is_empty()
        && id.len() <= LONGEST
        && !id.chars().any(|c| c.is_whitespace() || c.is_control())
        && oc_text::visible(id, LONGEST) == id;
    let fits = plain
        && match channel.as_str() {
            "telegram" => is_number(id.strip_prefix('-').unwrap_or(id)),
            "matrix" => id.starts_with('!') && id.contains(':'),
            // A room, or the whole mask that a direct message came from. A nick alone is a name.
            "irc" => {
                id.starts_with(['#', '&', '+', '!'])
                    || id.split_once('!').is_some_and(|(_, r)| r.contains('@'))
            }
            "signal" => {
                id.strip_prefix("uuid:").is_some_and(|u| !u.is_empty())
                    || (id.starts_with('+') && Phone::parse(id).is_some())
                    || (id.len() >= 20 && !id.starts_with(['@', '#']))
            }
            "whatsapp" => {
                Phone::parse(id).is_some() || id.ends_with("@g.us") || id.ends_with("@s.whatsapp.net")
            }
            "discord" => is_number(id),
            _ => !id.starts_with(['@', '#', '<']),
        };
    if fits {
        Ok(ConversationId::new(id))
    } else {
        Err(format!("`target` is no id of a conversation of {channel}; names are not taken"))
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
