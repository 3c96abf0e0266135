//! What of a server's words is passed on: plain names, readable texts, within limits.

use std::collections::BTreeSet;

use oc_policy::tool_name::canonical;
use serde_json::{Map, Value as Json};

use crate::limits;
use crate::names::is_tool_name;
use crate::offer::{Reply, ToolOffer, text_block};
use crate::pins::Pins;

/// A tool that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// Its name, made printable.
    pub tool: String,
    /// Why, to follow the name.
    pub why: &'static str,
    /// Whether it changed after it was seen first.
    pub changed: bool,
}

/// A server's tools.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// Those that can be offered, in the server's order.
    pub tools: Vec<ToolOffer>,
    /// Those that cannot, this time for the first time or still.
    pub withheld: Vec<Withheld>,
}

/// Sifts a list.
pub(super) fn sift(tools: Vec<ToolOffer>, pins: &mut Pins) -> Listed {
    let mut withheld = Vec::new();
    let mut leave = |tool: &str, why, changed| {
        withheld.push(Withheld { tool: oc_text::visible(tool, limits::NAME_BYTES), why, changed });
    };
    let mut names = BTreeSet::new();
    let mut fit = Vec::new();
    for tool in tools {
        let size = |schema: &Map<String, Json>| serde_json::to_string(schema).map_or(usize::MAX, |s| s.len());
        if !is_tool_name(&tool.name) {
            leave(&tool.name, "is no plain name", false);
        } else if !names.insert(canonical(&tool.name).into_owned()) {
            leave(&tool.name, "is there twice", false);
        } else if fit.len() >= limits::TOOLS {
            leave(&tool.name, "is one too many", false);
        } else if size(&tool.input_schema) > limits::SCHEMA_BYTES
            || tool.output_schema.as_ref().is_some_and(|s| size(s) > limits::SCHEMA_BYTES)
        {
            leave(&tool.name, "has a schema over the limit", false);
        } else {
            fit.push(tool);
        }
    }
    let sifted = pins.sift(fit);
    for name in &sifted.changed {
        leave(name, "changed after it was seen first", true);
    }
    Listed { tools: sifted.tools.into_iter().map(readable).collect(), withheld }
}

/// A tool whose texts show everything that is in them: what a person does not see, a model should not read.
fn readable(mut tool: ToolOffer) -> ToolOffer {
    let shown = |text: String| oc_text::visible_lines(&text, limits::DESCRIPTION_CHARS);
    tool.title = tool.title.map(|t| oc_text::visible(&t, 200));
    tool.description = tool.description.map(shown);
    described(&mut tool.input_schema);
    if let Some(schema) = &mut tool.output_schema {
        described(schema);
    }
    tool
}

fn described(schema: &mut Map<String, Json>) {
    for (name, value) in schema.iter_mut() {
        match value {
            Json::String(text) if matches!(name.as_str(), "description" | "title" | "$comment") => {
                *text = oc_text::visible_lines(text, limits::DESCRIPTION_CHARS);
            }
            Json::Object(members) => described(members),
            Json::Array(items) => items.iter_mut().filter_map(Json::as_object_mut).for_each(described),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
}

/// A reply within the limits, with a remark where something was left out. A structured result over the limit goes as a whole: half of one
/// is none.
pub(super) fn cut(mut reply: Reply) -> Reply {
    let mut left = limits::RESULT_CHARS;
    let mut lost = reply.content.len() > limits::RESULT_PIECES;
    reply.content.truncate(limits::RESULT_PIECES);
    for piece in &mut reply.content {
        for text in texts(piece) {
            let count = text.chars().count();
            if count > left {
                *text = text.chars().take(left).collect();
                lost = true;
            }
            left = left.saturating_sub(count);
        }
    }
    if reply.structured.as_ref().is_some_and(|s| s.to_string().len() > limits::RESULT_CHARS) {
        reply.structured = None;
        lost = true;
    }
    if lost {
        let remark =
            format!("[the result was longer than {} characters; the rest is left out]", limits::RESULT_CHARS);
        reply.content.push(text_block(remark));
    }
    reply
}

/// The texts of a piece.
fn texts(piece: &mut Json) -> Vec<&mut String> {
    let Json::Object(members) = piece else { return Vec::new() };
    let mut out = Vec::new();
    for (name, value) in members.iter_mut() {
        match (name.as_str(), value) {
            ("text", Json::String(text)) => out.push(text),
            ("resource", resource) => out.extend(texts(resource)),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(name: &str) -> ToolOffer {
        ToolOffer { name: name.to_owned(), ..ToolOffer::default() }
    }

    #[test]
    fn odd_doubled_and_surplus_tools_are_left_out_and_named() {
        let mut tools = vec![tool("read"), tool("READ"), tool("a b"), tool("x\u{202e}y")];
        let mut large = tool("large");
        large.input_schema.insert("description".to_owned(), "x".repeat(limits::SCHEMA_BYTES).into());
        tools.push(large);
        tools.extend((0..limits::TOOLS).map(|n| tool(&format!("t{n}"))));
        let listed = sift(tools, &mut Pins::default());
        assert_eq!(listed.tools.len(), limits::TOOLS);
        let why: Vec<(&str, &str)> = listed.withheld.iter().map(|w| (w.tool.as_str(), w.why)).collect();
        assert_eq!(
            why,
            [
                ("READ", "is there twice"),
                ("a b", "is no plain name"),
                ("x\\u{202e}y", "is no plain name"),
                ("large", "has a schema over the limit"),
                ("t255", "is one too many"),
            ]
        );
    }

    #[test]
    fn hidden_characters_of_descriptions_are_shown() {
        let mut hidden = tool("add");
        hidden.description = Some("adds\u{200b}\u{202e}".to_owned());
        hidden.input_schema =
            json!({"properties": {"a": {"description": "x\u{e0041}"}}}).as_object().cloned().unwrap();
        let listed = sift(vec![hidden], &mut Pins::default());
        let tool = &listed.tools[0];
        assert_eq!(tool.description.as_deref(), Some("adds\\u{200b}\\u{202e}"));
        assert_eq!(tool.input_schema["properties"]["a"]["description"], "x\\u{e0041}");
    }

    #[test]
    fn a_long_result_is_cut_with_a_remark() {
        let long = "x".repeat(limits::RESULT_CHARS);
        let content = vec![
            text_block("12345"),
            json!({"type": "resource", "resource": {"uri": "a:b", "text": long}}),
            text_block("nothing is left for this"),
        ];
        let structured = Some(json!({"all": long}));
        let cut = cut(Reply { content, structured, ..Reply::default() });
        assert_eq!(cut.content[1]["resource"]["text"].as_str().unwrap().len(), limits::RESULT_CHARS - 5);
        assert_eq!(cut.content[2]["text"], "");
        assert!(cut.content[3]["text"].as_str().unwrap().contains("left out"));
        assert_eq!(cut.structured, None);
    }
}
