use std::path::Path;

use serde_json::json;

use super::limit::{image_type, window};
use super::path::{PathError, Purpose, Reach};
use super::*;

#[test]
fn aliases_are_read_and_contradictions_refused() {
    let parse = |tool, v: serde_json::Value| Request::parse(tool, v.as_object().unwrap());
    let one = parse(CoreTool::Edit, json!({"path": "a", "oldText": "b", "newText": "c"})).unwrap();
    let other =
        parse(CoreTool::Edit, json!({"file_path": "a", "old_string": "b", "new_string": "c"})).unwrap();
    assert_eq!(one, other);
    assert!(parse(CoreTool::Read, json!({"path": "a", "file_path": "a"})).is_ok());
    assert!(matches!(
        parse(CoreTool::Read, json!({"path": "a", "file_path": "/etc/shadow"})),
        Err(ArgumentError::Contradiction { .. })
    ));
    for (tool, bad) in [
        (CoreTool::Read, json!({})),
        (CoreTool::Read, json!({"path": " "})),
        (CoreTool::Read, json!({"path": 3})),
        (CoreTool::Read, json!({"path": "a", "limit": 0})),
        (CoreTool::Read, json!({"path": "a", "offset": -1})),
        (CoreTool::Write, json!({"path": "a"})),
        (CoreTool::Edit, json!({"path": "a", "oldText": "", "newText": "c"})),
        (CoreTool::Edit, json!({"path": "a", "oldText": "c", "newText": "c"})),
        (CoreTool::Exec, json!({"command": " "})),
        (CoreTool::Exec, json!({"command": "a", "host": "moon"})),
        (CoreTool::Exec, json!({"command": "a", "env": ["X=1"]})),
        (CoreTool::Exec, json!({"command": "a", "timeout": 0})),
        (CoreTool::Process, json!({"action": "explode"})),
        (CoreTool::Process, json!({"action": "kill"})),
        (CoreTool::ApplyPatch, json!({"input": "hello"})),
    ] {
        assert!(parse(tool, bad.clone()).is_err(), "{tool:?} {bad}");
    }
}

#[test]
fn a_window_holds_2000_lines_or_50_kib() {
    let text: String = (1..=2500).map(|n| format!("{n}\n")).collect();
    let w = window(&text, 1, READ_LINES).unwrap();
    assert_eq!((w.first, w.last, w.total), (1, 2000, 2500));
    let w = window(&text, 2400, 9999).unwrap();
    assert_eq!((w.first, w.last), (2400, 2500));
    assert!(window(&text, 2501, 1).is_none());
    let wide = format!("{}\n", "x".repeat(1023)).repeat(60);
    assert_eq!(window(&wide, 1, READ_LINES).unwrap().last, 50);
    let one = "x".repeat(READ_BYTES + 1);
    assert_eq!(window(&one, 1, READ_LINES).unwrap().last, 0);
    assert_eq!(window(&"x".repeat(READ_BYTES), 1, READ_LINES).unwrap().last, 1);
    let empty = window("", 1, READ_LINES).unwrap();
    assert_eq!((empty.last, empty.total), (0, 0));
}

