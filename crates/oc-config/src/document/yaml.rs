//! YAML is refused, with the JSON5 form of the text shown when it is of the simple kind: nested mappings, lists of scalars or of
//! such mappings, comments. Values under credential-like names are not repeated (SP-064).

use oc_text::redact::{Redactor, is_sensitive_name};
use oc_types::Position;

use super::Frame;
use super::plain::Plain;
use crate::Issue;

mod word;

use word::{is_item, key_text, scalar_or_list, split_key, without_comment, written_key};

/// Largest text whose JSON5 form is shown, in bytes; a longer message helps nobody.
const MAX_SHOWN: usize = 32 * 1024;
/// Deepest nesting whose JSON5 form is shown.
const MAX_LEVEL: usize = 32;
/// What stands in for a value that is not repeated.
const HIDDEN: &str = "\"...\", // the value from your file";

/// Whether a text is evidently a YAML mapping: its first line that says something is `key:` or `key: value` without brackets.
pub(super) fn looks_like_mapping(text: &str) -> bool {
    let first = text
        .lines()
        .map(str::trim)
        .find(|l| !l.is_empty() && !l.starts_with('#') && !l.starts_with("---") && !l.starts_with('%'));
    first.is_some_and(|line| {
        let body = without_comment(line).0;
        let plain_start = body.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        plain_start
            && split_key(body)
                .is_some_and(|(_, v)| !v.starts_with(['{', '[']) && !v.ends_with([',', '{', '[']))
    })
}

/// The answer to YAML text.
pub(super) fn refusal(frame: &Frame, text: &str) -> Issue {
    let message = "the text is YAML, which is not read";
    let fix = if text.len() <= MAX_SHOWN
        && super::depth::scan(text).is_fine()
        && json5::from_str::<Plain>(text).is_ok()
    {
        return frame.issue(
            None,
            "the file is named YAML, which is not read",
            "its text is JSON5 already: rename it to openclaw.json",
        );
    } else {
        match json5_form(text) {
            Some(form) => format!("write it as JSON5 (openclaw.json):\n{form}"),
            None => "write it as JSON5 (openclaw.json): `{ key: value }` instead of indentation".to_owned(),
        }
    };
    frame.issue(Some(Position::START), message, fix)
}

/// A line: its indentation, its text without comment, its comment.
struct Line<'a> {
    indent: usize,
    text: &'a str,
    comment: Option<&'a str>,
}

/// The JSON5 form of a text, `None` when it uses more of YAML than is known here.
fn json5_form(text: &str) -> Option<String> {
    if text.len() > MAX_SHOWN {
        return None;
    }
    let mut lines = Vec::new();
    for raw in text.lines() {
        let raw = raw.trim_end();
        if raw == "---" && lines.is_empty() {
            continue;
        }
        let body = raw.trim_start_matches(' ');
        if body.starts_with(['\t', '%']) || raw.starts_with("---") || raw.starts_with("...") {
            return None;
        }
        if body.is_empty() {
            continue;
        }
        if body.contains(super::lines::ends_line) {
            // What ends a line in JSON5 but not in YAML would end a comment too early.
            return None;
        }
        let (text, comment) = without_comment(body);
        lines.push(Line { indent: raw.len() - body.len(), text, comment });
    }
    let mut writer =
        Writer { lines: &lines, next: 0, out: String::from("{\n"), redactor: Redactor::standard() };
    let indent = writer.peek()?.indent;
    writer.mapping(indent, 1)?;
    writer.comments(1);
    if writer.next < lines.len() {
        return None;
    }
    writer.out.push('}');
    Some(writer.out)
}

struct Writer<'a> {
    lines: &'a [Line<'a>],
    next: usize,
    out: String,
    redactor: Redactor,
}

impl<'a> Writer<'a> {
    /// The next line that is not a comment alone.
    fn peek(&self) -> Option<&'a Line<'a>> {
        self.lines.get(self.next..)?.iter().find(|l| !l.text.is_empty())
    }

