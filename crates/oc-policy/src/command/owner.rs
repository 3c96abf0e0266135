//! The owner step of command authorisation (`command-auth.jsonl`): after the channel's gate, is the sender an owner where one is asked for?

use oc_types::{ChannelId, Node};

use super::gate::CommandGrant;
use crate::access::{Settings, whatsapp_number};
use crate::inbound::Phone;

/// The sender of a command.
#[derive(Clone, Copy, Debug)]
pub struct CommandSender<'s> {
    /// The channel.
    pub channel: &'s str,
    /// The account.
    pub account: &'s str,
    /// The service's id.
    pub id: Option<&'s str>,
    /// The telephone number.
    pub e164: Option<&'s str>,
    /// The sender's address, in direct chats only: in rooms it is the room's and never counts (SP-403).
    pub from: Option<&'s str>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandAuth {
    /// The gate's answer and the owner step together.
    pub grant: CommandGrant,
    /// Whether the sender is an owner: only through an entry that names them, never through `*` (SP-408).
    pub owner: bool,
    /// The owners that count here, in normal form.
    pub owners: Vec<String>,
    /// The sender in normal form.
    pub sender: Option<String>,
}

/// Channels whose names may stand before an owner entry; the entry then counts on that channel only.
const CHANNEL_PREFIXES: [&str; 12] = [
    "telegram",
    "whatsapp",
    "discord",
    "slack",
    "signal",
    "imessage",
    "bluebubbles",
    "googlechat",
    "msteams",
    "matrix",
    "mattermost",
    "line",
];

/// Decides. `context_owners` are owners the channel itself knows of; the approved pairing store never makes one (SP-404).
#[must_use]
pub fn command_auth(
    config: &Node,
    sender: &CommandSender<'_>,
    gate: CommandGrant,
    context_owners: &[String],
) -> CommandAuth {
    let channel = ChannelId::parse(sender.channel)
        .map_or_else(|_| sender.channel.trim().to_lowercase(), |c| c.to_string());
    let form = |text: &str| formatted(&channel, text);
    let listed = listed(config, &channel, sender.account);
    let own_prefix = |text: &String| for_channel(&channel, text.as_str());
    let configured: Vec<String> = config
        .path(&["commands", "ownerAllowFrom"])
        .and_then(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter_map(own_prefix)
        .collect();
    let everyone = |list: &[String]| list.iter().any(|t| t.trim() == "*");
    let people = |list: &[String]| -> Vec<String> {
        let mut out = Vec::new();
        for text in list.iter().filter(|t| t.trim() != "*").filter_map(|t| form(t)) {
            if !out.contains(&text) {
                out.push(text);
            }
        }
        out
    };
    let explicit = people(&configured);
    let open_to_all = everyone(&configured);
    let known_here = people(&context_owners.iter().filter_map(own_prefix).collect::<Vec<_>>());
    let list_people = if everyone(&listed) { Vec::new() } else { people(&listed) };
    let owners = match (explicit.is_empty(), open_to_all, known_here.is_empty()) {
        (false, _, _) => explicit.clone(),
        (true, true, _) => Vec::new(),
        (true, false, false) => known_here,
        (true, false, true) => list_people.clone(),
    };
    let candidates: Vec<String> =
        [sender.id, sender.e164, sender.from].into_iter().flatten().filter_map(form).collect();
    let matched = candidates.iter().find(|c| owners.contains(c));
    let owner = matched.is_some();
    let passes = if open_to_all {
        true
    } else if !explicit.is_empty() {
        owner
    } else {
        // Only WhatsApp asks the direct-message list as well.
        channel != "whatsapp" || list_people.is_empty() || candidates.iter().any(|c| list_people.contains(c))
    };
    CommandAuth {
        grant: CommandGrant::when(
            gate.is_authorized() && passes && allowed_extra(config, &channel, &candidates),
        ),
        owner,
        sender: matched.or(candidates.first()).cloned(),
        owners,
    }
}

/// The direct-message list of the channel's account.
fn listed(config: &Node, channel: &str, account: &str) -> Vec<String> {
    let Ok(id) = ChannelId::parse(channel) else { return Vec::new() };
    let settings = Settings::of(config, &id, account);
    let list = match channel {
        "discord" | "slack" | "googlechat" | "matrix" => settings.get("dm").get("allowFrom"),
        _ => settings.get("allowFrom"),
    };
    list.node.and_then(Node::entries).unwrap_or_default()
}

/// An entry without its channel prefix; `None` when the prefix is another channel's.
fn for_channel(channel: &str, text: &str) -> Option<String> {
    let text = text.trim();
    if let Some((prefix, rest)) = text.split_once(':') {
        let prefix = prefix.trim().to_ascii_lowercase();
        let named = ChannelId::parse(&prefix).map_or(prefix, |c| c.to_string());
        if CHANNEL_PREFIXES.contains(&named.as_str()) {
            return (named == channel).then(|| rest.trim().to_owned()).filter(|t| !t.is_empty());
        }
    }
    (!text.is_empty()).then(|| text.to_owned())
}

/// The form a channel compares ids in.
fn formatted(channel: &str, text: &str) -> Option<String> {
    let text = text.trim();
    let bare = text
        .split_once(':')
        .filter(|(p, _)| p.eq_ignore_ascii_case(channel))
        .map_or(text, |(_, rest)| rest.trim());
    let out = match channel {
        "whatsapp" => whatsapp_number(bare)?,
        "signal" => Phone::parse(bare).map_or_else(|| bare.to_owned(), |p| p.as_str().to_owned()),
        "telegram" => {
            let tg = bare
                .split_once(':')
                .filter(|(p, _)| p.eq_ignore_ascii_case("tg"))
                .map_or(bare, |(_, rest)| rest.trim());
            tg.to_lowercase()
        }
        "discord" | "slack" | "msteams" | "googlechat" | "matrix" | "mattermost" => bare.to_lowercase(),
        _ => bare.to_owned(),
    };
    (!out.is_empty()).then_some(out)
}

/// `commands.allowFrom` (newest upstream): a further list, per channel or for all under `*`; it only narrows.
fn allowed_extra(config: &Node, channel: &str, candidates: &[String]) -> bool {
    let Some(map) = config.path(&["commands", "allowFrom"]) else { return true };
    let Some(list) = map.get(channel).or_else(|| map.get("*")) else { return true };
    let entries = list.entries().unwrap_or_default();
    entries.iter().any(|e| e.trim() == "*" || formatted(channel, e).is_some_and(|f| candidates.contains(&f)))
}
