use std::os::unix::fs::MetadataExt;

use super::*;

fn mode_of(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn sp_005_directories_and_appended_files_are_owner_only() {
    let tmp = tempfile::tempdir().unwrap();
    let deep = tmp.path().join("a/b/c");
    create_directories(&deep).unwrap();
    create_directories(&deep).unwrap();
    assert_eq!(mode_of(&deep), 0o700);
    assert_eq!(mode_of(&tmp.path().join("a")), 0o700);
    let log = deep.join("log.jsonl");
    drop(open_append(&log).unwrap());
    assert_eq!(mode_of(&log), 0o600);
    std::fs::set_permissions(&log, Permissions::from_mode(0o666)).unwrap();
    drop(open_append(&log).unwrap());
    assert_eq!(mode_of(&log), 0o600);
}

#[test]
fn sp_006_append_refuses_links_fifos_and_second_names() {
    let tmp = tempfile::tempdir().unwrap();
    let target = tmp.path().join("target");
    std::fs::write(&target, "x").unwrap();
    std::os::unix::fs::symlink(&target, tmp.path().join("link")).unwrap();
    assert!(open_append(&tmp.path().join("link")).unwrap_err().to_string().contains("link"));
    std::fs::hard_link(&target, tmp.path().join("second")).unwrap();
    assert!(open_append(&tmp.path().join("second")).is_err());
    assert!(open_append(tmp.path()).is_err());
    assert_eq!(std::fs::read(&target).unwrap(), b"x");
}
