//! Tool policy cases: `cases`, `seed`, `inventory`.

use oc_policy::batch::{Answer, answer};
use serde_json::Value;

use super::{Kind, active, any, same};

pub(super) const KINDS: &[Kind] = &[
    Kind { stem: "cases", claims: has_tools, standing: active, run: decisions },
    Kind { stem: "seed", claims: has_tools, standing: active, run: decisions },
    Kind { stem: "inventory", claims: any, standing: active, run: inventory },
];

fn has_tools(row: &Value) -> bool {
    row.get("tools").is_some_and(Value::is_array) && row.get("context").is_some()
}

fn decisions(row: &Value) -> Result<(), String> {
    let product = row.get("product");
    let got = answer(row);
    if let Some(error) = product.and_then(|p| p.get("error")) {
        return same("error", error, &serde_json::json!(got.error));
    }
    if let Some(error) = &got.error {
        return Err(format!("refused: {error}"));
    }
    derived(row, &got)?;
    let strict = product.is_none() && row.get("resolution").and_then(Value::as_str) == Some("strict");
    let expected = product.unwrap_or(row);
    let allowed = if strict { "allowedStrict" } else { "allowed" };
    same(allowed, expected.get(allowed).unwrap_or(&Value::Null), &serde_json::json!(got.allowed))?;
    match expected.get("removedBy") {
        // The recorded reasons are those of the other result.
        Some(_) if strict => Ok(()),
        // Recorded with an allow list that the reference release ignored and the product does not (SP-103): the tools are the same,
        // the layer named first need not be.
        Some(removed) if row.get("ignoredAllowlists").is_some() && row.get("resolution").is_none() => {
            same("tools in removedBy", &keys(removed), &keys(&Value::Object(got.removed_by)))
        }
        Some(removed) => same("removedBy", removed, &Value::Object(got.removed_by)),
        _ => Ok(()),
    }
}

fn inventory(row: &Value) -> Result<(), String> {
    let got = answer(row);
    if let Some(error) = &got.error {
        return Err(format!("refused: {error}"));
    }
    derived(row, &got)?;
    if let Some(there) = row.get("materialized") {
        same("materialized", there, &serde_json::json!(got.materialized))?;
    }
    same("allowed", row.get("allowed").unwrap_or(&Value::Null), &serde_json::json!(got.allowed))
}

fn derived(row: &Value, got: &Answer) -> Result<(), String> {
    let Some(expected) = row.get("derived").and_then(Value::as_object) else { return Ok(()) };
    let ours = [
        ("policyAgentId", serde_json::json!(got.derived.policy_agent)),
        ("sandboxAgentId", serde_json::json!(got.derived.sandbox_agent)),
        ("sandboxed", serde_json::json!(got.derived.sandboxed)),
    ];
    for (key, ours) in ours {
        if let Some(value) = expected.get(key) {
            same(key, value, &ours)?;
        }
    }
    Ok(())
}

fn keys(map: &Value) -> Value {
    let mut keys: Vec<&String> = map.as_object().into_iter().flat_map(|m| m.keys()).collect();
    keys.sort();
    serde_json::json!(keys)
}
