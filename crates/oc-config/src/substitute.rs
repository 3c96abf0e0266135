//! `${VAR}` in string values (audit spec 4.5, SP-053).
//!
//! Names are `[A-Z_][A-Z0-9_]*`; anything else after a `$` stays as it is; `$${NAME}` means the text `${NAME}`. Each string is
//! read once from left to right, so text that came out of a variable is never read again.

use std::sync::Arc;

use oc_types::{KeyPath, Node, Origin, Segment, Value};
use serde::Serialize;

use crate::{Environment, Issue};

#[cfg(test)]
mod tests;

/// Most bytes that substitution may produce in one load: a large variable named often would otherwise have no limit (SP-016).
pub const MAX_SUBSTITUTED_BYTES: usize = 16 * 1024 * 1024;

/// Most variables that are told one by one.
const MAX_ISSUES: usize = 100;

/// A value whose text in the file is a reference: writes put this text back, not the substituted one (SP-054).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// The value in the merged tree, before migrations.
    pub path: KeyPath,
    /// Its text as written, for example `Bearer ${API_KEY}`.
    pub raw: String,
    /// The variables, in order of appearance.
    pub names: Vec<String>,
    /// Where the value is written (the file or include itself, not the variable).
    pub origin: Origin,
}

/// One part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Text that stands for itself.
    Text(&'a str),
    /// `${NAME}`.
    Variable(&'a str),
}

/// Cuts a text into plain parts and references.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut plain = 0;
    let mut from = 0;
    while let Some(dollar) = text.get(from..).and_then(|t| t.find('$')).map(|i| from + i) {
        let escaped = text.get(dollar + 1..).is_some_and(|t| t.starts_with('$'));
        let open = dollar + 1 + usize::from(escaped);
        let Some(name) = text.get(open..).and_then(name_in_braces) else {
            from = dollar + 1;
            continue;
        };
        let end = open + name.len() + 2;
        let before = text.get(plain..dollar).unwrap_or("");
        if !before.is_empty() {
            out.push(Piece::Text(before));
        }
        if escaped {
            out.push(Piece::Text(text.get(open - 1..end).unwrap_or("")));
        } else {
            out.push(Piece::Variable(name));
        }
        plain = end;
        from = end;
    }
    let rest = text.get(plain..).unwrap_or("");
    if !rest.is_empty() {
        out.push(Piece::Text(rest));
    }
    out
}

/// `{NAME}` at the start of a text, when the name is one.
fn name_in_braces(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    is_name(name).then_some(name)
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_uppercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// What substitution found.
#[derive(Debug, Default)]
pub(crate) struct Substituted {
    /// Every value that holds a reference.
    pub(crate) references: Vec<Reference>,
    /// One issue for each variable that is unset or empty; its value keeps the text as written.
    pub(crate) issues: Vec<Issue>,
}

/// Puts the variables into every string value of a tree, keys excepted.
pub(crate) fn substitute(tree: &mut Node, environment: &Environment) -> Substituted {
    let mut work = Work { environment, path: Vec::new(), bytes: 0, untold: 0, found: Substituted::default() };
    work.node(tree);
    if work.untold > 0 {
        let message = format!("{} more variables are not set", work.untold);
        let (path, origin) = (KeyPath::root(), tree.origin.clone());
        work.found.issues.push(Issue { path, origin, message, nearest: None, fix: None });
    }
    work.found
}

struct Work<'a> {
    environment: &'a Environment,
    path: Vec<Segment>,
    bytes: usize,
    untold: usize,
    found: Substituted,
}

impl Work<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::String(text) => {
                if !text.contains("${") {
                    return;
                }
                let raw = std::mem::take(text);
                node.value = Value::String(self.text(raw, &mut node.origin));
            }
            Value::Array(items) => {
                for (i, item) in items.iter_mut().enumerate() {
                    self.path.push(Segment::Index(i));
                    self.node(item);
                    self.path.pop();
                }
            }
            Value::Object(members) => {
                for (key, member) in members.iter_mut() {
                    self.path.push(Segment::Key(key.clone()));
                    self.node(member);
                    self.path.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The text with its variables put in; as written when one of them is missing.
    fn text(&mut self, raw: String, origin: &mut Origin) -> String {
        let mut out = String::with_capacity(raw.len());
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut whole = true;
        for piece in pieces(&raw) {
            match piece {
                Piece::Text(t) => out.push_str(t),
                Piece::Variable(name) => {
                    names.push(Arc::from(name));
                    match self.environment.get(name).filter(|v| !v.is_empty()) {
                        Some(value) if self.bytes.saturating_add(value.len()) <= MAX_SUBSTITUTED_BYTES => {
                            self.bytes += value.len();
                            out.push_str(value);
                        }
                        Some(_) => {
                            whole = false;
                            let limit = MAX_SUBSTITUTED_BYTES >> 20;
                            self.fail(
                                origin,
                                format!("the variables give more than {limit} MiB of text"),
                                "use fewer",
                            );
                            break;
                        }
                        None => {
                            whole = false;
                            let state =
                                if self.environment.get(name).is_some() { "empty" } else { "not set" };
                            let fix =
                                format!("set {name}, or write `$${{{name}}}` if the text itself is meant");
                            self.fail(origin, format!("the variable {name} is {state}"), &fix);
                        }
                    }
                }
            }
        }
        if names.is_empty() {
            return out;
        }
        let behind = Arc::new(origin.clone());
        self.found.references.push(Reference {
            path: self.path.iter().cloned().collect(),
            raw: raw.clone(),
            names: names.iter().map(|n| n.to_string()).collect(),
            origin: origin.clone(),
        });
        if !whole {
            return raw;
        }
        let via = names.iter().find_map(|n| self.environment.via(n));
        *origin = Origin::Env { names: names.into(), behind: Some(behind), via };
        out
    }

    fn fail(&mut self, origin: &Origin, message: String, fix: &str) {
        if self.found.issues.len() >= MAX_ISSUES {
            self.untold += 1;
            return;
        }
        self.found.issues.push(Issue {
            path: self.path.iter().cloned().collect(),
            origin: origin.clone(),
            message,
            nearest: None,
            fix: Some(fix.to_owned()),
        });
    }
}
