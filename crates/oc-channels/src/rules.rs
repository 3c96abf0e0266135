//! One configuration, read for the whole way of a message: access, queues, limits, delivery. A reload puts another one in its place.

use std::sync::Arc;

use oc_policy::access::{AccessIssue, AccessRules, AccountSettings, count};
use oc_policy::inbound::ConversationKind;
use oc_policy::session_key::SessionKey;
use oc_types::{ChannelId, KeyPath, Node};

use crate::adapter::MediaKind;
use crate::lane::{DropRule, LaneSettings};
use crate::session_settings::{QueueMode, SendOverride};

#[cfg(test)]
mod tests;

/// Turns that run at the same time, when `agents.defaults.maxConcurrent` is unset.
pub const MAX_CONCURRENT: usize = 4;
/// Messages of a room that are kept as context, when nothing is set; Discord keeps 20.
pub const HISTORY: usize = 50;
/// Most that can be set.
const HISTORY_CAP: u64 = 500;
/// Waiting before queued messages are answered, milliseconds, when unset.
const QUEUE_DEBOUNCE_MS: u64 = 1000;
/// Messages of a session that wait, when unset; and the most that can be set.
const QUEUE_CAP: u64 = 20;
const QUEUE_CAP_MAX: u64 = 200;
/// Longest wait for further messages, milliseconds.
const DEBOUNCE_MAX: u64 = 60_000;

/// How long a piece of an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkLimit {
    /// Characters.
    pub chars: usize,
    /// Lines, where the service folds longer messages.
    pub lines: Option<usize>,
    /// Split at blank lines first (`chunkMode: newline`).
    pub paragraphs: bool,
}

/// The rules in force.
#[derive(Clone, Debug)]
pub struct Rules {
    access: AccessRules,
}

impl Rules {
    /// Reads a configuration.
    ///
    /// # Errors
    /// What makes it unusable for access.
    pub fn new(config: Arc<Node>) -> Result<Self, Vec<AccessIssue>> {
        Ok(Self { access: AccessRules::new(config)? })
    }

    /// Access.
    #[must_use]
    pub fn access(&self) -> &AccessRules {
        &self.access
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Node {
        self.access.config()
    }

    fn account(&self, channel: &ChannelId, account: &str) -> AccountSettings<'_> {
        AccountSettings::of(self.config(), channel, account)
    }

    fn number(&self, path: &[&str]) -> Option<u64> {
        count(self.config().path(path)?)
    }

    /// The key that keeps an account out of use (SP-423).
    #[must_use]
    pub fn out_of_use(&self, channel: &ChannelId, account: &str) -> Option<KeyPath> {
        self.account(channel, account).out_of_use()
    }

    /// Turns that run at the same time.
    #[must_use]
    pub fn max_concurrent(&self) -> usize {
        let set = self.number(&["agents", "defaults", "maxConcurrent"]);
        set.and_then(|n| usize::try_from(n).ok()).map_or(MAX_CONCURRENT, |n| n.clamp(1, 1024))
    }

    /// How a session's messages queue; `mode` is what the session itself has set.
    #[must_use]
    pub fn lane(&self, channel: &ChannelId, mode: Option<QueueMode>) -> LaneSettings {
        let name = channel.as_str();
        let queue = self.config().path(&["messages", "queue"]);
        let word = |keys: &[&str]| queue.and_then(|q| q.path(keys)).and_then(Node::as_str);
        let configured = word(&["byChannel", name]).or_else(|| word(&["mode"])).and_then(QueueMode::parse);
        let debounce = self
            .number(&["messages", "queue", "debounceMsByChannel", name])
            .or_else(|| self.number(&["messages", "queue", "debounceMs"]));
        let inbound = self
            .number(&["messages", "inbound", "byChannel", name])
            .or_else(|| self.number(&["messages", "inbound", "debounceMs"]));
        let cap = self.number(&["messages", "queue", "cap"]).unwrap_or(QUEUE_CAP).clamp(1, QUEUE_CAP_MAX);
        LaneSettings {
            mode: mode.or(configured).unwrap_or(QueueMode::Collect),
            debounce_ms: i64::try_from(debounce.unwrap_or(QUEUE_DEBOUNCE_MS).min(DEBOUNCE_MAX)).unwrap_or(0),
            inbound_ms: i64::try_from(inbound.unwrap_or(0).min(DEBOUNCE_MAX)).unwrap_or(0),
            cap: usize::try_from(cap).unwrap_or(20),
            overflow: match word(&["drop"]) {
                Some("old") => DropRule::Old,
                Some("new") => DropRule::New,
                Some(_) | None => DropRule::Summarize,
            },
        }
    }

