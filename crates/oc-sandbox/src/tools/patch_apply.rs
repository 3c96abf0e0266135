//! `apply_patch`: every file is read and every new content worked out before the first one is written.

use oc_runner::protocol::FileOperation;
use serde_json::json;
use thiserror::Error;

use super::edit::original;
use super::patch::{Change, Hunk, Patch};
use super::path::{Purpose, ViewPath};
use super::{Site, Stopped};
use crate::gate::{Outcome, ToolResult};

/// Why a hunk does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApplyError {
    /// A heading is not there.
    #[error("hunk {hunk}: no line {heading:?} below the place before")]
    Heading {
        /// The hunk, from 1.
        hunk: usize,
        /// The line that was looked for.
        heading: String,
    },
    /// Its lines are not there.
    #[error("hunk {hunk}: its lines are not in the file{first}")]
    Lines {
        /// The hunk, from 1.
        hunk: usize,
        /// The first of them, for people.
        first: String,
    },
}

/// The text with every hunk applied, from the top down. Lines are compared exactly, then without blanks at their end, then without blanks
/// at both ends; the first way that fits counts.
///
/// # Errors
/// See [`ApplyError`].
pub fn updated(text: &str, hunks: &[Hunk]) -> Result<String, ApplyError> {
    let crlf = text.contains("\r\n");
    let plain = if crlf { text.replace("\r\n", "\n") } else { text.to_owned() };
    let mut lines: Vec<&str> = plain.split('\n').collect();
    // A text that ends in a line end has no further line; one that does not gets one with the patch.
    if lines.last() == Some(&"") {
        lines.pop();
    }
    let mut out: Vec<&str> = Vec::with_capacity(lines.len());
    let mut at = 0;
    for (index, hunk) in hunks.iter().enumerate() {
        let number = index + 1;
        let mut from = at;
        for heading in &hunk.headings {
            let found = find(&lines, std::slice::from_ref(heading), from, false);
            let missing = || ApplyError::Heading { hunk: number, heading: heading.clone() };
            from = found.ok_or_else(missing)? + 1;
        }
        let place = if hunk.old.is_empty() {
            // Nothing to look for: below the heading, or at the end.
            if hunk.headings.is_empty() || hunk.at_end { lines.len() } else { from }
        } else {
            find(&lines, &hunk.old, from, hunk.at_end).ok_or_else(|| ApplyError::Lines {
                hunk: number,
                first: hunk.old.first().map(|l| format!(" (first: {l:?})")).unwrap_or_default(),
            })?
        };
        out.extend(lines.get(at..place).unwrap_or_default());
        out.extend(hunk.new.iter().map(String::as_str));
        at = place + hunk.old.len();
    }
    out.extend(lines.get(at..).unwrap_or_default());
    let mut text = out.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    Ok(if crlf { text.replace('\n', "\r\n") } else { text })
}

/// Where `wanted` stands in `lines`, from `from` on; with `at_end` only as the last lines.
fn find(lines: &[&str], wanted: &[String], from: usize, at_end: bool) -> Option<usize> {
    let ways: [fn(&str) -> &str; 3] = [|l| l, |l| l.trim_end(), |l| l.trim()];
    let last = lines.len().checked_sub(wanted.len())?;
    let from = if at_end { last.max(from) } else { from };
    ways.iter().find_map(|way| {
        (from..=last).find(|&at| {
            let there = lines.get(at..at + wanted.len()).unwrap_or_default();
            there.iter().zip(wanted).all(|(a, b)| way(a) == way(b))
        })
    })
}

/// One prepared step.
struct Step {
    operation: FileOperation,
    at: ViewPath,
    content: Vec<u8>,
    said: String,
}

pub(super) async fn run(site: &Site<'_>, patch: &Patch) -> Result<ToolResult, Stopped> {
    let mut steps = Vec::new();
    for change in &patch.changes {
        prepare(site, change, &mut steps).await?;
    }
    let mut done: Vec<String> = Vec::new();
    for step in steps {
        match site.file(&step.at, step.operation, step.content).await.map_err(Stopped::from) {
            Ok(_) => done.push(step.said),
            Err(Stopped::Failed(why)) if done.is_empty() => return Err(Stopped::Failed(why)),
            Err(Stopped::Failed(why)) => {
                let text = format!("{}: {why}\nDone before that:\n{}", step.at.shown, done.join("\n"));
                return Ok(ToolResult::text(Outcome::Failed, text).with("done", json!(done)));
            }
            Err(place) => return Err(place),
        }
    }
    let files = patch.changes.len();
    Ok(ToolResult::text(Outcome::Done, done.join("\n")).with("files", files).with("done", json!(done)))
}

async fn prepare(site: &Site<'_>, change: &Change, steps: &mut Vec<Step>) -> Result<(), Stopped> {
    match change {
        Change::Add { path, content } => {
            let at = site.view.locate(path, Purpose::Write)?;
            steps.push(Step {
                operation: FileOperation::Write { path: at.path.clone(), expected: Some(String::new()) },
                said: format!("added {}", at.shown),
                content: content.clone().into_bytes(),
                at,
            });
        }
        Change::Delete { path } => {
            let at = site.view.locate(path, Purpose::Write)?;
            steps.push(Step {
                operation: FileOperation::Remove { path: at.path.clone() },
                said: format!("deleted {}", at.shown),
                content: Vec::new(),
                at,
            });
        }
        Change::Update { path, target, hunks } => {
            let at = site.view.locate(path, Purpose::Write)?;
            let original = original(site, &at).await?;
            let text =
                updated(&original.text, hunks).map_err(|e| Stopped::Failed(format!("{}: {e}", at.shown)))?;
            match target {
                None => steps.push(Step {
                    operation: FileOperation::Write {
                        path: at.path.clone(),
                        expected: Some(original.sha256),
                    },
                    said: format!("changed {}", at.shown),
                    content: text.into_bytes(),
                    at,
                }),
                Some(target) => {
                    let to = site.view.locate(target, Purpose::Write)?;
                    let said = format!("moved {} to {}", at.shown, to.shown);
                    steps.push(Step {
                        operation: FileOperation::Write {
                            path: to.path.clone(),
                            expected: Some(String::new()),
                        },
                        said: format!("wrote {}", to.shown),
                        content: text.into_bytes(),
                        at: to,
                    });
                    let operation = FileOperation::Remove { path: at.path.clone() };
                    steps.push(Step { operation, said, content: Vec::new(), at });
                }
            }
        }
    }
    Ok(())
}
