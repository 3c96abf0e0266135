//! Names, types, words and ranges.

use oc_types::{KeyPath, Node, Object, Value};

use super::describe::{expected, found};
use super::{Report, ValidateContext, suggest};
use crate::schema::kind::Kind;
use crate::schema::plugins::BUNDLED;
use crate::schema::{ROOT, Rest, Shape};
use crate::{Issue, Reading};

/// Checks a whole tree.
pub(super) fn check(tree: &Node, context: &ValidateContext<'_>, report: &mut Report) {
    let mut walk = Walk { reading: context.reading, report };
    walk.value(tree, &ROOT, &KeyPath::root(), false);
    for plugin in BUNDLED {
        if let Some(options) = tree.path(&["plugins", "entries", plugin.id, "config"]) {
            let at = KeyPath::dotted("plugins.entries").key(plugin.id).key("config");
            walk.value(options, &plugin.config, &at, false);
        }
    }
}

struct Walk<'r> {
    reading: Reading,
    report: &'r mut Report,
}

impl Walk<'_> {
    fn value(&mut self, node: &Node, kind: &Kind, path: &KeyPath, secret: bool) {
        if let Kind::Either(of) = kind {
            return self.either(node, kind, of, path, secret);
        }
        if self.reading == Reading::Era && matches!(kind, Kind::Loose(_)) {
            return; // The era release leaves such a section to its plugin.
        }
        match (kind, &node.value) {
            (Kind::Any, _) => {}
            (Kind::List(of), Value::Array(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.value(item, of, &path.index(i), secret);
                }
            }
            (Kind::Secret, Value::Object(_)) if self.reading == Reading::Product => {
                // A reference; its form is checked with the other rules about credentials.
            }
            (_, Value::Object(members)) => match kind.shape() {
                Some(shape) => self.object(node, members, shape, path, secret),
                None => self.wrong(node, kind, path, secret),
            },
            _ if accepts(kind, &node.value, self.reading) => {}
            _ => self.wrong(node, kind, path, secret),
        }
    }

    /// One alternative must fit. When only one can be meant, its own problems are the ones worth telling.
    fn either(&mut self, node: &Node, kind: &Kind, of: &[Kind], path: &KeyPath, secret: bool) {
        let mut meant = of.iter().filter(|k| same_class(k, &node.value));
        match (meant.next(), meant.next()) {
            (Some(only), None) if !matches!(only, Kind::Word(_) | Kind::ProductWord(_)) => {
                self.value(node, only, path, secret);
            }
            _ => {
                let fits = of.iter().any(|k| {
                    let mut trial = Report::default();
                    Walk { reading: self.reading, report: &mut trial }.value(node, k, path, secret);
                    trial.issues.is_empty()
                });
                if !fits {
                    self.wrong(node, kind, path, secret);
                }
            }
        }
    }

    fn object(&mut self, node: &Node, members: &Object, shape: Shape, path: &KeyPath, secret: bool) {
        for (name, member) in members {
            let at = path.key(name.as_str());
            match shape.key(name) {
                Some(key) if self.reading == Reading::Product || !key.product => {
                    self.value(member, &key.kind, &at, secret || key.secret);
                }
                Some(_) => self.unknown(member, name, at, shape),
                None => match shape.rest {
                    Rest::Entries(of) => self.value(member, of, &at, secret),
                    Rest::Accepted => {}
                    Rest::RefusedByProduct if self.reading == Reading::Era => {}
                    Rest::Refused | Rest::RefusedByProduct => self.unknown(member, name, at, shape),
                },
            }
        }
        for key in shape.keys().filter(|k| k.required && !members.contains_key(k.name)) {
            self.report.add(Issue {
                path: path.key(key.name),
                origin: node.origin.clone(),
                message: "missing, and needed here".to_owned(),
                nearest: None,
                fix: Some(format!("add {}: {}", key.name, expected(&key.kind, self.reading))),
            });
        }
    }

    fn unknown(&mut self, member: &Node, name: &str, at: KeyPath, shape: Shape) {
        let hint = if self.report.is_full() {
            suggest::Hint::default()
        } else {
            suggest::for_key(&at, name, shape, self.reading)
        };
        self.report.add(Issue {
            path: at,
            origin: member.origin.clone(),
            message: hint.message.unwrap_or_else(|| "unknown key".to_owned()),
            nearest: hint.nearest,
            fix: Some(hint.fix.unwrap_or_else(|| "rename or remove it".to_owned())),
        });
    }

    fn wrong(&mut self, node: &Node, kind: &Kind, path: &KeyPath, secret: bool) {
        let (message, fix) = found(node, kind, self.reading, secret);
        let origin = node.origin.clone();
        self.report.add(Issue { path: path.clone(), origin, message, nearest: None, fix: Some(fix) });
    }
}

/// Whether a scalar kind takes a value. Lists and objects are looked into elsewhere.
pub(super) fn accepts(kind: &Kind, value: &Value, reading: Reading) -> bool {
    match (kind, value) {
        (Kind::Any, _)
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Text | Kind::Secret, Value::String(_))
        | (Kind::List(_), Value::Array(_)) => true,
        (Kind::Is(want), Value::Bool(have)) => want == have,
        (Kind::Filled, Value::String(s)) => !s.is_empty(),
        (Kind::Form(form), Value::String(s)) => form.accepts(s),
        (Kind::Number(min, max), Value::Number(n)) => (*min..=*max).contains(n),
        (Kind::Above(min), Value::Number(n)) => n > min,
        (Kind::Integer(min, max), Value::Number(n)) => n.fract() == 0.0 && (*min..=*max).contains(n),
        (Kind::Port, Value::Number(n)) => {
            n.fract() == 0.0 && *n >= 1.0 && (reading == Reading::Era || *n <= 65_535.0)
        }
        (Kind::Word(words), Value::String(s)) => words.contains(&s.as_str()),
        (Kind::ProductWord(words), Value::String(s)) => {
            reading == Reading::Product && words.contains(&s.as_str())
        }
        (Kind::Either(of), value) => of.iter().any(|k| accepts(k, value, reading)),
        _ => false,
    }
}

/// Whether a kind could be what the writer of this value had in mind.
fn same_class(kind: &Kind, value: &Value) -> bool {
    match (kind, value) {
        (Kind::Any, _)
        | (Kind::Bool | Kind::Is(_), Value::Bool(_))
        | (Kind::Number(..) | Kind::Above(_) | Kind::Integer(..) | Kind::Port, Value::Number(_))
        | (Kind::List(_), Value::Array(_))
        | (Kind::Secret, Value::String(_) | Value::Object(_)) => true,
        (
            Kind::Text | Kind::Filled | Kind::Form(_) | Kind::Word(_) | Kind::ProductWord(_),
            Value::String(_),
        ) => true,
        (Kind::Either(of), value) => of.iter().any(|k| same_class(k, value)),
        (kind, Value::Object(_)) => kind.shape().is_some(),
        _ => false,
    }
}
