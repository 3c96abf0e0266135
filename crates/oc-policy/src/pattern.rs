//! Patterns of tool lists: literal text in which only `*` is special (SP-110).
//!
//! `*` stands for any run of characters, also none; a pattern is anchored at both ends. Matching time is linear in the pattern
//! and at most quadratic in the (short) tool name, whatever the pattern looks like.

use crate::tool_name::MAX_NAME;

/// One entry of a tool list, in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// `*`: every tool.
    Any,
    /// The tool of that name.
    Exact(Box<str>),
    /// A text with `*` inside.
    Glob(Glob),
}

/// A text with at least one `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    head: Box<str>,
    middle: Box<[Box<str>]>,
    tail: Box<str>,
}

impl Pattern {
    /// Reads a canonical text (see [`crate::tool_name::canonical`]).
    #[must_use]
    pub fn new(canonical: &str) -> Self {
        if canonical == "*" {
            return Self::Any;
        }
        match Glob::new(canonical) {
            Some(glob) => Self::Glob(glob),
            None => Self::Exact(canonical.into()),
        }
    }

    /// Whether it matches a canonical tool name.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(text) => **text == *name,
            Self::Glob(glob) => glob.matches(name),
        }
    }
}

impl Glob {
    /// `None` when the text holds no `*`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (head, rest) = text.split_once('*')?;
        let (middle, tail) = match rest.rsplit_once('*') {
            Some((middle, tail)) => (middle, tail),
            None => ("", rest),
        };
        // Runs of `*` are one `*`; empty parts match the empty text anyway.
        let middle = middle.split('*').filter(|part| !part.is_empty()).map(Into::into).collect();
        Some(Self { head: head.into(), middle, tail: tail.into() })
    }

    /// Whether it matches a canonical tool name. Names longer than [`MAX_NAME`] match only the bare `*`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if name.len() > MAX_NAME {
            return self.head.is_empty() && self.tail.is_empty() && self.middle.is_empty();
        }
        let Some(mut rest) = name.strip_prefix(&*self.head).and_then(|r| r.strip_suffix(&*self.tail)) else {
            return false;
        };
        // Leftmost match of every part in turn: each step consumes text, so the loop ends early on long patterns.
        for part in &self.middle {
            if part.len() > rest.len() {
                return false;
            }
            let Some((_, after)) = rest.split_once(&**part) else { return false };
            rest = after;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(pattern: &str, name: &str) -> bool {
        Pattern::new(pattern).matches(name)
    }

    #[test]
    fn sp_110_only_the_star_is_special_and_patterns_are_anchored() {
        for meta in ["?", ".", "+", "(read)", "[a-z]*", "re.d", "^read$", "rea|d", "\\w*", "{2}", "$"] {
            assert!(!hit(meta, "read"), "{meta}");
            assert!(hit(meta.trim_end_matches('*'), meta.trim_end_matches('*')), "{meta} is literal");
        }
        for (pattern, name, expected) in [
            ("*", "anything", true),
            ("**", "anything", true),
            ("web_*", "web_fetch", true),
            ("web_*", "a_web_fetch", false),
            ("*_list", "sessions_list", true),
            ("*_list", "sessions_list_x", false),
            ("s*s*t", "sessions_list", true),
            ("s*s*t", "session_status", false),
            ("*ess*", "process", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab*", "ab", false),
            ("*ab*ab*", "abab", true),
            ("read", "reading", false),
        ] {
            assert_eq!(hit(pattern, name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn a_megabyte_of_stars_is_matched_at_once() {
        let stars = "*a".repeat(500_000);
        assert!(!hit(&stars, "sessions_list"));
        let name = "a".repeat(200);
        assert!(!hit(&format!("{}b", "*a".repeat(500_000)), &name));
        assert!(hit(&"*".repeat(1_000_000), &name));
    }
}
