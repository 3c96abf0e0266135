//! Lines for people: a label, its value, 80 columns. What comes from a gateway is shown with its control characters visible.

use oc_text::visible;
use serde_json::Value;

/// Columns of a line.
pub const WIDTH: usize = 80;
/// Longest value that is shown, in characters.
const CAP: usize = 1000;

/// A report that grows line by line.
pub struct Sheet<'f> {
    text: String,
    label_width: usize,
    filter: Option<&'f dyn Fn(&str) -> String>,
}

impl<'f> Sheet<'f> {
    /// Labels take this many columns.
    pub fn new(label_width: usize) -> Self {
        Self { text: String::new(), label_width, filter: None }
    }

    /// With a filter for every value, heading and line, before it is folded.
    pub fn filtered(self, filter: &'f dyn Fn(&str) -> String) -> Self {
        Self { filter: Some(filter), ..self }
    }

    fn clean(&self, text: &str) -> String {
        self.filter.map_or_else(|| text.to_owned(), |f| f(text))
    }

    /// A heading, with an empty line before it.
    pub fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(text);
    }

    /// A line as it is.
    pub fn line(&mut self, text: &str) {
        let text = self.clean(text);
        self.text.push_str(&text);
        self.text.push('\n');
    }

    /// A label and its value, folded between words.
    pub fn row(&mut self, label: &str, value: &str) {
        let indent = self.label_width + 4;
        let value = visible(&self.clean(value), CAP);
        let mut label = label;
        for part in folded(&value, WIDTH.saturating_sub(indent)) {
            let line = format!("  {label:<width$}  {part}", width = self.label_width);
            self.line(line.trim_end());
            label = "";
        }
    }

    /// [`Sheet::row`] when there is a value.
    pub fn some(&mut self, label: &str, value: Option<String>) {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            self.row(label, &value);
        }
    }

    /// The text.
    pub fn text(self) -> String {
        self.text
    }
}

/// Breaks a text between words; a word that is too long is cut.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        while let Some(line) = lines.last_mut() {
            let used = line.chars().count();
            let gap = usize::from(used > 0);
            if used + gap + word.len() <= width {
                if gap == 1 {
                    line.push(' ');
                }
                line.extend(word);
                break;
            }
            if used > 0 {
                lines.push(String::new());
                continue;
            }
            let rest = word.split_off(width.min(word.len()));
            line.extend(word);
            word = rest;
            lines.push(String::new());
        }
    }
    lines
}

/// A member that is a text and not empty.
pub fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str).filter(|s| !s.is_empty())
}

/// A member that is a list.
pub fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A member that is a list of texts, joined.
pub fn joined(value: &Value, name: &str) -> Option<String> {
    let all: Vec<&str> = list(value, name).iter().filter_map(Value::as_str).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// A member that is a time, as its age.
pub fn age(value: &Value, name: &str, now_ms: u64) -> Option<String> {
    Some(ago(now_ms.saturating_sub(value.get(name)?.as_u64()?)))
}

/// An age in words.
pub fn ago(ms: u64) -> String {
    let minutes = ms / 60_000;
    match (minutes / 1440, minutes / 60, minutes) {
        (0, 0, 0) => "just now".to_owned(),
        (0, 0, m) => format!("{m} min ago"),
        (0, h, _) => format!("{h} h ago"),
        (d, _, _) => format!("{d} d ago"),
    }
}

/// The clock, in milliseconds since 1970.
pub fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fold_at_eighty_columns_and_show_control_characters() {
        let mut sheet = Sheet::new(6);
        sheet.row("Short", "value");
        sheet.row("Long", &"word ".repeat(40));
        sheet.row("Path", &"/x".repeat(100));
        sheet.row("Odd", "a\u{1b}[31mb");
        let text = sheet.text();
        assert!(text.lines().all(|l| l.chars().count() <= WIDTH), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert_eq!(text.lines().filter(|l| l.trim_start().starts_with("word")).count(), 2);
    }

    #[test]
    fn ages_in_words() {
        for (ms, want) in
            [(0, "just now"), (61_000, "1 min ago"), (7_200_000, "2 h ago"), (200_000_000, "2 d ago")]
        {
            assert_eq!(ago(ms), want);
        }
    }
}
