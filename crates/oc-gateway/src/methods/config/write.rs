//! `config.set`, `config.patch`, `config.apply`.

use oc_config::document::{self, Frame};
use oc_config::edit::{Change, EditRefused};
use oc_config::{Format, Loaded, load, view};
use oc_fs::config_source::DiskSource;
use oc_fs::config_store::{Force, WriteRefused, Writer, edit, hash};
use oc_types::KeyPath;
use serde::Deserialize;
use serde_json::{Value, json};

use super::difference::{Impossible, merge, whole};
use super::sentinel::{self, Asked};
use super::{ConfigContext, issues, shown};
use crate::methods::params::{invalid, read, unavailable};
use crate::protocol::frame::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Set {
    raw: String,
    base_hash: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Apply {
    raw: String,
    base_hash: Option<String>,
    session_key: Option<String>,
    note: Option<String>,
    restart_delay_ms: Option<u64>,
}

/// `config.set`: the whole configuration anew. What stays the same keeps its bytes, comments too.
///
/// # Errors
/// Parameters that are not right, a `baseHash` that is missing or old, a text that cannot be read, a marker where nothing is stored, a
/// configuration that would be invalid (`details.issues`), a write that needs a person at the machine (SP-071).
pub fn set(context: &ConfigContext, params: Value) -> Result<Value, Failure> {
    let wanted: Set = read(params)?;
    let now = Stored::read(context, wanted.base_hash.as_deref())?;
    let changes = now.replacement(&wanted.raw)?;
    let (path, config) = now.write(context, &changes)?;
    Ok(json!({ "ok": true, "path": path, "config": config }))
}

/// `config.patch`: merges a part into the configuration (RFC 7396: `null` removes).
///
/// # Errors
/// As [`set`]; a patch that is no object.
pub fn patch(context: &ConfigContext, params: Value) -> Result<Value, Failure> {
    let wanted: Apply = read(params)?;
    let now = Stored::read(context, wanted.base_hash.as_deref())?;
    let given = now.parse(&wanted.raw, &[Format::Json5])?;
    let given = now.restored(&given)?;
    let changes = merge(&now.tree, &given).map_err(refused_include)?;
    applied(context, &now, &changes, "config.patch", &wanted)
}

/// `config.apply`: [`set`], then a restart.
///
/// # Errors
/// As [`set`].
pub fn apply(context: &ConfigContext, params: Value) -> Result<Value, Failure> {
    let wanted: Apply = read(params)?;
    let now = Stored::read(context, wanted.base_hash.as_deref())?;
    let changes = now.replacement(&wanted.raw)?;
    applied(context, &now, &changes, "config.apply", &wanted)
}

fn applied(
    context: &ConfigContext,
    now: &Stored,
    changes: &[Change],
    method: &'static str,
    wanted: &Apply,
) -> Result<Value, Failure> {
    let (path, config) = now.write(context, changes)?;
    let asked = Asked {
        method,
        session_key: wanted.session_key.as_deref(),
        note: wanted.note.as_deref(),
        delay_ms: wanted.restart_delay_ms,
    };
    let (restart, sentinel) = sentinel::leave(&now.loaded.locations, context.now_ms, &asked);
    Ok(json!({ "ok": true, "path": path, "config": config, "restart": restart, "sentinel": sentinel }))
}

/// The configuration that a write starts from.
struct Stored {
    loaded: Loaded,
    /// The main file as written.
    tree: Value,
    hash: String,
}

impl Stored {
    fn read(context: &ConfigContext, base: Option<&str>) -> Result<Self, Failure> {
        let loaded = load(&context.request, &DiskSource);
        let hash = hash(loaded.files.first().map_or("", |f| f.text.as_str()));
        let base = base.map(str::trim).filter(|b| !b.is_empty());
        match base {
            None if loaded.exists => {
                return Err(invalid("baseHash is missing; call config.get first and send its hash"));
            }
            Some(base) if !base.eq_ignore_ascii_case(&hash) => {
                return Err(invalid(
                    "the configuration has changed since it was read; call config.get again",
                ));
            }
            _ => {}
        }
        let tree = loaded.raw.to_json();
        Ok(Self { loaded, tree, hash })
    }

    fn parse(&self, raw: &str, formats: &[Format]) -> Result<Value, Failure> {
        let frame = Frame::root("raw");
        let mut first = None;
        for format in formats {
            match document::parse(&frame, raw.as_bytes(), *format) {
                Ok(document) => {
                    let value = document.node.to_json();
                    return if value.is_object() { Ok(value) } else { Err(invalid("raw is not an object")) };
                }
                Err(issue) => first = first.or(Some(issue)),
            }
        }
        let why = first.map_or_else(String::new, |i| i.one_line());
        Err(invalid(&format!("raw cannot be read: {why}")))
    }

    /// The changes that make `raw` the main file.
    fn replacement(&self, raw: &str) -> Result<Vec<Change>, Failure> {
        let formats: &[Format] = match Format::of(&self.loaded.locations.config) {
            Format::Toml => &[Format::Toml, Format::Json5],
            Format::Json5 | Format::Yaml => &[Format::Json5],
        };
        let given = self.restored(&self.parse(raw, formats)?)?;
        whole(&self.tree, &given).map_err(refused_include)
    }

    fn restored(&self, given: &Value) -> Result<Value, Failure> {
        view::restore(&KeyPath::root(), given, &self.tree).map_err(|path| {
            invalid(&format!("{path}: the marker for a hidden value stands where none is stored"))
        })
    }

    fn write(&self, context: &ConfigContext, changes: &[Change]) -> Result<(String, Value), Failure> {
        let writer = Writer { name: &context.writer, force: Force::No, expected: Some(&self.hash) };
        let edited = edit(&context.request, changes, writer).map_err(|e| refused(&e))?;
        Ok((self.loaded.locations.config.display().to_string(), shown(&edited.after)))
    }
}

fn refused_include(why: Impossible) -> Failure {
    match why {
        Impossible::Include(path) => {
            invalid(&format!("{path}: which files are included is changed by hand, not over the wire"))
        }
    }
}

fn refused(why: &WriteRefused) -> Failure {
    let text = why.to_string();
    match why {
        WriteRefused::Invalid(found) => {
            invalid("the configuration would be invalid").with_details(json!({ "issues": issues(found) }))
        }
        WriteRefused::Edit(EditRefused::Unreadable(issue)) => invalid("the configuration cannot be read")
            .with_details(json!({ "issues": issues(&[(**issue).clone()]) })),
        WriteRefused::Held(_) => invalid(&format!("{text}; do it with `openclaw config` at the machine")),
        WriteRefused::Edit(_) | WriteRefused::Changed(_) | WriteRefused::Linked(_) => invalid(&text),
        WriteRefused::System { .. } | WriteRefused::Lock(_) | WriteRefused::Write(_) => unavailable(&text),
    }
}
