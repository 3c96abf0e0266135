//! JSON5: `json5` decides what the text means, `jsonc-parser` where each value stands.

use std::collections::HashMap;

use jsonc_parser::ast::{self, ObjectPropName};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};
use oc_types::{KeyPath, Node, Object, Position, Segment, Value};

use super::depth::{Ending, MAX_DEPTH, MAX_VALUES, Nesting, scan};
use super::lines::{Lines, number};
use super::plain::Plain;
use super::{Document, Frame};
use crate::Issue;

/// Largest whole number up to which a double holds every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads JSON5 text (no byte-order mark).
pub(super) fn parse(frame: &Frame, text: &str) -> Result<Document, Box<Issue>> {
    let lines = Lines::new(text);
    let end = match scan(text) {
        Nesting::Fine(end) => end,
        Nesting::TooDeep(at) => {
            return Err(Box::new(frame.issue(
                Some(lines.position(at)),
                format!("objects and lists are nested deeper than {MAX_DEPTH} levels"),
                "flatten it",
            )));
        }
        Nesting::TooMany(at) => {
            return Err(Box::new(frame.issue(
                Some(lines.position(at)),
                format!("the file holds more than {MAX_VALUES} values"),
                "keep settings only in it",
            )));
        }
    };
    let plain: Plain =
        json5::from_str(text).map_err(|e| Box::new(malformed(frame, text, &lines, &end, &e)))?;
    let parsed = parse_to_ast(text, &COLLECT, &OPTIONS).ok().and_then(|p| p.value);
    let mut reader = Reader { frame, lines: &lines, path: Vec::new(), values: 0, warnings: Vec::new() };
    let positioned = parsed.as_ref().is_some_and(|ast| agrees(&plain, ast));
    let node =
        reader.node(plain, parsed.as_ref().filter(|_| positioned), positioned.then_some(Position::START))?;
    Ok(Document { node, values: reader.values, warnings: reader.warnings })
}

/// Where each value of a text stands, when both readers agree on what the text means; for edits and redacted views of the text.
pub(super) fn positions(text: &str) -> Option<ast::Value<'_>> {
    let Nesting::Fine(_) = scan(text) else { return None };
    let plain: Plain = json5::from_str(text).ok()?;
    let ast = parse_to_ast(text, &COLLECT, &OPTIONS).ok()?.value?;
    agrees(&plain, &ast).then_some(ast)
}

const COLLECT: CollectOptions = CollectOptions { comments: CommentCollectionStrategy::Off, tokens: false };

/// Every field is set: the defaults of the crate are not JSON5's, and may change.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: true,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: true,
    allow_hexadecimal_numbers: true,
    allow_unary_plus_numbers: true,
    allow_bare_decimal_point_numbers: true,
    allow_non_finite_numbers: true,
    allow_extended_string_escapes: true,
};

/// Whether both readers found the same value. Later duplicates of a key win in both.
fn agrees(plain: &Plain, ast: &ast::Value<'_>) -> bool {
    match (plain, ast) {
        (Plain::Null, ast::Value::NullKeyword(_)) => true,
        (Plain::Bool(a), ast::Value::BooleanLit(b)) => *a == b.value,
        (Plain::Number(a), ast::Value::NumberLit(b)) => {
            number_of(b.value).is_some_and(|b| *a == b || (a.is_nan() && b.is_nan()))
        }
        (Plain::String(a), ast::Value::StringLit(b)) => *a == b.value,
        (Plain::Array(a), ast::Value::Array(b)) => {
            a.len() == b.elements.len() && a.iter().zip(&b.elements).all(|(a, b)| agrees(a, b))
        }
        (Plain::Object(a), ast::Value::Object(b)) => {
            let props = last_of_each(b);
            a.len() == props.len()
                && a.iter().all(|(k, v)| props.get(k.as_str()).is_some_and(|p| agrees(v, &p.value)))
        }
        _ => false,
    }
}

fn last_of_each<'b, 'a>(object: &'b ast::Object<'a>) -> HashMap<&'b str, &'b ast::ObjectProp<'a>> {
    object.properties.iter().map(|p| (name_of(&p.name), p)).collect()
}

fn name_of<'b>(name: &'b ObjectPropName<'_>) -> &'b str {
    match name {
        ObjectPropName::String(s) => &s.value,
        ObjectPropName::Word(w) => w.value,
    }
}

/// The value of a number as the second reader found it (it only hands out the text).
fn number_of(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => hex.chars().try_fold(0.0, |n: f64, c| Some(n * 16.0 + f64::from(c.to_digit(16)?)))?,
        None => digits.parse::<f64>().ok()?,
    };
    Some(sign * magnitude)
}

struct Reader<'a> {
    frame: &'a Frame,
    lines: &'a Lines<'a>,
    path: Vec<Segment>,
    values: usize,
    warnings: Vec<Issue>,
}

