use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn bits(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn fixed(dir: &Path) -> FixRecord {
    let config = dir.join("openclaw.json");
    let store = dir.join("sessions.json");
    std::fs::write(&config, "{ new: 1 }").unwrap();
    std::fs::write(&store, "{}").unwrap();
    chmod(&config, 0o600);
    chmod(&store, 0o600);
    let record = FixRecord {
        at: 1,
        files: vec![FileRecord {
            path: config.clone(),
            before: "{ /* old */ }".to_owned(),
            after_sha256: sha256(b"{ new: 1 }"),
        }],
        modes: vec![
            ModeRecord { path: config, before: 0o644, after: 0o600 },
            ModeRecord { path: store, before: 0o640, after: 0o600 },
        ],
    };
    write(dir, &record).unwrap();
    record
}

#[test]
fn undo_puts_texts_and_modes_back_once() {
    let tmp = tempfile::tempdir().unwrap();
    let record = fixed(tmp.path());
    assert_eq!(bits(&tmp.path().join(NAME)), 0o600);
    assert_eq!(undo(tmp.path()).unwrap(), record);
    assert_eq!(std::fs::read_to_string(tmp.path().join("openclaw.json")).unwrap(), "{ /* old */ }");
    assert_eq!(bits(&tmp.path().join("openclaw.json")), 0o644);
    assert_eq!(bits(&tmp.path().join("sessions.json")), 0o640);
    assert!(matches!(undo(tmp.path()), Err(UndoRefused::Nothing(_))));
}

#[test]
fn undo_refuses_when_anything_changed_since() {
    for change in [
        (|dir: &Path| std::fs::write(dir.join("openclaw.json"), "{ mine: 2 }").unwrap()) as fn(&Path),
        |dir| chmod(&dir.join("sessions.json"), 0o400),
        |dir| std::fs::remove_file(dir.join("sessions.json")).unwrap(),
    ] {
        let tmp = tempfile::tempdir().unwrap();
        fixed(tmp.path());
        change(tmp.path());
        let before = std::fs::read(tmp.path().join("openclaw.json")).unwrap();
        assert!(matches!(undo(tmp.path()), Err(UndoRefused::Changed(_))));
        assert_eq!(std::fs::read(tmp.path().join("openclaw.json")).unwrap(), before);
        assert!(tmp.path().join(NAME).exists());
    }
}

#[test]
fn undo_does_not_trust_a_record_that_others_may_write() {
    let tmp = tempfile::tempdir().unwrap();
    fixed(tmp.path());
    chmod(&tmp.path().join(NAME), 0o666);
    assert!(matches!(undo(tmp.path()), Err(UndoRefused::Unreadable { .. })));
}

#[test]
fn sp_289_names_that_are_no_utf_8_survive_the_record() {
    use std::os::unix::ffi::OsStrExt;
    let tmp = tempfile::tempdir().unwrap();
    let odd = tmp.path().join(std::ffi::OsStr::from_bytes(b"bad-\xff"));
    std::fs::write(&odd, "x").unwrap();
    chmod(&odd, 0o600);
    let entry = ModeRecord { path: odd.clone(), before: 0o640, after: 0o600 };
    write(tmp.path(), &FixRecord { at: 1, files: Vec::new(), modes: vec![entry] }).unwrap();
    undo(tmp.path()).unwrap();
    assert_eq!(bits(&odd), 0o640);
}
