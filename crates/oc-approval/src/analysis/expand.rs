//! Words to arguments: tilde and wildcards, expanded once, by the analysis itself (exec-approval 5.2). What runs is this expansion.

mod matching;

use std::cell::Cell;

use oc_shell::{Piece, Word};

use super::facts::{Facts, normal_in};
use crate::host_view::Entry;
use crate::plan::Miss;
use crate::protected::Places;
use crate::safe_bin::usage::{Argument, MadeBy};
use matching::Part;

/// Most results of all words of a line.
const MAX_RESULTS: usize = 1024;

/// Most comparisons of a part of a pattern with a place in a name, for all words of a line.
const MAX_COMPARISONS: usize = 32_000;

/// What the expansion of a line needs.
pub(super) struct Ground<'a> {
    pub facts: &'a Facts<'a>,
    pub places: &'a Places,
    /// The working directory, without links.
    pub directory: &'a str,
    /// `HOME` of the host of execution.
    pub home: Option<&'a str>,
    /// What the wildcards of the line may still cost.
    pub budget: Budget,
}

/// What the wildcards of one line may cost.
pub(super) struct Budget {
    results: Cell<usize>,
    comparisons: Cell<usize>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { results: Cell::new(MAX_RESULTS), comparisons: Cell::new(MAX_COMPARISONS) }
    }
}

impl Budget {
    /// Whether nothing is left, so that the line asks whatever else its wildcards find.
    pub(super) fn is_used_up(&self) -> bool {
        self.comparisons.get() == 0
    }

    fn too_many_results(&self) -> Miss {
        self.comparisons.set(0);
        Miss::new("too-long", format!("wildcards find more than {MAX_RESULTS} files"))
    }

    pub(super) fn too_many_comparisons(&self) -> Miss {
        self.comparisons.set(0);
        Miss::new("too-long", "wildcards that are compared with too many names")
    }
}

/// Whether `--` stands before a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Options {
    /// It does not: a result that looks like an option would be one.
    Open,
    /// It does.
    Ended,
}

