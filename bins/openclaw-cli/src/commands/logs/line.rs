//! One line of the log: JSON with the parts of the message under `0`, `1`, ..., or anything.

use oc_text::{visible, visible_lines};
use serde_json::{Value, json};

use crate::sheet::text;

/// Longest line that is printed, in characters.
const CAP: usize = 20_000;

/// A line.
#[derive(Debug, PartialEq)]
pub enum Line {
    /// One that the gateway's log wrote.
    Log {
        /// RFC 3339.
        time: Option<String>,
        /// `info`, `warn`, ...
        level: Option<String>,
        /// The part of the gateway.
        subsystem: Option<String>,
        /// All parts, joined.
        message: String,
        /// The line itself.
        raw: String,
    },
    /// Something else.
    Raw(String),
}

impl Line {
    /// Reads a line.
    pub fn read(raw: &str) -> Self {
        let Ok(value) = serde_json::from_str::<Value>(raw) else { return Self::Raw(raw.to_owned()) };
        let Some(meta) = value.get("_meta").filter(|m| m.is_object()) else {
            return Self::Raw(raw.to_owned());
        };
        let parts: Vec<String> = (0..100)
            .map_while(|n| value.get(n.to_string()))
            .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
            .collect();
        let subsystem = parts
            .first()
            .and_then(|p| serde_json::from_str::<Value>(p).ok())
            .and_then(|v| text(&v, "subsystem").map(str::to_owned));
        let time = text(&value, "time").or_else(|| text(meta, "date")).map(str::to_owned);
        let level = text(meta, "logLevelName").map(str::to_lowercase);
        Self::Log { time, level, subsystem, message: parts.join(" "), raw: raw.to_owned() }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        match self {
            Self::Raw(raw) => json!({"type": "raw", "raw": raw}),
            Self::Log { time, level, subsystem, message, raw } => {
                let mut row = json!({"type": "log"});
                if let Some(members) = row.as_object_mut() {
                    let texts = [("time", time), ("level", level), ("subsystem", subsystem)];
                    members.extend(
                        texts.iter().filter_map(|(n, v)| Some(((*n).to_owned(), v.as_deref()?.into()))),
                    );
                    members.insert("message".to_owned(), message.as_str().into());
                    members.insert("raw".to_owned(), raw.as_str().into());
                }
                row
            }
        }
    }

    /// For people: time, level, part, message; what follows a line break is indented.
    pub fn text(&self) -> String {
        let Self::Log { time, level, subsystem, message, .. } = self else {
            let Self::Raw(raw) = self else { return String::new() };
            return format!("{}\n", visible(raw, CAP));
        };
        // The part of the gateway stands in the message again, as JSON.
        let message = match subsystem {
            Some(_) => message.split_once("} ").map_or(message.as_str(), |(_, rest)| rest),
            None => message,
        };
        let head: Vec<&str> = [time, level, subsystem].into_iter().flatten().map(String::as_str).collect();
        let head = visible(&head.join(" "), 200);
        let body = visible_lines(message, CAP).trim_end().replace('\n', "\n    ");
        format!("{head} {body}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_for_people_and_programs() {
        let logged = r#"{"0":"{\"subsystem\":\"gateway/ws\"}","1":"closed\u001b[31m","_meta":{"logLevelName":"WARN","date":"2026-01-01T00:00:00.000Z"},"time":"2026-01-01T00:00:01.000Z"}"#;
        let odd =
            r#"{"0":{"a":1},"1":"x\ny","_meta":{"logLevelName":"INFO","date":"2026-01-01T00:00:00.000Z"}}"#;
        let lines = [logged, odd, "no json \u{1b}[0m", "{\"a\":1}"].map(Line::read);
        let rows: Vec<String> = lines.iter().map(|l| format!("{}{}\n", l.text(), l.json())).collect();
        insta::assert_snapshot!(rows.join("\n"));
    }
}