    /// Writes the comment lines that come next.
    fn comments(&mut self, level: usize) {
        while let Some(line) = self.lines.get(self.next).filter(|l| l.text.is_empty()) {
            self.next += 1;
            self.pad(level);
            self.comment(line.comment);
            self.out.push('\n');
        }
    }

    fn comment(&mut self, comment: Option<&str>) {
        if let Some(comment) = comment {
            self.out.push_str("// ");
            let shown = self.redactor.redact(comment.trim());
            self.out.push_str(&shown);
        }
    }

    fn pad(&mut self, level: usize) {
        self.out.extend(std::iter::repeat_n("  ", level));
    }

    /// The members of a mapping at an indentation, each on its lines.
    fn mapping(&mut self, indent: usize, level: usize) -> Option<()> {
        let mut seen = std::collections::HashSet::new();
        while let Some(line) = self.peek().filter(|l| l.indent == indent && !is_item(l.text)) {
            self.comments(level);
            self.next += 1;
            let key = self.member(line.text, line.comment, indent, level)?;
            if !seen.insert(key) {
                return None;
            }
        }
        self.peek().is_none_or(|l| l.indent <= indent).then_some(())
    }

    /// One member whose key line was just taken; gives back its key.
    fn member(&mut self, text: &str, comment: Option<&str>, indent: usize, level: usize) -> Option<String> {
        if level > MAX_LEVEL {
            return None;
        }
        let (key, value) = split_key(text)?;
        let key = key_text(key)?;
        self.pad(level);
        self.out.push_str(&written_key(&key));
        self.out.push_str(": ");
        if !value.is_empty() {
            let hide = is_sensitive_name(&key) && !value.contains("${");
            let value = scalar_or_list(value)?;
            self.out.push_str(if hide { HIDDEN } else { &value });
            self.end(comment, !hide);
            return Some(key);
        }
        if is_sensitive_name(&key) {
            return None;
        }
        match self.peek() {
            Some(next) if is_item(next.text) && next.indent >= indent => {
                let at = next.indent;
                self.open('[', comment);
                self.items(at, level + 1)?;
                self.pad(level);
                self.out.push_str("],\n");
            }
            Some(next) if next.indent > indent => {
                let at = next.indent;
                self.open('{', comment);
                self.mapping(at, level + 1)?;
                self.pad(level);
                self.out.push_str("},\n");
            }
            _ => {
                self.out.push_str("null");
                self.end(comment, true);
            }
        }
        Some(key)
    }

    /// The `- value` lines of a list.
    fn items(&mut self, indent: usize, level: usize) -> Option<()> {
        if level > MAX_LEVEL {
            return None;
        }
        while let Some(line) = self.peek().filter(|l| l.indent == indent && is_item(l.text)) {
            self.comments(level);
            self.next += 1;
            let rest = line.text.strip_prefix('-')?;
            let value = rest.trim_start();
            if split_key(value).is_some() {
                // A mapping that starts on the line of its dash: its other keys stand below its first one.
                let inner = line.indent + 1 + (rest.len() - value.len());
                self.pad(level);
                self.out.push_str("{\n");
                self.member(value, line.comment, inner, level + 1)?;
                self.mapping(inner, level + 1)?;
                self.pad(level);
                self.out.push_str("},\n");
                continue;
            }
            self.pad(level);
            let value = scalar_or_list(value)?;
            self.out.push_str(&value);
            self.end(line.comment, true);
        }
        self.peek().is_none_or(|l| l.indent <= indent).then_some(())
    }

    fn open(&mut self, bracket: char, comment: Option<&str>) {
        self.out.push(bracket);
        if comment.is_some() {
            self.out.push(' ');
            self.comment(comment);
        }
        self.out.push('\n');
    }

    fn end(&mut self, comment: Option<&str>, comma: bool) {
        if comma {
            self.out.push(',');
            if comment.is_some() {
                self.out.push(' ');
                self.comment(comment);
            }
        }
        self.out.push('\n');
    }
}
