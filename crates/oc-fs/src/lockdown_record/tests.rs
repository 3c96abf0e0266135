use std::os::unix::fs::PermissionsExt;

use super::*;

fn write_file(path: &Path, text: &str, bits: u32) {
    mode::create_directories(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap();
}

fn file(path: &Path, before: &str, after: &str) -> FileRecord {
    FileRecord { path: path.to_owned(), before: before.to_owned(), after_sha256: sha256(after.as_bytes()) }
}

fn locked_down(state: &Path) -> LockdownRecord {
    let (config, paired) = (state.join("openclaw.json"), state.join("devices/paired.json"));
    write_file(&config, "{ after: 1 }", 0o600);
    write_file(&paired, "{}", 0o600);
    let record = LockdownRecord {
        at: 1,
        config: vec![file(&config, "{ /* before */ }", "{ after: 1 }")],
        modes: vec![ModeRecord { path: config, before: 0o644, after: 0o600 }],
        pairing: vec![file(&paired, "{\"n\":1}", "{}")],
        sessions: Vec::new(),
    };
    write(state, &record).unwrap();
    record
}

#[test]
fn every_byte_and_mode_comes_back() {
    let tmp = tempfile::tempdir().unwrap();
    let record = locked_down(tmp.path());
    assert_eq!(read(tmp.path()).unwrap(), Some(record.clone()));
    let undone = undo(tmp.path()).unwrap();
    assert_eq!((undone.record, undone.merge), (record, Vec::new()));
    let config = tmp.path().join("openclaw.json");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "{ /* before */ }");
    assert_eq!(narrow::present(&config), Some(0o644));
    assert_eq!(std::fs::read_to_string(tmp.path().join("devices/paired.json")).unwrap(), "{\"n\":1}");
    forget(tmp.path()).unwrap();
    assert!(matches!(undo(tmp.path()), Err(UndoRefused::Nothing(_))));
}

#[test]
fn a_configuration_that_was_changed_since_is_left_alone_and_a_pairing_list_is_handed_back() {
    let tmp = tempfile::tempdir().unwrap();
    locked_down(tmp.path());
    std::fs::write(tmp.path().join("devices/paired.json"), "{\"m\":2}").unwrap();
    let undone = undo(tmp.path()).unwrap();
    assert_eq!(undone.merge.len(), 1);
    assert_eq!(std::fs::read_to_string(tmp.path().join("devices/paired.json")).unwrap(), "{\"m\":2}");
    let tmp = tempfile::tempdir().unwrap();
    locked_down(tmp.path());
    std::fs::write(tmp.path().join("openclaw.json"), "{ mine: 1 }").unwrap();
    assert!(matches!(undo(tmp.path()), Err(UndoRefused::Changed(_))));
    assert_eq!(std::fs::read_to_string(tmp.path().join("devices/paired.json")).unwrap(), "{}");
}

#[test]
fn a_lockdown_that_was_stopped_halfway_is_undone_all_the_same() {
    let tmp = tempfile::tempdir().unwrap();
    locked_down(tmp.path());
    std::fs::write(tmp.path().join("openclaw.json"), "{ /* before */ }").unwrap();
    undo(tmp.path()).unwrap();
    assert_eq!(std::fs::read_to_string(tmp.path().join("openclaw.json")).unwrap(), "{ /* before */ }");
}

#[test]
fn a_second_lockdown_keeps_the_first_text() {
    let path = Path::new("/x/openclaw.json");
    let mut list = vec![file(path, "first", "second")];
    LockdownRecord::note(&mut list, file(path, "second", "third"));
    assert_eq!(list, [file(path, "first", "third")]);
    LockdownRecord::note(&mut list, file(path, "edited by hand", "fourth"));
    assert_eq!(list, [file(path, "edited by hand", "fourth")]);
}

#[test]
fn a_record_that_others_may_have_written_is_not_used() {
    let tmp = tempfile::tempdir().unwrap();
    locked_down(tmp.path());
    std::fs::set_permissions(place(tmp.path()), std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(undo(tmp.path()), Err(UndoRefused::Unreadable { .. })));
}