impl Reader<'_> {
    /// Gives a value its origin. `at` is the position of its key token (or of the element itself).
    fn node(
        &mut self,
        plain: Plain,
        ast: Option<&ast::Value<'_>>,
        at: Option<Position>,
    ) -> Result<Node, Box<Issue>> {
        self.values += 1;
        let value = match plain {
            Plain::Null => Value::Null,
            Plain::Bool(b) => Value::Bool(b),
            Plain::Number(n) => self.number(n, at)?,
            Plain::String(s) => Value::String(s),
            Plain::Array(items) => {
                let elements = match ast {
                    Some(ast::Value::Array(a)) => Some(&a.elements),
                    _ => None,
                };
                let mut out = Vec::with_capacity(items.len());
                for (i, item) in items.into_iter().enumerate() {
                    let element = elements.and_then(|e| e.get(i));
                    self.path.push(Segment::Index(i));
                    let at = element.map(|e| self.lines.position(e.range().start));
                    out.push(self.node(item, element, at)?);
                    self.path.pop();
                }
                Value::Array(out)
            }
            Plain::Object(members) => {
                let props = match ast {
                    Some(ast::Value::Object(o)) => last_of_each(o),
                    _ => HashMap::new(),
                };
                let mut out = Object::with_capacity(members.len());
                for (key, member) in members {
                    let prop = props.get(key.as_str()).copied();
                    let at = prop.map(|p| self.lines.position(p.name.range().start));
                    self.path.push(Segment::Key(key.clone()));
                    let node = self.node(member, prop.map(|p| &p.value), at)?;
                    self.path.pop();
                    out.insert(key, node);
                }
                Value::Object(out)
            }
        };
        Ok(Node::new(value, self.frame.origin(at)))
    }

    fn number(&mut self, n: f64, at: Option<Position>) -> Result<Value, Box<Issue>> {
        if !n.is_finite() {
            let mut issue = self.frame.issue(at, "the number is not finite", "write a finite number");
            issue.path = self.path.iter().cloned().collect();
            return Err(Box::new(issue));
        }
        if n.abs() > EXACT {
            let mut issue = self.frame.issue(
                at,
                "the number is too large to be kept exactly",
                "put it in quotes if it is an id",
            );
            issue.path = self.path.iter().cloned().collect::<KeyPath>();
            self.warnings.push(issue);
        }
        Ok(Value::Number(n))
    }
}

/// A syntax error as one line: where, what, and what to do.
fn malformed(frame: &Frame, text: &str, lines: &Lines<'_>, end: &Ending, e: &json5::Error) -> Issue {
    use json5::ErrorCode as C;
    if text.trim().is_empty() {
        return frame.issue(
            Some(Position::START),
            "the file is empty",
            "write at least `{}`, or remove the file",
        );
    }
    // The reader places an error at the end of the text where the enclosing value starts, or nowhere.
    if e.code().is_none_or(at_end)
        && let Some(issue) = cut_off(frame, text, lines, end)
    {
        return issue;
    }
    let at = match e.position() {
        Some(p) => Position::new(number(p.line + 1), number(p.column + 1)),
        None => lines.position(text.len()),
    };
    let (message, fix) = match e.code() {
        Some(C::LineTerminatorInString) => {
            ("a text in quotes is not closed on its line", "add the closing quote")
        }
        Some(C::ExpectedComment) => ("a `/` stands outside a text", "write `//` or `/* */` for a comment"),
        Some(C::ExpectedComma | C::ExpectedClosingBrace | C::ExpectedClosingBracket) => {
            ("a comma or the closing bracket is missing before this place", "add the `,` or the bracket")
        }
        Some(C::ExpectedColon) => {
            ("a `:` is missing after the key", "write `key: value`; put a key with other signs in quotes")
        }
        Some(C::ExpectedIdentifier | C::InvalidKey) => {
            ("this is no key", "put the key in quotes, or remove a comma too many")
        }
        Some(C::ExpectedValue | C::ExpectedNull | C::ExpectedBool) => {
            ("a value is missing here, or a text without quotes", "write a value; put texts in quotes")
        }
        Some(C::InvalidEscapeSequence) => {
            ("the backslash sequence is not valid", "write `\\\\` for a backslash")
        }
        Some(C::LeadingZero) => ("a number starts with 0", "put it in quotes, or drop the zero"),
        Some(C::ExpectedNumber) => ("this is no number", "write digits, or quotes around it"),
        Some(C::OverflowParsingNumber) => ("the number is too large", "put it in quotes if it is an id"),
        Some(C::TrailingCharacters) => {
            ("there is more text after the end of the value", "keep one `{ ... }` in the file")
        }
        _ => ("the text is not valid JSON5", "correct it at this place"),
    };
    frame.issue(Some(at), message, fix)
}

/// Whether an error means that the text ended too early.
fn at_end(code: json5::ErrorCode) -> bool {
    use json5::ErrorCode as C;
    matches!(
        code,
        C::EofParsingArray
            | C::EofParsingBool
            | C::EofParsingComment
            | C::EofParsingEscapeSequence
            | C::EofParsingIdentifier
            | C::EofParsingNull
            | C::EofParsingNumber
            | C::EofParsingObject
            | C::EofParsingString
            | C::EofParsingValue
    )
}

/// The answer to a text that ends too early: what is still open, the innermost first.
fn cut_off(frame: &Frame, text: &str, lines: &Lines<'_>, end: &Ending) -> Option<Issue> {
    if let Some(comment) = end.comment {
        return Some(frame.issue(Some(lines.position(comment)), "this comment is not closed", "add `*/`"));
    }
    if let Some(string) = end.string {
        let at = Some(lines.position(string));
        return Some(frame.issue(at, "this text in quotes is not closed", "add the closing quote"));
    }
    let bracket = end.brackets.last()?;
    let (what, close) =
        if text.as_bytes().get(*bracket) == Some(&b'[') { ("list", "]") } else { ("object", "}") };
    let message = format!("the file ends inside the {what} that opens at {}", lines.position(*bracket));
    Some(frame.issue(Some(lines.position(text.len())), message, format!("add the missing `{close}`")))
}
