//! Lines of text for a terminal: wrapped at 80 columns, coloured when allowed.

use std::path::Path;

use oc_types::Severity;
use unicode_width::UnicodeWidthStr;

/// Columns.
const WIDTH: usize = 80;

const RESET: &str = "\u{1b}[0m";
const BOLD: &str = "\u{1b}[1m";
const FAINT: &str = "\u{1b}[2m";

/// Text under construction.
#[derive(Clone, Debug)]
pub struct Block {
    text: String,
    colour: bool,
}

impl Block {
    /// Nothing yet.
    #[must_use]
    pub fn new(colour: bool) -> Self {
        Self { text: String::new(), colour }
    }

    /// The text.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A line.
    pub fn line(&mut self, text: &str) {
        self.styled("", "", "", text);
    }

    /// A line that stands out.
    pub fn bold(&mut self, text: &str) {
        self.styled(BOLD, "", "", text);
    }

    /// A line that steps back.
    pub fn faint(&mut self, text: &str) {
        self.styled(FAINT, "", "", text);
    }

    /// A line in the colour of a severity.
    pub fn severity(&mut self, severity: Severity, text: &str) {
        let colour = match severity {
            Severity::Critical => "\u{1b}[1;31m",
            Severity::Warn => "\u{1b}[1;33m",
            Severity::Info => "\u{1b}[1;36m",
        };
        self.styled(colour, "", "", text);
    }

    /// A name and what it is.
    pub fn item(&mut self, name: &str, text: &str) {
        let lines = wrap(&format!("{name} {text}"), WIDTH, 0, 2);
        for (i, line) in lines.iter().enumerate() {
            match line.strip_prefix(name).filter(|_| i == 0 && self.colour) {
                Some(rest) => self.text.push_str(&format!("{BOLD}{name}{RESET}{rest}\n")),
                None => self.text.push_str(&format!("{line}\n")),
            }
        }
    }

    /// A paragraph indented by two, with a label before it.
    pub fn indented(&mut self, label: &str, text: &str) {
        self.styled("", "  ", "  ", &format!("{label}{text}"));
    }

    /// A line indented further.
    pub fn deeper(&mut self, text: &str) {
        self.styled("", "     ", "       ", text);
    }

    fn styled(&mut self, style: &str, first: &str, next: &str, text: &str) {
        let lines = wrap(text, WIDTH, first.len(), next.len());
        for (i, line) in lines.iter().enumerate() {
            let indent = if i == 0 { first } else { next };
            if self.colour && !style.is_empty() {
                self.text.push_str(&format!("{indent}{style}{line}{RESET}\n"));
            } else {
                self.text.push_str(&format!("{indent}{line}\n"));
            }
        }
    }
}

/// Lines of at most `width` columns, without indentation. See the rules of the blocks: long words stay whole.
#[must_use]
pub fn lines(text: &str, width: usize) -> Vec<String> {
    wrap(text, width, 0, 0)
}

/// Breaks text at spaces; a word that is longer than a line gets a line of its own and stays whole, so that paths and keys can be
/// copied. The first line has room for `width - first` columns; with `first` 0 the following ones are indented by `next` themselves.
fn wrap(text: &str, width: usize, first: usize, next: usize) -> Vec<String> {
    let hang = if first == 0 { " ".repeat(next) } else { String::new() };
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let indent = if lines.is_empty() { first } else { next };
        let used = if line.is_empty() { 0 } else { line.width() + 1 };
        let room = width.saturating_sub(if first == 0 { 0 } else { indent });
        if !line.trim().is_empty() && used + word.width() > room {
            lines.push(std::mem::replace(&mut line, hang.clone()));
        } else if !line.trim().is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.trim().is_empty() {
        lines.push(line);
    }
    lines
}

/// The home directory shown as `~`.
#[must_use]
pub fn short_home(text: &str, home: &Path) -> String {
    let home = home.to_string_lossy();
    if home.len() < 2 {
        return text.to_owned();
    }
    text.replace(&format!("{home}/"), "~/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_within_eighty_columns() {
        let mut b = Block::new(false);
        b.indented("fix: ", &"word ".repeat(60));
        b.item("a.check.id", &"title ".repeat(40));
        let text = b.finish();
        assert!(text.lines().all(|l| l.width() <= WIDTH), "{text}");
        assert!(text.lines().count() > 6);
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn long_words_stay_whole() {
        let word = "x".repeat(200);
        assert!(wrap(&format!("see {word} there"), WIDTH, 2, 2).contains(&word));
    }
}