impl Ground<'_> {
    fn home(&self) -> Result<&str, Miss> {
        self.home
            .filter(|h| h.starts_with('/') && !h.contains('\0'))
            .ok_or_else(|| Miss::new("expansion", "`~` without a HOME"))
    }

    /// A word that may not hold a wildcard.
    pub(super) fn plain(&self, word: &Word) -> Result<Argument, Miss> {
        if word.is_pattern() {
            return Err(Miss::new("glob", "a wildcard where none is allowed"));
        }
        let mut text = String::new();
        let mut made_by = MadeBy::Text;
        for piece in &word.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Home => {
                    text.push_str(self.home()?);
                    made_by = MadeBy::Home;
                }
                Piece::AnyRun | Piece::AnyOne | Piece::Class(_) => {}
            }
        }
        Ok(Argument { text, made_by })
    }

    /// Adds all arguments that an operand stands for.
    pub(super) fn operand(&self, word: &Word, options: Options, out: &mut Vec<Argument>) -> Result<(), Miss> {
        if !word.is_pattern() {
            out.push(self.plain(word)?);
            return Ok(());
        }
        if self.budget.is_used_up() {
            return Err(self.budget.too_many_comparisons());
        }
        let components = self.components(word)?;
        let absolute = components.first().is_some_and(Vec::is_empty) && components.len() > 1;
        let mut found: Vec<String> = vec![if absolute { "/".to_owned() } else { String::new() }];
        let last = components.len().saturating_sub(1);
        for (at, component) in components.iter().enumerate() {
            if component.is_empty() {
                // The root, `//`, or a final `/`: only directories go on.
                if at == last && at > 0 {
                    found.retain(|p| self.is_directory(p));
                    for path in &mut found {
                        path.push('/');
                    }
                }
                continue;
            }
            found = self.step(&found, component, at == last)?;
            if found.is_empty() {
                break;
            }
        }
        if found.is_empty() {
            out.push(Argument { text: self.spelling(word)?, made_by: MadeBy::Text });
            return Ok(());
        }
        let results = self
            .budget
            .results
            .get()
            .checked_sub(found.len())
            .ok_or_else(|| self.budget.too_many_results())?;
        self.budget.results.set(results);
        found.sort_unstable();
        // A pattern that starts with a directory cannot make an option.
        let anchored = absolute
            || (components.len() > 1 && components.first().is_some_and(|c| c.iter().all(Part::is_literal)));
        for path in &found {
            if path.starts_with('-') && !anchored && options == Options::Open {
                return Err(Miss::new("glob-option", format!("a file name looks like an option: {path}")));
            }
            if has_control(path) {
                return Err(Miss::new("control-char", "in the name of a file that a wildcard found"));
            }
        }
        out.extend(found.into_iter().map(|text| Argument { text, made_by: MadeBy::Wildcard }));
        Ok(())
    }

    /// The word split at `/`, each component in parts.
    fn components<'w>(&'w self, word: &'w Word) -> Result<Vec<Vec<Part<'w>>>, Miss> {
        let mut out: Vec<Vec<Part<'w>>> = vec![Vec::new()];
        let literal = |out: &mut Vec<Vec<Part<'w>>>, text: &'w str| {
            for (nth, part) in text.split('/').enumerate() {
                if nth > 0 {
                    out.push(Vec::new());
                }
                if let (false, Some(component)) = (part.is_empty(), out.last_mut()) {
                    component.push(Part::Literal(part));
                }
            }
        };
        for piece in &word.pieces {
            match piece {
                Piece::Literal(text) => literal(&mut out, text),
                Piece::Home => literal(&mut out, self.home()?),
                Piece::AnyRun => push(&mut out, Part::Run),
                Piece::AnyOne => push(&mut out, Part::One),
                Piece::Class(text) => push(&mut out, Part::class(text)?),
            }
        }
        Ok(out)
    }

    /// The word as it stands when nothing matches.
    fn spelling(&self, word: &Word) -> Result<String, Miss> {
        let mut text = String::new();
        for piece in &word.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Home => text.push_str(self.home()?),
                Piece::AnyRun => text.push('*'),
                Piece::AnyOne => text.push('?'),
                Piece::Class(class) => {
                    text.push('[');
                    text.push_str(class);
                    text.push(']');
                }
            }
        }
        Ok(text)
    }

    /// One component further, from every path so far. Paths keep their spelling: relative ones stay relative.
    fn step(&self, from: &[String], component: &[Part<'_>], is_last: bool) -> Result<Vec<String>, Miss> {
        let literal: Option<String> = component.iter().map(Part::literal).collect();
        let mut out = Vec::new();
        for base in from {
            if let Some(name) = &literal {
                let path = extend(base, name);
                // Only what exists goes on; a middle component must be a directory.
                let end = self.facts.end_in(self.directory, &path);
                let there = match end.entry {
                    Entry::Directory(_) => true,
                    Entry::File(_) | Entry::Other(_) => is_last,
                    Entry::Unknown => {
                        return Err(Miss::new("protected-path", format!("{path} (it cannot be looked at)")));
                    }
                    Entry::Missing | Entry::Link { .. } => is_last && self.is_link(&path),
                };
                if there {
                    out.push(path);
                }
                continue;
            }
            out.extend(self.matches(base, component, is_last)?);
            if out.len() > MAX_RESULTS {
                return Err(self.budget.too_many_results());
            }
        }
        Ok(out)
    }

    /// The names in one directory that a component matches.
    fn matches(&self, base: &str, component: &[Part<'_>], is_last: bool) -> Result<Vec<String>, Miss> {
        let shown = if base.is_empty() { "." } else { base };
        let end = self.facts.end_in(self.directory, shown);
        match end.entry {
            Entry::Directory(_) => {}
            Entry::Unknown => {
                return Err(Miss::new("protected-path", format!("{shown} (it cannot be looked at)")));
            }
            Entry::File(_) | Entry::Other(_) | Entry::Missing | Entry::Link { .. } => return Ok(Vec::new()),
        }
        // What a protected directory holds is not told, not even by the difference between results and none.
        let spelled = normal_in(self.directory, shown);
        for place in [spelled.as_str(), end.path.as_str()] {
            if let Some(why) = self.places.protects(place) {
                return Err(Miss::new("protected-path", format!("{shown} ({why})")));
            }
        }
        let names = self
            .facts
            .names(&end.path)
            .ok_or_else(|| Miss::new("glob", format!("{shown} cannot be listed or holds too much")))?;
        let hidden = matches!(component.first(), Some(Part::Literal(text)) if text.starts_with('.'));
        let mut out = Vec::new();
        let mut left = self.budget.comparisons.get();
        for name in names.iter() {
            if name.starts_with('.') && !hidden || !matching::matches(component, name, &mut left) {
                if left == 0 {
                    break;
                }
                continue;
            }
            let path = extend(base, name);
            if is_last || self.is_directory(&path) {
                out.push(path);
            }
            if out.len() > MAX_RESULTS {
                return Err(self.budget.too_many_results());
            }
        }
        self.budget.comparisons.set(left);
        if left == 0 {
            return Err(self.budget.too_many_comparisons());
        }
        Ok(out)
    }

    fn is_directory(&self, path: &str) -> bool {
        let end = self.facts.end_in(self.directory, path);
        matches!(end.entry, Entry::Directory(_))
    }

    fn is_link(&self, path: &str) -> bool {
        let joined = super::facts::join(self.directory, path);
        let (parent, name) = joined.rsplit_once('/').unwrap_or(("", &joined));
        let parent = self.facts.end(if parent.is_empty() { "/" } else { parent });
        matches!(self.facts.view().entry(&extend(&parent.path, name)), Entry::Link { .. })
    }
}

fn has_control(name: &str) -> bool {
    name.bytes().any(|b| b < b' ' || b == 0x7f) || !name.is_ascii() && name.chars().any(char::is_control)
}

fn push<'w>(out: &mut [Vec<Part<'w>>], part: Part<'w>) {
    if let Some(component) = out.last_mut() {
        component.push(part);
    }
}

fn extend(base: &str, name: &str) -> String {
    if base.is_empty() {
        name.to_owned()
    } else if base.ends_with('/') {
        format!("{base}{name}")
    } else {
        format!("{base}/{name}")
    }
}

#[cfg(test)]
mod tests;
