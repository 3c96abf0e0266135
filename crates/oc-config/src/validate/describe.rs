//! Kinds and values in words.

use oc_types::tree::number_text;
use oc_types::{Node, Value};

use crate::Reading;
use crate::schema::kind::{Form, Kind, MOST};

/// Longest value shown, in characters.
const SHOWN: usize = 60;

/// What a kind takes, as it follows "write": `true or false`, `a whole number from 1 to 65535`, `off, on or auto`.
pub(super) fn expected(kind: &Kind, reading: Reading) -> String {
    match kind {
        Kind::Any => "any value".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::Is(b) => b.to_string(),
        Kind::Text => "text".to_owned(),
        Kind::Filled => "text that is not empty".to_owned(),
        Kind::Form(form) => form.described().to_owned(),
        Kind::Secret if reading == Reading::Product => {
            "text, or a reference such as { file: \"/path\" }".to_owned()
        }
        Kind::Secret => "text".to_owned(),
        Kind::Number(min, max) => format!("a number{}", range(*min, *max)),
        Kind::Above(min) => format!("a number above {}", number_text(*min)),
        Kind::Integer(min, max) => format!("a whole number{}", range(*min, *max)),
        Kind::Port => "a port from 1 to 65535".to_owned(),
        Kind::Word(words) | Kind::ProductWord(words) => alternatives(words),
        Kind::List(of) => match **of {
            Kind::Text | Kind::Filled | Kind::Form(_) => "a list of texts".to_owned(),
            Kind::Either(_) => "a list of texts or numbers".to_owned(),
            Kind::Object(_) | Kind::Joined(_) | Kind::Loose(_) | Kind::Open(_) => {
                "a list of objects".to_owned()
            }
            _ => "a list".to_owned(),
        },
        Kind::Map(_)
        | Kind::Object(_)
        | Kind::Joined(_)
        | Kind::Loose(_)
        | Kind::Open(_)
        | Kind::Entries(..) => "an object".to_owned(),
        Kind::Either(of) => {
            let words = words(kind, reading);
            let mut parts: Vec<String> = of
                .iter()
                .filter(|k| !matches!(k, Kind::Word(_) | Kind::ProductWord(_)))
                .map(|k| expected(k, reading))
                .collect();
            if !words.is_empty() {
                parts.push(alternatives(&words));
            }
            parts.join(" or ")
        }
    }
}

/// What is wrong with a value, and what to do about it.
pub(super) fn found(node: &Node, kind: &Kind, reading: Reading, secret: bool) -> (String, String) {
    let words = words(kind, reading);
    let write = || format!("write {}", expected(kind, reading));
    match &node.value {
        Value::String(s) if !words.is_empty() => {
            let message = format!("{} is not known here", shown(s, secret));
            let fix = match oc_text::distance::nearest(s, words.iter().copied()) {
                Some(near) => format!("perhaps \"{near}\"; it takes {}", expected(kind, reading)),
                None => write(),
            };
            (message, fix)
        }
        Value::String(s) if s.is_empty() => ("the text is empty".to_owned(), write()),
        Value::String(s) if takes_text(kind) => (format!("{} does not fit", shown(s, secret)), write()),
        Value::Number(n) if takes_number(kind) && !secret => {
            (format!("{} is out of range", number_text(*n)), write())
        }
        Value::Null => (
            "null is no value for this key".to_owned(),
            format!("remove the key, or write {}", expected(kind, reading)),
        ),
        value => (format!("found {}", with_article(value.type_name())), write()),
    }
}

/// Every word that a kind takes.
pub(super) fn words(kind: &Kind, reading: Reading) -> Vec<&'static str> {
    match kind {
        Kind::Word(words) => words.to_vec(),
        Kind::ProductWord(words) if reading == Reading::Product => words.to_vec(),
        Kind::Either(of) => of.iter().flat_map(|k| words(k, reading)).collect(),
        _ => Vec::new(),
    }
}

/// A value in quotes, safe for a terminal and cut; a credential as its kind only.
pub(super) fn shown(text: &str, secret: bool) -> String {
    if secret { "this text".to_owned() } else { format!("\"{}\"", oc_text::visible::visible(text, SHOWN)) }
}

fn takes_text(kind: &Kind) -> bool {
    match kind {
        Kind::Filled | Kind::Form(_) => true,
        Kind::Either(of) => of.iter().any(takes_text),
        _ => false,
    }
}

fn takes_number(kind: &Kind) -> bool {
    match kind {
        Kind::Number(..) | Kind::Above(_) | Kind::Integer(..) | Kind::Port => true,
        Kind::Either(of) => of.iter().any(takes_number),
        _ => false,
    }
}

fn alternatives(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => format!("\"{one}\""),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn range(min: f64, max: f64) -> String {
    let open_below = min <= -MOST;
    let open_above = max >= MOST;
    match (open_below, open_above) {
        (true, true) => String::new(),
        (false, true) => format!(", at least {}", number_text(min)),
        (true, false) => format!(", at most {}", number_text(max)),
        (false, false) => format!(" from {} to {}", number_text(min), number_text(max)),
    }
}

fn with_article(word: &str) -> String {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { format!("an {word}") } else { format!("a {word}") }
}

impl Form {
    /// The form in words.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::HexColor => "a colour such as #ff4500",
            Self::E164 => "a phone number such as +15550001111",
            Self::HttpUrl => "an http:// or https:// address",
            Self::ProfileName => "a name of lower-case letters, digits and dashes",
            Self::Span => "a time span such as 30m or 1h",
            Self::CommandName => "a command name: 1 to 32 letters, digits and underscores",
        }
    }

    /// Whether a text has the form.
    pub(crate) fn accepts(self, text: &str) -> bool {
        match self {
            Self::HexColor => {
                let hex = text.strip_prefix('#').unwrap_or(text);
                hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit())
            }
            Self::E164 => text.strip_prefix('+').is_some_and(|d| {
                (2..=15).contains(&d.len()) && !d.starts_with('0') && d.bytes().all(|b| b.is_ascii_digit())
            }),
            Self::HttpUrl => {
                let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
                rest.is_some_and(|r| !r.is_empty() && !r.contains(char::is_whitespace))
            }
            Self::ProfileName => {
                text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                    && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            }
            Self::Span => span(text),
            Self::CommandName => {
                let name = text.trim();
                let name = name.strip_prefix('/').unwrap_or(name);
                (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            }
        }
    }
}

fn span(text: &str) -> bool {
    crate::span::millis(text, 1).is_some()
}
