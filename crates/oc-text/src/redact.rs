//! Masks credentials in text that leaves the process (SP-014; logging spec 3).

#[cfg(test)]
mod tests;

mod defaults;
mod open;
mod pattern;

use std::sync::{Arc, LazyLock};

use regex::{Regex, RegexBuilder};

use pattern::{Pattern, Sight};

pub use defaults::{PatternKind, default_patterns};

/// What stands for a stored secret in a view of the configuration; written back, it means "keep what is stored" (SP-064).
pub const SENTINEL: &str = "__OPENCLAW_REDACTED__";

/// Most custom patterns taken.
pub const MAX_PATTERNS: usize = 200;
/// Largest compiled pattern, in bytes (SP-017).
const SIZE_LIMIT: usize = 2 * 1024 * 1024;
/// Most passes over a text: a mask can complete the context of another pattern, so passes repeat until nothing changes.
const MAX_PASSES: usize = 8;

/// One for all: a clone shares them.
static STANDARD: LazyLock<Arc<[Pattern]>> =
    LazyLock::new(|| defaults::BUILT_IN.iter().map(Pattern::built_in).collect());

/// A list of patterns that masks what they match.
#[derive(Clone, Debug)]
pub struct Redactor {
    patterns: Arc<[Pattern]>,
    /// Whether each pattern leaves its own output alone. Tested for the built-in ones; unknown for others.
    settled: bool,
}

/// A pattern of `logging.redactPatterns` that was dropped, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its index in the list.
    pub index: usize,
    /// What is wrong with it: lower case, no full stop.
    pub why: String,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::standard()
    }
}

impl Redactor {
    /// The built-in patterns.
    #[must_use]
    pub fn standard() -> Self {
        Self { patterns: Arc::clone(&STANDARD), settled: true }
    }

    /// The patterns of `logging.redactPatterns`. A non-empty list replaces the built-in ones; when none of it can be used, the built-in
    /// ones stay, so a typing error never switches redaction off.
    #[must_use]
    pub fn custom(patterns: &[String]) -> (Self, Vec<Dropped>) {
        let mut kept = Vec::new();
        let mut dropped = Vec::new();
        for (index, text) in patterns.iter().enumerate() {
            if index >= MAX_PATTERNS {
                dropped.push(Dropped { index, why: format!("only {MAX_PATTERNS} patterns are taken") });
                break;
            }
            match compile(text) {
                Ok(r) => kept.push(Pattern::custom(r)),
                Err(why) => dropped.push(Dropped { index, why }),
            }
        }
        let redactor =
            if kept.is_empty() { Self::standard() } else { Self { patterns: kept.into(), settled: false } };
        (redactor, dropped)
    }

    /// The text with every credential masked. Linear in the length of the text; applying it twice changes nothing.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut sight = Sight::of(text);
        let mut text = text.to_owned();
        // Most texts hold nothing that any pattern asks for.
        if !self.patterns.iter().any(|p| p.may_match(&sight)) {
            return text;
        }
        // Which state of the text each pattern has seen: one that has seen the present state is not asked again.
        let mut state = 0usize;
        let mut seen: Vec<Option<usize>> = vec![None; self.patterns.len()];
        for _ in 0..MAX_PASSES {
            let mut changed = false;
            for (p, seen) in self.patterns.iter().zip(&mut seen) {
                if *seen == Some(state) {
                    continue;
                }
                *seen = Some(state);
                if !p.may_match(&sight) {
                    continue;
                }
                if let Some(next) = apply(p, &text) {
                    text = next;
                    sight = Sight::of(&text);
                    state += 1;
                    changed = true;
                    if self.settled {
                        *seen = Some(state);
                    }
                }
            }
            if !changed {
                break;
            }
        }
        text
    }

    /// False only when no pattern matches in the text, nor in any part of it. Cheaper than [`Redactor::redact`].
    #[must_use]
    pub fn may_find(&self, text: &str) -> bool {
        let sight = Sight::of(text);
        self.patterns.iter().any(|p| p.may_match(&sight))
    }

    /// Whether any pattern matches.
    #[must_use]
    pub fn finds(&self, text: &str) -> bool {
        let sight = Sight::of(text);
        let mut likely = self.patterns.iter().filter(|p| p.may_match(&sight));
        likely.any(|p| p.regex().is_some_and(|r| r.is_match(text)))
    }
}

