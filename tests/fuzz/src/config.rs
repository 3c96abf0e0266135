//! What must hold for any configuration text. Run by the fuzz targets, and over the committed corpus by the tests of `oc-config`.
#![allow(dead_code, reason = "each target uses one of these")]

use std::path::PathBuf;

use oc_config::document::{Format, Frame, MAX_DEPTH, parse};
use oc_config::load::{LoadRequest, Reading, load};
use oc_config::source::Memory;
use oc_config::{Environment, Overrides};
use oc_types::{Node, Origin, Value};

/// JSON5: the verdict and the value of the reference reader, positions inside the text; an answer in one line otherwise.
pub fn json5(data: &[u8]) {
    let frame = Frame::root("/s/openclaw.json");
    let lines = data.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() + data.len() / 3 + 1;
    match parse(&frame, data, Format::Json5) {
        Ok(document) => {
            let text = std::str::from_utf8(data).expect("accepted, so UTF-8");
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            let reference: serde_json::Value = json5::from_str(text).expect("accepted, so well-formed");
            assert_eq!(document.node.to_json(), Node::from_json(&reference, &Origin::Default).to_json());
            check(&document.node, 0, lines);
        }
        Err(issue) => {
            assert!(issue.fix.is_some());
            if let Some(at) = issue.origin.position() {
                assert!(at.line as usize <= lines);
            }
        }
    }
    // The answer to YAML, whatever the text is.
    let issue = parse(&frame, data, Format::Yaml).expect_err("YAML is never read");
    if let Some((_, form)) = issue.fix.as_deref().and_then(|f| f.split_once("(openclaw.json):\n")) {
        json5::from_str::<serde_json::Value>(form).expect("the form shown is JSON5");
    }
}

/// TOML: never a panic, bounded depth.
pub fn toml(data: &[u8]) {
    let frame = Frame::root("/s/openclaw.toml");
    let lines = data.iter().filter(|b| **b == b'\n').count() + data.len() / 3 + 1;
    match parse(&frame, data, Format::Toml) {
        Ok(document) => check(&document.node, 0, lines),
        Err(issue) => assert!(issue.fix.is_some()),
    }
}

/// A whole load: the text is cut at `\n---NAME\n` lines into files of a state directory; the first one is the root file.
pub fn include(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut source = Memory::new();
    for (i, part) in text.split("\n---").enumerate() {
        let (name, content) =
            if i == 0 { ("openclaw.json", part) } else { part.split_once('\n').unwrap_or((part, "")) };
        source = source.with(format!("/h/.openclaw/{}", name.trim()), content);
    }
    for reading in [Reading::Product, Reading::Era] {
        let variables = [("HOME", "/h"), ("A", "a"), ("B", "${A}"), ("EMPTY", "")];
        let request = LoadRequest {
            environment: Environment::from_process(variables.map(|(k, v)| (k.to_owned(), v.to_owned()))),
            overrides: Overrides::default(),
            cwd: PathBuf::from("/h/.openclaw/sub"),
            os_home: None,
            reading,
        };
        let loaded = load(&request, &source);
        check(&loaded.tree, 0, usize::MAX);
        assert!(matches!(loaded.tree.value, Value::Object(_)));
        assert!(!loaded.exists || !loaded.files.is_empty() || !loaded.is_valid());
        for reference in &loaded.references {
            assert!(reference.raw.contains("${") && !reference.names.is_empty());
        }
    }
}

fn check(node: &Node, depth: usize, lines: usize) {
    assert!(depth <= MAX_DEPTH + 1);
    if let Some(at) = node.origin.position() {
        assert!(at.line >= 1 && at.column >= 1 && at.line as usize <= lines);
    }
    match &node.value {
        Value::Array(items) => items.iter().for_each(|n| check(n, depth + 1, lines)),
        Value::Object(members) => members.values().for_each(|n| check(n, depth + 1, lines)),
        Value::Number(n) => assert!(n.is_finite()),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
