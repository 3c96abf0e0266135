//! The text of `apply_patch`: sections for files, hunks of lines. Pure; any text gives a patch or the line that is wrong.

use thiserror::Error;

/// Most bytes of a patch.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Most files of a patch.
pub const MAX_FILES: usize = 500;

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const ADD: &str = "*** Add File: ";
const DELETE: &str = "*** Delete File: ";
const UPDATE: &str = "*** Update File: ";
const MOVE: &str = "*** Move to: ";
const END_OF_FILE: &str = "*** End of File";

/// A patch: at least one change, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The changes.
    pub changes: Vec<Change>,
}

/// What happens to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Add {
        /// The file.
        path: String,
        /// Its content.
        content: String,
    },
    /// It goes.
    Delete {
        /// The file.
        path: String,
    },
    /// Pieces of it change.
    Update {
        /// The file.
        path: String,
        /// Its new path, when it moves.
        target: Option<String>,
        /// The pieces, from the top down; may be empty when it only moves.
        hunks: Vec<Hunk>,
    },
}

impl Change {
    /// The paths that it names.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let (path, target) = match self {
            Self::Add { path, .. } | Self::Delete { path } => (path, None),
            Self::Update { path, target, .. } => (path, target.as_deref()),
        };
        std::iter::once(path.as_str()).chain(target)
    }
}

/// One piece of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunk {
    /// Lines that stand somewhere above it, in order (`@@ text`): they say which of several equal places is meant.
    pub headings: Vec<String>,
    /// The lines as they are: context and removed ones.
    pub old: Vec<String>,
    /// The lines as they shall be: context and added ones.
    pub new: Vec<String>,
    /// Whether it ends the file.
    pub at_end: bool,
}

/// Why a text is no patch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatchError {
    /// It is too long.
    #[error("it is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// It has too many files.
    #[error("it changes more than {MAX_FILES} files")]
    TooManyFiles,
    /// It changes nothing.
    #[error("it changes nothing")]
    Empty,
    /// A line is not what should stand there.
    #[error("line {line}: {why}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
}

impl Patch {
    /// Reads a patch.
    ///
    /// # Errors
    /// See [`PatchError`].
    pub fn parse(text: &str) -> Result<Self, PatchError> {
        if text.len() > MAX_BYTES {
            return Err(PatchError::TooLong);
        }
        Reader::new(text).patch()
    }
}