/// Whether a key name looks like that of a credential: it contains `token`, `password`, `secret`, or `api` and at most one character and `key`.
#[must_use]
pub fn is_sensitive_name(name: &str) -> bool {
    let name = name.to_lowercase();
    ["token", "password", "secret", "apikey"].iter().any(|w| name.contains(w))
        || name.match_indices("api").any(|(at, w)| {
            name.get(at + w.len()..).is_some_and(|rest| {
                let mut chars = rest.chars();
                chars.next().is_some() && chars.as_str().starts_with("key")
            })
        })
}

/// What a secret looks like when it is shown: `***`, or its first six and last four characters when it has at least 18.
#[must_use]
pub fn mask(secret: &str) -> String {
    let mut out = String::new();
    Mask::of(secret).push_to(&mut out);
    out
}

/// What stands for a secret: a beginning, a sign that something is missing, an end.
struct Mask<'s>(&'s str, &'static str, &'s str);

impl<'s> Mask<'s> {
    fn of(secret: &'s str) -> Self {
        if secret.contains("PRIVATE KEY-----") {
            let mut lines = secret.lines();
            return match (lines.next(), lines.next_back()) {
                (Some(first), Some(last)) => Self(first, "\n…redacted…\n", last),
                _ => Self("", "***", ""),
            };
        }
        let head = secret.char_indices().nth(6).map_or(secret.len(), |(at, _)| at);
        let tail = secret.char_indices().nth_back(3).map_or(0, |(at, _)| at);
        // At least 18 characters: the head, the tail, and eight between them.
        let long = secret.get(head..tail).is_some_and(|middle| middle.chars().nth(7).is_some());
        match (secret.get(..head), secret.get(tail..)) {
            (Some(head), Some(tail)) if long => Self(head, "…", tail),
            _ => Self("", "***", ""),
        }
    }

    fn is(&self, text: &str) -> bool {
        let rest = text.strip_prefix(self.0).and_then(|t| t.strip_prefix(self.1));
        rest == Some(self.2)
    }

    fn push_to(&self, out: &mut String) {
        for part in [self.0, self.1, self.2] {
            out.push_str(part);
        }
    }
}

/// Whether the text from `start` to `end` is a mask already, or the head of one (an alphabet without `…` stops there).
fn is_mask(text: &str, start: usize, end: usize) -> bool {
    let found = text.get(start..end).unwrap_or_default();
    if found == "***" || found == SENTINEL {
        return true;
    }
    // A mask has eleven characters, of four bytes at most.
    if found.len() > 44 {
        return false;
    }
    let length = found.chars().count();
    match found.chars().nth(6) {
        Some('…') => length == 11,
        Some(_) => false,
        None => length == 6 && text.get(end..).is_some_and(|rest| rest.starts_with('…')),
    }
}

fn compile(text: &str) -> Result<Regex, String> {
    let (body, flags) = split_flags(text);
    if body.trim().is_empty() {
        return Err("it is blank".to_owned());
    }
    let mut builder = RegexBuilder::new(body);
    builder.size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT);
    match flags {
        None => {
            builder.case_insensitive(true);
        }
        Some(flags) => {
            builder
                .case_insensitive(flags.contains('i'))
                .multi_line(flags.contains('m'))
                .dot_matches_new_line(flags.contains('s'));
        }
    }
    builder.build().map_err(|e| match e {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        _ => "it is not a pattern this engine can run (look-around and back references are not available)"
            .to_owned(),
    })
}

/// `/body/flags` or a bare body (`None`: case-insensitive).
fn split_flags(text: &str) -> (&str, Option<&str>) {
    let parts = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    match parts {
        Some((body, flags)) if !body.is_empty() && flags.chars().all(|c| "gimsuy".contains(c)) => {
            (body, Some(flags))
        }
        _ => (text, None),
    }
}

/// The text with what the pattern matches masked; `None` when nothing changed.
fn apply(pattern: &Pattern, text: &str) -> Option<String> {
    let mut out = String::new();
    let mut done = 0usize;
    let mut matches = pattern.matches()?;
    while let Some(found) = matches.next(text) {
        let shown = found.and_then(|(start, end)| Some((start, end, text.get(start..end)?)));
        let Some((start, end, secret)) = shown.filter(|(start, end, _)| !is_mask(text, *start, *end)) else {
            continue;
        };
        let masked = Mask::of(secret);
        if masked.is(secret) {
            continue;
        }
        if done == 0 {
            out.reserve(text.len());
        }
        // INVARIANT: matches come in order and do not overlap, so `done` never passes `start`.
        out.push_str(text.get(done..start).unwrap_or_default());
        masked.push_to(&mut out);
        done = end;
    }
    if done == 0 {
        return None;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Some(out)
}
