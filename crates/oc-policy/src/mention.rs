//! Mentions: is the bot meant, and must it be? (channels 5)

use oc_types::{AgentId, KeyPath, Node};
use regex::{Regex, RegexBuilder};

mod gate;
#[cfg(test)]
mod tests;
mod translate;

pub use gate::{MentionFacts, MentionVerdict, mention_gate};

/// Longest pattern that is tried, in bytes (SP-017).
const MAX_PATTERN: usize = 8 * 1024;
/// Largest compiled pattern, in bytes.
const MAX_COMPILED: usize = 1 << 20;
/// Most patterns that are tried.
const MAX_PATTERNS: usize = 256;

/// The patterns that count as naming an agent.
#[derive(Clone, Debug)]
pub struct MentionPatterns {
    patterns: Vec<Regex>,
    /// Where they come from.
    pub key_path: KeyPath,
}

/// What the service knows about mentions in one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExplicitMention {
    /// Anybody is mentioned.
    pub any: bool,
    /// The bot is mentioned.
    pub bot: bool,
}

impl MentionPatterns {
    /// The patterns of an agent: its own list, else the global one, else its name and emoji. A list that is there ends the search,
    /// also when it is empty. Patterns that the linear-time engine cannot express are skipped.
    #[must_use]
    pub fn for_agent(config: &Node, agent: &AgentId) -> Self {
        let entry = agent_entry(config, agent);
        if let Some((index, node)) = entry
            && let Some(list) = node.path(&["groupChat", "mentionPatterns"])
        {
            let key = KeyPath::dotted("agents.list")
                .index(index)
                .join(&KeyPath::dotted("groupChat.mentionPatterns"));
            return Self { patterns: compile(list), key_path: key };
        }
        if let Some(list) = config.path(&["messages", "groupChat", "mentionPatterns"]) {
            return Self {
                patterns: compile(list),
                key_path: KeyPath::dotted("messages.groupChat.mentionPatterns"),
            };
        }
        let Some((index, node)) = entry else {
            return Self {
                patterns: Vec::new(),
                key_path: KeyPath::dotted("messages.groupChat.mentionPatterns"),
            };
        };
        let text = |key: &str| {
            node.path(&["identity", key]).and_then(Node::as_str).map(str::trim).filter(|t| !t.is_empty())
        };
        let name = text("name").and_then(|n| build(&translate::name_pattern(n)));
        let emoji = text("emoji").and_then(|e| build(&regex::escape(&e.to_lowercase())));
        let key = KeyPath::dotted("agents.list").index(index).key("identity");
        Self { patterns: name.into_iter().chain(emoji).collect(), key_path: key }
    }

    /// How many patterns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the text names the agent: lower-cased, invisible characters removed.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let text = clean(text);
        !text.is_empty() && self.patterns.iter().any(|p| p.is_match(&text))
    }

    /// The service's own mention counts; otherwise the patterns are tried, also when somebody else is mentioned.
    #[must_use]
    pub fn mentioned(&self, text: &str, explicit: ExplicitMention) -> bool {
        explicit.bot || self.matches(text)
    }
}

/// The first entry of `agents.list` with this id, and its index.
fn agent_entry<'a>(config: &'a Node, agent: &AgentId) -> Option<(usize, &'a Node)> {
    let list = config.path(&["agents", "list"])?.as_array()?;
    list.iter()
        .enumerate()
        .find(|(_, n)| n.get("id").and_then(Node::as_str).is_some_and(|id| AgentId::normalized(id) == *agent))
}

fn compile(list: &Node) -> Vec<Regex> {
    let entries = list.as_array().unwrap_or_default().iter().filter_map(Node::as_str);
    entries.take(MAX_PATTERNS).filter_map(|p| build(&translate::from_javascript(p)?)).collect()
}

fn build(pattern: &str) -> Option<Regex> {
    if pattern.len() > MAX_PATTERN {
        return None;
    }
    RegexBuilder::new(pattern).case_insensitive(true).size_limit(MAX_COMPILED).nest_limit(64).build().ok()
}

/// Lower case, without the characters that are invisible or turn the direction of text.
fn clean(text: &str) -> String {
    let invisible =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    text.chars().filter(|c| !invisible(*c)).flat_map(char::to_lowercase).collect()
}

/// The `@names` in a text, without the `@`, in order: how Telegram writes mentions.
pub fn at_names(text: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices('@').filter_map(move |(at, _)| {
        let glued = text.get(..at)?.chars().next_back().is_some_and(word);
        let tail = text.get(at + 1..)?;
        let end = tail.find(|c: char| !word(c)).unwrap_or(tail.len());
        let name = tail.get(..end)?;
        (!glued && !name.is_empty()).then_some(name)
    })
}
