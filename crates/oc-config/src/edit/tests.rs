use std::path::Path;

use oc_text::diff::{Shown, unified};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::load::{LoadRequest, Loaded, Reading, load};
use crate::source::Memory;
use crate::{Environment, Overrides};

const MAIN: &str = include_str!("../../../../fixtures/config/edit/openclaw.json5");
const CHANNELS: &str = include_str!("../../../../fixtures/config/edit/channels.json5");
const MODELS: &str = include_str!("../../../../fixtures/config/edit/models.json5");
const STRICT: &str = include_str!("../../../../fixtures/config/edit/strict.json");
const TOML: &str = include_str!("../../../../fixtures/config/edit/openclaw.toml");

fn set(path: &str, value: serde_json::Value) -> Change {
    Change::Set { path: KeyPath::parse(path).unwrap(), value }
}

fn unset(path: &str) -> Change {
    Change::Unset { path: KeyPath::parse(path).unwrap() }
}

fn append(path: &str, value: serde_json::Value) -> Change {
    Change::Append { path: KeyPath::parse(path).unwrap(), value }
}

fn loaded() -> Loaded {
    let source = Memory::new()
        .with("/s/openclaw.json", MAIN)
        .with("/s/channels.json5", CHANNELS)
        .with("/s/models.json5", MODELS);
    let vars = ["OPENCLAW_GATEWAY_TOKEN", "TELEGRAM_BOT_TOKEN", "LOCAL_KEY"];
    let environment =
        Environment::from_process(vars.into_iter().map(|n| (n.to_owned(), format!("canary-{n}"))));
    let request = LoadRequest {
        environment,
        overrides: Overrides { config: Some("/s/openclaw.json".into()), state_dir: Some("/s".into()) },
        cwd: "/s".into(),
        os_home: Some("/".into()),
        reading: Reading::Product,
    };
    load(&request, &source)
}

fn planned(changes: &[Change]) -> Result<Plan, EditRefused> {
    let loaded = loaded();
    plan(&loaded.locations.config, &loaded.files, Reading::Product, changes)
}

fn shown(plan: &Plan) -> String {
    plan.files
        .iter()
        .map(|f| unified(&f.path.display().to_string(), Shown::plain(&f.before), Shown::plain(&f.after)))
        .collect()
}

#[test]
fn sp_282_sp_054_a_fix_changes_only_the_lines_of_its_change_set() {
    let plan = planned(&[
        set("logging.redactSensitive", json!("tools")),
        set("channels.telegram.groupPolicy", json!("allowlist")),
    ])
    .unwrap();
    insta::assert_snapshot!(shown(&plan));
}

#[test]
fn sp_054_every_kind_of_change_of_a_commented_file() {
    let plan = planned(&[
        set("gateway.port", json!(19000)),
        set("gateway.bind", json!("tailnet")),
        set("gateway.controlUi.enabled", json!(false)),
        set("gateway.trustedProxies", json!(["127.0.0.1", "::1"])),
        append("tools.deny", json!("browser")),
        set("tools.elevated.allowFrom", json!({ "telegram": ["111"] })),
        set("hooks.enabled", json!(false)),
        set("agents.list", json!([{ "id": "main", "tools": { "profile": "coding" } }])),
        unset("logging.level"),
        unset("gateway.mode"),
    ])
    .unwrap();
    insta::assert_snapshot!(shown(&plan));
}

#[test]
fn sp_054_strict_json_stays_strict_json() {
    let path = Path::new("strict.json");
    let changes = [
        set("channels.telegram", json!({ "enabled": true, "allowFrom": [1, 2] })),
        set("gateway.auth.mode", json!("token")),
        append("plugins.allow", json!("a\"b\\c\n\u{202e}")),
        unset("gateway.auth.token"),
    ];
    let after = apply(path, STRICT, Format::Json5, &changes).unwrap();
    serde_json::from_str::<serde_json::Value>(&after).unwrap();
    insta::assert_snapshot!(after);
}

