use super::*;
use std::os::unix::fs::PermissionsExt;

fn lines(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{{\"n\":{i}}}")).collect()
}

#[test]
fn what_was_appended_is_read_again_and_the_file_is_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("inbox").join("journal");
    let (mut journal, none) = Journal::open(&path).unwrap();
    assert_eq!(none, Vec::<String>::new());
    journal.append(&lines(3)).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let (mut journal, found) = Journal::open(&path).unwrap();
    assert_eq!(found, lines(3));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    journal.replace(&lines(1)).unwrap();
    journal.append(&["more".to_owned()]).unwrap();
    drop(journal);
    let (_, found) = Journal::open(&path).unwrap();
    assert_eq!(found, ["{\"n\":0}", "more"]);
}

#[test]
fn a_torn_end_is_cut_off_at_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let whole = sealed(&lines(2), &path).unwrap();
    let first = sealed(&lines(1), &path).unwrap().len();
    for cut in first + 1..whole.len() {
        atomic::replace(&path, whole.get(..cut).unwrap()).unwrap();
        let (mut journal, found) = Journal::open(&path).unwrap();
        assert_eq!(found, lines(1), "cut at {cut}");
        journal.append(&["next".to_owned()]).unwrap();
        drop(journal);
        let (_, found) = Journal::open(&path).unwrap();
        assert_eq!(found, ["{\"n\":0}", "next"], "cut at {cut}");
    }
}

#[test]
fn sp_008_a_journal_damaged_in_its_midst_is_an_error_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut bytes = sealed(&lines(3), &path).unwrap();
    bytes[SUM + 2] ^= 1;
    atomic::replace(&path, &bytes).unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalFailure::Damaged { line: 1, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_record_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(&dir.path().join("journal")).unwrap();
    assert!(matches!(journal.append(&["a\nb".to_owned()]), Err(JournalFailure::Line(_))));
    assert_eq!(journal.size(), 0);
}
