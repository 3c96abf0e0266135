use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use oc_audit::fix::{Expected, ModeChange, ModeTarget, Skip};

use super::{Outcome, apply, look, restore};

fn write(path: &Path, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "x").unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn change(path: &Path, below: Option<&Path>, target: ModeTarget) -> ModeChange {
    ModeChange { path: path.to_owned(), below: below.map(Path::to_owned), expected: Expected::File, target }
}

#[test]
fn sp_281_links_are_refused_wherever_they_stand() {
    let tmp = tempfile::tempdir().unwrap();
    let state = tmp.path().join("state");
    let outside = tmp.path().join("outside");
    write(&outside.join("agent/auth-profiles.json"), 0o644);
    write(&state.join("plain.json"), 0o644);
    symlink(outside.join("agent/auth-profiles.json"), state.join("last.json")).unwrap();
    std::fs::create_dir_all(state.join("agents")).unwrap();
    symlink(&outside, state.join("agents/main")).unwrap();

    let exact = ModeTarget::Exact(0o600);
    for path in ["last.json", "agents/main/agent/auth-profiles.json"] {
        let c = change(&state.join(path), Some(&state), exact);
        assert_eq!(apply(&c), Outcome::Skipped(Skip::Symlink), "{path}");
    }
    assert_eq!(mode(&outside.join("agent/auth-profiles.json")), 0o644);

    let plain = change(&state.join("plain.json"), Some(&state), exact);
    assert_eq!(look(&plain), Outcome::Changed { before: 0o644, after: 0o600 });
    assert_eq!(mode(&plain.path), 0o644, "looking changes nothing");
    assert_eq!(apply(&plain), Outcome::Changed { before: 0o644, after: 0o600 });
    assert_eq!(mode(&plain.path), 0o600);
    assert_eq!(apply(&plain), Outcome::Skipped(Skip::Already), "a second run has nothing to do");
    restore(&plain.path, 0o600, 0o644).unwrap();
    assert_eq!(mode(&plain.path), 0o644);
    assert!(restore(&plain.path, 0o600, 0o666).is_err(), "changed since");
}

#[test]
fn sp_281_the_latest_rules_only_narrow() {
    let tmp = tempfile::tempdir().unwrap();
    for (before, after) in [(0o644, Some(0o600)), (0o755, Some(0o700)), (0o400, None), (0o500, None)] {
        let path = tmp.path().join(format!("f{before:o}"));
        write(&path, before);
        let bits = if before & 0o100 == 0 { 0o600 } else { 0o700 };
        let got = apply(&change(&path, None, ModeTarget::AtMost(bits)));
        match after {
            Some(after) => assert_eq!(got, Outcome::Changed { before, after }),
            None => assert_eq!(got, Outcome::Skipped(Skip::Already)),
        }
    }
}

#[test]
fn sp_281_wrong_kinds_and_missing_paths_are_named() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("d.json");
    std::fs::create_dir(&dir).unwrap();
    assert_eq!(apply(&change(&dir, None, ModeTarget::Exact(0o600))), Outcome::Skipped(Skip::NotAFile));
    let none = tmp.path().join("none");
    assert_eq!(apply(&change(&none, None, ModeTarget::Exact(0o600))), Outcome::Skipped(Skip::Missing));
    let file = tmp.path().join("file");
    write(&file, 0o644);
    let wrong = ModeChange { expected: Expected::Directory, ..change(&file, None, ModeTarget::Exact(0o700)) };
    assert_eq!(apply(&wrong), Outcome::Skipped(Skip::NotADirectory));
    assert_eq!(mode(&file), 0o644);
}
