//! A conversation as every provider accepts it: begins with the user, turns alternate, each call is answered right after it, once.
//!
//! Sessions that were stopped, cut, compacted or moved to another provider hold calls without results, results without calls and ids that
//! another provider did not make. What is added here is said to be ours; nothing that was said is changed.

use std::collections::HashSet;

use ring::digest;

use crate::message::{Answer, Block, Message};

#[cfg(test)]
mod tests;

/// Stands for the result of a call that has none.
const NO_RESULT: &str = "No result: this call was not carried out.";
/// Stands before an answer that nothing comes before.
const CUT: &str = "(Earlier messages are left out.)";
/// Stands between two answers, and behind the last one.
const ON: &str = "Continue.";
/// Stands for a result without content.
const NOTHING: &str = "(no output)";
/// Stands for a picture that the model cannot be shown.
const NO_PICTURE: &str = "(A picture is left out: this model cannot be shown pictures of this kind.)";

/// Longest id of a call that every provider takes.
const MAX_ID: usize = 40;
/// The kinds of pictures that every provider takes.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// A turn.
#[derive(Debug, PartialEq)]
pub(super) enum Turn<'a> {
    /// Results of the calls of the turn before and what the user said.
    User(UserTurn<'a>),
    /// What the model said.
    Assistant {
        /// It.
        answer: &'a Answer,
        /// The ids of its calls on the wire, in order.
        ids: Vec<String>,
    },
}

/// The user's side.
#[derive(Debug, Default, PartialEq)]
pub(super) struct UserTurn<'a> {
    /// Results, in the order of the calls.
    pub results: Vec<Outcome<'a>>,
    /// What was said.
    pub said: Vec<Said<'a>>,
}

/// A piece of what was said or brought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Said<'a> {
    /// Text.
    Text(&'a str),
    /// A picture.
    Picture {
        /// Its type.
        media_type: &'a str,
        /// Its bytes in base64.
        data: &'a str,
    },
}

/// What came of a call.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome<'a> {
    /// The call's id on the wire.
    pub id: String,
    /// Never empty.
    pub content: Vec<Said<'a>>,
    /// Whether it is an error.
    pub is_error: bool,
}

/// Puts the messages into turns. `pictures`: whether the model can be shown any.
pub(super) fn turns(messages: &[Message], pictures: bool) -> Vec<Turn<'_>> {
    let mut out = Vec::new();
    let mut user = UserTurn::default();
    let mut used = HashSet::new();
    let mut rest = messages;
    while let Some((message, after)) = rest.split_first() {
        rest = after;
        match message {
            Message::User(blocks) => user.said.extend(sayable(blocks, pictures)),
            Message::Assistant(answer) => {
                if !answer.blocks.iter().any(says_something) {
                    continue;
                }
                if user.results.is_empty() && user.said.is_empty() {
                    user.said.push(Said::Text(if out.is_empty() { CUT } else { ON }));
                }
                out.push(Turn::User(std::mem::take(&mut user)));
                let ids: Vec<String> = answer.tool_calls().map(|c| wire_id(&c.id, &mut used)).collect();
                user.results = outcomes(answer, &ids, rest, pictures);
                out.push(Turn::Assistant { answer, ids });
            }
            // Taken together with the answer that asked for it; without one it says nothing.
            Message::ToolResult { .. } => {}
        }
    }
    if user.results.is_empty() && user.said.is_empty() {
        user.said.push(Said::Text(if out.is_empty() { CUT } else { ON }));
    }
    out.push(Turn::User(user));
    out
}

fn says_something(block: &Block) -> bool {
    match block {
        Block::Text(text) => !text.trim().is_empty(),
        Block::ToolCall(_) => true,
        Block::Image { .. } | Block::Thinking { .. } => false,
    }
}

fn sayable(blocks: &[Block], pictures: bool) -> impl Iterator<Item = Said<'_>> {
    blocks.iter().filter_map(move |b| match b {
        Block::Text(text) => (!text.trim().is_empty()).then_some(Said::Text(text)),
        Block::Image { media_type, data } if pictures && PICTURES.contains(&media_type.as_str()) => {
            Some(Said::Picture { media_type, data })
        }
        Block::Image { .. } => Some(Said::Text(NO_PICTURE)),
        Block::Thinking { .. } | Block::ToolCall(_) => None,
    })
}

/// One outcome for each call, from the messages up to the next answer.
fn outcomes<'a>(answer: &Answer, ids: &[String], rest: &'a [Message], pictures: bool) -> Vec<Outcome<'a>> {
    let mut results: Vec<(&str, &[Block], bool)> = rest
        .iter()
        .take_while(|m| !matches!(m, Message::Assistant(_)))
        .filter_map(|m| match m {
            Message::ToolResult { call_id, content, is_error, .. } => {
                Some((call_id.as_str(), content.as_slice(), *is_error))
            }
            Message::User(_) | Message::Assistant(_) => None,
        })
        .collect();
    let calls = answer.tool_calls().zip(ids);
    calls
        .map(|(call, id)| {
            let at = results.iter().position(|(named, _, _)| *named == call.id);
            let Some((_, content, is_error)) = at.map(|at| results.remove(at)) else {
                return Outcome { id: id.clone(), content: vec![Said::Text(NO_RESULT)], is_error: true };
            };
            let mut content: Vec<Said<'_>> = sayable(content, pictures).collect();
            if content.is_empty() {
                content.push(Said::Text(NOTHING));
            }
            Outcome { id: id.clone(), content, is_error }
        })
        .collect()
}

/// The id of a call on the wire: itself when every provider takes it and it is new in this conversation, a digest otherwise.
fn wire_id(id: &str, used: &mut HashSet<String>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut out = id.to_owned();
    let mut again = 0u32;
    while out.is_empty() || out.len() > MAX_ID || !out.chars().all(plain) || used.contains(&out) {
        let digest = digest::digest(&digest::SHA256, format!("{again}:{id}").as_bytes());
        let hex = digest.as_ref().iter().take(12).map(|b| format!("{b:02x}")).collect::<String>();
        out = format!("call_{hex}");
        again = again.saturating_add(1);
    }
    used.insert(out.clone());
    out
}
