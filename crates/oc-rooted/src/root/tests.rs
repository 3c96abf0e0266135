use std::fs;
use std::os::unix::fs::symlink;

use super::*;

struct Tree {
    _tmp: tempfile::TempDir,
    root: PathBuf,
}

fn tree() -> Tree {
    let tmp = tempfile::tempdir().unwrap();
    let root = tmp.path().join("root");
    fs::create_dir_all(root.join("dir/sub")).unwrap();
    fs::create_dir_all(tmp.path().join("outside")).unwrap();
    fs::write(root.join("file"), "inside").unwrap();
    fs::write(root.join("dir/sub/deep"), "deep").unwrap();
    fs::write(tmp.path().join("outside/secret"), "secret").unwrap();
    symlink(tmp.path().join("outside/secret"), root.join("link")).unwrap();
    symlink(tmp.path().join("outside"), root.join("linkdir")).unwrap();
    symlink(root.join("dir"), root.join("inner")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    fs::hard_link(tmp.path().join("outside/secret"), root.join("hard")).unwrap();
    Tree { _tmp: tmp, root }
}

fn both(root: &Root, relative: &Path) -> [Result<OwnedFd, rustix::io::Errno>; 2] {
    let parts = parts(relative).unwrap();
    [open_beneath(&root.handle, &parts, READ), walk(&root.handle, &parts, READ)]
}

#[test]
fn sp_001_every_way_out_is_refused() {
    let t = tree();
    let root = Root::open(&t.root).unwrap();
    assert_eq!(root.read(Path::new("file"), 100).unwrap(), b"inside");
    assert_eq!(root.read(Path::new("./dir/sub/deep"), 100).unwrap(), b"deep");
    let absolute = t.root.join("file");
    for bad in
        ["../outside/secret", "dir/../../outside/secret", "dir/..", "", ".", "..", absolute.to_str().unwrap()]
    {
        assert!(matches!(root.read(Path::new(bad), 100), Err(Refused::Escapes(_))), "{bad}");
    }
    for link in ["link", "linkdir/secret", "inner/sub/deep", "dangling", "dangling/x", "linkdir/missing"] {
        assert!(root.read(Path::new(link), 100).is_err(), "{link}");
        // The two ways to resolve agree on every shape.
        for r in both(&root, Path::new(link)) {
            assert!(r.is_err(), "{link}");
        }
    }
    assert!(matches!(root.read(Path::new("absent"), 100), Err(Refused::Missing(_))));
}

#[test]
fn sp_003_a_second_name_is_refused() {
    let t = tree();
    let root = Root::open(&t.root).unwrap();
    assert!(matches!(root.read(Path::new("hard"), 100), Err(Refused::HardLinked(_))));
}

#[test]
fn sp_002_the_checked_file_is_the_one_that_is_read() {
    let t = tree();
    let root = Root::open(&t.root).unwrap();
    let file = root.open_file(Path::new("file")).unwrap();
    // The swap: another file takes the name between check and use.
    fs::remove_file(t.root.join("file")).unwrap();
    symlink(t.root.join("../outside/secret"), t.root.join("file")).unwrap();
    assert_eq!(read_at_most(file, &t.root.join("file"), 100).unwrap(), b"inside");
}

#[test]
fn sp_002_the_root_is_the_opened_directory_not_its_name() {
    let t = tree();
    let root = Root::open(&t.root).unwrap();
    fs::rename(&t.root, t.root.with_file_name("moved")).unwrap();
    symlink("outside", &t.root).unwrap();
    assert_eq!(root.read(Path::new("file"), 100).unwrap(), b"inside");
    assert!(root.read(Path::new("secret"), 100).is_err());
}

#[test]
fn sp_016_only_regular_files_of_bounded_size() {
    let t = tree();
    let root = Root::open(&t.root).unwrap();
    assert!(matches!(root.read(Path::new("dir"), 100), Err(Refused::NotRegular(_))));
    assert!(matches!(root.read(Path::new("file"), 3), Err(Refused::TooLarge { limit: 3, .. })));
    rustix::fs::mknodat(rustix::fs::CWD, t.root.join("fifo"), rustix::fs::FileType::Fifo, Mode::RUSR, 0)
        .unwrap();
    assert!(matches!(root.read(Path::new("fifo"), 100), Err(Refused::NotRegular(_))));
}
