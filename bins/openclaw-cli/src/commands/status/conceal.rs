//! What must not stand in a status report (logging-redaction 6): every credential of the configuration and the environment, wherever it
//! turns up, and whatever looks like one.

use oc_config::load::Loaded;
use oc_gateway::client::Target;
use oc_text::redact::{Redactor, is_sensitive_name};
use oc_types::{Node, Secret, Value as Tree};
use serde_json::Value;

/// Shortest text that is masked by its value alone, in bytes. Shorter ones would mask words.
const MIN: usize = 5;

/// Masks reports.
#[derive(Debug)]
pub struct Conceal {
    /// Longest first: one may hold another.
    secrets: Vec<Secret>,
    by_shape: [Redactor; 2],
}

impl Conceal {
    /// Knows the credentials of a setup.
    pub fn of(loaded: &Loaded, target: &Target) -> Self {
        let mut texts = Vec::new();
        collect(&loaded.tree, false, &mut texts);
        let named = loaded.environment.names().filter(|n| is_sensitive_name(n));
        texts.extend(named.filter_map(|n| loaded.environment.get(n)).map(str::to_owned));
        let shown = [&target.credentials.token, &target.credentials.password];
        texts.extend(shown.into_iter().flatten().map(|s| s.expose().to_owned()));
        texts.retain(|t| t.trim().len() >= MIN);
        texts.sort_by_key(|t| std::cmp::Reverse(t.len()));
        texts.dedup();
        let own = [
            r"(?i)(?:access[_-]?token|refresh[_-]?token|token|password|secret|api[_-]?key)\s*[:=]\s*(\S+)",
            r"(?i)Bearer\s+(\S+)",
            r"(sk-[A-Za-z0-9_-]{10,})",
        ];
        let (extra, _) = Redactor::custom(&own.map(str::to_owned));
        Self {
            secrets: texts.into_iter().map(|t| Secret::new(t.trim().to_owned())).collect(),
            by_shape: [Redactor::standard(), extra],
        }
    }

    /// A text without credentials.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), "***");
            }
        }
        self.by_shape.iter().fold(text, |text, r| r.redact(&text))
    }

    /// A value without credentials.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|v| self.value(v)).collect(),
            Value::Object(members) => members.into_iter().map(|(k, v)| (k, self.value(v))).collect(),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
        }
    }
}

/// The texts below keys that name credentials.
fn collect(node: &Node, sensitive: bool, out: &mut Vec<String>) {
    match &node.value {
        Tree::String(text) if sensitive => out.push(text.clone()),
        Tree::Array(items) => items.iter().for_each(|n| collect(n, sensitive, out)),
        Tree::Object(members) => {
            for (key, child) in members {
                collect(child, sensitive || is_sensitive_name(key) || key == "env", out);
            }
        }
        Tree::String(_) | Tree::Null | Tree::Bool(_) | Tree::Number(_) => {}
    }
}
