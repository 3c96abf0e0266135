use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use oc_audit::facts::{Kind, SubtreeRequest, TextFact};

use super::{inspect, subtree};

fn write(path: &Path, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "x").unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
}

#[test]
fn sp_289_a_hostile_tree_is_walked_to_the_end() {
    let tmp = tempfile::tempdir().unwrap();
    let root = tmp.path().join("state");
    write(&root.join("a/open.json"), 0o644);
    write(&root.join("a/shared.json"), 0o660);
    write(&root.join("a/own.json"), 0o600);
    write(&root.join("node_modules/x/y.json"), 0o666);
    write(&root.join(OsStr::from_bytes(b"bad-\xff\xfe-name/f")), 0o604);
    symlink(&root, root.join("a/loop")).unwrap();
    symlink("/etc", root.join("elsewhere")).unwrap();
    fifo(&root.join("a/pipe"));
    let deep = (0..300).fold(root.join("deep"), |p, _| p.join("d"));
    std::fs::create_dir_all(&deep).unwrap();
    for dir in walk_dirs(&root) {
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o700)).unwrap();
    }

    let request = SubtreeRequest { skip: vec!["node_modules".to_owned()], limit: 0 };
    let sum = subtree::walk(&root, &request);
    assert_eq!((sum.files, sum.links, sum.special), (4, 2, 1));
    assert_eq!((sum.readable, sum.writable), (2, 1));
    assert_eq!(sum.loose.len(), 3);
    assert!(sum.truncated, "deeper than the limit");

    let few = subtree::walk(&root, &SubtreeRequest { skip: Vec::new(), limit: 3 });
    assert!(few.truncated && few.files + few.directories + few.links + few.special == 3);
}

fn walk_dirs(root: &Path) -> Vec<std::path::PathBuf> {
    let mut out = vec![root.to_owned()];
    let mut i = 0;
    while let Some(dir) = out.get(i).cloned() {
        i += 1;
        for e in std::fs::read_dir(dir).unwrap() {
            let e = e.unwrap();
            if e.file_type().unwrap().is_dir() {
                out.push(e.path());
            }
        }
    }
    out
}

#[test]
fn sp_289_special_files_are_named_and_never_waited_for() {
    let tmp = tempfile::tempdir().unwrap();
    let pipe = tmp.path().join("pipe");
    fifo(&pipe);
    assert_eq!(inspect::path(&pipe).kind, Kind::Special);
    assert!(matches!(inspect::text(&pipe, 10), TextFact::Unusable(_)));
    let big = tmp.path().join("big");
    std::fs::write(&big, vec![b'x'; 100]).unwrap();
    assert!(matches!(inspect::text(&big, 10), TextFact::Unusable(_)));
    assert_eq!(inspect::text(&big, 100), TextFact::Text("x".repeat(100)));
    assert_eq!(inspect::text(&tmp.path().join("none"), 10), TextFact::Missing);
}

#[test]
fn a_link_is_described_with_its_target_and_not_listed() {
    let tmp = tempfile::tempdir().unwrap();
    let real = tmp.path().join("real");
    write(&real.join("f"), 0o640);
    let link = tmp.path().join("link");
    symlink(&real, &link).unwrap();
    symlink("nowhere", tmp.path().join("dangling")).unwrap();
    let fact = inspect::path(&link);
    let Kind::Symlink(target) = &fact.kind else { panic!("{fact:?}") };
    assert!(target.directory && target.resolved.as_deref() == Some(&*real.canonicalize().unwrap()));
    assert_eq!(fact.mode & 0o777, 0o777);
    assert!(inspect::listing(&link).entries.is_empty());
    assert_eq!(inspect::listing(&real).entries.len(), 1);
    let Kind::Symlink(target) = inspect::path(&tmp.path().join("dangling")).kind else { panic!() };
    assert_eq!(target.resolved, None);
}
