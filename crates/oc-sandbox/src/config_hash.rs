//! Has the configuration of a container changed (tool-policy 10.6)?
//!
//! Two values over the same object `{docker, workspaceAccess, workspaceDir, agentWorkspaceDir}`. The SHA-256 digest keeps the order of
//! lists and decides (SP-235). The SHA-1 hash is upstream's: lists of plain values are sorted, so an exchanged order goes unnoticed;
//! it is written as a label for upstream's tools and decides nothing.

mod collate;

use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde_json::Value as Json;

pub use collate::collate;

/// The object that is hashed.
#[must_use]
pub fn subject(docker: &Json, access: &str, workspace: &str, agent_workspace: &str) -> Json {
    serde_json::json!({
        "docker": docker,
        "workspaceAccess": access,
        "workspaceDir": workspace,
        "agentWorkspaceDir": agent_workspace,
    })
}

/// Upstream's text of a value: keys sorted, lists of plain values sorted by their text, compact JSON.
#[must_use]
pub fn normalized(value: &Json) -> String {
    let mut out = String::new();
    write(value, Order::Sorted, &mut out);
    out
}

/// Upstream's hash: SHA-1 of [`normalized`], 40 hexadecimal characters.
#[must_use]
pub fn legacy_hash(value: &Json) -> String {
    hash(&SHA1_FOR_LEGACY_USE_ONLY, &normalized(value))
}

/// The digest that decides: SHA-256 of the compact JSON with sorted keys and lists as they are, 64 hexadecimal characters.
#[must_use]
pub fn digest_of(value: &Json) -> String {
    let mut out = String::new();
    write(value, Order::Kept, &mut out);
    hash(&SHA256, &out)
}

fn hash(algorithm: &'static Algorithm, text: &str) -> String {
    crate::naming::hex(digest(algorithm, text.as_bytes()).as_ref())
}

/// What happens to lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Sorted,
    Kept,
}

fn is_plain(v: &Json) -> bool {
    !v.is_array() && !v.is_object()
}

/// The text by which a plain value is sorted.
fn sort_text(v: &Json) -> String {
    match v {
        Json::String(s) => s.clone(),
        other => scalar(other),
    }
}

fn scalar(v: &Json) -> String {
    match v.as_f64() {
        Some(n) if v.is_f64() => number(n),
        _ => v.to_string(),
    }
}

/// A double as JSON text in the way of the reference release: no `.0`, exponents from 1e21 and below 1e-6.
fn number(n: f64) -> String {
    let size = n.abs();
    if n == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e21).contains(&size) {
        n.to_string()
    } else {
        let text = format!("{n:e}");
        if size >= 1.0 { text.replace('e', "e+") } else { text }
    }
}

/// A key that is a list position in canonical form (0 to 2^32 - 2) comes first in an object, in numeric order.
fn position(key: &str) -> Option<u32> {
    let n: u32 = key.parse().ok()?;
    (n != u32::MAX && n.to_string() == key).then_some(n)
}

fn write(value: &Json, order: Order, out: &mut String) {
    match value {
        Json::Array(items) => {
            let mut items: Vec<&Json> = items.iter().collect();
            if order == Order::Sorted && items.iter().all(|v| is_plain(v)) {
                items.sort_by(|a, b| collate(&sort_text(a), &sort_text(b)));
            }
            out.push('[');
            for (i, item) in items.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, order, out);
            }
            out.push(']');
        }
        Json::Object(members) => {
            let mut members: Vec<(&String, &Json)> = members.iter().collect();
            match order {
                Order::Kept => members.sort_by_key(|(k, _)| *k),
                Order::Sorted => {
                    members.sort_by(|(a, _), (b, _)| collate(a, b));
                    members.sort_by_key(|(k, _)| position(k).map_or((1, 0), |n| (0, n)));
                }
            }
            out.push('{');
            for (i, (key, member)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Json::from(key.as_str()).to_string());
                out.push(':');
                write(member, order, out);
            }
            out.push('}');
        }
        plain => out.push_str(&scalar(plain)),
    }
}
