//! The doors of a configuration: who of each class is let in where, as the access rules decide it.
//!
//! Each channel, account, room and bound peer is asked with a typical message: a sender on no list, one with a pairing
//! approval, the first listed sender, a room member who names the bot. Hooks, nodes, the HTTP token and the owner do not pass the channel
//! rules; their doors follow their own switches.

use oc_types::{AgentId, ChannelId, Node};

use super::{Caller, Door, Means, switched};
use crate::access::{AccessPolicy, Approved, Outcome, PairingView};
use crate::inbound::{ConversationId, ConversationKind, Inbound, Phone, Sender, SenderId};
use crate::inventory::ReadOnlyFiles;
use crate::sandbox::{Runs, WorkspaceAccess, workspace_access};

/// What is known beyond the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoorFacts {
    /// Whether the host has an approvals file.
    pub approvals_file: bool,
    /// Whether the gateway has a token or password, so that somebody can hold it.
    pub gateway_secret: bool,
}

/// The agents: those of `agents.list` in order, each once; `main` when there is no list.
#[must_use]
pub fn agents(config: &Node) -> Vec<AgentId> {
    let list = config.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
    let mut out = Vec::new();
    for id in list.iter().filter_map(|a| a.get("id")?.as_str()).map(AgentId::normalized) {
        if !out.contains(&id) {
            out.push(id);
        }
    }
    if out.is_empty() {
        out.push(AgentId::normalized(AgentId::MAIN));
    }
    out
}

/// Whether an agent's sandboxed session has its workspace read-only. An access word that is none counts as read-only.
pub(super) fn read_only(config: &Node, agent: &AgentId, runs: Runs) -> ReadOnlyFiles {
    if !runs.is_sandboxed() {
        return ReadOnlyFiles::No;
    }
    match workspace_access(config, agent) {
        Ok(access) if access.value != WorkspaceAccess::Ro => ReadOnlyFiles::No,
        Ok(_) | Err(_) => ReadOnlyFiles::Yes,
    }
}

/// Every door that opens, and what could not be asked.
#[must_use]
pub fn doors(config: &Node, facts: &DoorFacts) -> (Vec<Door>, Vec<String>) {
    let mut found = Vec::new();
    let mut refused = Vec::new();
    match AccessPolicy::new(config) {
        Ok(access) => {
            for channel in channels(config) {
                for account in accounts(config, &channel) {
                    Visit { config, access: &access, channel: &channel, account: &account }.run(&mut found);
                }
            }
        }
        Err(issues) => {
            refused.extend(issues.iter().map(|i| format!("channels are shut: {}: {}", i.path, i.message)));
        }
    }
    switched::doors(config, *facts, &mut found);
    (found, refused)
}

/// The configured channels. An id that is none is left out: validation reports it.
fn channels(config: &Node) -> Vec<ChannelId> {
    let Some(all) = config.get("channels").and_then(Node::as_object) else { return Vec::new() };
    all.iter()
        .filter(|(name, section)| *name != "defaults" && section.as_object().is_some())
        .filter_map(|(name, _)| ChannelId::parse(name).ok())
        .collect()
}

/// `default` and the configured accounts.
fn accounts(config: &Node, channel: &ChannelId) -> Vec<String> {
    let named = config.path(&["channels", channel.as_str(), "accounts"]).and_then(Node::as_object);
    let mut out: Vec<String> = named.into_iter().flat_map(|a| a.keys().cloned()).collect();
    if out.is_empty() {
        out.push("default".to_owned());
    }
    out
}

/// One account of one channel.
struct Visit<'v, 'c> {
    config: &'c Node,
    access: &'v AccessPolicy<'c>,
    channel: &'v ChannelId,
    account: &'v str,
}