#[test]
fn pictures_are_known_by_their_first_bytes() {
    assert_eq!(image_type(b"\x89PNG\r\n\x1a\nrest"), Some("image/png"));
    assert_eq!(image_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
    assert_eq!(image_type(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
    assert_eq!(image_type(b"RIFF\0\0\0\0WAVE"), None);
    assert_eq!(image_type(b"GIF89a"), Some("image/gif"));
    assert_eq!(image_type(b"GIF"), None);
}

#[test]
fn exactly_one_occurrence_is_replaced() {
    assert_eq!(replace_once("a b c", "b", "x").unwrap(), "a x c");
    assert_eq!(replace_once("a b b", "b", "x"), Err(EditError::Ambiguous(2)));
    assert_eq!(replace_once("aaa", "aa", "x"), Err(EditError::Ambiguous(2)));
    assert_eq!(replace_once("a", "b", "x"), Err(EditError::NotFound));
    assert_eq!(replace_once("a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\n").unwrap(), "x\r\ny\r\nc\r\n");
    assert_eq!(replace_once("$1 costs", "$1", "$0 \\1").unwrap(), "$0 \\1 costs");
    assert_eq!(replace_once("äöü", "ö", "").unwrap(), "äü");
}

fn patched(text: &str, hunks: &str) -> Result<String, String> {
    let patch = Patch::parse(&format!("*** Begin Patch\n*** Update File: f\n{hunks}\n*** End Patch"));
    let patch = patch.map_err(|e| e.to_string())?;
    let Change::Update { hunks, .. } = &patch.changes[0] else { panic!() };
    updated(text, hunks).map_err(|e| e.to_string())
}

#[test]
fn hunks_find_their_place() {
    let text = "fn a() {\n    one\n}\nfn b() {\n    one\n}\n";
    assert_eq!(
        patched(text, "@@ fn b() {\n-    one\n+    two").unwrap(),
        "fn a() {\n    one\n}\nfn b() {\n    two\n}\n"
    );
    assert_eq!(patched("a\nb\n", "@@\n-a\n+x\n@@\n-b\n+y").unwrap(), "x\ny\n");
    // Without a mark the first hunk is one as well; blanks at the end of a line do not part it from the patch.
    assert_eq!(patched("a  \nb\n", " a\n-b\n+c").unwrap(), " a\nc\n".trim_start_matches(' '));
    assert_eq!(patched("x\ny\nx\n", "@@\n-x\n+z\n*** End of File").unwrap(), "x\ny\nz\n");
    assert_eq!(patched("a\r\nb\r\n", "@@\n-b\n+c").unwrap(), "a\r\nc\r\n");
    assert_eq!(patched("a\n", "@@\n+end").unwrap(), "a\nend\n");
    assert_eq!(patched("", "@@\n+first").unwrap(), "first\n");
    assert!(patched("a\n", "@@\n-b\n+c").unwrap_err().contains("hunk 1"));
    assert!(patched("a\nb\n", "@@\n-b\n+c\n@@\n-a\n+d").unwrap_err().contains("hunk 2"));
}

#[test]
fn the_patch_grammar_names_the_line_that_is_wrong() {
    let patch = Patch::parse(
        "*** Begin Patch\n*** Add File: a.txt\n+one\n+\n*** Delete File: b.txt\n*** Update File: c.txt\n*** Move to: d.txt\n@@\n-x\n+y\n*** End Patch\n",
    )
    .unwrap();
    let named: Vec<Vec<&str>> = patch.changes.iter().map(|c| c.paths().collect()).collect();
    assert_eq!(named, [vec!["a.txt"], vec!["b.txt"], vec!["c.txt", "d.txt"]]);
    assert!(matches!(&patch.changes[0], Change::Add { content, .. } if content == "one\n\n"));
    for (text, line) in [
        ("hello", 1),
        ("*** Begin Patch\nhello\n*** End Patch", 2),
        ("*** Begin Patch\n*** Add File: a\nno plus\n*** End Patch", 3),
        ("*** Begin Patch\n*** Update File: a\n@@\n same\n*** End Patch", 5),
        ("*** Begin Patch\n*** Update File: a\n*** End Patch", 3),
        ("*** Begin Patch\n*** Add File: \n*** End Patch", 2),
        ("*** Begin Patch\n*** Add File: a\n+x", 4),
        ("*** Begin Patch\n*** Add File: a\n+x\n*** End Patch\nmore", 5),
    ] {
        match Patch::parse(text) {
            Err(PatchError::Line { line: found, .. }) => assert_eq!(found, line, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(Patch::parse("*** Begin Patch\n*** End Patch"), Err(PatchError::Empty));
}

fn on_host(reach: Reach, workspace: &Path, state: &Path) -> View {
    View::Host {
        workspace: workspace.to_owned(),
        home: state.parent().unwrap().to_owned(),
        reach,
        state: state.to_owned(),
    }
}

#[test]
fn sp_004_a_path_of_a_call_has_one_spelling() {
    let inside = View::Sandbox { workdir: "/workspace".to_owned() };
    for (given, meant) in [
        ("a/b", "a/b"),
        ("@a/b", "a/b"),
        ("file:///workspace/a%20b", "/workspace/a b"),
        ("file://localhost/workspace/a", "/workspace/a"),
        ("FILE:/workspace/a", "/workspace/a"),
        ("a%2fb", "a%2fb"),
        ("file:///workspace/a%2520b", "/workspace/a%20b"),
    ] {
        assert_eq!(inside.locate(given, Purpose::Read).unwrap().path, meant, "{given}");
    }
    for given in [
        "",
        "  ",
        "a\0b",
        "a\nb",
        "a\\b",
        "\\\\server\\share",
        "~",
        "~/x",
        "~root/x",
        "file://evil.example/etc/passwd",
        "file://a",
        "file:relative",
        "file:///a%2f..%2fb",
        "file:///a%00",
        "file:///a%zz",
        "file:///a?b",
    ] {
        assert!(inside.locate(given, Purpose::Read).is_err(), "{given:?}");
    }
}

#[test]
fn sp_001_workspace_only_means_beneath_the_workspace() {
    let tmp = tempfile::tempdir().unwrap();
    let state = tmp.path().join(".openclaw");
    let workspace = state.join("workspace");
    std::fs::create_dir_all(&workspace).unwrap();
    let view = on_host(Reach::WorkspaceOnly, &workspace, &state);
    let inside = workspace.join("a/b").display().to_string();
    for given in ["a/b", "./a/b", inside.as_str()] {
        let at = view.locate(given, Purpose::Write).unwrap();
        assert_eq!(
            at.root.as_deref().map(Path::new),
            Some(workspace.canonicalize().unwrap().as_path()),
            "{given}"
        );
        assert!(at.path.ends_with("a/b"), "{at:?}");
    }
    for given in ["../x", "a/../../x", "/etc/passwd", "~/x", "/"] {
        let refused = view.locate(given, Purpose::Read).unwrap_err();
        assert!(matches!(refused, PathError::Outside(_)), "{given}: {refused}");
    }
}

#[test]
fn tools_do_not_write_what_decides_about_them() {
    let tmp = tempfile::tempdir().unwrap();
    let state = tmp.path().join(".openclaw");
    let workspace = state.join("workspace");
    std::fs::create_dir_all(&workspace).unwrap();
    std::os::unix::fs::symlink(&state, workspace.join("link")).unwrap();
    let view = on_host(Reach::WholeHost, &workspace, &state);
    for given in
        ["../openclaw.json", "~/.openclaw/exec-approvals.json", "link/openclaw.json", "x/../../ledger/head"]
    {
        let refused = view.locate(given, Purpose::Write).unwrap_err();
        assert!(matches!(refused, PathError::State(_)), "{given}: {refused}");
        assert!(view.locate(given, Purpose::Read).is_ok());
    }
    let at = view.locate("new/file.txt", Purpose::Write).unwrap();
    assert_eq!(at.root.as_deref(), Some("/"));
    assert!(at.path.ends_with("/workspace/new/file.txt"));
    assert!(view.locate("/tmp/elsewhere", Purpose::Write).is_ok());
}

#[test]
fn sp_112_every_parameter_that_names_a_file_is_declared() {
    for tool in CoreTool::ALL {
        let declared = tool.path_parameters();
        let wants_path = !matches!(tool, CoreTool::Process);
        assert_eq!(!declared.is_empty(), wants_path, "{tool:?}");
    }
}
