//! Bad configuration text: one line with file, place and fix; nothing panics, memory stays bounded (SP-016, SP-020).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use oc_config::load::{LoadRequest, Reading, load};
use oc_config::source::Memory;
use oc_config::{Environment, Loaded, Overrides};
use oc_types::Node;

fn load_bytes(name: &str, bytes: &[u8]) -> Loaded {
    let request = LoadRequest {
        environment: Environment::from_process([("HOME".to_owned(), "/h".to_owned())]),
        overrides: Overrides { state_dir: None, config: Some(PathBuf::from("/h/.openclaw").join(name)) },
        cwd: PathBuf::from("/work"),
        os_home: None,
        reading: Reading::Product,
    };
    load(&request, &Memory::new().with(format!("/h/.openclaw/{name}"), bytes))
}

/// The one line that a text is answered with.
fn refused(name: &str, bytes: &[u8]) -> String {
    let began = Instant::now();
    let loaded = load_bytes(name, bytes);
    assert!(began.elapsed() < Duration::from_secs(10), "took {:?}", began.elapsed());
    assert!(loaded.exists && !loaded.is_valid());
    assert_eq!(loaded.issues.len(), 1, "{:?}", loaded.issues);
    assert!(loaded.issues[0].fix.is_some(), "{:?}", loaded.issues);
    let line = loaded.issues[0].to_string();
    assert!(line.starts_with(name) && !line.contains('\n') && line.len() < 300, "{line}");
    line
}

fn json5(bytes: &[u8]) -> String {
    refused("openclaw.json", bytes)
}

fn toml(bytes: &[u8]) -> String {
    refused("openclaw.toml", bytes)
}

#[test]
fn sp_016_too_large() {
    for text in ["[", " ", "\"", "a", "//"] {
        assert!(json5(text.repeat(10 << 20).as_bytes()).contains("larger than 5 MiB"));
        assert!(toml(text.repeat(10 << 20).as_bytes()).contains("larger than 5 MiB"));
    }
}

