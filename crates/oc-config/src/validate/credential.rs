//! References in place of credentials: `{ file: "/path" }`, `{ keychain: { service, account } }`.
//!
//! Only their form is checked here; whether the file is usable is found out when the credential is needed, and a
//! reference that cannot be resolved means no credential (SP-066).

use oc_types::{KeyPath, Node, Value};

use super::{Report, ValidateContext};
use crate::Reading;
use crate::schema::{ROOT, kind::Kind};

pub(super) fn check(tree: &Node, context: &ValidateContext<'_>, report: &mut Report) {
    if context.reading == Reading::Product {
        walk(tree, &ROOT, &KeyPath::root(), report);
    }
}

fn walk(node: &Node, kind: &Kind, at: &KeyPath, report: &mut Report) {
    match (kind, &node.value) {
        (Kind::Secret, Value::Object(_)) => reference(node, at, report),
        // `serviceAccount` takes a credential or the account object itself.
        (Kind::Either(of), _) if of.iter().all(|k| !matches!(k, Kind::Secret)) => {
            if let Some(k) = of.iter().find(|k| k.shape().is_some() || matches!(k, Kind::List(_))) {
                walk(node, k, at, report);
            }
        }
        (Kind::List(of), Value::Array(items)) => {
            for (i, item) in items.iter().enumerate() {
                walk(item, of, &at.index(i), report);
            }
        }
        (_, Value::Object(members)) => {
            let Some(shape) = kind.shape() else { return };
            for (name, member) in members {
                let next = match (shape.key(name), shape.rest) {
                    (Some(key), _) => key.kind,
                    (None, crate::schema::Rest::Entries(of)) => *of,
                    (None, _) => continue,
                };
                walk(member, &next, &at.key(name.as_str()), report);
            }
        }
        _ => {}
    }
}

fn reference(node: &Node, at: &KeyPath, report: &mut Report) {
    let members = node.as_object().into_iter().flatten();
    let mut named = members.clone();
    let (Some((name, value)), None) = (named.next(), named.next()) else {
        return report.say(at.clone(), node, "a credential reference has exactly one member", FORMS);
    };
    let at = at.key(name.as_str());
    let filled = |n: Option<&Node>| n.and_then(Node::as_str).is_some_and(|s| !s.trim().is_empty());
    match name.as_str() {
        "file" => {
            let absolute = value.as_str().is_some_and(|f| f.starts_with('/') || f.starts_with("~/"));
            if !absolute {
                report.say(
                    at,
                    value,
                    "this is no absolute path",
                    "write the whole path, or one that starts with ~/",
                );
            }
        }
        "keychain" => {
            let known = value.as_object().is_some_and(|o| o.keys().all(|k| k == "service" || k == "account"));
            if !known || !filled(value.get("service")) || !filled(value.get("account")) {
                report.say(at, value, "a keychain reference names a service and an account", FORMS);
            }
        }
        _ => report.say(at, value, "a credential reference is either file or keychain", FORMS),
    }
}

const FORMS: &str = "write { file: \"/path\" } or { keychain: { service: \"…\", account: \"…\" } }";
