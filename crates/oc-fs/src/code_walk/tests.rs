use super::*;
use std::os::unix::fs::{PermissionsExt as _, symlink};

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn plugin(dir: &Path, limits: Limits) -> ScannedFolder {
    scan_folder(FolderKind::Plugin, "p", dir, limits, &mut |_, _| {})
}

fn paths(scan: &ScannedFolder) -> Vec<&str> {
    scan.hits.iter().map(|h| h.file.to_str().unwrap()).collect()
}

#[test]
fn hidden_folders_and_node_modules_are_not_entered_but_declared_entries_are_scanned() {
    let t = tempfile::tempdir().unwrap();
    for p in [".hid/i.js", "node_modules/x/i.js", "src/a.js", "b.ts", "c.py"] {
        put(&t.path().join(p), "eval('1')");
    }
    assert_eq!(paths(&plugin(t.path(), Limits::LATEST)), ["b.ts", "src/a.js"]);
    put(&t.path().join("package.json"), r#"{"openclaw":{"extensions":["./.hid/i.js","../x.js","./b.ts"]}}"#);
    assert_eq!(paths(&plugin(t.path(), Limits::LATEST)), [".hid/i.js", "b.ts", "src/a.js"]);
}

#[test]
fn sp_289_links_loops_fifos_and_large_files_do_not_stop_the_scan() {
    let t = tempfile::tempdir().unwrap();
    let out = tempfile::tempdir().unwrap();
    put(&out.path().join("evil.js"), "eval('1')");
    symlink(t.path(), t.path().join("loop")).unwrap();
    symlink(out.path(), t.path().join("folder")).unwrap();
    symlink(t.path(), t.path().join("dir.js")).unwrap();
    let fifo = t.path().join("fifo.js");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    put(&t.path().join("exact.js"), &format!("eval(1){}", " ".repeat(1024 * 1024 - 7)));
    put(&t.path().join("over.js"), &format!("eval(1){}", " ".repeat(1024 * 1024 - 6)));
    let scan = plugin(t.path(), Limits::ERA);
    assert_eq!((paths(&scan), scan.failed.as_deref()), (vec!["exact.js"], None));
    // The latest rules do not take a file that nobody looked at for clean.
    let failed = plugin(t.path(), Limits::LATEST).failed.unwrap();
    assert_eq!(failed, "over.js: too large (1048577 bytes)");
}

#[test]
fn sp_292_what_cannot_be_read_is_a_failure() {
    let t = tempfile::tempdir().unwrap();
    assert!(plugin(&t.path().join("gone"), Limits::LATEST).failed.is_some());
    put(&t.path().join("a.js"), "1");
    fs::set_permissions(t.path().join("a.js"), fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads it anyway; then there is nothing to report.
    if fs::read(t.path().join("a.js")).is_err() {
        assert!(plugin(t.path(), Limits::LATEST).failed.unwrap().starts_with("a.js: "));
    }
}

#[test]
fn sp_292_beyond_the_file_limit_is_not_clean() {
    let t = tempfile::tempdir().unwrap();
    for i in 0..6 {
        put(&t.path().join(format!("f{i}.js")), "1");
    }
    let scan = |files, left_out_is_failure| {
        let s = plugin(t.path(), Limits { files, left_out_is_failure, everywhere: false });
        (s.files, s.failed.is_some())
    };
    assert_eq!(scan(5, true), (5, true));
    assert_eq!(scan(5, false), (5, false));
    assert_eq!(scan(6, true), (6, false));
}

#[test]
fn ten_thousand_files_are_scanned_with_progress() {
    let t = tempfile::tempdir().unwrap();
    for d in 0..100 {
        let dir = t.path().join(format!("d{d}"));
        fs::create_dir(&dir).unwrap();
        for f in 0..100 {
            fs::write(dir.join(format!("f{f}.js")), "export const a = 1;\n").unwrap();
        }
    }
    let mut calls = 0;
    let start = std::time::Instant::now();
    let scan = scan_folder(FolderKind::Plugin, "p", t.path(), Limits::LATEST, &mut |_, _| calls += 1);
    assert_eq!((scan.files, calls, scan.failed), (10_000, 10_000, None));
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn plugins_and_skills_are_found() {
    let t = tempfile::tempdir().unwrap();
    let ext = t.path().join("ext");
    for d in ["b", ".a", "c"] {
        fs::create_dir_all(ext.join(d)).unwrap();
    }
    put(&ext.join("file"), "");
    symlink(ext.join("b"), ext.join("link")).unwrap();
    let names = |links| plugin_folders(&ext, links).unwrap().into_iter().map(|(n, _)| n).collect::<Vec<_>>();
    assert_eq!(names(false), [".a", "b", "c"]);
    assert_eq!(names(true), [".a", "b", "c", "link"]);
    assert_eq!(plugin_folders(&t.path().join("none"), true), Ok(Vec::new()));

    let skills = t.path().join("skills");
    put(&skills.join("x/SKILL.md"), "---\nname: x\ndescription: d\n---\n");
    put(&skills.join("group/y/SKILL.md"), "---\nname: y\ndescription: d\n---\n");
    put(&skills.join("z/run.js"), "eval(1)");
    put(&skills.join(".h/SKILL.md"), "---\nname: h\ndescription: d\n---\n");
    symlink(&skills, skills.join("loop")).unwrap();
    let found: Vec<_> = skill_folders(&skills).into_iter().map(|(n, _)| n).collect();
    assert_eq!(found, ["y", "x"]);
}
