//! The address of a value: `channels.telegram.groups["-1001"].allowFrom[0]`.

use serde::Serialize;
use thiserror::Error;

/// One step of a [`KeyPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A member of an object.
    Key(String),
    /// An element of a list, from 0.
    Index(usize),
}

/// The address of a value in the configuration. Written with dots, `[0]` for list elements and `["-1001"]` for keys that are not identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<Segment>);

/// Why a text is no key path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyPathError {
    /// Two dots in a row, a dot at an end, or empty brackets.
    #[error("key path {0:?} has an empty part")]
    EmptySegment(String),
    /// A bracket that is not closed, or text after a bracket.
    #[error("key path {0:?} has an unbalanced or misplaced bracket")]
    Bracket(String),
    /// `__proto__`, `prototype` or `constructor` (SP-056).
    #[error("key path {0:?} names a reserved word")]
    Reserved(String),
    /// Longer than 4096 bytes or deeper than 128 steps.
    #[error("key path is too long")]
    TooLong,
}

/// Longest accepted text of a key path, in bytes.
const MAX_BYTES: usize = 4096;
/// Most steps of a key path.
const MAX_DEPTH: usize = 128;

impl KeyPath {
    /// The root.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// A path of object keys.
    pub fn keys<I: IntoIterator<Item = S>, S: Into<String>>(keys: I) -> Self {
        Self(keys.into_iter().map(|k| Segment::Key(k.into())).collect())
    }

    /// A path from a literal such as `"gateway.auth.token"`: split at dots, nothing else is special. For paths known at compile time.
    #[must_use]
    pub fn dotted(text: &str) -> Self {
        Self::keys(text.split('.').filter(|s| !s.is_empty()))
    }

    /// Reads a path as a person writes it: dots, `[0]`, `["any text"]`, `['any text']`; also `.0` for a list element is kept as the key `0`.
    ///
    /// # Errors
    /// See [`KeyPathError`].
    pub fn parse(text: &str) -> Result<Self, KeyPathError> {
        if text.len() > MAX_BYTES {
            return Err(KeyPathError::TooLong);
        }
        let mut out = Vec::new();
        let mut chars = text.chars().peekable();
        let mut word = String::new();
        let mut need_word = true;
        let empty = || KeyPathError::EmptySegment(text.to_owned());
        let bracket = || KeyPathError::Bracket(text.to_owned());
        while let Some(c) = chars.next() {
            match c {
                '.' => {
                    if need_word && word.is_empty() {
                        return Err(empty());
                    }
                    if !word.is_empty() {
                        out.push(Segment::Key(std::mem::take(&mut word)));
                    }
                    need_word = true;
                }
                '[' => {
                    if !word.is_empty() {
                        out.push(Segment::Key(std::mem::take(&mut word)));
                    }
                    let quote = chars.next_if(|c| *c == '"' || *c == '\'');
                    let mut inner = String::new();
                    let mut closed = false;
                    while let Some(c) = chars.next() {
                        match (quote, c) {
                            (Some(_), '\\') => inner.push(chars.next().ok_or_else(bracket)?),
                            (Some(q), c) if c == q => {
                                closed = chars.next() == Some(']');
                                break;
                            }
                            (None, ']') => {
                                closed = true;
                                break;
                            }
                            (_, c) => inner.push(c),
                        }
                    }
                    if !closed || !matches!(chars.peek(), None | Some('.' | '[')) {
                        return Err(bracket());
                    }
                    if inner.is_empty() {
                        return Err(empty());
                    }
                    match (quote, inner.parse::<usize>()) {
                        (None, Ok(i)) => out.push(Segment::Index(i)),
                        _ => out.push(Segment::Key(inner)),
                    }
                    need_word = false;
                }
                ']' => return Err(bracket()),
                c => word.push(c),
            }
        }
        if !word.is_empty() {
            out.push(Segment::Key(word));
        } else if need_word {
            return Err(empty());
        }
        let reserved = |s: &Segment| matches!(s, Segment::Key(k) if matches!(k.as_str(), "__proto__" | "prototype" | "constructor"));
        if out.iter().any(reserved) {
            return Err(KeyPathError::Reserved(text.to_owned()));
        }
        if out.len() > MAX_DEPTH {
            return Err(KeyPathError::TooLong);
        }
        Ok(Self(out))
    }

    /// The steps.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This path with one more object key.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        let mut next = self.clone();
        next.0.push(Segment::Key(key.into()));
        next
    }

    /// This path with one more list index.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut next = self.clone();
        next.0.push(Segment::Index(index));
        next
    }

    /// This path followed by another.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let mut next = self.clone();
        next.0.extend(other.0.iter().cloned());
        next
    }

    /// The enclosing path, `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let mut next = self.clone();
        next.0.pop().map(|_| next)
    }

    /// Whether `self` equals `prefix` or lies below it.
    #[must_use]
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }
}

impl FromIterator<Segment> for KeyPath {
    fn from_iter<T: IntoIterator<Item = Segment>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

fn is_identifier(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '-'))
}

impl std::fmt::Display for KeyPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, s) in self.0.iter().enumerate() {
            match s {
                Segment::Index(n) => write!(f, "[{n}]")?,
                Segment::Key(k) if is_identifier(k) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(k)?;
                }
                Segment::Key(k) => write!(f, "[\"{}\"]", k.replace('\\', "\\\\").replace('"', "\\\""))?,
            }
        }
        Ok(())
    }
}

impl Serialize for KeyPath {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_back() {
        for text in [
            "gateway.auth.token",
            "agents.list[1].tools.alsoAllow",
            "channels.telegram.groups[\"-1001\"].allowFrom[0]",
            "channels.nextcloud-talk.enabled",
            "tools.byProvider[\"openai/gpt-5.2\"].allow",
        ] {
            assert_eq!(KeyPath::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn sp_056_reserved_and_empty_segments_are_refused() {
        for text in ["", ".", "a..b", "a.", ".a", "a[]", "a[0", "a]b", "a[\"\"]", "a[0]b"] {
            assert!(KeyPath::parse(text).is_err(), "{text:?}");
        }
        for word in ["__proto__", "prototype", "constructor"] {
            assert_eq!(
                KeyPath::parse(&format!("a.{word}.b")),
                Err(KeyPathError::Reserved(format!("a.{word}.b")))
            );
            assert!(KeyPath::parse(&format!("a[\"{word}\"]")).is_err());
        }
    }
}
