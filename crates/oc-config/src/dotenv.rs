//! `.env` files: what a line sets, and what a file in the current directory may never set (audit spec 4.2, SP-057).

mod denied;

#[cfg(test)]
mod tests;

pub use denied::{Denied, denied};

/// One variable that a `.env` file sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The line its name stands in, from 1.
    pub line: u32,
}

/// Reads a `.env` text as the tools of the era do: `NAME=value`, optional `export`, `#` comments, values in `'`, `"` or `` ` `` (which
/// may span lines; `\n` and `\r` are line breaks inside `"` only). Lines that set nothing are skipped. Values are never expanded.
#[must_use]
pub fn parse(text: &str) -> Vec<Entry> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut entries = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let taken = match entry(rest) {
            Some((name, value, used)) => {
                entries.push(Entry { name: name.to_owned(), value, line });
                used
            }
            None => 0,
        };
        // A value over several lines ends inside a line; what follows it there is a comment or nothing.
        let tail = rest.get(taken..).unwrap_or("");
        let used = taken + tail.find('\n').map_or(tail.len(), |i| i + 1);
        let (seen, next) = rest.split_at_checked(used).unwrap_or((rest, ""));
        line += u32::try_from(seen.matches('\n').count()).unwrap_or(u32::MAX - line);
        rest = next;
    }
    entries
}

/// The text with another value for a variable, wherever it is set; everything else keeps its bytes. `None` when it is not set, or when the
/// value holds anything but letters, digits, `_`, `-` and `.` (which need no quotes in any reader).
#[must_use]
pub fn with_value(text: &str, name: &str, value: &str) -> Option<String> {
    if value.is_empty() || !value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')) {
        return None;
    }
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out = text.get(..text.len() - bare.len())?.to_owned();
    let mut found = false;
    let mut rest = bare;
    while !rest.is_empty() {
        let taken = match entry(rest) {
            Some((n, _, used)) => {
                if n == name {
                    found = true;
                    out.push_str(rest.get(..rest.find(name)?)?);
                    out.push_str(&format!("{name}={value}"));
                } else {
                    out.push_str(rest.get(..used)?);
                }
                used
            }
            None => 0,
        };
        let tail = rest.get(taken..)?;
        let end = tail.find('\n').map_or(tail.len(), |i| i + 1);
        out.push_str(tail.get(..end)?);
        rest = tail.get(end..)?;
    }
    found.then_some(out)
}

/// The variable that the first line of a text sets, its value, and how many bytes they take.
fn entry(text: &str) -> Option<(&str, String, usize)> {
    let line_end = text.find('\n').unwrap_or(text.len());
    let line = text.get(..line_end)?;
    let mut body = line.trim_start();
    if let Some(after) = body.strip_prefix("export")
        && after.starts_with([' ', '\t'])
    {
        body = after.trim_start();
    }
    let end = body.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')))?;
    let (name, after) = body.split_at_checked(end)?;
    if name.is_empty() {
        return None;
    }
    let value = match after.trim_start_matches([' ', '\t']).strip_prefix('=') {
        Some(value) => value,
        None => after.strip_prefix(':').filter(|v| v.starts_with([' ', '\t']))?,
    };
    let start = line_end - value.len();
    let from_value = text.get(start..)?;
    let blank = value.len() - value.trim_start_matches([' ', '\t']).len();
    let unspaced = from_value.get(blank..)?;
    if let Some(quote @ ('\'' | '"' | '`')) = unspaced.chars().next()
        && let Some((inner, used)) = quoted(unspaced, quote)
    {
        let value =
            if quote == '"' { inner.replace("\\n", "\n").replace("\\r", "\r") } else { inner.to_owned() };
        return Some((name, value, start + blank + used));
    }
    let plain = value.split('#').next().unwrap_or("").trim();
    Some((name, unquoted(plain).to_owned(), line_end))
}

/// The inside of a text that starts with a quote, and how many bytes it takes with both quotes. A backslash keeps the quote.
fn quoted(text: &str, quote: char) -> Option<(&str, usize)> {
    let inner = text.get(1..)?;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        if c == quote && !escaped {
            let after = inner.get(at + 1..)?;
            let tail = after.split('\n').next().unwrap_or("").trim_start();
            // Text right after the closing quote means that the quotes are part of a plain value.
            return (tail.is_empty() || tail.starts_with('#'))
                .then(|| (inner.get(..at).unwrap_or(""), at + 2));
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

fn unquoted(text: &str) -> &str {
    for quote in ['\'', '"', '`'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// The name that a `.env` file is recognised by.
pub const FILE_NAME: &str = ".env";
