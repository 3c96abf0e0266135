use std::os::unix::fs::{PermissionsExt as _, symlink};

use oc_types::Origin;
use serde_json::json;

use super::*;

fn put(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn skill(name: &str) -> String {
    format!("---\nname: {name}\ndescription: d\n---\n")
}

fn root(path: &Path, place: Place) -> Root {
    Root { path: path.to_owned(), place, within: None }
}

fn names(skills: &Skills) -> Vec<(&str, &str)> {
    skills.found.iter().map(|f| (f.skill.name.as_str(), f.place.word())).collect()
}

#[test]
fn the_nearer_folder_wins() {
    let t = tempfile::tempdir().unwrap();
    let (managed, own) = (t.path().join("managed"), t.path().join("own"));
    put(&managed, "a/SKILL.md", &skill("a"));
    put(&managed, "deep/er/b/SKILL.md", &skill("b"));
    put(&own, "x/SKILL.md", &skill("a"));
    put(&own, "readme/SKILL.md", "# no head");
    put(&own, "readme/c/SKILL.md", &skill("c"));
    let skills = read(&[root(&managed, Place::Managed), root(&own, Place::Workspace)]);
    assert_eq!(
        names(&skills),
        [("a", "openclaw-workspace"), ("b", "openclaw-managed"), ("c", "openclaw-workspace")]
    );
    assert_eq!(skills.problems, []);
    put(&own, "y/SKILL.md", &skill("a"));
    let twice = read(&[root(&own, Place::Workspace)]);
    assert_eq!(twice.problems.len(), 1, "{:?}", twice.problems);
    assert!(twice.found[0].folder.ends_with("x"));
}

#[test]
fn sp_243_no_skill_is_read_through_a_link_that_leads_out() {
    let t = tempfile::tempdir().unwrap();
    let (workspace, outside) = (t.path().join("workspace"), t.path().join("outside"));
    put(&outside, "s/SKILL.md", &skill("s"));
    fs::create_dir_all(workspace.join("skills/f")).unwrap();
    symlink(outside.join("s"), workspace.join("skills/folder")).unwrap();
    symlink(outside.join("s/SKILL.md"), workspace.join("skills/f/SKILL.md")).unwrap();
    let at =
        Root { path: workspace.join("skills"), place: Place::Workspace, within: Some(workspace.clone()) };
    let skills = read(std::slice::from_ref(&at));
    assert_eq!((skills.found.len(), skills.problems.len()), (0, 2), "{:?}", skills.problems);
    // The skills folder itself must lie in the workspace, too.
    fs::rename(workspace.join("skills"), t.path().join("moved")).unwrap();
    symlink(&outside, workspace.join("skills")).unwrap();
    let skills = read(&[at]);
    assert_eq!((skills.found.len(), skills.problems.len()), (0, 1));
    // Where the operator put a link, it is followed.
    assert_eq!(read(&[root(&workspace.join("skills"), Place::Managed)]).found.len(), 1);
}

#[test]
fn what_everybody_can_write_is_no_skill() {
    let t = tempfile::tempdir().unwrap();
    put(t.path(), "s/SKILL.md", &skill("s"));
    let file = t.path().join("s/SKILL.md");
    let at = [root(t.path(), Place::Managed)];
    assert_eq!(read(&at).found.len(), 1);
    for (path, bad, good) in [(file, 0o666, 0o644), (t.path().join("s"), 0o777, 0o755)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(bad)).unwrap();
        let skills = read(&at);
        assert_eq!(skills.found.len(), 0);
        assert!(skills.problems[0].why.contains("everybody can write"), "{:?}", skills.problems);
        fs::set_permissions(&path, fs::Permissions::from_mode(good)).unwrap();
    }
}

#[test]
fn odd_files_are_problems_and_hold_nothing_up() {
    let t = tempfile::tempdir().unwrap();
    put(t.path(), "big/SKILL.md", &"x".repeat(300 * 1024));
    put(t.path(), "broken/SKILL.md", "---\nname: [\n---\n");
    put(t.path(), "name/SKILL.md", &skill("../up"));
    fs::create_dir_all(t.path().join("bytes")).unwrap();
    fs::write(t.path().join("bytes/SKILL.md"), b"---\nname: \xff\n---\n").unwrap();
    fs::create_dir_all(t.path().join("folder/SKILL.md")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &{
            fs::create_dir_all(t.path().join("fifo")).unwrap();
            t.path().join("fifo/SKILL.md")
        },
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let skills = read(&[root(t.path(), Place::Managed), root(&t.path().join("none"), Place::Extra)]);
    assert_eq!((skills.found.len(), skills.problems.len()), (0, 6), "{:?}", skills.problems);
}

#[test]
fn code_that_the_scan_finds_is_said() {
    let t = tempfile::tempdir().unwrap();
    put(t.path(), "s/SKILL.md", &skill("s"));
    put(t.path(), "s/.x/run.js", "eval(process.argv[2])");
    let skills = read(&[root(t.path(), Place::Managed)]);
    let Scan::Blocks(why) = &skills.found[0].scan else { panic!() };
    assert!(why.contains("dynamic-code-execution at .x/run.js:1"), "{why}");
}

#[test]
fn a_stamp_tells_of_changes() {
    let t = tempfile::tempdir().unwrap();
    let at = [root(&t.path().join("skills"), Place::Managed)];
    let none = read(&at).stamp;
    assert!(!has_changed(&none));
    put(t.path(), "skills/s/SKILL.md", &skill("s"));
    assert!(has_changed(&none), "the folder appeared");
    let one = read(&at).stamp;
    assert!(!has_changed(&one));
    put(t.path(), "skills/s/SKILL.md", &skill("longer"));
    assert!(has_changed(&one));
}

#[test]
fn where_skills_are_looked_for() {
    let config = json!({"skills": {"load": {"extraDirs": ["~/x", " ", "relative"]}}});
    let places = Locations {
        home: "/h".into(),
        state_dir: "/h/.openclaw".into(),
        config: "/h/.openclaw/openclaw.json".into(),
        credentials: "/h/.openclaw/credentials".into(),
    };
    let roots = roots(&Node::from_json(&config, &Origin::Default), &places, Path::new("/w"));
    let paths: Vec<_> = roots.iter().map(|r| r.path.to_str().unwrap()).collect();
    assert_eq!(paths, ["/h/x", "/h/.openclaw/skills", "/w/skills"]);
}
