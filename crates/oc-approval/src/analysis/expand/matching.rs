//! One path component against one name.

use crate::plan::Miss;

/// A part of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Characters that mean themselves.
    Literal(String),
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

impl Part {
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

    pub(super) fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Run | Self::One | Self::Class(_) => None,
        }
    }

    pub(super) fn is_literal(&self) -> bool {
        self.literal().is_some()
    }
}

/// One step of a pattern.
enum Token<'a> {
    Char(char),
    Run,
    One,
    Class(&'a Class),
}

/// Whether a name matches; linear in the product of both lengths.
pub(super) fn matches(component: &[Part], name: &str) -> bool {
    let mut tokens = Vec::new();
    for part in component {
        match part {
            Part::Literal(text) => tokens.extend(text.chars().map(Token::Char)),
            Part::Run => tokens.push(Token::Run),
            Part::One => tokens.push(Token::One),
            Part::Class(class) => tokens.push(Token::Class(class)),
        }
    }
    // `reached[i]`: the first `i` tokens can match what was read so far.
    let mut reached = vec![false; tokens.len() + 1];
    let open = |reached: &mut [bool]| {
        for (at, token) in tokens.iter().enumerate() {
            if matches!(token, Token::Run)
                && reached.get(at).copied().unwrap_or(false)
                && let Some(next) = reached.get_mut(at + 1)
            {
                *next = true;
            }
        }
    };
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    open(&mut reached);
    for c in name.chars() {
        let mut next = vec![false; tokens.len() + 1];
        for (at, token) in tokens.iter().enumerate() {
            if !reached.get(at).copied().unwrap_or(false) {
                continue;
            }
            let to = match token {
                Token::Run => Some(at),
                Token::One => Some(at + 1),
                Token::Char(wanted) => (*wanted == c).then_some(at + 1),
                Token::Class(class) => {
                    let inside = class.ranges.iter().any(|(a, b)| (*a..=*b).contains(&c));
                    (inside != class.negated).then_some(at + 1)
                }
            };
            if let Some(slot) = to.and_then(|i| next.get_mut(i)) {
                *slot = true;
            }
        }
        reached = next;
        open(&mut reached);
    }
    reached.last().copied().unwrap_or(false)
}
