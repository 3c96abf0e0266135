//! The tools as a model is told of them: descriptions in our words, arguments as JSON Schema (agent-runtime 3).
//!
//! What is not built has no description, so it cannot be offered; [`ABSENT`] says which names of the documents these are.

mod browsing;
mod files;
mod messaging;
mod running;
mod sessions;
mod web;

use serde_json::{Map, Value, json};

use crate::message::ToolDefinition;

/// Tools of the documents that this program does not carry out, with what there is instead. They are never offered.
pub const ABSENT: &[(&str, &str)] = &[
    ("canvas", "nothing is drawn on nodes"),
    ("cron", "a model plans no jobs"),
    ("gateway", "the gateway is looked after by the owner"),
    ("image", "pictures are shown to models that see them"),
    ("nodes", "commands reach nodes through `exec` with `host: node`"),
    ("tts", "answers are text"),
    ("web_search", "there is no search provider; pages are fetched with `web_fetch`"),
    ("whatsapp_login", "channels are set up by the owner"),
];

/// One tool.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Canonical name.
    pub name: &'static str,
    /// One line for the system prompt.
    pub summary: &'static str,
    /// What the model is told.
    pub description: &'static str,
    schema: fn() -> Value,
}

/// Every tool that has a description, in the order they are listed.
pub const TABLE: &[&[Entry]] =
    &[files::TABLE, running::TABLE, web::TABLE, browsing::TABLE, sessions::TABLE, messaging::TABLE];

/// The entry of a canonical name.
#[must_use]
pub fn entry(name: &str) -> Option<&'static Entry> {
    TABLE.iter().copied().flatten().find(|e| e.name == name)
}

/// The description of a canonical name; `None` for what is not built.
#[must_use]
pub fn of(name: &str) -> Option<ToolDefinition> {
    let entry = entry(name)?;
    Some(ToolDefinition {
        name: entry.name.to_owned(),
        description: entry.description.to_owned(),
        schema: (entry.schema)(),
    })
}

/// An object of arguments. Unknown ones are ignored when they come.
fn object(required: &[&str], properties: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> =
        properties.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn word(description: &str, words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words, "description": description })
}

fn integer(description: &str, least: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "description": description })
}

fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

fn texts(description: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": description })
}
