use super::*;
use crate::code_scan::manifest::{EntryPath, Manifest, resolve};
use proptest::prelude::*;

fn rules(text: &str) -> Vec<&'static str> {
    scan(text).into_iter().map(|h| h.rule).collect()
}

#[test]
fn each_rule_fires_on_its_example_and_not_beside_it() {
    let b64 = "QUJD".repeat(50);
    let short = "QUJD".repeat(49);
    let rows: &[(&str, &[&str])] = &[
        ("const cp = require('child_process');\ncp.exec('ls');", &["dangerous-exec"]),
        ("import {spawnSync} from 'node:child_process'; spawnSync ('x')", &["dangerous-exec"]),
        ("db.exec('select 1');", &[]),
        ("require('child_process'); re.execute('x'); myexec('y')", &[]),
        ("eval ('1')", &["dynamic-code-execution"]),
        ("new  Function ('x')", &["dynamic-code-execution"]),
        ("medieval(1); newFunction(2)", &[]),
        ("pool = 'STRATUM+TCP://x'", &["crypto-mining"]),
        ("new WebSocket('wss://h.example:9999/x')", &["suspicious-network"]),
        ("new WebSocket(\"ws://h:8080\")", &[]),
        ("new WebSocket('ws://h:443');\nnew WebSocket('ws://h:4444')", &["suspicious-network"]),
        ("new WebSocket('ws://h/x')", &[]),
        ("fs.readFileSync('x');\nFETCH('http://h')", &["potential-exfiltration"]),
        ("fs.readFile('x'); prefetched; postal", &[]),
        ("fs.readFile('x'); http.request(o)", &["potential-exfiltration"]),
        ("const t = process.env.K; fetch(t)", &["env-harvesting"]),
        ("'\\x41\\x42\\x43\\x44\\x45\\x46'", &["obfuscated-code"]),
        ("'\\x41\\x42\\x43\\x44\\x45'", &[]),
        (&format!("atob('{b64}')"), &["obfuscated-code"]),
        (&format!("Buffer.from(\"{b64}\", 'base64')"), &["obfuscated-code"]),
        (&format!("atob('{short}')"), &[]),
    ];
    for (text, want) in rows {
        assert_eq!(rules(text), *want, "{text}");
    }
}

#[test]
fn a_hit_names_the_line_of_its_first_match() {
    assert_eq!(scan("a\nb\neval(x)\neval(y)")[0].line, 3);
    // A usual port on an earlier line does not end the search.
    assert_eq!(scan("new WebSocket('ws://h:443')\n\nnew WebSocket('ws://h:1')")[0].line, 3);
}

#[test]
fn only_code_suffixes_are_scanned() {
    for name in ["a.js", "b.test.tsx", ".x.cjs"] {
        assert!(is_scannable(name), "{name}");
    }
    for name in ["js", "a.py", "a.JS", "a.js.map", "a.json", ""] {
        assert!(!is_scannable(name), "{name}");
    }
}

#[test]
fn sp_292_entries_that_hide_or_escape_are_told_apart() {
    let inside = |path: &str, hidden| EntryPath::Inside { path: path.to_owned(), hidden };
    for (entry, want) in [
        ("./index.js", inside("index.js", false)),
        ("dist/../index.js", inside("index.js", false)),
        ("./.hid/i.js", inside(".hid/i.js", true)),
        ("node_modules/x/i.js", inside("node_modules/x/i.js", true)),
        ("/s/ext/foo/a.js", inside("a.js", false)),
        ("../../evil.js", EntryPath::Escapes),
        ("a/../../b.js", EntryPath::Escapes),
        ("/etc/x.js", EntryPath::Escapes),
        ("/s/ext/foobar/x.js", EntryPath::Escapes),
        ("..\\evil.js", EntryPath::Escapes),
    ] {
        assert_eq!(resolve("/s/ext/foo", entry), want, "{entry}");
    }
}

#[test]
fn a_manifest_that_is_no_object_is_malformed_not_absent() {
    let parse = manifest::parse;
    assert_eq!(parse("{}"), Manifest::Absent);
    assert!(matches!(parse("{"), Manifest::Malformed(_)));
    assert!(matches!(parse("[]"), Manifest::Malformed(_)));
    assert_eq!(
        parse(r#"{"openclaw":{"extensions":[" ./a.js ", "", 3]}}"#),
        Manifest::Entries(vec!["./a.js".to_owned()])
    );
}

#[test]
fn a_skill_needs_a_name_and_a_description() {
    let name = |t| skill::front_matter(t).map(|f| f.name);
    assert_eq!(name("---\nname: demo\ndescription: d\n---\n").as_deref(), Some("demo"));
    assert_eq!(name("\u{feff}---\nname: \"a b\"\ndescription: >\n  folded\n---").as_deref(), Some("a b"));
    for text in
        ["", "hello", "---\nname: x\n---\n", "---\ndescription: x\n---\n", "---\nname: x\ndescription: y\n"]
    {
        assert_eq!(name(text), None, "{text}");
    }
}

#[test]
fn a_megabyte_of_near_matches_takes_linear_time() {
    let text = "eval exec new WebSocket('ws://a".repeat(40_000);
    let start = std::time::Instant::now();
    assert!(scan(&text).is_empty());
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn scanning_never_panics_and_lines_lie_in_the_text(text in any::<String>()) {
        let lines = text.matches('\n').count() + 1;
        prop_assert!(scan(&text).iter().all(|h| h.line >= 1 && h.line <= lines));
        let _ = manifest::parse(&text);
        let _ = skill::front_matter(&text);
        let _ = resolve("/a/b", &text);
    }
}
