//! Old results made shorter, in memory only (`agents.defaults.contextPruning`, agent-runtime 4).

use std::time::Duration;

use jiff::Timestamp;
use oc_types::Node;

use super::Window;
use super::estimate::{block_chars, message_chars};
use crate::message::{Block, Message};
use crate::session::history::Recorded;

/// What stands for a result that was taken out.
pub const PLACEHOLDER: &str = "[An older result, taken out to save room.]";

/// When and how old results are shortened.
#[derive(Clone, Debug, PartialEq)]
pub struct Pruning {
    /// Nothing is touched while the provider may still have the conversation in its cache.
    pub ttl: Duration,
    /// The last answers, and what follows them, stay.
    pub keep_answers: usize,
    /// Share of the window above which long results are trimmed.
    pub trim_above: f64,
    /// Share of the window above which results are taken out.
    pub clear_above: f64,
    /// Fewer characters than this are not worth taking out.
    pub least_prunable: usize,
    /// Longest result that stays whole, in characters.
    pub trim_over: usize,
    /// Characters kept of its beginning.
    pub head: usize,
    /// Characters kept of its end.
    pub tail: usize,
}

impl Default for Pruning {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(300),
            keep_answers: 3,
            trim_above: 0.3,
            clear_above: 0.5,
            least_prunable: 50_000,
            trim_over: 4_000,
            head: 1_500,
            tail: 1_500,
        }
    }
}

impl Pruning {
    /// What the configuration says; `None` when it is off, as it is by default.
    #[must_use]
    pub fn from_config(config: &Node) -> Option<Self> {
        let node = config.path(&["agents", "defaults", "contextPruning"])?;
        if node.get("mode").and_then(Node::as_str) != Some("cache-ttl") {
            return None;
        }
        let d = Self::default();
        let number = |path: &[&str]| node.path(path).and_then(Node::as_number).filter(|n| *n >= 0.0);
        let count =
            |path: &[&str], default: usize| node.path(path).and_then(crate::number::count).unwrap_or(default);
        Some(Self {
            ttl: node.get("ttl").and_then(Node::as_str).and_then(span).unwrap_or(d.ttl),
            keep_answers: count(&["keepLastAssistants"], d.keep_answers),
            trim_above: number(&["softTrimRatio"]).unwrap_or(d.trim_above),
            clear_above: number(&["hardClearRatio"]).unwrap_or(d.clear_above),
            least_prunable: count(&["minPrunableToolChars"], d.least_prunable),
            trim_over: count(&["softTrim", "maxChars"], d.trim_over),
            head: count(&["softTrim", "headChars"], d.head),
            tail: count(&["softTrim", "tailChars"], d.tail),
        })
    }
}

/// `5m`, `30s`, `1h`; a bare number is minutes.
fn span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(at)?;
    let number: u64 = number.parse().ok()?;
    let seconds = match unit.trim() {
        "s" => 1,
        "" | "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.saturating_mul(seconds)))
}

/// Shortens old results of tools. Pictures, what people said and what the model answered stay.
pub fn prune(messages: &mut [Recorded], pruning: &Pruning, window: Window, now: Timestamp) {
    let last_answer =
        messages.iter().rev().find(|m| matches!(m.message, Message::Assistant(_))).map(|m| m.at);
    let age = last_answer.map(|at| now.as_millisecond().saturating_sub(at.as_millisecond()));
    let ttl = i64::try_from(pruning.ttl.as_millis()).unwrap_or(i64::MAX);
    if age.is_none_or(|age| age < ttl) {
        return;
    }
    let end = protected_from(messages, pruning.keep_answers);
    #[expect(clippy::cast_precision_loss, reason = "shares of a window need no more precision")]
    let share = |chars: usize| chars as f64 / window.chars().max(1) as f64;
    let mut all: usize = messages.iter().map(|m| message_chars(&m.message)).sum();
    if share(all) <= pruning.trim_above {
        return;
    }
    for recorded in messages.iter_mut().take(end) {
        let Some(content) = text_result(&mut recorded.message) else { continue };
        for block in content {
            let before = block_chars(block);
            let Block::Text(text) = block else { continue };
            if before > pruning.trim_over {
                *text = trimmed(text, before, pruning);
                all = all.saturating_sub(before.saturating_sub(block_chars(block)));
            }
        }
    }
    let prunable: usize = {
        let chars =
            |m: &mut Recorded| text_result(&mut m.message).map_or(0, |c| c.iter().map(block_chars).sum());
        messages.iter_mut().take(end).map(chars).sum()
    };
    if share(all) <= pruning.clear_above || prunable < pruning.least_prunable {
        return;
    }
    for recorded in messages.iter_mut().take(end) {
        if share(all) <= pruning.clear_above {
            return;
        }
        let Some(content) = text_result(&mut recorded.message) else { continue };
        let before: usize = content.iter().map(block_chars).sum();
        *content = vec![Block::Text(PLACEHOLDER.to_owned())];
        all = all.saturating_sub(before.saturating_sub(PLACEHOLDER.len()));
    }
}

/// The first message that stays as it is.
fn protected_from(messages: &[Recorded], keep: usize) -> usize {
    let answers = messages.iter().enumerate().filter(|(_, m)| matches!(m.message, Message::Assistant(_)));
    let at: Vec<usize> = answers.map(|(at, _)| at).collect();
    match keep {
        0 => messages.len(),
        keep => at.len().checked_sub(keep).and_then(|n| at.get(n)).copied().unwrap_or(0),
    }
}

/// The content of a result that holds nothing but text.
fn text_result(message: &mut Message) -> Option<&mut Vec<Block>> {
    match message {
        Message::ToolResult { content, .. } if content.iter().all(|b| matches!(b, Block::Text(_))) => {
            Some(content)
        }
        Message::ToolResult { .. } | Message::User(_) | Message::Assistant(_) => None,
    }
}

fn trimmed(text: &str, length: usize, pruning: &Pruning) -> String {
    let head: String = text.chars().take(pruning.head).collect();
    let tail: String = text.chars().skip(length.saturating_sub(pruning.tail)).collect();
    format!(
        "{head}\n[… {} characters of an older result left out …]\n{tail}",
        length.saturating_sub(pruning.head + pruning.tail)
    )
}