#[test]
fn sp_054_toml_keeps_comments_quotes_and_variables() {
    let path = Path::new("openclaw.toml");
    let changes = [
        set("gateway.bind", json!("tailnet")),
        set("logging.redactSensitive", json!("tools")),
        set("channels.telegram.groupPolicy", json!("allowlist")),
        append("agents.list", json!({ "id": "work" })),
        set("agents.list[0].tools.deny", json!(["exec"])),
        unset("gateway.auth.token"),
    ];
    let after = apply(path, TOML, Format::Toml, &changes).unwrap();
    insta::assert_snapshot!(unified("openclaw.toml", Shown::plain(TOML), Shown::plain(&after)));
    assert!(matches!(
        apply(path, TOML, Format::Toml, &[set("gateway.mode", json!(null))]),
        Err(EditRefused::NoNull(_))
    ));
}

#[test]
fn sp_054_a_list_in_an_include_is_changed_there() {
    let plan = planned(&[
        set("channels.telegram.allowFrom", json!(["111", "222", "333"])),
        unset("channels.telegram.dmPolicy"),
    ])
    .unwrap();
    insta::assert_snapshot!(shown(&plan));
    // `tools.deny` is put together from two files: no edit of one of them can shorten it to this.
    let spread = planned(&[set("tools.deny", json!([]))]).unwrap_err();
    assert!(matches!(spread, EditRefused::Spread { .. }), "{spread}");
}

#[test]
fn sp_054_a_substituted_secret_never_reaches_the_text() {
    for change in
        [set("gateway.auth.mode", json!("password")), set("gateway.auth.allowTailscale", json!(true))]
    {
        for file in planned(&[change]).unwrap().files {
            assert!(!file.after.contains("canary"), "{}", file.after);
            assert!(file.after.contains("${OPENCLAW_GATEWAY_TOKEN}"));
        }
    }
    let literal = planned(&[set("gateway.auth.token", json!("literal-0123456789"))]).unwrap();
    assert!(literal.files[0].after.contains("token: 'literal-0123456789', // from the service file"));
}

#[test]
fn sp_064_the_marker_written_back_keeps_what_is_stored() {
    let same = planned(&[set(
        "gateway.auth",
        json!({ "mode": "password", "token": "__OPENCLAW_REDACTED__", "password": "${PW}" }),
    )])
    .unwrap();
    let text = &same.files[0].after;
    assert!(text.contains("token: '${OPENCLAW_GATEWAY_TOKEN}', // from the service file"), "{text}");
    assert!(!text.contains("REDACTED"));
    for nothing in [
        set("hooks.token", json!("__OPENCLAW_REDACTED__")),
        append("tools.deny", json!("__OPENCLAW_REDACTED__")),
    ] {
        assert!(matches!(planned(&[nothing]), Err(EditRefused::NothingStored(_))));
    }
}

#[test]
fn sp_056_reserved_and_empty_names_are_refused_in_values_too() {
    let path = Path::new("c.json");
    for change in [
        set("a", json!({ "__proto__": { "x": 1 } })),
        set("a", json!([{ "constructor": 1 }])),
        set("a", json!({ "": 1 })),
        append("a", json!({ "prototype": 1 })),
        Change::Unset { path: KeyPath::keys(["a", "__proto__"]) },
    ] {
        assert!(matches!(apply(path, "{}", Format::Json5, &[change]), Err(EditRefused::Reserved(_))));
    }
    let root = Change::Set { path: KeyPath::root(), value: json!({}) };
    assert_eq!(apply(path, "{}", Format::Json5, &[root]), Err(EditRefused::Root));
}

#[test]
fn sp_060_null_empty_and_absent_stay_different() {
    let path = Path::new("c.json");
    let text = "{ a: null, b: [], c: {} }";
    let kept = apply(path, text, Format::Json5, &[set("d", json!([]))]).unwrap();
    assert_eq!(kept, "{ a: null, b: [], c: {}, d: [] }");
    assert_eq!(
        apply(path, &kept, Format::Json5, &[set("d", json!(null))]).unwrap(),
        "{ a: null, b: [], c: {}, d: null }"
    );
    assert_eq!(apply(path, &kept, Format::Json5, &[unset("d"), unset("a")]).unwrap(), "{ b: [], c: {} }");
}

