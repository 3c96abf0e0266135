//! What a line of a transcript says.

use serde_json::Value;

/// The messages of lines, in order; other lines and unreadable ones are left out.
pub(super) fn messages(lines: &[String]) -> impl DoubleEndedIterator<Item = Value> + '_ {
    lines.iter().filter_map(|line| match serde_json::from_str(line) {
        Ok(Value::Object(mut members)) => members.remove("message").filter(Value::is_object),
        _ => None,
    })
}

/// Who speaks: `user`, `assistant`, `tool`, `system`, `other`.
pub(super) fn role(message: &Value) -> &'static str {
    match message.get("role").and_then(Value::as_str) {
        Some("user") => "user",
        Some("assistant") => "assistant",
        Some("toolResult" | "tool" | "tool_result") => "tool",
        Some("system") => "system",
        _ => "other",
    }
}

/// The text of a message: a plain text, or its blocks of text, one a line. Tool calls alone are named.
pub(super) fn text(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(s)) => s.trim().to_owned(),
        Some(Value::Array(blocks)) => {
            let of = |kind: &str, name: &str| -> Vec<String> {
                let wanted = |b: &&Value| b.get("type").and_then(Value::as_str) == Some(kind);
                let said = |b: &Value| b.get(name).and_then(Value::as_str).map(|s| s.trim().to_owned());
                blocks.iter().filter(wanted).filter_map(said).filter(|s| !s.is_empty()).collect()
            };
            let said = of("text", "text");
            let called = of("toolCall", "name");
            if said.is_empty() && !called.is_empty() {
                return format!("call {}", called.join(", "));
            }
            said.join("\n")
        }
        _ => message.get("text").and_then(Value::as_str).unwrap_or_default().trim().to_owned(),
    }
}

/// A text of at most `most` characters; a longer one ends with `…`.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}
