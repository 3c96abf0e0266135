//! Puts an answer together from its pieces.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::wire::Target;
use crate::message::{Answer, Arguments, Block, StopReason, ToolCall, Usage};

/// Most pieces of an answer.
const MAX_BLOCKS: usize = 10_000;
/// Longest name and id of a call, in bytes; what is longer is cut.
const MAX_NAME: usize = 256;

/// A piece that may still grow.
#[derive(Clone, Debug)]
enum Open {
    Text(String),
    Thinking { text: String, signature: Option<String> },
    Call { id: String, name: String, text: String, whole: bool },
}

/// The pieces so far, by the place that the provider gives them.
#[derive(Clone, Debug, Default)]
pub(super) struct Collector {
    blocks: BTreeMap<u64, Open>,
    /// What it took so far.
    pub usage: Usage,
}

impl Collector {
    /// More text at a place.
    pub fn text(&mut self, at: u64, more: &str) {
        if let Some(Open::Text(text)) = self.open(at, || Open::Text(String::new())) {
            text.push_str(more);
        }
    }

    /// More thinking at a place.
    pub fn thinking(&mut self, at: u64, more: &str) {
        let new = || Open::Thinking { text: String::new(), signature: None };
        if let Some(Open::Thinking { text, .. }) = self.open(at, new) {
            text.push_str(more);
        }
    }

    /// More of the seal of the thinking at a place.
    pub fn signature(&mut self, at: u64, more: &str) {
        let new = || Open::Thinking { text: String::new(), signature: None };
        if let Some(Open::Thinking { signature, .. }) = self.open(at, new) {
            signature.get_or_insert_default().push_str(more);
        }
    }

    /// Name and id of the call at a place; what is there already stays.
    pub fn call(&mut self, at: u64, id: Option<&str>, name: Option<&str>) {
        if let Some(Open::Call { id: known, name: called, .. }) = self.open(at, new_call) {
            if let (true, Some(id)) = (known.is_empty(), id) {
                *known = cut(id);
            }
            if let (true, Some(name)) = (called.is_empty(), name) {
                *called = cut(name);
            }
        }
    }

    /// More of the arguments of the call at a place.
    pub fn arguments(&mut self, at: u64, more: &str) {
        if let Some(Open::Call { text, .. }) = self.open(at, new_call) {
            text.push_str(more);
        }
    }

    /// The arguments of the call at a place, in one piece.
    pub fn whole_arguments(&mut self, at: u64, all: &str) {
        if let Some(Open::Call { text, whole, .. }) = self.open(at, new_call) {
            all.clone_into(text);
            *whole = true;
        }
    }

    /// The piece at a place will not grow any more.
    pub fn close(&mut self, at: u64) {
        if let Some(Open::Call { whole, .. }) = self.blocks.get_mut(&at) {
            *whole = true;
        }
    }

    /// No piece will grow any more.
    pub fn close_all(&mut self) {
        for block in self.blocks.values_mut() {
            if let Open::Call { whole, .. } = block {
                *whole = true;
            }
        }
    }

    fn open(&mut self, at: u64, new: impl FnOnce() -> Open) -> Option<&mut Open> {
        if self.blocks.len() >= MAX_BLOCKS && !self.blocks.contains_key(&at) {
            return None;
        }
        Some(self.blocks.entry(at).or_insert_with(new))
    }

    /// The answer. Calls whose arguments are not whole are invalid.
    pub fn answer(self, target: &Target, stop: StopReason) -> Answer {
        let mut ids = HashSet::new();
        let blocks: Vec<Block> =
            self.blocks
                .into_iter()
                .filter_map(|(at, open)| match open {
                    Open::Text(text) => (!text.is_empty()).then_some(Block::Text(text)),
                    Open::Thinking { text, signature } => (!text.is_empty() || signature.is_some())
                        .then_some(Block::Thinking { text, signature }),
                    Open::Call { id, name, text, whole } => {
                        let arguments = read_arguments(text, whole);
                        Some(Block::ToolCall(ToolCall { id: unique(id, at, &mut ids), name, arguments }))
                    }
                })
                .collect();
        let calls = blocks.iter().any(|b| matches!(b, Block::ToolCall(_)));
        // Some servers say that they are done although they ask for a tool.
        let stop = match stop {
            StopReason::EndTurn if calls => StopReason::ToolUse,
            StopReason::ToolUse if !calls => StopReason::EndTurn,
            other => other,
        };
        Answer {
            blocks,
            stop,
            usage: self.usage,
            api: target.api.word(),
            provider: target.provider.clone(),
            model: target.model.clone(),
        }
    }
}

fn new_call() -> Open {
    Open::Call { id: String::new(), name: String::new(), text: String::new(), whole: false }
}

fn cut(text: &str) -> String {
    text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= MAX_NAME).map(|(_, c)| c).collect()
}

/// Results name calls by their id, so no two calls of an answer have the same.
fn unique(id: String, at: u64, taken: &mut HashSet<String>) -> String {
    let mut out = if id.is_empty() { format!("call_{at}") } else { id };
    while taken.contains(&out) {
        out.push_str("_2");
    }
    taken.insert(out.clone());
    out
}

fn read_arguments(text: String, whole: bool) -> Arguments {
    if !whole {
        return Arguments::Invalid {
            text,
            why: "the answer ended before the arguments were whole".to_owned(),
        };
    }
    // A call without arguments may have none on the wire.
    if text.trim().is_empty() {
        return Arguments::Object(serde_json::Map::new());
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(members)) => Arguments::Object(members),
        Ok(_) => Arguments::Invalid { text, why: "the arguments are no JSON object".to_owned() },
        Err(e) => {
            let why = format!("the arguments are no JSON (line {}, column {})", e.line(), e.column());
            Arguments::Invalid { text, why }
        }
    }
}
