use std::os::unix::fs::MetadataExt;

use super::*;

#[test]
fn sp_055_copies_rotate_to_a_fixed_count_and_are_never_more_open() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("openclaw.json");
    rotate(&path).unwrap();
    for n in 0..8 {
        std::fs::write(&path, format!("version {n}")).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        rotate(&path).unwrap();
    }
    for age in 0..COPIES {
        let copy = name(&path, age);
        assert_eq!(std::fs::read_to_string(&copy).unwrap(), format!("version {}", 7 - age));
        assert_eq!(std::fs::metadata(&copy).unwrap().mode() & 0o7777, 0o600);
    }
    assert!(!name(&path, COPIES).exists());
}

#[test]
fn sp_055_a_stricter_mode_is_kept_and_an_older_open_copy_is_tightened() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("openclaw.json");
    std::fs::write(&path, "x").unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    std::fs::write(name(&path, 0), "older").unwrap();
    std::fs::set_permissions(name(&path, 0), Permissions::from_mode(0o644)).unwrap();
    rotate(&path).unwrap();
    assert_eq!(std::fs::metadata(name(&path, 0)).unwrap().mode() & 0o7777, 0o400);
    assert_eq!(std::fs::metadata(name(&path, 1)).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn sp_006_a_link_is_not_copied() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("target"), "x").unwrap();
    let path = tmp.path().join("openclaw.json");
    std::os::unix::fs::symlink(tmp.path().join("target"), &path).unwrap();
    rotate(&path).unwrap();
    assert!(!name(&path, 0).exists());
}