    /// Messages of a room that are kept as context.
    #[must_use]
    pub fn history(&self, channel: &ChannelId, account: &str) -> usize {
        let set = self
            .account(channel, account)
            .count("historyLimit")
            .or_else(|| self.number(&["messages", "groupChat", "historyLimit"]));
        let default = if channel.as_str() == "discord" { 20 } else { HISTORY };
        set.and_then(|n| usize::try_from(n.min(HISTORY_CAP)).ok()).unwrap_or(default)
    }

    /// How long a message of this channel may be.
    #[must_use]
    pub fn chunk(&self, channel: &ChannelId, account: &str) -> ChunkLimit {
        let settings = self.account(channel, account);
        let name = channel.as_str();
        let service = match name {
            "discord" | "zalo" => 2000,
            "line" => 5000,
            // A line of IRC holds 512 bytes with its head.
            "irc" => 400,
            _ => 4000,
        };
        let set = settings.count("textChunkLimit").and_then(|n| usize::try_from(n).ok());
        let lines = (name == "discord").then(|| {
            let set = settings.count("maxLinesPerMessage").and_then(|n| usize::try_from(n).ok());
            set.unwrap_or(17).max(3)
        });
        let paragraphs = settings.value("chunkMode").and_then(Node::as_str) == Some("newline");
        ChunkLimit { chars: set.unwrap_or(service).clamp(64, 100_000), lines, paragraphs }
    }

    /// Most bytes of an inbound file (channels 8): the channel's limit and the one of its kind, the smaller.
    #[must_use]
    pub fn media_bytes(&self, channel: &ChannelId, account: &str, kind: MediaKind) -> u64 {
        const MB: u64 = 1024 * 1024;
        let service = match channel.as_str() {
            "whatsapp" => 50,
            "discord" | "signal" => 8,
            "slack" | "googlechat" => 20,
            "imessage" | "bluebubbles" => 16,
            _ => 5,
        };
        let own = match kind {
            MediaKind::Image => 6,
            MediaKind::Audio | MediaKind::Video => 16,
            MediaKind::Document => 100,
        };
        let set = self.account(channel, account).value("mediaMaxMb").and_then(Node::as_number);
        let limit = match set.filter(|n| *n > 0.0) {
            // At most a terabyte, so nothing overflows.
            Some(mb) => (mb.min(1e6) * MB as f64) as u64,
            None => service * MB,
        };
        limit.min(own * MB)
    }

    /// Whether answers of a session are delivered (sessions-routing 7): the session's own word, a matching refusal, a matching permission,
    /// the default.
    ///
    /// # Errors
    /// The key that refuses.
    pub fn may_deliver(
        &self,
        session: &SessionKey,
        channel: &ChannelId,
        kind: ConversationKind,
        own: Option<SendOverride>,
    ) -> Result<(), KeyPath> {
        match own {
            Some(SendOverride::Allow) => return Ok(()),
            Some(SendOverride::Deny) => return Err(KeyPath::dotted("sendPolicy")),
            Some(SendOverride::Inherit) | None => {}
        }
        let base = KeyPath::dotted("session.sendPolicy");
        let Some(policy) = self.config().path(&["session", "sendPolicy"]) else { return Ok(()) };
        let rules = policy.get("rules").and_then(Node::as_array).unwrap_or_default();
        let mut allowed = false;
        for (i, rule) in rules.iter().enumerate().filter(|(_, r)| rule_fits(r, session, channel, kind)) {
            match rule.get("action").and_then(Node::as_str) {
                Some("allow") => allowed = true,
                // An unreadable action refuses (SP-119).
                Some(_) | None => return Err(base.key("rules").index(i)),
            }
        }
        let default = policy.get("default");
        let refuses = default.is_some_and(|d| d.as_str() != Some("allow"));
        if allowed || !refuses { Ok(()) } else { Err(base.key("default")) }
    }
}

/// Whether a rule is about this session. What cannot be read fits: it can only be a refusal that is meant.
fn rule_fits(rule: &Node, session: &SessionKey, channel: &ChannelId, kind: ConversationKind) -> bool {
    let Some(fit) = rule.get("match") else { return true };
    let word = |key: &str| fit.get(key).and_then(Node::as_str).map(str::trim).filter(|w| !w.is_empty());
    let channel_fits =
        word("channel").is_none_or(|w| ChannelId::parse(w).map_or_else(|_| false, |c| c == *channel));
    let kind_fits = word("chatType").is_none_or(|w| ConversationKind::parse(w) == kind);
    let key_fits = word("keyPrefix").is_none_or(|w| {
        let w = w.to_lowercase();
        session.as_str().starts_with(&w) || session.rest().starts_with(&w)
    });
    channel_fits && kind_fits && key_fits
}
