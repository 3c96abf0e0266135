//! The head of a `SKILL.md`: the part of YAML that skills use, read strictly.
//!
//! Nested mappings, lists, texts (plain, quoted, block) and flow values in JSON5 form. Anchors, tags, quoted keys, repeated keys and tabs
//! as indentation are refused: a head that two readers could take differently is not guessed at.

use oc_config::Format;
use oc_config::document::{self, Frame};
use serde_json::{Map, Value};
use thiserror::Error;

mod lines;
#[cfg(test)]
mod tests;

use lines::{Line, Lines};

/// Largest head, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// Deepest nesting.
pub const MAX_DEPTH: usize = 12;
/// Longest key, in bytes.
const MAX_KEY: usize = 100;

/// Why there is no head to read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// The text does not start with a line `---`, or no second one follows.
    #[error("there is no front matter between two lines `---`")]
    Missing,
    /// It is longer than [`MAX_BYTES`].
    #[error("the front matter is longer than {} KiB", MAX_BYTES / 1024)]
    TooLong,
    /// A line is not understood.
    #[error("line {line}: {why}")]
    Line {
        /// The line of the file, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Reads the head of a `SKILL.md`.
///
/// # Errors
/// See [`Unreadable`]. Nothing of a head that has one bad line is used.
pub fn read(text: &str) -> Result<Map<String, Value>, Unreadable> {
    let text = text.trim_start_matches('\u{feff}');
    let mut all = text.lines();
    if all.next().map(str::trim_end) != Some("---") {
        return Err(Unreadable::Missing);
    }
    let mut head = Vec::new();
    let mut bytes = 0_usize;
    loop {
        let line = all.next().ok_or(Unreadable::Missing)?.trim_end();
        if line == "---" {
            break;
        }
        bytes = bytes.saturating_add(line.len()).saturating_add(1);
        if bytes > MAX_BYTES {
            return Err(Unreadable::TooLong);
        }
        head.push(line);
    }
    let mut lines = Lines::new(&head);
    let map = mapping(&mut lines, 0, 0)?;
    match lines.peek()? {
        None => Ok(map),
        Some(line) => Err(line.wrong("it is indented more than the line above it allows")),
    }
}

fn mapping(lines: &mut Lines<'_>, indent: usize, depth: usize) -> Result<Map<String, Value>, Unreadable> {
    let mut out = Map::new();
    while let Some(line) = lines.peek()? {
        if line.indent < indent {
            break;
        }
        if line.indent > indent {
            return Err(line.wrong("it is indented more than the line above it allows"));
        }
        if depth >= MAX_DEPTH {
            return Err(line.wrong("it is nested too deeply"));
        }
        lines.take();
        let (key, rest) = key_of(&line)?;
        if out.contains_key(key) {
            return Err(line.wrong("the key stands here a second time"));
        }
        let value = value(lines, &line, rest, indent, depth)?;
        out.insert(key.to_owned(), value);
    }
    Ok(out)
}

/// `key: rest`, with a key that is a plain word.
fn key_of<'l>(line: &Line<'l>) -> Result<(&'l str, &'l str), Unreadable> {
    let (key, rest) = line.text.split_once(':').ok_or_else(|| line.wrong("there is no `key:`"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let key = key.trim_end();
    if key.is_empty() || key.len() > MAX_KEY || !key.chars().all(plain) || key == "__proto__" {
        return Err(line.wrong("the key is not a plain word of letters, digits, `_`, `-` and `.`"));
    }
    if !rest.is_empty() && !rest.starts_with(' ') {
        return Err(line.wrong("there is no blank after the colon"));
    }
    Ok((key, rest.trim()))
}

/// The value of the line that was taken last, `rest` after its key or dash. What belongs to it is indented more than `indent`.
fn value(
    lines: &mut Lines<'_>,
    line: &Line<'_>,
    rest: &str,
    indent: usize,
    depth: usize,
) -> Result<Value, Unreadable> {
    match rest.chars().next() {
        None | Some('#') => below(lines, indent, depth),
        Some(mark @ ('|' | '>')) => {
            let known = rest.trim_start_matches(['|', '>']).chars().all(|c| "+-".contains(c));
            if !known {
                return Err(line.wrong("the block's mark is not understood"));
            }
            let raw = lines.take_block(indent);
            Ok(Value::String(if mark == '|' { raw.join("\n") } else { folded(&raw) }))
        }
        Some('{' | '[') => flow(lines, line, rest, indent),
        Some('"' | '\'') => quoted(line, rest).map(Value::String),
        Some('&' | '*' | '!' | '@' | '`' | '%') => {
            Err(line.wrong("anchors, references and tags are not read"))
        }
        Some(_) => {
            let mut text = without_comment(rest).to_owned();
            // A plain text may go on in lines that are indented more.
            while let Some(next) = lines.peek()?.filter(|l| l.indent > indent) {
                if key_of(&next).is_ok() {
                    return Err(next.wrong("it is indented more than the line above it allows"));
                }
                lines.take();
                text.push(' ');
                text.push_str(without_comment(next.text));
            }
            Ok(plain(&text))
        }
    }
}

/// What stands below a key without a value on its own line.
fn below(lines: &mut Lines<'_>, indent: usize, depth: usize) -> Result<Value, Unreadable> {
    let Some(line) = lines.peek()? else { return Ok(Value::Null) };
    let item = is_item(line.text);
    // A list may stand at the indentation of its key.
    if line.indent < indent || line.indent == indent && !item {
        return Ok(Value::Null);
    }
    if item {
        return list(lines, line.indent, depth.saturating_add(1)).map(Value::Array);
    }
    if line.text.starts_with(['{', '[']) {
        lines.take();
        return flow(lines, &line, line.text, indent);
    }
    if key_of(&line).is_ok() {
        return mapping(lines, line.indent, depth.saturating_add(1)).map(Value::Object);
    }
    lines.take();
    value(lines, &line, line.text, indent, depth)
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

fn list(lines: &mut Lines<'_>, indent: usize, depth: usize) -> Result<Vec<Value>, Unreadable> {
    let mut out = Vec::new();
    while let Some(line) = lines.peek()?.filter(|l| l.indent == indent && is_item(l.text)) {
        if depth >= MAX_DEPTH {
            return Err(line.wrong("it is nested too deeply"));
        }
        let rest = line.text.trim_start_matches('-').trim_start();
        let inner = Line { indent: indent + (line.text.len() - rest.len()), text: rest, number: line.number };
        if !rest.starts_with(['"', '\'', '{', '[']) && key_of(&inner).is_ok() {
            lines.replace(inner);
            out.push(Value::Object(mapping(lines, inner.indent, depth.saturating_add(1))?));
        } else {
            lines.take();
            out.push(value(lines, &line, rest, indent, depth)?);
        }
    }
    Ok(out)
}

/// A flow value: JSON5, on this line and the ones below it that are indented more, or a list of plain words on one line.
fn flow(lines: &mut Lines<'_>, line: &Line<'_>, first: &str, indent: usize) -> Result<Value, Unreadable> {
    let mut text = first.to_owned();
    let more = lines.take_block(indent);
    for part in &more {
        text.push('\n');
        text.push_str(part);
    }
    // Behind a flow value may stand one comma in the wild.
    let text = text.trim().trim_end_matches(',');
    match document::parse(&Frame::root("SKILL.md"), text.as_bytes(), Format::Json5) {
        Ok(document) => Ok(document.node.to_json()),
        Err(_) => {
            words(text).ok_or_else(|| line.wrong("the value is neither JSON5 nor a list of plain words"))
        }
    }
}

/// `[a, b]`.
fn words(text: &str) -> Option<Value> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    if inner.contains(['[', ']', '{', '}', '"', '\'', '\n', '#', ':']) {
        return None;
    }
    let parts = inner.split(',').map(str::trim);
    parts.map(|p| (!p.is_empty()).then(|| plain(p))).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn quoted(line: &Line<'_>, text: &str) -> Result<String, Unreadable> {
    let wrong = || line.wrong("the quoted text does not end on its line");
    let mut chars = text.chars();
    let quote = chars.next().ok_or_else(wrong)?;
    let mut out = String::new();
    loop {
        match chars.next().ok_or_else(wrong)? {
            c if c == quote => {
                if quote == '\'' && chars.as_str().starts_with('\'') {
                    chars.next();
                    out.push('\'');
                    continue;
                }
                let rest = chars.as_str().trim_start();
                if rest.is_empty() || rest.starts_with('#') {
                    return Ok(out);
                }
                return Err(line.wrong("something stands behind the quoted text"));
            }
            '\\' if quote == '"' => match chars.next() {
                Some(c @ ('"' | '\\' | '/')) => out.push(c),
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                _ => return Err(line.wrong("the escape in the quoted text is not read")),
            },
            c => out.push(c),
        }
    }
}

fn without_comment(text: &str) -> &str {
    text.split_once(" #").map_or(text, |(before, _)| before).trim_end()
}

/// A plain text; only the two truth values and `null` are something else.
fn plain(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" | "~" => Value::Null,
        _ => Value::String(text.to_owned()),
    }
}

/// Lines of a folded block: one text, an empty line is a line break.
fn folded(raw: &[String]) -> String {
    let mut out = String::new();
    for line in raw {
        if line.is_empty() {
            out.push('\n');
            continue;
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}
