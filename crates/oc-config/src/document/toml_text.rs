//! TOML through `toml_edit`, with the spans of its parser as positions.

use oc_types::{Node, Object, Position, Value};
use toml_edit::{Document as TomlDocument, Item, Table, TableLike, Value as TomlValue};

use super::depth::{MAX_DEPTH, MAX_VALUES};
use super::lines::Lines;
use super::{Document, Frame};
use crate::Issue;

/// Reads TOML text (no byte-order mark).
pub(super) fn parse(frame: &Frame, text: &str) -> Result<Document, Box<Issue>> {
    let lines = Lines::new(text);
    // An upper bound that needs no parser: every value ends at one of these.
    let values = text.bytes().filter(|b| matches!(b, b',' | b'\n' | b'[' | b'{' | b'.')).count() + 1;
    if values > MAX_VALUES {
        let message = format!("the file holds more than {MAX_VALUES} lines and values");
        return Err(Box::new(frame.issue(None, message, "keep settings only in it")));
    }
    let doc = TomlDocument::parse(text).map_err(|e| {
        let at = e.span().map_or(Position::START, |s| lines.position(s.start));
        let what = e.message().lines().next().unwrap_or("").trim();
        Box::new(frame.issue(
            Some(at),
            format!("the text is not valid TOML: {what}"),
            "correct it at this place",
        ))
    })?;
    let reader = Reader { frame, lines: &lines };
    let node = reader.table(doc.as_table(), Some(Position::START), 0)?;
    Ok(Document { node, values, warnings: Vec::new() })
}

struct Reader<'a> {
    frame: &'a Frame,
    lines: &'a Lines<'a>,
}

impl Reader<'_> {
    fn table(&self, table: &Table, at: Option<Position>, depth: usize) -> Result<Node, Box<Issue>> {
        self.members(table, at, depth)
    }

    fn members(&self, table: &dyn TableLike, at: Option<Position>, depth: usize) -> Result<Node, Box<Issue>> {
        self.level(depth, at)?;
        let mut out = Object::new();
        for (name, item) in table.iter() {
            let key_at = table
                .get_key_value(name)
                .and_then(|(k, _)| k.span())
                .map(|s| self.lines.position(s.start))
                .or_else(|| item.span().map(|s| self.lines.position(s.start)));
            if let Some(node) = self.item(item, key_at, depth + 1)? {
                out.insert(name.to_owned(), node);
            }
        }
        Ok(Node::new(Value::Object(out), self.frame.origin(at)))
    }

    fn item(&self, item: &Item, at: Option<Position>, depth: usize) -> Result<Option<Node>, Box<Issue>> {
        Ok(Some(match item {
            Item::None => return Ok(None),
            Item::Value(v) => self.value(v, at, depth)?,
            Item::Table(t) => self.table(t, at, depth)?,
            Item::ArrayOfTables(tables) => {
                let mut out = Vec::with_capacity(tables.len());
                for t in tables {
                    let at = t.span().map(|s| self.lines.position(s.start));
                    out.push(self.table(t, at, depth + 1)?);
                }
                Node::new(Value::Array(out), self.frame.origin(at))
            }
        }))
    }

    fn value(&self, value: &TomlValue, at: Option<Position>, depth: usize) -> Result<Node, Box<Issue>> {
        self.level(depth, at)?;
        let value = match value {
            TomlValue::String(s) => Value::String(s.value().clone()),
            TomlValue::Boolean(b) => Value::Bool(*b.value()),
            TomlValue::Integer(i) => self.integer(*i.value(), at)?,
            TomlValue::Float(f) if f.value().is_finite() => Value::Number(*f.value()),
            TomlValue::Float(_) => {
                return Err(Box::new(self.frame.issue(
                    at,
                    "the number is not finite",
                    "write a finite number",
                )));
            }
            TomlValue::Datetime(_) => {
                return Err(Box::new(self.frame.issue(
                    at,
                    "a date or time without quotes is no configuration value",
                    "put it in quotes",
                )));
            }
            TomlValue::Array(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items {
                    let at = item.span().map(|s| self.lines.position(s.start));
                    out.push(self.value(item, at, depth + 1)?);
                }
                Value::Array(out)
            }
            TomlValue::InlineTable(t) => return self.members(t, at, depth),
        };
        Ok(Node::new(value, self.frame.origin(at)))
    }

    /// TOML integers have 64 bits, configuration numbers 53: an id that would change silently is refused.
    fn integer(&self, n: i64, at: Option<Position>) -> Result<Value, Box<Issue>> {
        if n.unsigned_abs() > 1 << 53 {
            return Err(Box::new(self.frame.issue(
                at,
                "the number is too large to be kept exactly",
                "put it in quotes if it is an id",
            )));
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 2^53, checked above")]
        let n = n as f64;
        Ok(Value::Number(n))
    }

    fn level(&self, depth: usize, at: Option<Position>) -> Result<(), Box<Issue>> {
        if depth < MAX_DEPTH {
            return Ok(());
        }
        Err(Box::new(self.frame.issue(
            at,
            format!("tables and lists are nested deeper than {MAX_DEPTH} levels"),
            "flatten it",
        )))
    }
}
