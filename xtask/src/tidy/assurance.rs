//! `docs/assurance.md` against the tests: a property that is called held has a test with its number, and the other way round.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::sources::Source;

/// Rows and tests that do not fit together.
pub fn check(root: &Path, sources: &[Source]) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join("docs/assurance.md")).unwrap_or_default();
    Ok(compare(&rows(&text), &tested(sources)))
}

/// `SP-nnn` -> status word, from table rows `| SP-001 | held | ... |`.
fn rows(text: &str) -> BTreeMap<u32, String> {
    let mut out = BTreeMap::new();
    for line in text.lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (Some(id), Some(status)) = (cells.next(), cells.next()) else { continue };
        if let Some(n) = id.strip_prefix("SP-").and_then(|n| n.parse().ok()) {
            out.insert(n, status.to_owned());
        }
    }
    out
}

/// Numbers that some test function carries in its name.
fn tested(sources: &[Source]) -> BTreeSet<u32> {
    let mut out = BTreeSet::new();
    for s in sources {
        for part in s.text.split("fn sp_").skip(1) {
            out.extend(part.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse::<u32>().ok()));
        }
    }
    out
}

fn compare(rows: &BTreeMap<u32, String>, tested: &BTreeSet<u32>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (n, status) in rows {
        match status.as_str() {
            "held" | "partly" if !tested.contains(n) => {
                wrong.push(format!(
                    "docs/assurance.md: SP-{n:03} is called {status}, but no test is named sp_{n:03}_..."
                ));
            }
            "held" | "partly" | "open" | "n/a" => {}
            other => wrong.push(format!("docs/assurance.md: SP-{n:03} has the unknown status {other:?}")),
        }
        if matches!(status.as_str(), "open" | "n/a") && tested.contains(n) {
            wrong.push(format!(
                "docs/assurance.md: SP-{n:03} is called {status}, but a test carries its number"
            ));
        }
    }
    for n in tested.iter().filter(|n| !rows.contains_key(n)) {
        wrong.push(format!("docs/assurance.md has no row for SP-{n:03}, which a test names"));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_needs_a_test_and_a_test_needs_a_row() {
        let rows = rows("| SP-001 | held | x |\n| SP-002 | open | |\n| SP-003 | held | |\n");
        let tests = [1, 2, 4].into_iter().collect();
        let wrong = compare(&rows, &tests);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
    }
}
