//! Unified differences for `--dry-run`.

use similar::{Algorithm, ChangeTag, TextDiff};

/// A text in two forms: as it is, which decides what changed, and as it may be shown (secrets replaced). Both must have the same
/// number of lines; when they have not, the changed lines are named but not shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The real text.
    pub text: &'a str,
    /// What may be shown of it.
    pub shown: &'a str,
}

impl<'a> Shown<'a> {
    /// A text without secrets.
    #[must_use]
    pub fn plain(text: &'a str) -> Self {
        Self { text, shown: text }
    }
}

/// The unified difference with three lines of context; empty when the texts are equal. Terminal-unsafe characters in the lines
/// are made visible.
#[must_use]
pub fn unified(name: &str, old: Shown<'_>, new: Shown<'_>) -> String {
    if old.text == new.text {
        return String::new();
    }
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(old.text, new.text);
    let old_lines = aligned(old);
    let new_lines = aligned(new);
    let line = |lines: &Option<Vec<&str>>, index: Option<usize>| match (lines, index) {
        (Some(l), Some(i)) => {
            crate::visible(l.get(i).copied().unwrap_or_default().trim_end_matches(['\n', '\r']), 2000)
        }
        _ => "(not shown)".to_owned(),
    };
    let name = crate::visible(name, 1000);
    let mut out = format!("--- {name}\n+++ {name}\n");
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        out.push_str(&format!("{}\n", hunk.header()));
        for change in hunk.iter_changes() {
            let (sign, body) = match change.tag() {
                ChangeTag::Delete => ('-', line(&old_lines, change.old_index())),
                ChangeTag::Insert => ('+', line(&new_lines, change.new_index())),
                ChangeTag::Equal => (' ', line(&new_lines, change.new_index())),
            };
            out.push(sign);
            out.push_str(&body);
            out.push('\n');
        }
    }
    out
}

fn aligned(text: Shown<'_>) -> Option<Vec<&str>> {
    let lines: Vec<&str> = text.shown.split_inclusive('\n').collect();
    (lines.len() == text.text.split_inclusive('\n').count()).then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sp_064_a_changed_secret_shows_as_changed_but_not_as_text() {
        let old = Shown { text: "a\ntoken: 'canary-1'\nb\n", shown: "a\ntoken: '***'\nb\n" };
        let new = Shown { text: "a\ntoken: 'canary-2'\nb\n", shown: "a\ntoken: '***'\nb\n" };
        assert_eq!(
            unified("c.json", old, new),
            "--- c.json\n+++ c.json\n@@ -1,3 +1,3 @@\n a\n-token: '***'\n+token: '***'\n b\n"
        );
        assert_eq!(unified("c.json", old, old), "");
    }

    #[test]
    fn sp_064_lines_that_cannot_be_matched_are_not_shown() {
        let old = Shown { text: "a\nb\n", shown: "gone\n" };
        let new = Shown { text: "a\nc\n", shown: "gone\n" };
        let out = unified("c.json", old, new);
        assert!(!out.contains('b') && out.contains("(not shown)"), "{out}");
    }
}
