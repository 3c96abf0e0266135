use super::*;
use crate::source::Memory;

fn json5(text: &str) -> Node {
    document::parse(&Frame::root("/s/openclaw.json"), text.as_bytes(), Format::Json5).unwrap().node
}

fn run(root: &str, files: &[(&str, &str)]) -> Resolved {
    let source = files.iter().fold(Memory::new(), |s, (p, t)| s.with(format!("/s/{p}"), *t));
    resolve(json5(root), Path::new("/s/openclaw.json"), Format::Json5, Reading::Product, &source)
}

fn ok(root: &str, files: &[(&str, &str)]) -> String {
    let r = run(root, files);
    assert_eq!(r.issues, vec![]);
    r.tree.to_json().to_string()
}

fn issue(root: &str, files: &[(&str, &str)]) -> String {
    let r = run(root, files);
    assert_eq!(r.issues.len(), 1, "{:?}", r.issues);
    r.issues[0].to_string()
}

#[test]
fn merging_follows_the_specification() {
    let base = ("a.json5", "{ x: { p: 1, q: [1], r: null }, y: 'a' }");
    let over = ("b.json5", "{ x: { p: 2, q: [2] }, y: ['b'] }");
    for (root, expected) in [
        ("{ $include: './a.json5' }", r#"{"x":{"p":1,"q":[1],"r":null},"y":"a"}"#),
        ("{ $include: ['a.json5', './b.json5'] }", r#"{"x":{"p":2,"q":[1,2],"r":null},"y":["b"]}"#),
        (
            "{ $include: 'a.json5', x: { q: [9], s: {} }, z: 1 }",
            r#"{"x":{"p":1,"q":[1,9],"r":null,"s":{}},"y":"a","z":1}"#,
        ),
        ("{ k: { $include: 'a.json5' } }", r#"{"k":{"x":{"p":1,"q":[1],"r":null},"y":"a"}}"#),
        ("{ k: [{ $include: 'a.json5' }, 1] }", r#"{"k":[{"x":{"p":1,"q":[1],"r":null},"y":"a"},1]}"#),
        ("{ $include: [] , z: 1 }", r#"{"z":1}"#),
        ("{ $include: 'a.json5', y: null }", r#"{"x":{"p":1,"q":[1],"r":null},"y":null}"#),
    ] {
        assert_eq!(ok(root, &[base, over]), expected, "{root}");
    }
}

#[test]
fn an_include_may_stand_for_a_list_or_a_scalar() {
    assert_eq!(ok("{ l: { $include: 'l.json' } }", &[("l.json", "[1, 2]")]), r#"{"l":[1,2]}"#);
    let text = issue("{ l: { $include: 'l.json', a: 1 } }", &[("l.json", "[1]")]);
    assert!(text.starts_with("openclaw.json:1:8: l: ") && text.contains("list"), "{text}");
}

#[test]
fn paths_are_relative_to_the_file_that_names_them() {
    let files = [
        ("sub/a.json5", "{ $include: './b.json5' }"),
        ("sub/b.json5", "{ v: { $include: '../c.json5' } }"),
        ("c.json5", "{ w: 1 }"),
    ];
    let r = run("{ $include: './sub/a.json5' }", &files);
    assert_eq!(r.tree.to_json().to_string(), r#"{"v":{"w":1}}"#);
    assert_eq!(r.files.len(), 3);
    let origin = r.tree.path(&["v", "w"]).unwrap().origin.to_string();
    assert_eq!(
        origin,
        "c.json5:1:3 (included at b.json5:1:8 (included at a.json5:1:3 (included at openclaw.json:1:3)))"
    );
}

#[test]
fn sp_051_cycles_depth_and_count_are_bounded() {
    for files in [
        vec![("a.json5", "{ $include: './a.json5' }")],
        vec![
            ("a.json5", "{ $include: './b.json5' }"),
            ("b.json5", "{ x: [{ $include: './sub/../a.json5' }] }"),
        ],
        vec![("a.json5", "{ $include: './openclaw.json' }")],
    ] {
        let text = issue("{ $include: './a.json5' }", &files);
        assert!(text.contains("includes itself"), "{text}");
    }
    // A diamond is no circle.
    let files = [
        ("a.json5", "{ a: { $include: 'c.json5' } }"),
        ("b.json5", "{ b: { $include: 'c.json5' } }"),
        ("c.json5", "{ c: 1 }"),
    ];
    assert_eq!(ok("{ $include: ['a.json5', 'b.json5'] }", &files), r#"{"a":{"c":1},"b":{"c":1}}"#);
    for (depth, fine) in [(10, true), (11, false)] {
        let texts: Vec<(String, String)> = (1..=depth)
            .map(|i| {
                let text = if i == depth {
                    "{ end: 1 }".to_owned()
                } else {
                    format!("{{ $include: 'd{}' }}", i + 1)
                };
                (format!("d{i}"), text)
            })
            .collect();
        let files: Vec<(&str, &str)> = texts.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(run("{ $include: 'd1' }", &files).issues.is_empty(), fine, "{depth}");
    }
    // Ten files, each naming the next twenty times: the count ends it, not the clock.
    let texts: Vec<(String, String)> = (1..=9)
        .map(|i| (format!("d{i}"), format!("{{ $include: [{}] }}", format!("'d{}',", i + 1).repeat(20))))
        .collect();
    let mut files: Vec<(&str, &str)> = texts.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    files.push(("d10", "{}"));
    let r = run("{ $include: 'd1' }", &files);
    assert!(r.issues.iter().any(|i| i.message.contains("1000 includes")));
}

#[test]
fn sp_016_lists_cannot_grow_without_end() {
    let limits = Limits { count: 50, bytes: 10 << 10, values: 1000 };
    let run = |times: usize, text: String| {
        let root = json5(&format!("{{ $include: [{}] }}", "'big',".repeat(times)));
        let source = Memory::new().with("/s/big", text);
        let path = Path::new("/s/openclaw.json");
        let r = resolve_within(limits, root, path, Format::Json5, Reading::Product, &source);
        r.issues.first().map(|i| i.message.clone())
    };
    assert_eq!(run(3, format!("['{}']", "x".repeat(3000))), None);
    let told = run(4, format!("['{}']", "x".repeat(3000)));
    assert_eq!(told.as_deref(), Some("the included files are larger than 10 KiB together"));
    let told = run(5, format!("[{}]", "1,".repeat(240)));
    assert_eq!(told.as_deref(), Some("the included files hold more than 1000 values together"));
    assert_eq!(run(51, "{}".to_owned()).as_deref(), Some("there are more than 50 includes"));
}

#[test]
fn sp_016_includes_cannot_nest_deeper_than_a_file() {
    let deep = format!("{}{{ $include: 'b' }}{}", "{ a: ".repeat(100), "}".repeat(100));
    let text =
        issue(&deep, &[("b", &"[".repeat(120)), ("b", &format!("{}{}", "[".repeat(120), "]".repeat(120)))]);
    assert!(text.contains("nested deeper than 128"), "{text}");
}

#[test]
fn what_is_no_file_name_is_an_error() {
    for (root, why) in [
        ("{ $include: 5 }", "number"),
        ("{ $include: null }", "null"),
        ("{ $include: {} }", "object"),
        ("{ $include: ['a', 3] }", "number"),
        ("{ $include: 'absent' }", "does not exist"),
        ("{ $include: '../a' }", "outside"),
        ("{ $include: '/etc/passwd' }", "outside"),
        ("{ $include: '~/a' }", "does not exist"),
        ("{ $include: '${A}' }", "does not exist"),
        ("{ $include: 'bad' }", "object that opens at 1:1"),
    ] {
        let text = issue(root, &[("a", "{}"), ("bad", "{ nope")]);
        assert!(text.contains(why) && !text.contains('\n'), "{root}: {text}");
    }
    let text = issue("{ k: { $include: 'bad' } }", &[("bad", "{ a: 1,\n b }")]);
    assert!(text.starts_with("bad:2:4 (included at openclaw.json:1:8): k: "), "{text}");
}

#[test]
fn toml_uses_the_key_include() {
    let source =
        Memory::new().with("/s/part.toml", "[gateway]\nport = 1\n").with("/s/p.json5", "{ bind: 'lan' }");
    let text = "include = \"part.toml\"\n[gateway]\ninclude = 'p.json5'\nmode = 'local'\n";
    let frame = Frame::root("/s/openclaw.toml");
    let root = document::parse(&frame, text.as_bytes(), Format::Toml).unwrap().node;
    let r = resolve(root, Path::new("/s/openclaw.toml"), Format::Toml, Reading::Product, &source);
    assert_eq!(r.issues, vec![]);
    assert_eq!(r.tree.to_json().to_string(), r#"{"gateway":{"port":1,"bind":"lan","mode":"local"}}"#);
}
