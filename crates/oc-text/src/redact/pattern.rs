//! One pattern. A built-in one is compiled when a text first holds what each of its matches holds: most texts hold none of it, and a
//! process that has nothing to mask pays for no pattern.

use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{CaptureLocations, Regex};

use super::compile;
use super::defaults::{BUILT_IN, BuiltIn, PatternKind};

/// Longest text that is looked over before a pattern is asked, in bytes; for a longer one the engine is the faster reader.
const SHORT: usize = 4096;

/// A pattern of either list.
#[derive(Debug)]
pub(super) struct Pattern {
    /// `None` for a custom pattern, which is compiled from the start.
    built_in: Option<&'static BuiltIn>,
    /// [`BuiltIn::holds`] as words of [`WORDS`]: a match holds one of each set.
    pub(super) needs: Vec<u128>,
    regex: OnceLock<Option<Regex>>,
}

/// Most words: one bit each.
pub(super) const MOST_WORDS: usize = 128;

/// The words that the built-in patterns ask for, each once, and what finds them all in one pass.
pub(super) static WORDS: LazyLock<(Vec<&'static str>, Option<AhoCorasick>)> = LazyLock::new(|| {
    let mut words: Vec<&str> =
        BUILT_IN.iter().flat_map(|b| b.holds.iter().copied().flatten().copied()).collect();
    words.sort_unstable();
    words.dedup();
    let finder = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(&words)
        .ok()
        .filter(|_| words.len() <= MOST_WORDS);
    (words, finder)
});

/// A text, looked over once for all patterns.
#[derive(Debug)]
pub(super) struct Sight {
    length: usize,
    /// Which of [`WORDS`] stand in it, one bit each. `None`: any pattern may match.
    words: Option<u128>,
}

impl Sight {
    pub(super) fn of(text: &str) -> Self {
        // Beyond ASCII there are characters that a pattern takes for `k` and `s`.
        let short = text.len() <= SHORT && text.is_ascii();
        let finder = WORDS.1.as_ref().filter(|_| short);
        let words = finder.map(|finder| {
            let found = finder.find_overlapping_iter(text).map(|m| bit(m.pattern().as_usize()));
            found.fold(0, |all, one| all | one)
        });
        Self { length: text.len(), words }
    }
}

fn bit(word: usize) -> u128 {
    u32::try_from(word).ok().and_then(|n| 1_u128.checked_shl(n)).unwrap_or(0)
}

impl Pattern {
    pub(super) fn built_in(built_in: &'static BuiltIn) -> Self {
        let place = |word: &&str| WORDS.0.binary_search(word).map_or(0, bit);
        let needs = built_in.holds.iter().map(|words| words.iter().map(place).fold(0, |all, one| all | one));
        Self { built_in: Some(built_in), needs: needs.collect(), regex: OnceLock::new() }
    }

    pub(super) fn custom(regex: Regex) -> Self {
        Self { built_in: None, needs: Vec::new(), regex: OnceLock::from(Some(regex)) }
    }

    /// `None`: a built-in one that does not compile, which a test rules out.
    pub(super) fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compile(self.built_in?.text).ok()).as_ref()
    }

    /// False only when the text cannot hold a match.
    pub(super) fn may_match(&self, sight: &Sight) -> bool {
        let Some(built_in) = self.built_in else { return true };
        if sight.length < built_in.shortest {
            return false;
        }
        let Some(there) = sight.words else { return true };
        self.needs.iter().all(|any_of| any_of & there != 0)
    }

    pub(super) fn matches(&self) -> Option<Matches<'_>> {
        let regex = self.regex()?;
        let kind = self.built_in.map(|b| b.kind);
        // Its secret is what stands after the separator, so that the engine need not look for the group once more.
        let groups = (kind != Some(PatternKind::Assignment)).then(|| regex.capture_locations());
        Some(Matches { regex, groups, at: 0 })
    }
}

/// Walks over the matches of a pattern. One set of places for all of them: a text may hold tens of thousands.
#[derive(Debug)]
pub(super) struct Matches<'p> {
    regex: &'p Regex,
    groups: Option<CaptureLocations>,
    at: usize,
}

impl Matches<'_> {
    /// The next match's part to mask: the last group that took part and is not empty; the whole match without one. `Some(None)`: a match
    /// without anything to mask. `None`: no more matches.
    pub(super) fn next(&mut self, text: &str) -> Option<Option<(usize, usize)>> {
        if self.at > text.len() {
            return None;
        }
        let Some(groups) = &mut self.groups else {
            let found = self.regex.find_at(text, self.at)?;
            self.at = found.end();
            let (start, end) = (found.start(), found.end());
            return Some(value_of_assignment(found.as_str()).map(|value| (start.saturating_add(value), end)));
        };
        let found = self.regex.captures_read_at(groups, text, self.at)?;
        self.at = if found.is_empty() { after(text, found.end()) } else { found.end() };
        let groups = &*groups;
        Some((0..groups.len()).rev().filter_map(|i| groups.get(i)).find(|(start, end)| start < end))
    }
}

/// Where the value of an assignment begins: after the separator, blanks, and one quote. A name holds no separator.
fn value_of_assignment(found: &str) -> Option<usize> {
    let (_, rest) = found.split_once(['=', ':'])?;
    let rest = rest.trim_start();
    let value = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    found.len().checked_sub(value.len())
}

/// The place after the character at `at`.
fn after(text: &str, at: usize) -> usize {
    let next = text.get(at..).and_then(|rest| rest.chars().next());
    at.saturating_add(next.map_or(1, char::len_utf8))
}