#[test]
fn sp_016_nested_too_deep() {
    for open in ["[", "{a:", "{\"a\":[", "[/*[*/", "// \u{2028}[", "'\\'[' , ["] {
        let line = json5(open.repeat(100_000).as_bytes());
        assert!(line.contains("nested deeper than 128"), "{open}: {line}");
    }
    // Brackets in texts and comments are no nesting.
    let fine =
        format!("{{ a: '{}', // {}\n b: \"\\\"{}\" }}", "[".repeat(1000), "{".repeat(1000), "[".repeat(1000));
    assert_eq!(
        load_bytes("x.json", fine.as_bytes()).issues.iter().filter(|i| i.message.contains("nested")).count(),
        0
    );
    for text in [
        "[".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        "a.".repeat(100_000),
        format!("[{}a]", "a.".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
    ] {
        toml(text.as_bytes());
    }
    let staircase = (1..60).map(|i| format!("[{}a]\n", "a.".repeat(i))).collect::<String>();
    load_bytes("openclaw.toml", staircase.as_bytes());
    let mixed = format!("{}1{}", format!("{}a = {{ ", "a.".repeat(70)).repeat(70), "}".repeat(70));
    toml(mixed.as_bytes());
}

#[test]
fn sp_016_too_many_values() {
    for text in ["[1,", "[{},"] {
        let line = json5(format!("{text}{}", "1,".repeat(1_000_000)).as_bytes());
        assert!(line.contains("more than 500000 values"), "{line}");
    }
    assert!(toml("a = 1\n".repeat(600_000).as_bytes()).contains("more than 500000"));
    // A file of one long line is read in linear time.
    let long = format!("{{ x: [{}] }}", "'あ',".repeat(50_000));
    let began = Instant::now();
    load_bytes("x.json", long.as_bytes());
    assert!(began.elapsed() < Duration::from_secs(10), "took {:?}", began.elapsed());
}

#[test]
fn encodings() {
    assert_eq!(
        json5(b"{ a: 1,\n b: '\xff' }"),
        "openclaw.json:2:6: the text is not UTF-8; save the file as UTF-8"
    );
    assert!(json5(b"\xff\xfe{\0}\0").contains("openclaw.json:1:1: the text is not UTF-8"));
    assert_eq!(json5(b"{ a: 1,\n\0 b: 2 }"), "openclaw.json:2:1: the text holds a NUL byte; remove it");
    assert!(toml(b"a = 1\nb = '\xc3'\n").contains("openclaw.toml:2:6: the text is not UTF-8"));
}

#[test]
fn truncated_anywhere() {
    let whole = "{\n  // a comment\n  gateway: { port: 18789, bind: \"loopback\", trustedProxies: ['127.0.0.1', ], auth: { mode: null, on: true } },\n  /* more */ x: -.5e3,\n}";
    for end in (1..whole.len()).filter(|i| whole.is_char_boundary(*i)) {
        let line = json5(&whole.as_bytes()[..end]);
        assert!(!line.contains("not valid JSON5"), "{end}: {line}");
    }
    let whole = "[gateway]\nport = 18789\nauth = { mode = \"token\" }\n[[agents.list]]\nid = 'main'\n";
    for end in 0..whole.len() {
        load_bytes("openclaw.toml", &whole.as_bytes()[..end]);
    }
}

#[test]
fn empty_files() {
    for text in ["", " ", "\n\n", "\u{feff}", "\t\r\n"] {
        assert!(json5(text.as_bytes()).contains("the file is empty"), "{text:?}");
    }
    // An empty TOML file is an empty table by its own rules.
    assert!(load_bytes("openclaw.toml", b"").is_valid());
}

#[test]
fn roots_that_are_no_object() {
    for text in ["[]", "1", "'x'", "null", "true"] {
        assert!(json5(text.as_bytes()).contains("not an object"), "{text}");
    }
}

#[test]
fn numbers_are_finite_and_dates_are_text() {
    for text in ["{ a: Infinity }", "{ a: [-Infinity] }", "{ a: NaN }", "{ a: 1e999 }"] {
        assert!(json5(text.as_bytes()).contains("openclaw.json:1:"), "{text}");
    }
    for text in ["a = inf", "a = nan", "a = -inf", "a = 1e999"] {
        toml(text.as_bytes());
    }
    for text in ["a = 2026-02-09", "a = [07:32:00]", "a = 1979-05-27T07:32:00Z"] {
        assert!(toml(text.as_bytes()).contains("put it in quotes"), "{text}");
    }
    assert!(toml(b"a = 9007199254740993").contains("too large"));
}

#[test]
fn a_key_twice_in_toml_is_an_error() {
    assert!(toml(b"a = 1\na = 2\n").starts_with("openclaw.toml:2:1"), "{}", toml(b"a = 1\na = 2\n"));
}

#[test]
fn nothing_is_in_force_from_a_file_that_cannot_be_read() {
    let loaded = load_bytes("openclaw.json", b"{ gateway: { bind: 'lan' }, ");
    assert_eq!(loaded.tree, Node::empty());
}

#[test]
fn both_formats_side_by_side_are_an_error_that_names_both() {
    let request = LoadRequest {
        environment: Environment::from_process([("HOME".to_owned(), "/h".to_owned())]),
        overrides: Overrides::default(),
        cwd: PathBuf::from("/work"),
        os_home: None,
        reading: Reading::Product,
    };
    let source =
        Memory::new().with("/h/.openclaw/openclaw.json", "{}").with("/h/.openclaw/openclaw.toml", "");
    let loaded = load(&request, &source);
    assert_eq!(loaded.issues.len(), 1);
    let line = loaded.issues[0].to_string();
    assert!(
        line.contains("/h/.openclaw/openclaw.json") && line.contains("/h/.openclaw/openclaw.toml"),
        "{line}"
    );
}
