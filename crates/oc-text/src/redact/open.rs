//! Whether a credential may go on after the end of a text: for what is shown line by line while it grows.

use std::sync::LazyLock;

use regex::Regex;

use super::{Redactor, compile, defaults};

/// What stands before a value: the names of all built-in patterns.
const BEFORE: [&str; 8] =
    ["key", "token", "secret", "password", "passwd", "authorization", "bearer", "basic"];

/// Where a private key begins.
static BEGIN: LazyLock<Option<Regex>> = LazyLock::new(|| compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----").ok());
/// A whole private key.
static WHOLE: LazyLock<Option<Regex>> = LazyLock::new(|| compile(defaults::PRIVATE_KEY).ok());

impl Redactor {
    /// Whether what follows these whole lines may belong to a credential in them, so that they cannot be masked by themselves. Says so too
    /// often rather than too rarely: after each quote and separator, inside each text in quotes, and always with patterns of the
    /// configuration, of which nothing is known.
    #[must_use]
    pub fn may_go_on(&self, lines: &str) -> bool {
        let last = lines.trim_end();
        if last.is_empty() {
            return false;
        }
        // Built-in patterns alone are settled.
        if !self.settled || last.ends_with([':', '=', '\\', '"', '\'']) {
            return true;
        }
        // Patterns take both characters for letters of ASCII.
        let letter = |c: char| match c {
            'ſ' => 's',
            '\u{212a}' => 'k',
            c => c.to_ascii_lowercase(),
        };
        let end: Vec<char> = last.chars().rev().take(16).collect();
        let end: String = end.into_iter().rev().map(letter).collect();
        let word = last.rsplit(char::is_whitespace).next().unwrap_or_default();
        BEFORE.iter().any(|name| end.ends_with(name))
            || word.starts_with("--")
            || last.matches('"').count() % 2 == 1
            || value_is_open(last)
            || private_key_is_open(last)
    }
}

/// Whether a member of JSON has a value that does not end, however many quotes stand before it.
fn value_is_open(text: &str) -> bool {
    let Some((before, _)) = text.rsplit_once('"') else { return false };
    before.trim_end_matches('\\').trim_end().ends_with(':')
}

/// Whether a private key has begun and not ended.
fn private_key_is_open(text: &str) -> bool {
    if !text.contains("-----") {
        return false;
    }
    let (Some(begin), Some(whole)) = (&*BEGIN, &*WHOLE) else { return true };
    let ended = whole.find_iter(text).last().map_or(0, |found| found.end());
    text.get(ended..).is_none_or(|rest| begin.is_match(rest))
}