#[test]
fn shapes_and_layouts() {
    let path = Path::new("c.json");
    for (text, change, want) in [
        ("", set("a.b", json!(1)), "{\n  a: {\n    b: 1\n  }\n}\n"),
        ("{}", set("a", json!(1)), "{\n  a: 1\n}"),
        ("{\"a\":1}", set("b", json!({ "c": [1, 2] })), "{\"a\":1,\"b\":{\"c\":[1,2]}}"),
        ("{ // note\n}", set("a", json!(1)), "{ // note\n  a: 1\n}"),
        ("{ a: 1, }", set("b", json!(2)), "{ a: 1, b: 2, }"),
        ("{\n\ta: 1 // one\n}", set("b", json!("x")), "{\n\ta: 1, // one\n\tb: \"x\"\n}"),
        ("{\r\n  'a': 1\r\n}\r\n", set("b", json!(2)), "{\r\n  'a': 1,\r\n  'b': 2\r\n}\r\n"),
        ("{ a: 1, a: 2 }", set("a", json!(3)), "{ a: 1, a: 3 }"),
        ("{ a: 1, b: 0, a: 2 }", unset("a"), "{ b: 0 }"),
        ("{ a: [1, 2, 3] }", unset("a[1]"), "{ a: [1, 3] }"),
        ("{ a: [1, 2] }", set("a.2", json!(3)), "{ a: [1, 2, 3] }"),
        ("{ a: 1 /* x */ }", unset("a"), "{ /* x */ }"),
        ("{\n  a: 1, // x\n  b: 2\n}", unset("a"), "{\n  // x\n  b: 2\n}"),
        ("{\n  a: 1,\n  b: 2\n}", unset("b"), "{\n  a: 1\n}"),
        ("\u{feff}{ a: 1 }", set("a", json!(2)), "\u{feff}{ a: 2 }"),
        ("{ a: +0x10 }", set("a", json!(16)), "{ a: +0x10 }"),
        ("{ a: 1 }", unset("b.c.d"), "{ a: 1 }"),
    ] {
        assert_eq!(apply(path, text, Format::Json5, &[change]).unwrap(), want, "{text:?}");
    }
    for (text, change) in [
        ("{ a: 'x' }", set("a.b", json!(1))),
        ("{ a: [1] }", set("a[3]", json!(1))),
        ("{ a: [1] }", set("a.b", json!(1))),
        ("{ a: {} }", append("a", json!(1))),
        ("{ a: ", set("a", json!(1))),
        ("[1]", set("a", json!(1))),
    ] {
        assert!(apply(path, text, Format::Json5, &[change]).is_err(), "{text:?}");
    }
}

#[test]
fn sp_016_hostile_texts_are_refused_not_followed() {
    let path = Path::new("c.json");
    let deep = "[".repeat(100_000);
    let escaped_key = "{ \\u0061: 1, b: 2 }";
    assert!(apply(path, &deep, Format::Json5, &[set("a", json!(1))]).is_err());
    // Readable, but the reader of positions does not know this spelling: refused or right, never wrong.
    if let Ok(after) = apply(path, escaped_key, Format::Json5, &[set("b", json!(3))]) {
        assert_eq!(after, "{ \\u0061: 1, b: 3 }");
    }
}

#[test]
fn a_value_that_differs_in_many_places_is_replaced_as_a_whole() {
    let path = Path::new("c.json");
    let many = |n: i64| json!((0..n).map(|i| (format!("k{i}"), json!(i))).collect::<serde_json::Map<_, _>>());
    let text = apply(path, "{}", Format::Json5, &[set("a", many(3))]).unwrap();
    let after = apply(path, &text, Format::Json5, &[set("a", many(5000))]).unwrap();
    assert_eq!(read(path, &after, Format::Json5).unwrap()["a"], many(5000));
}

// --- for all texts and changes -------------------------------------------------------------------------------------

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        (-1000i64..1000).prop_map(|n| json!(n)),
        "[a-z'\"\\\\/*${}\u{e9}\n]{0,8}".prop_map(|s| json!(s)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|a| json!(a)),
            prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|o| json!(o)),
        ]
    })
}

