//! Lines of the protocol: read into parts, and written so that no part can become another one.

use std::fmt::Write as _;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest line that is read, in bytes: tags and the rest.
const MAX_LINE: usize = 16 * 1024;

/// A line that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Tags before the prefix, unescaped.
    pub(super) tags: Vec<(String, String)>,
    /// Who sent it: `nick!user@host` or a server.
    pub(super) prefix: String,
    /// The command or three digits, upper case.
    pub(super) command: String,
    /// Its parameters.
    pub(super) params: Vec<String>,
}

impl Line {
    /// Reads a line without its end. `None`: it has no command.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut out = Self::default();
        let mut rest = text.trim_start_matches(' ');
        if let Some(tagged) = rest.strip_prefix('@') {
            let (tags, after) = tagged.split_once(' ')?;
            out.tags = tags
                .split(';')
                .map(|t| t.split_once('=').unwrap_or((t, "")))
                .map(|(k, v)| (k.to_owned(), untagged(v)))
                .collect();
            rest = after.trim_start_matches(' ');
        }
        if let Some(prefixed) = rest.strip_prefix(':') {
            let (prefix, after) = prefixed.split_once(' ')?;
            prefix.clone_into(&mut out.prefix);
            rest = after.trim_start_matches(' ');
        }
        let (command, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
        out.command = command.to_ascii_uppercase();
        while !rest.is_empty() {
            rest = rest.trim_start_matches(' ');
            if let Some(last) = rest.strip_prefix(':') {
                out.params.push(last.to_owned());
                break;
            }
            let (param, after) = rest.split_once(' ').unwrap_or((rest, ""));
            if !param.is_empty() {
                out.params.push(param.to_owned());
            }
            rest = after;
        }
        (!out.command.is_empty()).then_some(out)
    }

    /// A parameter, or nothing.
    pub(super) fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    /// The last parameter.
    pub(super) fn last(&self) -> &str {
        self.params.last().map_or("", String::as_str)
    }

    /// The value of a tag.
    pub(super) fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    /// The nick of the prefix.
    pub(super) fn nick(&self) -> &str {
        self.prefix.split(['!', '@']).next().unwrap_or_default()
    }
}

fn untagged(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(':') => out.push(';'),
                Some('s') => out.push(' '),
                Some('r') => out.push('\r'),
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// A line to be sent, without its end. The middle parameters hold nothing that could end them; the last may hold spaces.
pub(super) fn write(command: &str, middle: &[&str], last: Option<&str>) -> String {
    let mut out = command.to_owned();
    for part in middle {
        let _ = write!(out, " {}", kept(part).replace(' ', "_"));
    }
    if let Some(last) = last {
        let _ = write!(out, " :{}", kept(last));
    }
    out
}

/// Without what could end the line or begin a client command: every control character becomes a space.
pub(super) fn kept(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether a text can be one target of a message: a comma would make it several, a colon or space another parameter.
pub(super) fn is_target(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 200
        && !text.starts_with([':', '$'])
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || c == ',' || c == '\u{7}')
}

/// Whether a text is a nick.
pub(super) fn is_nick(text: &str) -> bool {
    let special = |c: char| "[]\\`_^{|}".contains(c);
    text.len() <= 64
        && text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || special(c))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || special(c) || c == '-')
}

/// Reads lines off a connection.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new() }
    }

    /// The next line that can be read; `Err` says why there is none. Can be given up and called again: nothing is lost.
    pub(super) async fn next(&mut self) -> Result<Line, String> {
        loop {
            if let Some(at) = self.buffer.iter().position(|b| *b == b'\n') {
                let rest = self.buffer.split_off(at.saturating_add(1));
                let whole = std::mem::replace(&mut self.buffer, rest);
                let text = String::from_utf8_lossy(&whole);
                if let Some(line) = Line::parse(text.trim_end_matches(['\r', '\n'])) {
                    return Ok(line);
                }
                continue;
            }
            if self.buffer.len() > MAX_LINE {
                return Err("it sent a line without an end".to_owned());
            }
            let mut piece = [0u8; 4096];
            match self.reader.read(&mut piece).await {
                Ok(0) => return Err("the connection was closed".to_owned()),
                Ok(n) => self.buffer.extend_from_slice(piece.get(..n).unwrap_or_default()),
                Err(e) => return Err(format!("the connection broke off: {e}")),
            }
        }
    }
}
