//! How the neighbours of a new key are written, and new values written alike.

use jsonc_parser::ast::{Object, ObjectProp, ObjectPropName, Value};
use jsonc_parser::common::Ranged;
use serde_json::Value as Json;

use super::splice::{has_break, indent_before};

/// Widest list that stays on one line, in characters.
const INLINE: usize = 72;

/// How a text is written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    /// The quote around keys; `None` when keys that need none have none.
    pub(super) key_quote: Option<char>,
    /// The quote around texts.
    pub(super) quote: char,
    /// What stands between key and value.
    pub(super) colon: String,
    /// One step of indentation.
    pub(super) unit: String,
    /// The line break.
    pub(super) newline: &'static str,
    /// Whether the last member has a comma.
    pub(super) trailing: bool,
    /// What follows a comma on one line.
    pub(super) gap: &'static str,
}

impl Style {
    /// The style around an object: from its own members, else from those of the whole text.
    pub(super) fn around(text: &str, root: &Object<'_>, near: Option<&Object<'_>>) -> Self {
        let members: Vec<&ObjectProp<'_>> =
            near.into_iter().chain([root]).flat_map(|o| o.properties.iter().rev()).collect();
        let first = members.first().copied();
        let mut strings = Vec::new();
        members.iter().for_each(|p| quotes(text, &p.value, &mut strings));
        let key_quote = first.and_then(|p| match &p.name {
            ObjectPropName::String(s) => char_at(text, s.range.start),
            ObjectPropName::Word(_) => None,
        });
        let fallback = match first {
            // A text without any string and with bare keys: double quotes are right everywhere.
            Some(_) | None => key_quote.unwrap_or('"'),
        };
        let colon = first
            .and_then(|p| text.get(p.name.range().end..p.value.range().start))
            .filter(|t| t.trim() == ":" && !t.contains(['\n', '\r']))
            .unwrap_or(": ");
        let unit = root
            .properties
            .iter()
            .find_map(|p| indent_before(text, p.name.range().start).filter(|i| !i.is_empty()))
            .filter(|_| has_break(text, root.range.start..root.range.end))
            .unwrap_or("  ");
        Self {
            key_quote,
            quote: strings.first().copied().unwrap_or(fallback),
            colon: colon.to_owned(),
            unit: unit.to_owned(),
            newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
            trailing: first.is_some_and(|_| trailing_commas(text, root)),
            gap: if colon == ":" { "" } else { " " },
        }
    }

    /// A key.
    pub(super) fn key(&self, key: &str) -> String {
        match self.key_quote {
            None if is_identifier(key) => key.to_owned(),
            quote => quoted(key, quote.unwrap_or(self.quote)),
        }
    }

    /// A value that starts on a line with this indentation; `None` means that everything stays on one line.
    pub(super) fn value(&self, value: &Json, indent: Option<&str>) -> String {
        match value {
            Json::Null => "null".to_owned(),
            Json::Bool(b) => b.to_string(),
            Json::Number(n) => n.to_string(),
            Json::String(s) => quoted(s, self.quote),
            Json::Array(items) if items.is_empty() => "[]".to_owned(),
            Json::Object(members) if members.is_empty() => "{}".to_owned(),
            Json::Array(items) => {
                let plain = items.iter().all(|i| !matches!(i, Json::Array(_) | Json::Object(_)));
                let inline = || {
                    let parts: Vec<String> = items.iter().map(|i| self.value(i, None)).collect();
                    format!("[{}]", parts.join(&format!(",{}", self.gap)))
                };
                match indent {
                    None => inline(),
                    Some(_) if plain && inline().chars().count() <= INLINE => inline(),
                    Some(indent) => {
                        self.block('[', ']', indent, items.iter().map(|i| (String::new(), i)).collect())
                    }
                }
            }
            Json::Object(members) => match indent {
                None => {
                    let parts: Vec<String> = members
                        .iter()
                        .map(|(k, v)| format!("{}{}{}", self.key(k), self.colon, self.value(v, None)))
                        .collect();
                    format!("{{{0}{1}{0}}}", self.gap, parts.join(&format!(",{}", self.gap)))
                }
                Some(indent) => {
                    let parts =
                        members.iter().map(|(k, v)| (format!("{}{}", self.key(k), self.colon), v)).collect();
                    self.block('{', '}', indent, parts)
                }
            },
        }
    }

    fn block(&self, open: char, close: char, indent: &str, parts: Vec<(String, &Json)>) -> String {
        let inner = format!("{indent}{}", self.unit);
        let count = parts.len();
        let mut out = String::from(open);
        for (i, (key, value)) in parts.into_iter().enumerate() {
            out.push_str(self.newline);
            out.push_str(&inner);
            out.push_str(&key);
            out.push_str(&self.value(value, Some(&inner)));
            if self.trailing || i + 1 < count {
                out.push(',');
            }
        }
        out.push_str(self.newline);
        out.push_str(indent);
        out.push(close);
        out
    }
}

/// Whether the last member of the outermost object with members on several lines has a comma.
fn trailing_commas(text: &str, root: &Object<'_>) -> bool {
    root.properties
        .last()
        .is_some_and(|p| super::splice::comma_after(text, p.range.end).is_some_and(|c| c < root.range.end))
}

fn quotes(text: &str, value: &Value<'_>, out: &mut Vec<char>) {
    match value {
        Value::StringLit(s) => out.extend(char_at(text, s.range.start)),
        Value::Object(o) => o.properties.iter().for_each(|p| quotes(text, &p.value, out)),
        Value::Array(a) => a.elements.iter().for_each(|e| quotes(text, e, out)),
        Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
    }
}

fn char_at(text: &str, at: usize) -> Option<char> {
    text.get(at..)?.chars().next().filter(|c| matches!(c, '"' | '\''))
}

fn is_identifier(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}

/// A text in quotes, readable by every JSON5 (and, with double quotes, JSON) reader.
pub(super) fn quoted(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if !oc_text::visible::is_plain(c) => {
                let mut units = [0u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}
