//! `$include` (in TOML `include`): other files as parts of this one (audit spec 4.4, SP-051).
//!
//! Any object may name one file or a list of files. A list is merged from left to right, keys beside the include are merged over the
//! result. Objects merge, lists concatenate, otherwise the later value wins. Included files may include others, to a depth of
//! [`MAX_INCLUDE_DEPTH`], never themselves. Which files may be named is the business of the [`Source`] and the [`Role`].

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use oc_types::{KeyPath, Node, Object, Origin, Segment, Value};

use crate::document::{self, Format, Frame, MAX_DEPTH, MAX_VALUES};
use crate::issue::Issue;
use crate::load::{LoadedFile, Reading};
use crate::source::{ReadFailure, Role, Source};

#[cfg(test)]
mod tests;

/// Longest chain of includes below the root file.
pub const MAX_INCLUDE_DEPTH: usize = 10;
/// Most included texts of one load; a file that is included twice counts twice.
pub const MAX_INCLUDES: usize = 1000;
/// Most bytes of included text of one load, counted likewise.
pub const MAX_INCLUDED_BYTES: usize = 16 * 1024 * 1024;

/// What resolving the includes of a tree gave.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The merged tree. An include that failed is left out; what stands beside it stays.
    pub(crate) tree: Node,
    /// Every included file once, in the order of first use.
    pub(crate) files: Vec<LoadedFile>,
    /// One issue for each include that failed.
    pub(crate) issues: Vec<Issue>,
    /// Odd but accepted.
    pub(crate) warnings: Vec<Issue>,
}

/// How much may be included.
#[derive(Clone, Copy, Debug)]
struct Limits {
    count: usize,
    bytes: usize,
    values: usize,
}

const LIMITS: Limits = Limits { count: MAX_INCLUDES, bytes: MAX_INCLUDED_BYTES, values: MAX_VALUES };

/// Resolves all includes of the root file's tree.
pub(crate) fn resolve(
    root: Node,
    file: &Path,
    format: Format,
    reading: Reading,
    source: &dyn Source,
) -> Resolved {
    resolve_within(LIMITS, root, file, format, reading, source)
}

fn resolve_within(
    limits: Limits,
    root: Node,
    file: &Path,
    format: Format,
    reading: Reading,
    source: &dyn Source,
) -> Resolved {
    let file = normalized(file);
    let mut resolver = Resolver {
        source,
        reading,
        limits,
        root: file.parent().map(Path::to_path_buf).unwrap_or_default(),
        chain: vec![file],
        path: Vec::new(),
        count: 0,
        bytes: 0,
        values: 0,
        files: Vec::new(),
        issues: Vec::new(),
        warnings: Vec::new(),
    };
    let tree = resolver.node(root, format, 0);
    Resolved { tree, files: resolver.files, issues: resolver.issues, warnings: resolver.warnings }
}

/// A path with `.` and `..` taken out by text alone, as upstream resolves include paths.
pub(crate) fn normalized(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

/// Merges `over` over `base`: objects by key, lists by concatenation, otherwise `over` wins.
pub(crate) fn merge(base: Node, over: Node) -> Node {
    let value = match (base.value, over.value) {
        (Value::Object(mut members), Value::Object(later)) => {
            for (key, node) in later {
                let slot = members.entry(key);
                match slot {
                    indexmap::map::Entry::Occupied(mut present) => {
                        let earlier = present.insert(Node::empty());
                        present.insert(merge(earlier, node));
                    }
                    indexmap::map::Entry::Vacant(free) => {
                        free.insert(node);
                    }
                }
            }
            Value::Object(members)
        }
        (Value::Array(mut items), Value::Array(later)) => {
            items.extend(later);
            Value::Array(items)
        }
        (_, value) => value,
    };
    Node::new(value, over.origin)
}

struct Resolver<'a> {
    source: &'a dyn Source,
    reading: Reading,
    limits: Limits,
    root: PathBuf,
    chain: Vec<PathBuf>,
    path: Vec<Segment>,
    count: usize,
    bytes: usize,
    values: usize,
    files: Vec<LoadedFile>,
    issues: Vec<Issue>,
    warnings: Vec<Issue>,
}

