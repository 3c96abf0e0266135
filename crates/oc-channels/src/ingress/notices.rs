//! One log line for each chat that is refused, and not one for each message.

use std::collections::HashMap;

use oc_text::visible;
use oc_types::KeyPath;

/// How long a chat stays silent after a line about the same reason, milliseconds.
pub const PAUSE_MS: i64 = 600_000;
/// Chats that are remembered. When there are more, nothing is logged about new ones until old ones have run out.
const MOST: usize = 2048;

/// When what was last said.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    said: HashMap<(String, &'static str), i64>,
}

/// What a line is about.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// Channel.
    pub channel: &'a str,
    /// Account.
    pub account: &'a str,
    /// The chat.
    pub conversation: &'a str,
    /// The stable word of the reason.
    pub word: &'static str,
    /// The reason for people.
    pub reason: &'a str,
    /// More about it.
    pub detail: &'a str,
    /// The key that decided.
    pub key: Option<&'a KeyPath>,
}

impl Notices {
    /// The line, unless it was said lately.
    pub fn line(&mut self, about: &Refused<'_>, now_ms: i64) -> Option<String> {
        let chat = format!("{}/{}/{}", about.channel, about.account, about.conversation);
        let key = (chat, about.word);
        if self.said.get(&key).is_some_and(|at| now_ms.saturating_sub(*at) < PAUSE_MS) {
            return None;
        }
        if self.said.len() >= MOST {
            self.said.retain(|_, at| now_ms.saturating_sub(*at) < PAUSE_MS);
            if self.said.len() >= MOST {
                return None;
            }
        }
        self.said.insert(key, now_ms);
        let mut line = format!(
            "{} account {} chat {}: not answered, {} ({})",
            about.channel,
            visible(about.account, 64),
            visible(about.conversation, 80),
            about.reason,
            about.word
        );
        if !about.detail.is_empty() {
            line.push_str(&format!("; {}", visible(about.detail, 300)));
        }
        if let Some(key) = about.key {
            line.push_str(&format!("; `{key}` decides it"));
        }
        Some(line)
    }
}
