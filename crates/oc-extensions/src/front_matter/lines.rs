//! The lines of a head, one after the other.

use super::Unreadable;

/// One line that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'l> {
    /// Blanks before it.
    pub(super) indent: usize,
    /// Its text without blanks at the ends.
    pub(super) text: &'l str,
    /// Its number in the file, from 1.
    pub(super) number: usize,
}

impl Line<'_> {
    /// The failure that names this line.
    pub(super) fn wrong(&self, why: &'static str) -> Unreadable {
        Unreadable::Line { line: self.number, why }
    }
}

/// A position in the lines.
#[derive(Debug)]
pub(super) struct Lines<'l> {
    all: &'l [&'l str],
    at: usize,
    replaced: Option<Line<'l>>,
}

impl<'l> Lines<'l> {
    /// At the first line after the opening `---`.
    pub(super) fn new(all: &'l [&'l str]) -> Self {
        Self { all, at: 0, replaced: None }
    }

    /// The next line that says something; empty lines and comments are passed over.
    pub(super) fn peek(&mut self) -> Result<Option<Line<'l>>, Unreadable> {
        if let Some(line) = self.replaced {
            return Ok(Some(line));
        }
        while let Some(raw) = self.all.get(self.at) {
            let text = raw.trim_start_matches(' ');
            if text.is_empty() || text.starts_with('#') {
                self.at += 1;
                continue;
            }
            let line = Line { indent: raw.len() - text.len(), text, number: self.at + 2 };
            if text.starts_with(char::is_whitespace) {
                return Err(line.wrong("it is indented with something else than blanks"));
            }
            return Ok(Some(line));
        }
        Ok(None)
    }

    /// Goes past the line that was seen last.
    pub(super) fn take(&mut self) {
        self.replaced = None;
        self.at += 1;
    }

    /// The line that was seen last is this one (a list's item without its dash).
    pub(super) fn replace(&mut self, line: Line<'l>) {
        self.replaced = Some(line);
    }

    /// Takes the lines that are indented more than `indent`, as they are but for that indentation; empty ones between them too.
    pub(super) fn take_block(&mut self, indent: usize) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut own = None;
        while let Some(raw) = self.all.get(self.at) {
            let blanks = raw.len() - raw.trim_start_matches(' ').len();
            if !raw.is_empty() && blanks <= indent {
                break;
            }
            let cut = if raw.is_empty() { 0 } else { (*own.get_or_insert(blanks)).min(blanks) };
            out.push(raw.get(cut..).unwrap_or_default().to_owned());
            self.at += 1;
        }
        while out.last().is_some_and(String::is_empty) {
            out.pop();
        }
        out
    }
}
