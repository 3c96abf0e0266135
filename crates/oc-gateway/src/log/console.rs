//! The log for people.

use serde_json::{Map, Value};

use super::event::Safe;
use super::settings::Level;

/// How the console looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// Time, subsystem, message; in colour on a terminal.
    Pretty,
    /// The same without date.
    Compact,
    /// One JSON object a line.
    Json,
}

impl Style {
    /// Reads the word of the configuration; another one is `None`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "pretty" => Some(Self::Pretty),
            "compact" => Some(Self::Compact),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A subsystem for people: without a leading `gateway/` or `channels/`, the last two parts.
#[must_use]
pub fn short_subsystem(name: &str) -> &str {
    let name = ["gateway/", "channels/"].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name);
    match name.rmatch_indices('/').nth(1) {
        Some((at, slash)) => name.get(at + slash.len()..).unwrap_or(name),
        None => name,
    }
}

/// The line, without line feed.
pub(super) fn line(event: &Safe, style: Style, colour: bool, time: &str) -> String {
    let subsystem = short_subsystem(&event.subsystem);
    match style {
        Style::Json => {
            let mut out = Map::new();
            for (key, value) in [
                ("time", time),
                ("level", event.level.word()),
                ("subsystem", subsystem),
                ("message", event.message.as_str()),
            ] {
                out.insert(key.to_owned(), value.into());
            }
            for (key, value) in &event.fields {
                out.entry(*key).or_insert_with(|| value.clone());
            }
            Value::Object(out).to_string()
        }
        Style::Pretty | Style::Compact => {
            let time = match style {
                Style::Compact => time.split(['T', '.']).nth(1).unwrap_or(time),
                Style::Pretty | Style::Json => time,
            };
            let mut out = painted(event.level, subsystem, colour);
            out = format!("{time} {out} {}{}", mark(event.level), event.message);
            for (key, value) in &event.fields {
                out.push(' ');
                out.push_str(key);
                out.push('=');
                match value {
                    Value::String(s) if !s.is_empty() && !s.contains([' ', '"', '=']) => out.push_str(s),
                    other => out.push_str(&other.to_string()),
                }
            }
            out
        }
    }
}

/// `[subsystem]`, coloured by level.
fn painted(level: Level, subsystem: &str, colour: bool) -> String {
    if !colour {
        return format!("[{subsystem}]");
    }
    let code = match level {
        Level::Fatal | Level::Error => 31,
        Level::Warn => 33,
        Level::Silent | Level::Info => 36,
        Level::Debug | Level::Trace => 90,
    };
    format!("\u{1b}[{code}m[{subsystem}]\u{1b}[0m")
}

/// What stands before a message that should be looked at.
fn mark(level: Level) -> &'static str {
    match level {
        Level::Fatal => "fatal: ",
        Level::Error => "error: ",
        Level::Warn => "warning: ",
        Level::Silent | Level::Info | Level::Debug | Level::Trace => "",
    }
}
