//! `config.schema`: the vocabulary for editors (JSON Schema draft-07) and what forms show beside each key.

use oc_config::json_schema::json_schema;
use serde_json::{Map, Value, json};

use super::ConfigContext;
use crate::methods::params::{Nothing, read};
use crate::protocol::frame::Failure;

/// `config.schema`.
///
/// # Errors
/// Parameters that are not right.
pub fn schema(context: &ConfigContext, params: Value) -> Result<Value, Failure> {
    read::<Nothing>(params)?;
    let schema = json_schema();
    let mut hints = Map::new();
    hint("", &schema, &mut hints);
    Ok(json!({
        "schema": draft_07(schema),
        "uiHints": hints,
        "version": context.version,
        "generatedAt": crate::log::iso(context.now_ms),
    }))
}

/// The same schema in the older draft: the definitions have another name.
fn draft_07(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(members.into_iter().map(|(k, v)| renamed(k, v)).collect()),
        Value::Array(items) => items.into_iter().map(draft_07).collect(),
        other => other,
    }
}

fn renamed(key: String, value: Value) -> (String, Value) {
    match (key.as_str(), &value) {
        ("$schema", _) => (key, json!("http://json-schema.org/draft-07/schema#")),
        ("$defs", _) => ("definitions".to_owned(), draft_07(value)),
        ("$ref", Value::String(to)) => {
            let to = to.replacen("#/$defs/", "#/definitions/", 1);
            (key, json!(to))
        }
        _ => (key, draft_07(value)),
    }
}

/// Label, help and whether to hide what is typed, by key path.
fn hint(path: &str, schema: &Value, out: &mut Map<String, Value>) {
    let members = schema.get("properties").and_then(Value::as_object);
    for (order, (key, of)) in members.into_iter().flatten().filter(|(k, _)| *k != "$include").enumerate() {
        let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let mut hint = Map::new();
        hint.insert("label".to_owned(), json!(key));
        if path.is_empty() {
            hint.insert("group".to_owned(), json!(key));
        }
        hint.insert("order".to_owned(), json!((order + 1) * 10));
        if let Some(help) = of.get("description") {
            hint.insert("help".to_owned(), help.clone());
        }
        if of.get("writeOnly") == Some(&Value::Bool(true)) {
            hint.insert("sensitive".to_owned(), json!(true));
        }
        // Every section, and every key there is something to say about.
        if path.is_empty() || hint.contains_key("help") || hint.contains_key("sensitive") {
            out.insert(here.clone(), Value::Object(hint));
        }
        hint_below(&here, of, out);
    }
}

fn hint_below(path: &str, of: &Value, out: &mut Map<String, Value>) {
    hint(path, of, out);
    if let Some(entries) = of.get("additionalProperties").filter(|v| v.is_object()) {
        hint(&format!("{path}.*"), entries, out);
    }
    if let Some(items) = of.get("items") {
        hint(&format!("{path}[]"), items, out);
    }
}