impl<'c> Visit<'_, 'c> {
    fn run(&self, found: &mut Vec<Door>) {
        let stranger = self.typical("0");
        let paired = self.typical("1");
        self.direct(Caller::Stranger, &stranger, &[], found);
        self.direct(Caller::Paired, &paired, std::slice::from_ref(&paired), found);
        if let Some(listed) = self.listed() {
            self.direct(Caller::Allowlisted, &listed, &[], found);
        }
        for peer in self.bound("direct").into_iter().chain(self.bound("dm")) {
            // A bound person: admitted by a list, or through a pairing approval.
            if !self.direct(Caller::Allowlisted, &peer, &[], found) {
                self.direct(Caller::Paired, &peer, std::slice::from_ref(&peer), found);
            }
        }
        for place in self.rooms() {
            self.room(&place, &stranger, found);
        }
    }

    /// A typical id that is on no list: reserved or made-up numbers.
    fn typical(&self, digit: &str) -> String {
        match self.channel.as_str() {
            "whatsapp" | "signal" | "imessage" => format!("+1999555010{digit}"),
            "slack" | "mattermost" | "line" => format!("UREACH{digit}"),
            "matrix" => format!("@reach-{digit}:invalid"),
            "googlechat" => format!("users/99900000{digit}"),
            _ => format!("99900000{digit}"),
        }
    }

    /// The account's value of a key, else the channel's.
    fn setting(&self, keys: &[&str]) -> Option<&'c Node> {
        let section = self.config.path(&["channels", self.channel.as_str()])?;
        let own = section.path(&["accounts", self.account]).and_then(|a| a.path(keys));
        own.or_else(|| section.path(keys)).filter(|n| !n.is_null())
    }

    /// The first entry of the direct-message list that names somebody.
    fn listed(&self) -> Option<String> {
        let lists = [self.setting(&["allowFrom"]), self.setting(&["dm", "allowFrom"])];
        lists
            .into_iter()
            .flatten()
            .filter_map(Node::entries)
            .flatten()
            .map(|e| e.trim().to_owned())
            .find(|e| !e.is_empty() && e != "*")
    }

    /// Peers of this kind that bindings name on this channel.
    fn bound(&self, kind: &str) -> Vec<String> {
        let bindings = self.config.get("bindings").and_then(Node::as_array).unwrap_or_default();
        bindings
            .iter()
            .filter_map(|b| b.get("match"))
            .filter(|m| {
                let channel = m.get("channel").and_then(Node::as_str).unwrap_or_default();
                channel.trim().eq_ignore_ascii_case(self.channel.as_str())
            })
            .filter_map(|m| m.get("peer"))
            .filter(|p| p.get("kind").and_then(Node::as_str) == Some(kind))
            .filter_map(|p| p.get("id")?.as_entry())
            .collect()
    }

    fn message(&self, kind: ConversationKind, conversation: &str, sender: &str) -> Inbound {
        let mut m = Inbound::new(self.channel.clone(), kind, ConversationId::new(conversation));
        self.account.clone_into(&mut m.account);
        m.sender = Sender { id: SenderId::new(sender), phone: Phone::parse(sender), ..Sender::default() };
        "hello".clone_into(&mut m.text);
        m.mentions.bot = Some(true);
        m
    }

    /// Asks for a direct message; whether it was let in.
    fn direct(&self, caller: Caller, sender: &str, approved: &[String], found: &mut Vec<Door>) -> bool {
        let message = self.message(ConversationKind::Direct, sender, sender);
        let view = PairingView { approved: Approved::Entries(approved.to_vec()), ..PairingView::empty(0) };
        let Outcome::Allow(admission) = self.access.decide(&message, &view).outcome else { return false };
        found.push(Door {
            caller,
            means: Means::Turn,
            agent: admission.agent().clone(),
            via: format!("{} direct", self.place()),
            session_key: admission.session_key().to_string(),
            channel: None,
            account: Some(self.account.to_owned()),
            group: None,
            sender: Some(sender.to_owned()),
        });
        true
    }

    fn room(&self, place: &RoomPlace, sender: &str, found: &mut Vec<Door>) {
        let mut message = self.message(place.kind, &place.id, sender);
        message.place.guild.clone_from(&place.guild);
        let Outcome::Allow(admission) = self.access.decide(&message, &PairingView::empty(0)).outcome else {
            return;
        };
        found.push(Door {
            caller: Caller::GroupMember,
            means: Means::Turn,
            agent: admission.agent().clone(),
            via: format!("{} room {}", self.place(), if place.any { "(any)" } else { &place.id }),
            session_key: admission.session_key().to_string(),
            channel: Some(self.channel.as_str().to_owned()),
            account: Some(self.account.to_owned()),
            group: Some(place.id.clone()),
            sender: Some(sender.to_owned()),
        });
    }

    fn place(&self) -> String {
        if self.account == "default" {
            self.channel.as_str().to_owned()
        } else {
            format!("{}/{}", self.channel, self.account)
        }
    }

    /// The rooms worth asking: every listed one, every bound one, and one on no list.
    fn rooms(&self) -> Vec<RoomPlace> {
        let mut out = Vec::new();
        let kind = match self.channel.as_str() {
            "discord" | "slack" | "msteams" => ConversationKind::Channel,
            _ => ConversationKind::Group,
        };
        let mut add = |id: &str, guild: Option<&str>, any: bool| {
            out.push(RoomPlace { kind, id: id.to_owned(), guild: guild.map(str::to_owned), any });
        };
        for map in ["groups", "rooms", "channels"] {
            let listed = self.setting(&[map]).and_then(Node::as_object);
            for id in listed.into_iter().flat_map(|m| m.keys()).filter(|id| *id != "*") {
                add(id, None, false);
            }
        }
        if let Some(guilds) = self.setting(&["guilds"]).and_then(Node::as_object) {
            for (guild, entry) in guilds {
                let guild = if guild == "*" { "99900000" } else { guild };
                let listed = entry.get("channels").and_then(Node::as_object);
                for id in listed.into_iter().flat_map(|m| m.keys()).filter(|id| *id != "*") {
                    add(id, Some(guild), false);
                }
                add("99900000", Some(guild), true);
            }
        }
        for kind in ["group", "channel"] {
            for id in self.bound(kind) {
                add(&id, None, false);
            }
        }
        let unlisted = match self.channel.as_str() {
            "whatsapp" => "99900000@g.us",
            "telegram" => "-99900000",
            _ => "99900000",
        };
        add(unlisted, None, true);
        out
    }
}

struct RoomPlace {
    kind: ConversationKind,
    id: String,
    guild: Option<String>,
    /// It stands for every room on no list.
    any: bool,
}