impl Resolver<'_> {
    fn node(&mut self, node: Node, format: Format, level: usize) -> Node {
        if level > MAX_DEPTH {
            let message = format!("objects and lists are nested deeper than {MAX_DEPTH} levels");
            self.fail(&node.origin, message, "flatten it, or include fewer files inside each other");
            return Node::new(Value::Null, node.origin);
        }
        let Node { value, origin } = node;
        let value = match value {
            Value::Object(members) => return self.object(members, origin, format, level),
            Value::Array(items) => {
                let mut out = Vec::with_capacity(items.len());
                for (i, item) in items.into_iter().enumerate() {
                    self.path.push(Segment::Index(i));
                    out.push(self.node(item, format, level + 1));
                    self.path.pop();
                }
                Value::Array(out)
            }
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
        };
        Node::new(value, origin)
    }

    fn object(&mut self, members: Object, origin: Origin, format: Format, level: usize) -> Node {
        let mut rest = Object::with_capacity(members.len());
        let mut include = None;
        for (key, member) in members {
            if key == format.include_key() {
                include = Some(member);
                continue;
            }
            self.path.push(Segment::Key(key.clone()));
            let member = self.node(member, format, level + 1);
            self.path.pop();
            rest.insert(key, member);
        }
        let Some(include) = include else { return Node::new(Value::Object(rest), origin) };
        let Some(base) = self.included(&include, format, level) else {
            return Node::new(Value::Object(rest), origin);
        };
        match base.value {
            // The object stands where its own key stands, whoever fills it.
            Value::Object(_) => merge(base, Node::new(Value::Object(rest), origin)),
            _ if rest.is_empty() => base,
            _ => {
                let message = format!(
                    "the included file holds a {}, but there are keys beside `{}`",
                    base.value.type_name(),
                    format.include_key()
                );
                self.fail(
                    &include.origin,
                    message,
                    "make the included file an object, or remove the keys beside it",
                );
                Node::new(Value::Object(rest), origin)
            }
        }
    }

    /// The merged content of an include; `None` when it names nothing usable.
    fn included(&mut self, include: &Node, format: Format, level: usize) -> Option<Node> {
        let key = format.include_key();
        match &include.value {
            Value::String(target) => self.file(target, &include.origin, level),
            Value::Array(targets) => {
                let mut all = Node::new(Value::Object(Object::new()), include.origin.clone());
                for target in targets {
                    let Some(name) = target.as_str() else {
                        let message =
                            format!("`{key}` lists a {}, not a file name", target.value.type_name());
                        self.fail(&target.origin, message, "put the path in quotes");
                        continue;
                    };
                    if let Some(next) = self.file(name, &include.origin, level) {
                        all = merge(all, next);
                    }
                }
                Some(all)
            }
            other => {
                let message = format!("`{key}` is a {}, not a file name", other.type_name());
                self.fail(&include.origin, message, "write a path in quotes, or a list of paths");
                None
            }
        }
    }

    /// One included file, its own includes resolved.
    fn file(&mut self, target: &str, at: &Origin, level: usize) -> Option<Node> {
        let path = match self.admit(target) {
            Ok(path) => path,
            Err((message, fix)) => {
                self.fail(at, message, fix);
                return None;
            }
        };
        let role = match self.reading {
            Reading::Product => Role::ConfinedInclude { root: &self.root },
            Reading::Era => Role::EraInclude,
        };
        let read = match self.source.read(&path, role) {
            Ok(read) => read,
            Err(ReadFailure::Missing(path)) => {
                let message = format!("the included file {} does not exist", path.display());
                self.fail(at, message, "create it, or correct the path");
                return None;
            }
            Err(failure @ ReadFailure::Refused { .. }) => {
                self.fail_plain(at, format!("include: {failure}"));
                return None;
            }
        };
        self.bytes = self.bytes.saturating_add(read.bytes.len());
        if self.bytes > self.limits.bytes {
            let message =
                format!("the included files are larger than {} KiB together", self.limits.bytes >> 10);
            self.fail(at, message, "include less");
            return None;
        }
        let format = match self.reading {
            Reading::Product => Format::of(&path),
            Reading::Era => Format::Json5,
        };
        let frame =
            Frame { file: Arc::from(path.to_string_lossy().as_ref()), from: Some(Arc::new(at.clone())) };
        let document = match document::parse(&frame, &read.bytes, format) {
            Ok(document) => document,
            Err(mut issue) => {
                issue.path = self.here().join(&issue.path);
                self.issues.push(*issue);
                return None;
            }
        };
        self.values = self.values.saturating_add(document.values);
        if self.values > self.limits.values {
            let message = format!("the included files hold more than {} values together", self.limits.values);
            self.fail(at, message, "include less");
            return None;
        }
        let here = self.here();
        self.warnings.extend(document.warnings.into_iter().map(|mut w| {
            w.path = here.join(&w.path);
            w
        }));
        if !self.files.iter().any(|f| f.path == path) {
            self.files.push(LoadedFile {
                path: path.clone(),
                format,
                text: String::from_utf8_lossy(&read.bytes).into_owned(),
                raw: document.node.clone(),
                included_at: Some(at.clone()),
            });
        }
        self.chain.push(path);
        let node = self.node(document.node, format, level);
        self.chain.pop();
        Some(node)
    }

    /// The path that a target means, if the limits allow one more include there.
    fn admit(&mut self, target: &str) -> Result<PathBuf, (String, &'static str)> {
        let dir = self.chain.last().and_then(|f| f.parent()).unwrap_or(Path::new(""));
        let path = normalized(&dir.join(target));
        if self.chain.contains(&path) {
            let message = format!("{} includes itself", path.display());
            return Err((message, "remove one include of the circle"));
        }
        if self.chain.len() > MAX_INCLUDE_DEPTH {
            let message = format!("includes are nested deeper than {MAX_INCLUDE_DEPTH} files");
            return Err((message, "include the file from higher up"));
        }
        if self.count >= self.limits.count {
            return Err((format!("there are more than {} includes", self.limits.count), "include less"));
        }
        self.count += 1;
        Ok(path)
    }

    fn here(&self) -> KeyPath {
        self.path.iter().cloned().collect()
    }

    fn fail(&mut self, at: &Origin, message: String, fix: &str) {
        let path = self.here();
        let fix = Some(fix.to_owned());
        self.issues.push(Issue { path, origin: at.clone(), message, nearest: None, fix });
    }

    fn fail_plain(&mut self, at: &Origin, message: String) {
        let path = self.here();
        self.issues.push(Issue { path, origin: at.clone(), message, nearest: None, fix: None });
    }
}
