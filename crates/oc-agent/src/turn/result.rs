//! A tool's result as a model reads it, cut to its size (agent-runtime 3, limits).

use oc_sandbox::gate::{Answer, Content, GateError, Outcome};

use crate::context::Window;
use crate::message::{Block, Message, ToolCall};

/// Most characters of any result.
pub const MOST: usize = 400_000;
/// Characters that are kept of every result, however small the window.
pub const LEAST: usize = 2_000;
/// Percent of the window that one result may fill.
pub const SHARE: usize = 30;

/// Characters of one result.
#[must_use]
pub(super) fn cap(window: Window) -> usize {
    (window.chars() / 100).saturating_mul(SHARE).clamp(LEAST, MOST)
}

/// The result of a call that acted.
pub(super) fn done(call: &ToolCall, answer: Answer, window: Window) -> Message {
    let mut content: Vec<Block> = answer.result.content.into_iter().map(block).collect();
    content.extend(answer.notes.into_iter().map(|note| Block::Text(format!("[note: {note}]"))));
    let is_error = match answer.result.outcome {
        Outcome::Done => false,
        Outcome::Failed => true,
    };
    result(call, fitted(content, cap(window)), is_error)
}

/// The result of a call that did not act, or whose place failed.
pub(super) fn refused(call: &ToolCall, error: &GateError, window: Window) -> Message {
    let words = match error {
        GateError::Refused(refused) => {
            {
                // A name in it may be the model's own spelling.
                let sentence = oc_text::visible_lines(refused.sentence(), 4_000);
                format!("Refused ({}): {sentence}", refused.stage().word())
            }
        }
        // Its cause names files of the host.
        GateError::NotRecorded(_) => {
            "Refused (ledger): nothing was done, because it could not be recorded".to_owned()
        }
        GateError::Place(error) => format!("Failed: {error}"),
    };
    failed(call, &words, window)
}

/// An error in our words.
pub(super) fn failed(call: &ToolCall, words: &str, window: Window) -> Message {
    result(call, fitted(vec![Block::Text(words.to_owned())], cap(window)), true)
}

fn result(call: &ToolCall, content: Vec<Block>, is_error: bool) -> Message {
    Message::ToolResult { call_id: call.id.clone(), tool: call.name.clone(), content, is_error }
}

fn block(content: Content) -> Block {
    match content {
        Content::Text { text } => Block::Text(text),
        Content::Image { data, mime_type } => Block::Image { media_type: mime_type.to_owned(), data },
    }
}

/// Texts cut so that all of them together have at most `cap` characters, at line ends where there are some, with a notice.
pub(super) fn fitted(content: Vec<Block>, cap: usize) -> Vec<Block> {
    let mut room = cap;
    let cut = |block: Block| match block {
        Block::Text(text) => {
            let length = text.chars().count();
            let kept = if length <= room { text } else { cut_at_line(&text, length, room) };
            room = room.saturating_sub(length);
            Block::Text(kept)
        }
        other @ (Block::Image { .. } | Block::Thinking { .. } | Block::ToolCall(_)) => other,
    };
    content.into_iter().map(cut).collect()
}

fn cut_at_line(text: &str, length: usize, room: usize) -> String {
    let end = text.char_indices().nth(room).map_or(text.len(), |(at, _)| at);
    let head = text.get(..end).unwrap_or_default();
    // Not much is given up for a whole line.
    let at_line = head.rfind('\n').filter(|at| *at >= head.len() / 2).map(|at| at + 1);
    let kept = head.get(..at_line.unwrap_or(head.len())).unwrap_or(head);
    let break_ = if kept.is_empty() || kept.ends_with('\n') { "" } else { "\n" };
    let left_out = length.saturating_sub(kept.chars().count());
    format!(
        "{kept}{break_}[{left_out} of {length} characters left out: a result holds no more here; ask for a smaller piece]"
    )
}
