//! The vocabulary as a JSON Schema (draft 2020-12), for editors and other tools.
//!
//! It says what the product's reading takes, key by key. Rules across keys (`open` needs `"*"`, one agent an id, and so on) are
//! only in [`crate::validate`].

use serde_json::{Map, Value as Json, json};

use crate::schema::kind::MOST;
use crate::schema::plugins::BUNDLED;
use crate::schema::{Form, Key, Kind, ROOT, Rest, notes};

#[cfg(test)]
mod tests;

/// The schema. Built anew on each call; ask once.
#[must_use]
pub fn json_schema() -> Json {
    let mut root = kind(&ROOT, "");
    if let Some(members) = root.as_object_mut() {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("$id".to_owned(), json!("urn:openclaw:config"));
        members.insert("title".to_owned(), json!("OpenClaw configuration"));
        members.insert(
            "$defs".to_owned(),
            json!({
                "include": {
                    "description": "files to merge in below the keys of this object",
                    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
                },
                "credential": {
                    "description": "a credential: text, ${VAR}, or where it is kept",
                    "anyOf": [
                        {"type": "string"},
                        {
                            "type": "object",
                            "properties": {"file": {"type": "string", "minLength": 1}},
                            "required": ["file"],
                            "additionalProperties": false,
                        },
                        {
                            "type": "object",
                            "properties": {
                                "keychain": {
                                    "type": "object",
                                    "properties": {
                                        "service": {"type": "string", "minLength": 1},
                                        "account": {"type": "string", "minLength": 1},
                                    },
                                    "required": ["service", "account"],
                                    "additionalProperties": false,
                                },
                            },
                            "required": ["keychain"],
                            "additionalProperties": false,
                        },
                    ],
                },
            }),
        );
    }
    options_of_bundled_plugins(&mut root);
    root
}

fn options_of_bundled_plugins(root: &mut Json) {
    let Some(entries) =
        root.pointer_mut("/properties/plugins/properties/entries").and_then(Json::as_object_mut)
    else {
        return;
    };
    let mut named = Map::new();
    for plugin in BUNDLED {
        let prefix = format!("plugins.entries.{}.config", plugin.id);
        named.insert(
            plugin.id.to_owned(),
            json!({
                "type": "object",
                "properties": {"enabled": {"type": "boolean"}, "config": kind(&plugin.config, &prefix)},
                "additionalProperties": false,
            }),
        );
    }
    entries.insert("properties".to_owned(), Json::Object(named));
}

fn kind(of: &Kind, at: &str) -> Json {
    match of {
        Kind::Any => json!({}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Is(b) => json!({"const": b}),
        Kind::Text => json!({"type": "string"}),
        Kind::Filled => json!({"type": "string", "minLength": 1}),
        Kind::Form(form) => json!({"type": "string", "pattern": pattern(*form)}),
        Kind::Secret => json!({"$ref": "#/$defs/credential"}),
        Kind::Number(min, max) => number("number", *min, *max),
        Kind::Above(min) => json!({"type": "number", "exclusiveMinimum": tidy(*min)}),
        Kind::Integer(min, max) => number("integer", *min, *max),
        Kind::Port => json!({"type": "integer", "minimum": 1, "maximum": 65_535}),
        Kind::Word(words) | Kind::ProductWord(words) => json!({"type": "string", "enum": words}),
        Kind::List(of) => json!({"type": "array", "items": kind(of, &format!("{at}[]"))}),
        Kind::Either(of) => either(of, at),
        _ => object(of, at),
    }
}

/// Words of several alternatives become one list of words.
fn either(of: &[Kind], at: &str) -> Json {
    let words: Vec<&str> = of
        .iter()
        .flat_map(|k| match k {
            Kind::Word(words) | Kind::ProductWord(words) => words.to_vec(),
            _ => Vec::new(),
        })
        .collect();
    let mut parts: Vec<Json> = of
        .iter()
        .filter(|k| !matches!(k, Kind::Word(_) | Kind::ProductWord(_)))
        .map(|k| kind(k, at))
        .collect();
    if !words.is_empty() {
        parts.push(json!({"type": "string", "enum": words}));
    }
    match parts.len() {
        1 => parts.pop().unwrap_or_default(),
        _ => json!({"anyOf": parts}),
    }
}

fn object(of: &Kind, at: &str) -> Json {
    let Some(shape) = of.shape() else { return json!({}) };
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in shape.keys() {
        let path = if at.is_empty() { key.name.to_owned() } else { format!("{at}.{}", key.name) };
        properties.insert(key.name.to_owned(), described(key, &path));
        if key.required {
            required.push(key.name);
        }
    }
    let rest = match shape.rest {
        Rest::Refused | Rest::RefusedByProduct => json!(false),
        Rest::Accepted => json!(true),
        Rest::Entries(of) => kind(of, &format!("{at}.*")),
    };
    let mut out = Map::new();
    out.insert("type".to_owned(), json!("object"));
    if !properties.is_empty() {
        properties.insert("$include".to_owned(), json!({"$ref": "#/$defs/include"}));
        out.insert("properties".to_owned(), Json::Object(properties));
    }
    if !required.is_empty() {
        out.insert("required".to_owned(), json!(required));
    }
    out.insert("additionalProperties".to_owned(), rest);
    Json::Object(out)
}

fn described(key: &Key, path: &str) -> Json {
    let mut schema = kind(&key.kind, path);
    if let Some(members) = schema.as_object_mut() {
        if let Some(note) = notes::of(path) {
            members.insert("description".to_owned(), json!(note));
        }
        let default = crate::defaults::table().iter().find(|row| row.key == path && row.value != "-");
        if let Some(value) = default.and_then(|row| serde_json::from_str::<Json>(row.value).ok()) {
            members.insert("default".to_owned(), value);
        }
        if key.secret {
            members.insert("writeOnly".to_owned(), json!(true));
        }
    }
    schema
}

fn number(name: &str, min: f64, max: f64) -> Json {
    let mut out = Map::new();
    out.insert("type".to_owned(), json!(name));
    if min > -MOST {
        out.insert("minimum".to_owned(), tidy(min));
    }
    if max < MOST {
        out.insert("maximum".to_owned(), tidy(max));
    }
    Json::Object(out)
}

/// A whole number without a decimal point.
fn tidy(n: f64) -> Json {
    oc_types::Node::new(oc_types::Value::Number(n), oc_types::Origin::Builtin).to_json()
}

fn pattern(form: Form) -> &'static str {
    match form {
        Form::HexColor => "^#?[0-9a-fA-F]{6}$",
        Form::E164 => "^\\+[1-9][0-9]{1,14}$",
        Form::HttpUrl => "^https?://\\S+$",
        Form::ProfileName => "^[a-z0-9][a-z0-9-]*$",
        Form::Span => "^\\s*([0-9.]+([mM][sS]|[sSmMhHdD])\\s*)*([0-9.]+([mM][sS]|[sSmMhHdD])?)\\s*$",
        Form::CommandName => "^\\s*/?[A-Za-z0-9_]{1,32}\\s*$",
    }
}
