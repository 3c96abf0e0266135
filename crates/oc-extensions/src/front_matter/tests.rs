use super::*;
use proptest::prelude::*;
use serde_json::json;

fn head(text: &str) -> Result<Value, Unreadable> {
    read(&format!("---\n{text}\n---\nbody")).map(Value::Object)
}

#[test]
fn the_forms_that_skills_use() {
    let text = r#"
name: github
description: "Work with issues: and more" # comment
long: one
  two
note: >-
  first
  second

  third
code: |
  a
    b
metadata:
  {
    "openclaw":
      {
        "requires": { "bins": ["gh"] },
        install: [{ id: 'brew', }],
      },
  }
tools: [git, curl]
os:
- linux
- darwin
nested:
  openclaw:
    requires:
      anyBins:
        - rg
        - 'gr''ep'
    install:
      - id: x
        kind: brew
      - id: y
    always: true
empty:
"#;
    let want = json!({
        "name": "github",
        "description": "Work with issues: and more",
        "long": "one two",
        "note": "first second\nthird",
        "code": "a\n  b",
        "metadata": {"openclaw": {"requires": {"bins": ["gh"]}, "install": [{"id": "brew"}]}},
        "tools": ["git", "curl"],
        "os": ["linux", "darwin"],
        "nested": {"openclaw": {
            "requires": {"anyBins": ["rg", "gr'ep"]},
            "install": [{"id": "x", "kind": "brew"}, {"id": "y"}],
            "always": true,
        }},
        "empty": null,
    });
    assert_eq!(head(text), Ok(want));
    assert_eq!(head("metadata: {\"a\": {\"b\": 1}}"), Ok(json!({"metadata": {"a": {"b": 1}}})));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_with_its_line() {
    let line = |text: &str| match head(text) {
        Err(Unreadable::Line { line, .. }) => line,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(line("name: a\nname: b"), 3);
    assert_eq!(line("a: &x 1"), 2);
    assert_eq!(line("a: *x"), 2);
    assert_eq!(line("a: !!str x"), 2);
    assert_eq!(line("\"a\": 1"), 2);
    assert_eq!(line("a:b"), 2);
    assert_eq!(line("just words"), 2);
    assert_eq!(line("a: 1\n   b: 2"), 3);
    assert_eq!(line("a:\n\tb: 2"), 3);
    assert_eq!(line("a: {b: }"), 2);
    assert_eq!(line("a: \"x\" y"), 2);
    assert_eq!(line("a: 'x"), 2);
    assert_eq!(line("__proto__: 1"), 2);
    assert_eq!(read("no head"), Err(Unreadable::Missing));
    assert_eq!(read("---\nname: x\n"), Err(Unreadable::Missing));
    assert_eq!(read(&format!("---\nname: {}\n---", "x".repeat(MAX_BYTES))), Err(Unreadable::TooLong));
}

#[test]
fn depth_is_bounded() {
    let nested = |n: usize| (0..n).map(|i| format!("{}k:\n", "  ".repeat(i))).collect::<String>();
    assert!(head(&nested(MAX_DEPTH)).is_ok());
    assert!(head(&nested(MAX_DEPTH + 5)).is_err());
    assert!(head(&format!("a:\n  {}x: 1", "- ".repeat(20_000))).is_ok(), "one text, not many lists");
    let brackets = format!("a: {}", "[".repeat(20_000));
    assert!(head(&brackets).is_err());
}

proptest! {
    #[test]
    fn sp_020_any_head_is_answered(text in "(?s)(---\n)?([a-z]{1,3}: ?|- |  |[\"'{}\\[\\],#|>&*:]|\n|x|\\PC){0,60}(\n---\n)?") {
        let _ = read(&text);
    }
}
