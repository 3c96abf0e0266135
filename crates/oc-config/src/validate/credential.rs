//! References in place of credentials: `{ file: "~/secrets/token" }`, `{ keychain: "service" }`.
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
    let Some(members) = node.as_object() else { return };
    for (name, member) in members {
        let at = at.key(name.as_str());
        if !matches!(name.as_str(), "file" | "keychain" | "account") {
            report.say(
                at,
                member,
                "a credential reference has no such key",
                "write { file: \"…\" } or { keychain: \"…\" }",
            );
        } else if member.as_str().is_none_or(|s| s.trim().is_empty()) {
            report.say(
                at,
                member,
                "a credential reference takes text that is not empty",
                "name the file or keychain entry",
            );
        }
    }
    let named = ["file", "keychain"].iter().filter(|k| members.contains_key(**k)).count();
    if named != 1 {
        report.say(
            at.clone(),
            node,
            "a credential reference names either a file or a keychain entry",
            "write { file: \"~/secrets/token\" } or { keychain: \"service\", account: \"name\" }",
        );
    }
}
