//! The nearest of a list of words.

/// Longest word compared, in characters; longer ones have no neighbour.
const MAX_CHARS: usize = 128;

/// Number of insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment).
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(MAX_CHARS + 1).collect();
    let b: Vec<char> = b.chars().take(MAX_CHARS + 1).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, cb) in b.iter().enumerate() {
            let at = |r: &[usize], k: usize| r.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (at(&last, j) + usize::from(ca != cb)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca) {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

/// The candidate nearest to `word`: the same word in another case, else the one with the fewest edits, at most a third of the
/// word's length (at least one). Ties go to the earlier candidate. Nothing near enough: `None`.
#[must_use]
pub fn nearest<'a, I: IntoIterator<Item = &'a str>>(word: &str, candidates: I) -> Option<&'a str> {
    let folded = word.to_lowercase();
    let length = folded.chars().count();
    if length == 0 || length > MAX_CHARS {
        return None;
    }
    let limit = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for c in candidates {
        let lower = c.to_lowercase();
        // The difference in length is the least that it takes.
        if lower.chars().count().abs_diff(length) > limit {
            continue;
        }
        let d = distance(&folded, &lower);
        if d <= limit && best.is_none_or(|(b, _)| d < b) {
            best = Some((d, c));
        }
    }
    best.map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits_and_swaps() {
        for (a, b, want) in [("", "", 0), ("a", "", 1), ("policy", "polciy", 1), ("kitten", "sitting", 3)] {
            assert_eq!(distance(a, b), want, "{a} {b}");
            assert_eq!(distance(b, a), want, "{b} {a}");
        }
    }

    #[test]
    fn nearest_respects_the_limit() {
        let keys = ["dmPolicy", "groupPolicy", "allowFrom"];
        assert_eq!(nearest("dmPolciy", keys), Some("dmPolicy"));
        assert_eq!(nearest("DMPOLICY", keys), Some("dmPolicy"));
        assert_eq!(nearest("zzz", keys), None);
        assert_eq!(nearest("", keys), None);
    }
}
