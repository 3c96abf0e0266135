use serde_json::json;

use super::*;
use crate::schema::places;

#[test]
fn the_schema_describes_every_key() {
    let schema = json_schema();
    assert_eq!(schema["$schema"], json!("https://json-schema.org/draft/2020-12/schema"));
    for place in places() {
        let mut at = &schema;
        for part in place.pattern.split('.') {
            let lists = part.matches("[]").count();
            let name = part.trim_end_matches("[]");
            at = member(at, name).unwrap_or_else(|| panic!("{} is not described", place.pattern));
            for _ in 0..lists {
                at = variants(at).find_map(|v| v.get("items")).unwrap();
            }
        }
        if place.key.secret && place.key.kind.shape().is_none() {
            assert_eq!(at["writeOnly"], json!(true), "{}", place.pattern);
        }
    }
}

fn variants(schema: &Json) -> impl Iterator<Item = &Json> {
    let of = schema.get("anyOf").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    std::iter::once(schema).chain(of)
}

fn member<'s>(schema: &'s Json, name: &str) -> Option<&'s Json> {
    variants(schema).find_map(|v| match v.get("properties").and_then(|p| p.get(name)) {
        Some(found) => Some(found),
        None if name == "*" => v.get("additionalProperties").filter(|a| a.is_object()),
        None => None,
    })
}

#[test]
fn some_of_it_in_full() {
    let schema = json_schema();
    let at = |pointer: &str| schema.pointer(pointer).cloned().unwrap();
    assert_eq!(
        at("/properties/gateway/properties/bind"),
        json!({
            "type": "string", "enum": ["auto", "lan", "loopback", "custom", "tailnet"],
            "description": "where the gateway listens; anything but `loopback` needs a credential and a firewall",
            "default": "loopback",
        })
    );
    assert_eq!(at("/properties/gateway/properties/port/maximum"), json!(65_535));
    assert_eq!(at("/properties/gateway/properties/auth/properties/token/$ref"), json!("#/$defs/credential"));
    assert_eq!(
        at("/properties/tools/properties/exec/properties/ask/enum"),
        json!(["off", "on-miss", "always", "elevated"])
    );
    assert_eq!(at("/properties/gateway/additionalProperties"), json!(false));
    assert_eq!(
        at(
            "/properties/plugins/properties/entries/properties/telegram/properties/config/additionalProperties"
        ),
        json!(false)
    );
}
