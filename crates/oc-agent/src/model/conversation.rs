//! A conversation as every provider accepts it: begins with the user, turns alternate, each call is answered right after it, once.
//!
//! Sessions that were stopped, cut, compacted or moved to another provider hold calls without results, results without calls and ids that
//! another provider did not make. What is added here is said to be ours; nothing that was said is changed.

use std::collections::HashSet;

use ring::digest;

use crate::message::{Answer, Block, Message};

/// Stands for the result of a call that has none.
const NO_RESULT: &str = "No result: this call was not carried out.";
/// Stands before an answer that nothing comes before.
const CUT: &str = "(Earlier messages are left out.)";

/// Longest id of a call that every provider takes.
const MAX_ID: usize = 40;

/// A turn.
#[derive(Debug, PartialEq)]
pub(super) enum Turn<'a> {
    /// Results of the calls of the turn before, in the order of the calls; then what the user said, if anything.
    User {
        /// Results.
        results: Vec<ToolOutcome<'a>>,
        /// Texts and pictures.
        blocks: Vec<Said<'a>>,
    },
    /// What the model said.
    Assistant(&'a Answer),
}

/// A piece of what the user said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Said<'a> {
    /// The user's.
    Theirs(&'a Block),
    /// Ours.
    Ours(&'static str),
}

/// What came of a call.
#[derive(Debug, PartialEq)]
pub(super) struct ToolOutcome<'a> {
    /// The call's id.
    pub call_id: &'a str,
    /// Its content.
    pub content: Vec<Said<'a>>,
    /// Whether it is an error.
    pub is_error: bool,
}

/// Puts the messages into turns.
pub(super) fn turns(messages: &[Message]) -> Vec<Turn<'_>> {
    let mut out: Vec<Turn<'_>> = Vec::new();
    let mut at = 0;
    while let Some(message) = messages.get(at) {
        at += 1;
        match message {
            Message::User(blocks) => {
                let said = blocks.iter().filter(|b| is_sayable(b)).map(Said::Theirs);
                user(&mut out).1.extend(said);
            }
            Message::Assistant(answer) => {
                if !answer.blocks.iter().any(|b| matches!(b, Block::Text(_) | Block::ToolCall(_))) {
                    continue;
                }
                if matches!(out.last(), None | Some(Turn::Assistant(_))) {
                    user(&mut out).1.push(Said::Ours(CUT));
                }
                out.push(Turn::Assistant(answer));
                let rest = messages.get(at..).unwrap_or_default();
                let results = outcomes(answer, rest);
                if !results.is_empty() {
                    out.push(Turn::User { results, blocks: Vec::new() });
                }
            }
            // Taken together with the answer that asked for it; without one it says nothing.
            Message::ToolResult { .. } => {}
        }
    }
    out.retain(|t| match t {
        Turn::User { results, blocks } => !results.is_empty() || !blocks.is_empty(),
        Turn::Assistant(_) => true,
    });
    if matches!(out.last(), None | Some(Turn::Assistant(_))) {
        user(&mut out).1.push(Said::Ours("Continue."));
    }
    out
}

/// The user's turn at the end, made when there is none.
fn user<'t, 'a>(out: &'t mut Vec<Turn<'a>>) -> (&'t mut Vec<ToolOutcome<'a>>, &'t mut Vec<Said<'a>>) {
    if !matches!(out.last(), Some(Turn::User { .. })) {
        out.push(Turn::User { results: Vec::new(), blocks: Vec::new() });
    }
    match out.last_mut() {
        Some(Turn::User { results, blocks }) => (results, blocks),
        Some(Turn::Assistant(_)) | None => {
            // INVARIANT: a user's turn was pushed just above.
            (Box::leak(Box::default()), Box::leak(Box::default()))
        }
    }
}
