use oc_config::change_log::Access;

use super::*;

fn record(n: usize) -> Record {
    Record {
        time: format!("2026-01-01T00:00:{n:02}.000Z"),
        writer: "test".to_owned(),
        file: "/x".to_owned(),
        before: String::new(),
        after: n.to_string(),
        forced: false,
        access: Access::Neutral,
        changes: Vec::new(),
        more: 0,
    }
}

#[test]
fn sp_071_records_are_appended_and_damaged_lines_counted() {
    let tmp = tempfile::tempdir().unwrap();
    assert_eq!(read(tmp.path()).unwrap(), ChangeLog::default());
    append(tmp.path(), &[record(1)]).unwrap();
    let log = path(tmp.path());
    let mut text = std::fs::read_to_string(&log).unwrap();
    text.push_str("{\"time\": \n");
    std::fs::write(&log, text).unwrap();
    append(tmp.path(), &[record(2), record(3)]).unwrap();
    let found = read(tmp.path()).unwrap();
    assert_eq!(found.records, [record(1), record(2), record(3)]);
    assert_eq!(found.unreadable, 1);
}

#[test]
fn sp_006_the_log_is_not_written_through_a_link() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::create_dir(tmp.path().join("logs")).unwrap();
    std::fs::write(tmp.path().join("target"), "x").unwrap();
    std::os::unix::fs::symlink(tmp.path().join("target"), path(tmp.path())).unwrap();
    assert!(append(tmp.path(), &[record(1)]).is_err());
    assert_eq!(std::fs::read(tmp.path().join("target")).unwrap(), b"x");
}
