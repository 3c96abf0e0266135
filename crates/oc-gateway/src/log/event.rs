//! One event, masked and made safe to show. Nothing else gets from `tracing` to a sink.

use std::fmt::{Debug, Write as _};

use oc_text::redact::{is_sensitive_name, mask};
use oc_text::{Redactor, visible};
use tracing::field::{Field, Visit};

use super::settings::Level;

/// Longest message and field, in characters.
const MAX_MESSAGE: usize = 4096;
const MAX_FIELD: usize = 1024;
/// Most fields of an event.
const MAX_FIELDS: usize = 32;
/// Bytes of a value that are looked at. Beyond it nothing is shown, so nothing needs masking.
const WINDOW: usize = 64 * 1024;

/// An event that may be shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Safe {
    pub(super) level: Level,
    pub(super) subsystem: String,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, serde_json::Value)>,
}

/// Collects the fields of an event.
pub(super) struct Collect<'r> {
    redactor: &'r Redactor,
    message: String,
    fatal: bool,
    fields: Vec<(&'static str, serde_json::Value)>,
}

impl<'r> Collect<'r> {
    pub(super) fn new(redactor: &'r Redactor) -> Self {
        Self { redactor, message: String::new(), fatal: false, fields: Vec::new() }
    }

    /// The event with its level; one with `fatal = true` is fatal.
    pub(super) fn finish(self, level: Level, target: &str) -> Safe {
        let level = if self.fatal { Level::Fatal } else { level };
        Safe { level, subsystem: subsystem(target), message: self.message, fields: self.fields }
    }

    fn text(&self, name: &str, value: &str) -> String {
        if is_sensitive_name(name) && !value.is_empty() {
            return visible(&mask(value), MAX_FIELD);
        }
        self.safe(value, MAX_FIELD)
    }

    /// Masked first, made visible and cut then: half a key has no form.
    fn safe(&self, value: &str, most: usize) -> String {
        let seen = within(value, WINDOW);
        visible(&self.redactor.redact(seen), most)
    }

    fn put(&mut self, name: &'static str, value: serde_json::Value) {
        if self.fields.len() < MAX_FIELDS {
            self.fields.push((name, value));
        }
    }
}

fn within(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // A value that cannot be written is shown as far as it came.
        let _ = write!(text, "{value:?}");
        if field.name() == "message" {
            self.message = self.safe(&text, MAX_MESSAGE);
        } else {
            let text = self.text(field.name(), &text);
            self.put(field.name(), text.into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = self.safe(value, MAX_MESSAGE);
        } else {
            let text = self.text(field.name(), value);
            self.put(field.name(), text.into());
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "fatal" {
            self.fatal = value;
        } else {
            self.put(field.name(), value.into());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(
            field.name(),
            serde_json::Number::from_f64(value).map_or(serde_json::Value::Null, Into::into),
        );
    }
}

/// The subsystem of a target: `gateway/ws` as it is, the module `oc_gateway::server::ws` as `gateway/server/ws`.
fn subsystem(target: &str) -> String {
    let target = target.strip_prefix("oc_").unwrap_or(target);
    visible(&target.replace("::", "/").replace('_', "-"), 64)
}

/// Whether a target is one of this program's own. Libraries say less: only what should be looked at.
pub(super) fn is_own(target: &str) -> bool {
    let name = target.split([':', '/']).next().unwrap_or_default();
    name.starts_with("oc_")
        || name.starts_with("openclaw")
        || matches!(name, "gateway" | "channels" | "agent" | "node" | "hooks" | "cron" | "discovery" | "log")
}
