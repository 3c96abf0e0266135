use super::*;

fn wanted(cursor: Option<u64>, lines: usize, bytes: u64) -> Wanted {
    Wanted { cursor, lines, bytes }
}

#[test]
fn positions_lead_from_call_to_call() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("x.log");
    assert_eq!(read(&path, &wanted(None, 10, 100)).unwrap(), LogTail::default());
    std::fs::write(&path, "one\ntwo\nthr").unwrap();
    let first = read(&path, &wanted(None, 10, 100)).unwrap();
    assert_eq!(
        (first.lines.as_slice(), first.cursor, first.size),
        (&["one".to_owned(), "two".into()][..], 8, 11)
    );
    assert!(!first.truncated && !first.reset);
    std::fs::write(&path, "one\ntwo\nthree\nfour\n").unwrap();
    let next = read(&path, &wanted(Some(first.cursor), 10, 100)).unwrap();
    assert_eq!(next.lines, ["three", "four"]);
    assert_eq!((next.cursor, next.truncated, next.reset), (19, false, false));
    let nothing = read(&path, &wanted(Some(19), 10, 100)).unwrap();
    assert_eq!((nothing.lines.len(), nothing.cursor), (0, 19));
}

#[test]
fn only_whole_lines_and_the_last_ones() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("x.log");
    std::fs::write(&path, "aaaa\nbbbb\ncccc\n").unwrap();
    // Ten bytes hold two lines exactly; eleven hold a piece of the first.
    for bytes in [10, 11, 14] {
        let found = read(&path, &wanted(None, 10, bytes)).unwrap();
        assert_eq!(found.lines, ["bbbb", "cccc"], "{bytes}");
        assert!(found.truncated && !found.reset);
    }
    let found = read(&path, &wanted(None, 1, 100)).unwrap();
    assert_eq!((found.lines.as_slice(), found.truncated), (&["cccc".to_owned()][..], true));
}

#[test]
fn a_position_of_another_file_starts_over() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("x.log");
    std::fs::write(&path, "aaaa\nbbbb\ncccc\n").unwrap();
    let beyond = read(&path, &wanted(Some(1000), 10, 100)).unwrap();
    assert_eq!((beyond.lines.len(), beyond.reset, beyond.truncated), (3, true, false));
    let far_back = read(&path, &wanted(Some(0), 10, 5)).unwrap();
    assert_eq!(
        (far_back.lines.as_slice(), far_back.reset, far_back.truncated),
        (&["cccc".to_owned()][..], true, true)
    );
    std::fs::remove_file(&path).unwrap();
    assert!(read(&path, &wanted(Some(5), 10, 100)).unwrap().reset);
}

#[test]
fn a_line_without_end_does_not_hold_the_reader_up() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("x.log");
    std::fs::write(&path, "x".repeat(200)).unwrap();
    let at = read(&path, &wanted(Some(100), 10, 100)).unwrap();
    assert_eq!((at.cursor, at.truncated), (200, true));
}

#[test]
fn a_link_is_not_followed() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("secret"), "key\n").unwrap();
    let link = tmp.path().join("x.log");
    std::os::unix::fs::symlink(tmp.path().join("secret"), &link).unwrap();
    assert!(read(&link, &wanted(None, 10, 100)).is_err());
}
