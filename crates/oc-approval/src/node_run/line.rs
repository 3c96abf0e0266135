//! A vector as one line, and the other way round.

use std::borrow::Cow;

/// Shells whose `-c` text is the line itself.
const SHELLS: [&str; 6] = ["sh", "/bin/sh", "/usr/bin/sh", "bash", "/bin/bash", "/usr/bin/bash"];

/// The line of a vector.
pub(super) fn of(argv: &[String]) -> String {
    match argv {
        [shell, flag, text] if is_shell(shell, flag) => text.clone(),
        words => words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" "),
    }
}

/// Whether a text says what a vector runs: its line, or one simple command of exactly these words.
pub(super) fn says(text: &str, argv: &[String]) -> bool {
    text == of(argv) || words(text).is_some_and(|w| w == argv)
}

/// A text in one spelling: a simple command of plain words is quoted anew, everything else stays as it is.
#[must_use]
pub fn canonical(text: &str) -> Cow<'_, str> {
    match words(text) {
        Some(words) => Cow::Owned(words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" ")),
        None => Cow::Borrowed(text),
    }
}

fn is_shell(program: &str, flag: &str) -> bool {
    SHELLS.contains(&program) && matches!(flag, "-c" | "-lc")
}

/// The words of a text that is one simple command without expansion, assignment or redirection.
fn words(text: &str) -> Option<Vec<String>> {
    let line = oc_shell::read(text).ok()?;
    let [step] = line.steps.as_slice() else { return None };
    let [command] = step.pipeline.commands.as_slice() else { return None };
    if !command.assignments.is_empty() || !command.redirections.is_empty() {
        return None;
    }
    command.words.iter().map(oc_shell::Word::literal).collect()
}

/// A word as a shell takes it literally.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
