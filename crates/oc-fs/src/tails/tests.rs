use super::*;

#[test]
fn the_end_of_a_file_is_whole_lines() {
    let tmp = tempfile::tempdir().unwrap();
    let file = tmp.path().join("a.jsonl");
    std::fs::write(&file, "one\ntwo\nthree\nfour").unwrap();
    let all = tail(&file, 1000, 10).unwrap();
    assert_eq!((all.lines.len(), all.cut, all.length), (4, false, 18));
    assert_eq!(tail(&file, 1000, 2).unwrap().lines, ["three", "four"]);
    let cut = tail(&file, 12, 10).unwrap();
    assert_eq!((cut.lines, cut.cut), (vec!["three".to_owned(), "four".to_owned()], true));
    let link = tmp.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert!(tail(&link, 10, 10).is_err());
    assert_eq!(tail(tmp.path(), 10, 10), Err(ReadFailure::NotRegular));
    assert_eq!(tail(&tmp.path().join("none"), 10, 10), Err(ReadFailure::Missing));
}

#[test]
fn the_newest_come_first_and_links_are_not_listed() {
    let tmp = tempfile::tempdir().unwrap();
    for (name, age) in [("old.jsonl", 30), ("new.jsonl", 10), ("mid.jsonl", 20), ("x.txt", 1)] {
        std::fs::write(tmp.path().join(name), "x").unwrap();
        let at = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
        std::fs::File::open(tmp.path().join(name)).unwrap().set_modified(at).unwrap();
    }
    std::os::unix::fs::symlink("/etc/passwd", tmp.path().join("link.jsonl")).unwrap();
    let found = newest(tmp.path(), 2, &|n| n.ends_with(".jsonl"));
    let names: Vec<_> = found.iter().filter_map(|d| d.path.file_name()?.to_str()).collect();
    assert_eq!(names, ["new.jsonl", "mid.jsonl"]);
    std::fs::create_dir_all(tmp.path().join("b/c")).unwrap();
    std::fs::write(tmp.path().join("b/c/deep"), "x").unwrap();
    assert_eq!(files_below(tmp.path(), 100).len(), 5);
    assert_eq!(folders(tmp.path()), [tmp.path().join("b")]);
    assert!(newest(&tmp.path().join("none"), 2, &|_| true).is_empty());
}
