//! A JSON5 value as `json5` reads it, before it gets positions.

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The value alone.
#[derive(Debug)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<Plain>),
    Object(IndexMap<String, Plain>),
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Plain, E> {
        Ok(Plain::Null)
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Plain, E> {
        Ok(Plain::Bool(v))
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON5 numbers are doubles")]
    fn visit_i64<E: Error>(self, v: i64) -> Result<Plain, E> {
        Ok(Plain::Number(v as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON5 numbers are doubles")]
    fn visit_u64<E: Error>(self, v: u64) -> Result<Plain, E> {
        Ok(Plain::Number(v as f64))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Plain, E> {
        Ok(Plain::Number(v))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Plain, E> {
        Ok(Plain::String(v.to_owned()))
    }

    fn visit_string<E: Error>(self, v: String) -> Result<Plain, E> {
        Ok(Plain::String(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Plain, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Plain::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Plain, A::Error> {
        let mut members = IndexMap::new();
        while let Some((key, value)) = map.next_entry()? {
            members.insert(key, value);
        }
        Ok(Plain::Object(members))
    }
}
