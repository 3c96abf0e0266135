//! The two readers of JSON5: the value is always what `json5` reads, and a position, where there is one, is the right one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use oc_config::document::{Format, Frame, parse};
use oc_types::{Node, Position, Value};
use proptest::prelude::*;

fn read(text: &str) -> Option<Node> {
    parse(&Frame::root("/s/openclaw.json"), text.as_bytes(), Format::Json5).ok().map(|d| d.node)
}

/// A value and one way to write it.
#[derive(Clone, Debug)]
struct Written {
    value: serde_json::Value,
    text: String,
}

fn scalar() -> impl Strategy<Value = Written> {
    let number = prop_oneof![
        any::<i32>().prop_map(|n| (f64::from(n), n.to_string())),
        any::<u16>().prop_map(|n| (f64::from(n), format!("+0x{n:X}"))),
        any::<u16>().prop_map(|n| (-f64::from(n), format!("-0x{n:x}"))),
        (0u8..10).prop_map(|n| (f64::from(n) / 10.0, format!(".{n}"))),
        (1u8..99).prop_map(|n| (f64::from(n), format!("{n}."))),
        (1i8..99).prop_map(|n| (f64::from(n) * 1e3, format!("{n}e3"))),
    ];
    let text = ("[a-z \"'\u{3042}\u{1f99e}/\\[{]{0,8}", any::<bool>()).prop_map(|(t, single)| {
        let quoted = serde_json::to_string(&t).unwrap();
        let written = if single {
            format!("'{}'", quoted[1..quoted.len() - 1].replace("\\\"", "\"").replace('\'', "\\'"))
        } else {
            quoted
        };
        Written { value: t.into(), text: written }
    });
    prop_oneof![
        Just(Written { value: serde_json::Value::Null, text: "null".into() }),
        any::<bool>().prop_map(|b| Written { value: b.into(), text: b.to_string() }),
        number.prop_map(|(n, text)| Written {
            value: Node::new(Value::Number(n), oc_types::Origin::Default).to_json(),
            text
        }),
        text,
    ]
}

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just(""),
        Just(" "),
        Just("\n"),
        Just("\r\n"),
        Just("// [ \" c\n"),
        Just("/* ' { */"),
        Just("\t"),
        Just("\u{a0}")
    ]
}

fn document() -> impl Strategy<Value = Written> {
    scalar().prop_recursive(4, 40, 5, |inner| {
        let key = ("[a-zA-Z_$][a-zA-Z0-9_$]{0,5}|[a-z-]{1,4}|\u{3042}[0-9]", 0u8..3);
        let list = (prop::collection::vec((inner.clone(), space()), 0..5), any::<bool>()).prop_map(
            |(items, comma)| {
                let text: Vec<String> = items.iter().map(|(w, s)| format!("{s}{}{s}", w.text)).collect();
                let tail = if comma && !items.is_empty() { "," } else { "" };
                Written {
                    value: items.iter().map(|(w, _)| w.value.clone()).collect(),
                    text: format!("[{}{tail}]", text.join(",")),
                }
            },
        );
        let object = prop::collection::vec((key, inner, space()), 0..5).prop_map(|members| {
            let mut value = serde_json::Map::new();
            let mut text = Vec::new();
            for ((key, style), w, s) in members {
                let bare = key.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || "_$".contains(c))
                    && !key.contains('-');
                let written = match style {
                    0 if bare => key.clone(),
                    1 => format!("'{key}'"),
                    _ => format!("\"{key}\""),
                };
                text.push(format!("{s}{written}: {s}{}", w.text));
                value.insert(key, w.value);
            }
            Written { value: value.into(), text: format!("{{{}}}", text.join(",")) }
        });
        prop_oneof![list, object]
    })
}

/// What stands at a position, counted anew from the start of the text.
fn at(text: &str, position: Position) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut line, mut column) = (1, 1);
    let mut chars = text.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        if (line, column) == (position.line, position.column) {
            return &text[i..];
        }
        if c == '\r' && chars.peek().is_some_and(|(_, c)| *c == '\n') {
            continue;
        }
        if matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    ""
}

/// Every member's position holds its key.
fn positions_hold_keys(text: &str, node: &Node) {
    match &node.value {
        Value::Array(items) => items.iter().for_each(|n| positions_hold_keys(text, n)),
        Value::Object(members) => {
            for (key, member) in members {
                let position = member.origin.position().expect("both readers agree on this text");
                let found = at(text, position);
                let written = [key.clone(), format!("'{key}'"), format!("\"{key}\"")];
                assert!(
                    written.iter().any(|w| found.starts_with(w.as_str())),
                    "{key} at {position}: {found:.20}"
                );
                positions_hold_keys(text, member);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    /// A well-formed text gives its value, with a position for each member.
    #[test]
    fn sp_060_what_is_written_is_what_is_read(w in document(), bom in any::<bool>()) {
        let text = if bom { format!("\u{feff}{}", w.text) } else { w.text.clone() };
        let node = read(&text).expect("well-formed");
        prop_assert_eq!(node.to_json(), w.value);
        positions_hold_keys(&text, &node);
    }

    /// Any text, well-formed or not: the same verdict and the same value as `json5` alone.
    #[test]
    fn sp_020_any_text_is_read_as_the_reference_reads_it(pieces in prop::collection::vec(piece(), 0..24)) {
        let text: String = pieces.concat();
        let reference = json5::from_str::<serde_json::Value>(&text).ok();
        match (read(&text), reference) {
            (Some(node), Some(value)) => prop_assert_eq!(plain(&node.to_json()), plain(&value)),
            (None, None) => {}
            // Numbers that are not finite are JSON5, but no configuration.
            (None, Some(_)) => prop_assert!(text.contains("Infinity") || text.contains("NaN") || text.contains("e999")),
            (Some(node), None) => prop_assert!(false, "read {:?}", node),
        }
    }

    /// Broken UTF-8, NUL bytes and other noise never panic, in either format.
    #[test]
    fn sp_020_any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::Json5, Format::Toml, Format::Yaml] {
            let frame = Frame::root("/s/f");
            if let Err(issue) = parse(&frame, &bytes, format) {
                prop_assert!(issue.fix.is_some());
            }
        }
    }
}

/// Numbers compared as doubles: the reference keeps integers apart.
fn plain(value: &serde_json::Value) -> serde_json::Value {
    Node::from_json(value, &oc_types::Origin::Default).to_json()
}

fn piece() -> impl Strategy<Value = String> {
    let fixed = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "a",
        "b",
        "\"a\"",
        "'b'",
        "1",
        "-",
        "+",
        ".5",
        "0x1F",
        "1e3",
        "1e999",
        "null",
        "true",
        "false",
        "Infinity",
        "NaN",
        " ",
        "\n",
        "// c\n",
        "/* c */",
        "\\u0061",
        "'\\x41'",
        "'a\\\nb'",
        "'\\u2028'",
        "\u{2028}",
        "\u{feff}",
        "$",
        "a-b",
        "01",
        "\"\\ud83e\\udd9e\"",
        "'\\0'",
        "\u{3042}",
        "#",
        "a:1",
        "'a':[",
        "{a:",
        "],",
        "},",
    ];
    prop::sample::select(fixed.to_vec()).prop_map(str::to_owned)
}
