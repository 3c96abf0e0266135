//! A search for words in notes: passages by how many of the words they hold, rare words first. No index, no model.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A passage ends at a blank line or a heading once it has so many lines, and after so many in any case.
const FEW: usize = 6;
const MANY: usize = 24;
/// Characters of a passage that are shown.
const SHOWN: usize = 700;
/// Words of a query that count.
const WORDS: usize = 32;

/// The words of a text in lower case: letters and digits, two or more.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().nth(1).is_some()).map(str::to_lowercase)
}

/// A piece of a note.
#[derive(Debug)]
struct Passage<'n> {
    path: &'n str,
    /// First line, from 1.
    from: usize,
    lines: Vec<&'n str>,
}

/// The best places, best first.
pub(super) fn search(notes: &[(String, String)], query: &str, most: usize) -> Vec<Value> {
    let mut wanted: Vec<String> = Vec::new();
    for word in words(query) {
        if wanted.len() < WORDS && !wanted.contains(&word) {
            wanted.push(word);
        }
    }
    let passages: Vec<Passage<'_>> = notes.iter().flat_map(|(path, text)| passages(path, text)).collect();
    let hits: Vec<Vec<f64>> = passages.iter().map(|p| weights(p, &wanted)).collect();
    let rarity: Vec<f64> = (0..wanted.len())
        .map(|w| {
            let having = hits.iter().filter(|h| h.get(w).is_some_and(|x| *x > 0.0)).count();
            (1.0 + ratio(passages.len(), having)).ln()
        })
        .collect();
    let phrase = query.trim().to_lowercase();
    let mut scored: Vec<(f64, &Passage<'_>)> = Vec::new();
    for (passage, hit) in passages.iter().zip(&hits) {
        let mut score: f64 = hit.iter().zip(&rarity).map(|(h, r)| r * h / (h + 1.0)).sum();
        if score > 0.0 && wanted.len() > 1 && passage.lines.join(" ").to_lowercase().contains(&phrase) {
            score += 1.0;
        }
        if score > 0.0 {
            scored.push((score, passage));
        }
    }
    scored.sort_by(|(a, p), (b, q)| b.total_cmp(a).then(p.path.cmp(q.path)).then(p.from.cmp(&q.from)));
    scored.into_iter().take(most).map(|(score, passage)| shown(score, passage)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of passages are small")]
fn ratio(all: usize, having: usize) -> f64 {
    if having == 0 { 0.0 } else { all as f64 / having as f64 }
}

/// How often each word is in a passage; a word that only begins so counts for less.
fn weights(passage: &Passage<'_>, wanted: &[String]) -> Vec<f64> {
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    for word in passage.lines.iter().flat_map(|l| words(l)) {
        *counts.entry(word).or_default() += 1.0;
    }
    let weight = |word: &String| {
        let whole = counts.get(word).copied().unwrap_or(0.0);
        let longer = word.chars().nth(2).is_some().then(|| {
            counts
                .range(word.clone()..)
                .take_while(|(w, _)| w.starts_with(word.as_str()))
                .map(|(_, n)| n)
                .sum()
        });
        // The word itself is among those that begin so.
        whole + 0.5 * (longer.unwrap_or(whole) - whole)
    };
    wanted.iter().map(weight).collect()
}

fn passages<'n>(path: &'n str, text: &'n str) -> Vec<Passage<'n>> {
    let mut out: Vec<Passage<'n>> = Vec::new();
    let mut now = Passage { path, from: 1, lines: Vec::new() };
    for (index, line) in text.lines().enumerate() {
        let breaks = line.trim().is_empty() || line.starts_with('#');
        if now.lines.len() >= MANY
            || (breaks && now.lines.len() >= FEW)
            || (line.starts_with('#') && !now.lines.is_empty())
        {
            out.push(std::mem::replace(&mut now, Passage { path, from: index + 1, lines: Vec::new() }));
        }
        now.lines.push(line);
    }
    if !now.lines.is_empty() {
        out.push(now);
    }
    out
}

fn shown(score: f64, passage: &Passage<'_>) -> Value {
    let text = passage.lines.join("\n");
    let to = passage.from.saturating_add(passage.lines.len()).saturating_sub(1);
    json!({
        "path": passage.path,
        "from": passage.from,
        "to": to,
        "score": (score * 1000.0).round() / 1000.0,
        "text": oc_text::untrusted::capped(text.trim(), SHOWN),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes() -> Vec<(String, String)> {
        let one = "# Trips\nLisbon in May, hotel near the river.\n\n# Food\nNo peanuts for Ada.\n";
        let other = "The router is in the cellar.\nAda has the key of the cellar.\n";
        vec![("MEMORY.md".to_owned(), one.to_owned()), ("memory/home.md".to_owned(), other.to_owned())]
    }

    fn places(query: &str) -> Vec<(String, u64)> {
        let found = search(&notes(), query, 5);
        found.iter().map(|v| (v["path"].as_str().unwrap().to_owned(), v["from"].as_u64().unwrap())).collect()
    }

    #[test]
    fn the_passage_with_more_of_the_words_comes_first() {
        assert_eq!(places("peanuts Ada")[0], ("MEMORY.md".to_owned(), 4));
        assert_eq!(places("ADA cellar")[0], ("memory/home.md".to_owned(), 1));
        assert_eq!(places("lisb"), [("MEMORY.md".to_owned(), 1)]);
        assert!(places("xylophone").is_empty() && places("").is_empty());
    }

    #[test]
    fn a_long_note_is_shown_in_pieces() {
        let long = (0..100).map(|n| format!("line {n} about things")).collect::<Vec<_>>().join("\n");
        let all = [("memory/long.md".to_owned(), long)];
        let found = search(&all, "things", 20);
        assert_eq!(found.len(), 5);
        assert!(found.iter().all(|v| v["text"].as_str().unwrap().chars().count() <= SHOWN + 1));
        assert_eq!(search(&all, "99", 3)[0]["to"], 100);
    }
}