struct Reader<'t> {
    lines: Vec<&'t str>,
    at: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let lines = text.trim().split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)).collect();
        Self { lines, at: 0 }
    }

    fn peek(&self) -> Option<&'t str> {
        self.lines.get(self.at).copied()
    }

    fn wrong<T>(&self, why: &'static str) -> Result<T, PatchError> {
        Err(PatchError::Line { line: self.at + 1, why })
    }

    fn patch(mut self) -> Result<Patch, PatchError> {
        if self.peek().map(str::trim) != Some(BEGIN) {
            return self.wrong("`*** Begin Patch` should stand here");
        }
        self.at += 1;
        let mut changes = Vec::new();
        loop {
            let Some(line) = self.peek() else { return self.wrong("`*** End Patch` is missing") };
            if line.trim() == END {
                break;
            }
            if line.trim().is_empty() {
                self.at += 1;
                continue;
            }
            if changes.len() == MAX_FILES {
                return Err(PatchError::TooManyFiles);
            }
            changes.push(self.change(line)?);
        }
        self.at += 1;
        if self.peek().is_some() {
            return self.wrong("nothing may follow `*** End Patch`");
        }
        if changes.is_empty() { Err(PatchError::Empty) } else { Ok(Patch { changes }) }
    }

    fn change(&mut self, line: &'t str) -> Result<Change, PatchError> {
        let line = line.trim_end();
        let path = |text: &str| text.trim().to_owned();
        let (kind, rest) =
            match (line.strip_prefix(ADD), line.strip_prefix(DELETE), line.strip_prefix(UPDATE)) {
                (Some(rest), _, _) => ('a', rest),
                (_, Some(rest), _) => ('d', rest),
                (_, _, Some(rest)) => ('u', rest),
                _ => {
                    return self.wrong(
                        "`*** Add File: `, `*** Delete File: ` or `*** Update File: ` should stand here",
                    );
                }
            };
        let path = path(rest);
        if path.is_empty() {
            return self.wrong("the path is missing");
        }
        self.at += 1;
        match kind {
            'a' => Ok(Change::Add { path, content: self.added()? }),
            'd' => Ok(Change::Delete { path }),
            _ => self.update(path),
        }
    }

    fn added(&mut self) -> Result<String, PatchError> {
        let mut content = String::new();
        while let Some(line) = self.peek().filter(|l| !l.starts_with("*** ")) {
            match line.strip_prefix('+') {
                Some(text) => {
                    content.push_str(text);
                    content.push('\n');
                }
                None if line.trim().is_empty() => {}
                None => return self.wrong("a line of a new file begins with `+`"),
            }
            self.at += 1;
        }
        Ok(content)
    }

    fn update(&mut self, path: String) -> Result<Change, PatchError> {
        let mut target = None;
        if let Some(rest) = self.peek().and_then(|l| l.strip_prefix(MOVE)) {
            let rest = rest.trim();
            if rest.is_empty() {
                return self.wrong("the new path is missing");
            }
            target = Some(rest.to_owned());
            self.at += 1;
        }
        let mut hunks = Vec::new();
        while let Some(line) = self.peek() {
            let ends = [END, ADD, DELETE, UPDATE].iter().any(|m| line.starts_with(m.trim_end()));
            if ends {
                break;
            }
            if line.trim().is_empty() && !self.hunk_follows() {
                self.at += 1;
                continue;
            }
            hunks.push(self.hunk(hunks.is_empty())?);
        }
        if hunks.is_empty() && target.is_none() {
            return self.wrong("an update needs at least one hunk");
        }
        Ok(Change::Update { path, target, hunks })
    }

    /// Whether an empty line belongs to a hunk (editors strip the blank of an empty context line) or only parts two sections.
    fn hunk_follows(&self) -> bool {
        let rest = self.lines.get(self.at..).unwrap_or_default();
        let next = rest.iter().find(|l| !l.trim().is_empty());
        next.is_some_and(|l| l.starts_with(['+', '-', ' ']))
    }

    fn hunk(&mut self, first: bool) -> Result<Hunk, PatchError> {
        let mut hunk = Hunk::default();
        let mut marked = false;
        while let Some(rest) = self.peek().and_then(|l| l.strip_prefix("@@")) {
            marked = true;
            let heading = rest.strip_prefix(' ').unwrap_or(rest);
            if !heading.trim().is_empty() {
                hunk.headings.push(heading.to_owned());
            }
            self.at += 1;
        }
        if !marked && !first {
            return self.wrong("`@@` should stand here");
        }
        let mut changed = false;
        while let Some(line) = self.peek() {
            if line.trim_end() == END_OF_FILE {
                hunk.at_end = true;
                self.at += 1;
                break;
            }
            if line.starts_with("@@") || line.starts_with("*** ") {
                break;
            }
            let mut chars = line.chars();
            match chars.next() {
                Some(' ') => {
                    hunk.old.push(chars.as_str().to_owned());
                    hunk.new.push(chars.as_str().to_owned());
                }
                None if !self.hunk_follows() && changed => break,
                None => {
                    hunk.old.push(String::new());
                    hunk.new.push(String::new());
                }
                Some('-') => {
                    changed = true;
                    hunk.old.push(chars.as_str().to_owned());
                }
                Some('+') => {
                    changed = true;
                    hunk.new.push(chars.as_str().to_owned());
                }
                Some(_) => return self.wrong("a line of a hunk begins with a blank, `+` or `-`"),
            }
            self.at += 1;
        }
        if !changed {
            return self.wrong("the hunk changes nothing");
        }
        Ok(hunk)
    }
}
