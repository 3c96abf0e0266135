//! One path component against one name.

use crate::plan::Miss;

/// A part of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Characters that mean themselves.
    Literal(&'a str),
    /// `*`
    Run,
    /// `?`
    One,
    /// `[...]`
    Class(Class),
}

/// A set of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    negated: bool,
    /// Ranges, both ends included.
    ranges: Vec<(char, char)>,
}

impl<'a> Part<'a> {
    /// Reads the text between the brackets.
    ///
    /// # Errors
    /// A class whose meaning depends on the locale or on the shell.
    pub(super) fn class(text: &str) -> Result<Self, Miss> {
        let unclear = || Miss::new("glob", format!("the meaning of [{text}] differs between shells"));
        let (negated, inside) = match text.strip_prefix(['!', '^']) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // `[:alpha:]`, `[.x.]`, `[=x=]`, escapes and separators are read differently by different shells; so are ranges beyond ASCII.
        if inside.is_empty() || inside.contains(['[', '/', '\\']) || !inside.is_ascii() {
            return Err(unclear());
        }
        let chars: Vec<char> = inside.chars().collect();
        let mut ranges = Vec::new();
        let mut rest = chars.as_slice();
        while let Some((&from, after)) = rest.split_first() {
            if let ['-', to, tail @ ..] = after {
                // Ranges of letters follow the locale's order unless both ends are of one kind.
                let same = (from.is_ascii_digit() && to.is_ascii_digit())
                    || (from.is_ascii_lowercase() && to.is_ascii_lowercase())
                    || (from.is_ascii_uppercase() && to.is_ascii_uppercase());
                if !same || from > *to {
                    return Err(unclear());
                }
                ranges.push((from, *to));
                rest = tail;
            } else {
                ranges.push((from, from));
                rest = after;
            }
        }
        Ok(Self::Class(Class { negated, ranges }))
    }

    pub(super) fn literal(&self) -> Option<&'a str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Run | Self::One | Self::Class(_) => None,
        }
    }

    pub(super) fn is_literal(&self) -> bool {
        self.literal().is_some()
    }
}

impl Class {
    fn holds(&self, c: char) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != self.negated
    }
}

/// Whether a name matches. Every comparison counts against `left`; when it is used up nothing matches, and the caller has to say so.
///
/// A run first takes nothing, then one character more whenever what follows does not fit; only the last run can need more, because
/// every earlier one left the longest rest.
pub(super) fn matches(component: &[Part<'_>], name: &str, left: &mut usize) -> bool {
    let mut take = || {
        *left = left.saturating_sub(1);
        *left > 0
    };
    if let Some(Part::Literal(end)) = component.last()
        && (!take() || !name.ends_with(end))
    {
        return false;
    }
    let (mut at, mut rest) = (0, name);
    // The part after the last run, and what the run leaves for it.
    let mut again: Option<(usize, &str)> = None;
    while take() {
        let part = component.get(at);
        let after = match part {
            None if rest.is_empty() => return true,
            Some(Part::Run) if at + 1 == component.len() => return true,
            Some(Part::Run) => {
                again = Some((at + 1, rest));
                Some(rest)
            }
            Some(Part::Literal(text)) => rest.strip_prefix(text),
            Some(Part::One) => without_first(rest, |_| true),
            Some(Part::Class(class)) => without_first(rest, |c| class.holds(c)),
            None => None,
        };
        match (after, again) {
            (Some(after), _) => (at, rest) = (at + 1, after),
            (None, Some((next, from))) => {
                let shorter = without_first(from, |_| true);
                let Some(shorter) = shorter.and_then(|text| to_first_of(component.get(next), text)) else {
                    return false;
                };
                again = Some((next, shorter));
                (at, rest) = (next, shorter);
            }
            (None, None) => return false,
        }
    }
    false
}

/// The text from the first place on where a part could begin.
fn to_first_of<'t>(part: Option<&Part<'_>>, text: &'t str) -> Option<&'t str> {
    match part {
        Some(Part::Literal(wanted)) => {
            let first = wanted.bytes().next()?;
            text.get(text.bytes().position(|byte| byte == first)?..)
        }
        Some(Part::Run | Part::One | Part::Class(_)) | None => Some(text),
    }
}

/// What follows the first character, when there is one that fits.
fn without_first(text: &str, fits: impl Fn(char) -> bool) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().filter(|c| fits(*c)).map(|_| characters.as_str())
}
