//! The answer to a profile's question whether a file may be read.

use std::collections::HashSet;

use super::{Places, ReadScope};
use crate::analysis::facts::{End, Facts, is_within, normal_in};
use crate::host_view::Entry;
use crate::plan::Miss;
use crate::safe_bin::reads::{ReadRule, Walk};

/// Most entries of a tree that are looked at.
const MAX_WALK: usize = 20_000;

/// Questions that may be asked about where a link leads, on average.
const ASKED_FOR_A_LINK: usize = 8;

/// The read rule of one request.
pub(crate) struct Reads<'a> {
    pub facts: &'a Facts<'a>,
    pub places: &'a Places,
    pub scope: ReadScope,
    /// The working directory, without links.
    pub directory: &'a str,
    /// The agent's workspace.
    pub workspace: Option<&'a str>,
}

fn refused(operand: &str, why: &str) -> Miss {
    Miss::new("protected-path", format!("{operand} ({why})"))
}

/// A path that may be looked at.
struct Judged {
    /// As it is spelled, in normal form.
    spelled: String,
    /// Where it leads.
    end: End,
}

impl Reads<'_> {
    /// Judges a path in both spellings.
    fn judge(&self, operand: &str) -> Result<Judged, Miss> {
        if self.scope == ReadScope::Stdin {
            return Err(Miss::new("operand", "safeBinReads allows no file at all"));
        }
        if operand.contains('\0') {
            return Err(Miss::new("operand", "a NUL in a path"));
        }
        let spelled = normal_in(self.directory, operand);
        if let Some(why) = self.places.protects(&spelled) {
            return Err(refused(operand, why));
        }
        let end = self.facts.end_in(self.directory, operand);
        // `/dev/stdin` leads into `/proc`; by its own name it is harmless.
        let is_stdin = matches!(spelled.as_str(), "/dev/stdin" | "/dev/null" | "/dev/zero");
        if !is_stdin {
            if end.path != spelled
                && let Some(why) = self.places.protects(&end.path)
            {
                return Err(refused(operand, why));
            }
            if end.entry == Entry::Unknown {
                return Err(refused(operand, "it cannot be looked at"));
            }
        }
        if self.scope == ReadScope::Workspace && !is_stdin {
            let inside = |path: &str| {
                is_within(path, self.directory)
                    || self.workspace.is_some_and(|w| is_within(path, &self.facts.end(w).path))
            };
            if !inside(&end.path) {
                return Err(Miss::new("operand", format!("{operand} (outside of the workspace)")));
            }
        }
        Ok(Judged { spelled, end })
    }

    /// Looks at everything below a directory.
    fn descend(&self, operand: &str, top: &str, what: Walk) -> Result<(), Miss> {
        let contents = matches!(what, Walk::Contents | Walk::ContentsThroughLinks);
        let follows = matches!(what, Walk::NamesThroughLinks | Walk::ContentsThroughLinks);
        let gave_up = || refused(operand, "too large to look through for protected files");
        let mut left = MAX_WALK;
        let mut seen: HashSet<String> = HashSet::from([top.to_owned()]);
        let mut ahead = vec![top.to_owned()];
        while let Some(directory) = ahead.pop() {
            let names = self.facts.view().names(&directory, left).ok_or_else(gave_up)?;
            left = left.checked_sub(names.len()).ok_or_else(gave_up)?;
            if follows {
                // Where links lead is asked through the facts, several questions a link.
                self.facts.allow(names.len().saturating_mul(ASKED_FOR_A_LINK));
            }
            for name in names {
                let path = if directory == "/" { format!("/{name}") } else { format!("{directory}/{name}") };
                if contents && let Some(why) = self.places.protects(&path) {
                    return Err(refused(operand, &format!("below it: {why}")));
                }
                let next = match self.facts.view().entry(&path) {
                    Entry::Directory(_) => Some(path),
                    Entry::File(_) | Entry::Other(_) | Entry::Missing => None,
                    Entry::Unknown => return Err(gave_up()),
                    Entry::Link { .. } if follows => self.link(operand, &path)?,
                    Entry::Link { .. } => None,
                };
                if let Some(next) = next
                    && seen.insert(next.clone())
                {
                    ahead.push(next);
                }
            }
        }
        Ok(())
    }

    /// A link in a walked tree that the program follows. The directory that it leads to, when it does.
    fn link(&self, operand: &str, path: &str) -> Result<Option<String>, Miss> {
        let end = self.facts.end(path);
        if let Some(why) = self.places.protects(&end.path) {
            return Err(refused(operand, &format!("a link below it: {why}")));
        }
        match end.entry {
            Entry::Directory(_) => {
                if let Some(why) = self.places.protects_tree(&end.path) {
                    return Err(refused(operand, &format!("a link below it: {why}")));
                }
                Ok(Some(end.path))
            }
            Entry::Unknown => Err(refused(operand, "a link below it cannot be followed")),
            Entry::File(_) | Entry::Other(_) | Entry::Missing | Entry::Link { .. } => Ok(None),
        }
    }
}

impl ReadRule for Reads<'_> {
    fn read(&self, operand: &str) -> Result<(), Miss> {
        self.judge(operand).map(|_| ())
    }

    fn list(&self, operand: &str) -> Result<(), Miss> {
        self.judge(operand).map(|_| ())
    }

    fn walk(&self, operand: &str, what: Walk) -> Result<(), Miss> {
        let Judged { spelled, end } = self.judge(operand)?;
        for path in [spelled.as_str(), end.path.as_str()] {
            if let Some(why) = self.places.protects_tree(path) {
                return Err(refused(operand, why));
            }
        }
        match (what, &end.entry) {
            (Walk::NamesThroughLinks | Walk::Contents | Walk::ContentsThroughLinks, Entry::Directory(_)) => {
                self.descend(operand, &end.path, what)
            }
            (Walk::Names | Walk::NamesThroughLinks | Walk::Contents | Walk::ContentsThroughLinks, _) => {
                Ok(())
            }
        }
    }
}