/// A tree printed in one of many ways, with a numbered comment wherever the seed says so.
fn printed(value: &serde_json::Value, seed: &mut u64, depth: usize, comments: &mut u32) -> String {
    let mut roll = |n: u64| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % n
    };
    let (open, close, parts): (_, _, Vec<(String, &serde_json::Value)>) = match value {
        serde_json::Value::Object(o) => {
            let keys = roll(2);
            let name = |k: &String| if keys == 0 { format!("{k}: ") } else { format!("'{k}' : ") };
            ('{', '}', o.iter().map(|(k, v)| (name(k), v)).collect())
        }
        serde_json::Value::Array(a) => ('[', ']', a.iter().map(|v| (String::new(), v)).collect()),
        serde_json::Value::String(s) => {
            return json5_style::quoted(s, if roll(2) == 0 { '"' } else { '\'' });
        }
        other => return other.to_string(),
    };
    let (lines, trailing) = (roll(2) == 0, roll(2) == 0);
    let mut note = |roll: u64| {
        *comments += 1;
        match roll {
            0 => format!(" /* n{comments} */ "),
            1 if lines => format!(" // n{comments}"),
            _ => {
                *comments -= 1;
                String::new()
            }
        }
    };
    let notes: Vec<u64> = (0..=parts.len() * 2).map(|_| roll(6)).collect();
    let mut out = String::from(open);
    out.push_str(&note(notes[0]));
    let pad = "  ".repeat(depth + 1);
    let count = parts.len();
    let mut pieces = Vec::new();
    for (i, _) in parts.iter().enumerate() {
        pieces.push((note(notes[i * 2 + 1].max(2)), note(notes[i * 2 + 2])));
    }
    for (i, (key, v)) in parts.into_iter().enumerate() {
        if lines {
            out.push('\n');
            out.push_str(&pad);
        } else {
            out.push(' ');
        }
        out.push_str(&key);
        out.push_str(&printed(v, seed, depth + 1, comments));
        if trailing || i + 1 < count {
            out.push(',');
        }
        out.push_str(&pieces[i].1);
    }
    if lines {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push(close);
    out
}

fn notes_of(text: &str) -> Vec<String> {
    // Comments are the only place where an `n` and a digit meet.
    let mut out = Vec::new();
    for (i, _) in text.match_indices('n') {
        let digits: String =
            text.get(i + 1..).unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
        if !digits.is_empty() {
            out.push(digits);
        }
    }
    out.sort();
    out
}

proptest! {
    #[test]
    fn sp_054_every_edit_means_what_it_says_and_keeps_the_comments(
        tree in prop::collection::btree_map("[a-d]", value(), 0..4),
        path in prop::collection::vec("[a-d]", 1..4),
        new in value(),
        seed in any::<u64>(),
        kind in 0u8..3,
    ) {
        let tree = json!(tree);
        let mut comments = 0;
        let text = printed(&tree, &mut seed.clone(), 0, &mut comments);
        let at = KeyPath::keys(path);
        let change = match kind {
            0 => Change::Set { path: at, value: new },
            1 => Change::Unset { path: at },
            _ => Change::Append { path: at, value: new },
        };
        let file = Path::new("c.json");
        match (intended(&read(file, &text, Format::Json5).unwrap(), &change), apply(file, &text, Format::Json5, std::slice::from_ref(&change))) {
            (Ok(want), Ok(after)) => {
                prop_assert_eq!(read(file, &after, Format::Json5).unwrap(), normal(&want));
                // Comments inside a value that is removed or replaced go with it; all others stay.
                if normal(&want) == read(file, &text, Format::Json5).unwrap() {
                    prop_assert_eq!(&after, &text);
                }
                let scalar = |v: Option<&serde_json::Value>| v.is_none_or(|v| !v.is_array() && !v.is_object());
                let old = change.path().segments().iter().try_fold(&tree, |h, s| h.get(intended::key_of(s)));
                if scalar(old) || kind == 2 {
                    prop_assert_eq!(notes_of(&after), notes_of(&text), "{}\n---\n{}", text, after);
                }
            }
            (Err(_), Err(_)) => {}
            (want, got) => prop_assert!(false, "{}\n{:?}\n{:?}", text, want, got),
        }
    }
}
