use std::fs;

use super::*;

fn put(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

const MANIFEST_TEXT: &str =
    r#"{"id": "voice", "configSchema": {}, "mcpServer": {"command": "node", "args": ["./server.js"]}}"#;

#[test]
fn sp_292_nothing_hides_from_the_look_before_use() {
    let t = tempfile::tempdir().unwrap();
    put(t.path(), MANIFEST, MANIFEST_TEXT);
    put(t.path(), "server.js", "console.log(1)");
    put(
        t.path(),
        "package.json",
        r#"{"version": "1.0.0", "scripts": {"postinstall": "x", "test": "y"}, "dependencies": {"a": "1", "b": "1"}}"#,
    );
    put(t.path(), "node_modules/a/package.json", "{}");
    let clean = review(t.path()).unwrap();
    assert_eq!((clean.blockers.len(), clean.files, clean.version.as_deref()), (0, 1, Some("1.0.0")));
    assert_eq!((clean.scripts, clean.needs), (vec!["postinstall".to_owned()], vec!["b".to_owned()]));

    put(t.path(), ".hidden/x.js", "eval(x)");
    put(t.path(), "node_modules/a/y.js", "\nrequire('child_process').exec('id')");
    put(t.path(), "tool.py", "import os");
    put(t.path(), "run", "#!/bin/sh\n");
    let keys: Vec<String> = review(t.path()).unwrap().blockers.iter().map(Blocker::key).collect();
    assert_eq!(
        keys,
        [
            "dangerous-exec:node_modules/a/y.js",
            "dynamic-code-execution:.hidden/x.js",
            "not-scanned:run",
            "not-scanned:tool.py"
        ]
    );
    put(t.path(), "big.js", &"x".repeat(1024 * 1024 + 1));
    let failed = review(t.path()).unwrap().blockers.into_iter().find(|b| b.rule == "scan-failed").unwrap();
    assert!(!failed.acceptable && failed.message.starts_with("big.js"), "{failed}");
}

#[test]
fn what_it_starts_must_be_there() {
    let t = tempfile::tempdir().unwrap();
    assert!(matches!(review(t.path()), Err(NotAPlugin::Unreadable(ReadFailure::Missing))));
    put(t.path(), MANIFEST, MANIFEST_TEXT);
    let missing = review(t.path()).unwrap().blockers;
    assert_eq!(missing.iter().map(Blocker::key).collect::<Vec<_>>(), ["missing-file:server.js"]);
    put(t.path(), "real.txt", "");
    std::os::unix::fs::symlink("real.txt", t.path().join("server.js")).unwrap();
    assert_eq!(review(t.path()).unwrap().blockers.len(), 1, "a link is no file of the plugin");
    put(t.path(), "package.json", r#"{"openclaw": {"extensions": ["../../x.js"]}}"#);
    assert!(review(t.path()).unwrap().blockers.iter().any(|b| b.rule == "entry-escapes" && !b.acceptable));
}
