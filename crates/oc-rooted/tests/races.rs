//! A thread swaps what a path means while files are read and written beneath a root: nothing outside is ever reached (SP-002, SP-242).
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oc_rooted::root::{Expected, Root};
use rustix::fs::{CWD, RenameFlags};

/// Rounds a case.
fn rounds() -> u32 {
    std::env::var("OC_RACE_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000)
}

struct Field {
    _folder: tempfile::TempDir,
    root: PathBuf,
    outside: PathBuf,
}

fn field() -> Field {
    // In memory where that is possible: most of the time goes to waiting for the disk otherwise.
    let memory = Path::new("/dev/shm");
    let at = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(at).unwrap();
    let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
    fs::create_dir_all(root.join("dir")).unwrap();
    fs::create_dir_all(&outside).unwrap();
    fs::write(root.join("dir/file"), "inside").unwrap();
    fs::write(outside.join("file"), "outside").unwrap();
    Field { _folder: folder, root, outside }
}

/// Exchanges two names, again and again, while `act` runs its rounds.
fn race(name: &Path, twin: &Path, mut act: impl FnMut(u32)) {
    let over = Arc::new(AtomicBool::new(false));
    let (stop, a, b) = (Arc::clone(&over), name.to_owned(), twin.to_owned());
    let swapper = std::thread::spawn(move || {
        let mut swaps = 0_u64;
        while !stop.load(Ordering::Relaxed) {
            let done = rustix::fs::renameat_with(CWD, &a, CWD, &b, RenameFlags::EXCHANGE);
            swaps += u64::from(done.is_ok());
        }
        swaps
    });
    for round in 0..rounds() {
        act(round);
    }
    over.store(true, Ordering::Relaxed);
    assert!(swapper.join().unwrap() > 0);
}

/// Reads, writes and moves at `path`; none may touch what lies outside.
fn attack(field: &Field, name: &Path, twin: &Path, path: &str) {
    let root = Root::open(&field.root).unwrap();
    let path = Path::new(path);
    let mut read = 0;
    race(name, twin, |round| match round % 4 {
        0 | 1 => {
            if let Ok(bytes) = root.read(path, 1000) {
                assert_eq!(bytes, b"inside", "an escape");
                read += 1;
            }
        }
        2 => {
            // A name that was swapped in between is replaced, never followed. Put it back for the next rounds.
            if let Ok(writer) = root.write(path, Expected::Nothing) {
                drop(writer);
            }
        }
        _ => {
            let _ = root.look(path);
            let _ = root.list(path.parent().unwrap(), 10).map(|names| {
                assert!(names.iter().all(|n| n.name != "only-outside"), "an escape");
            });
        }
    });
    assert!(read > 0, "no round found the file");
    assert_eq!(fs::read(field.outside.join("file")).unwrap(), b"outside");
}

/// Replaces and moves at `path`, which changes the field; what lies outside stays as it was.
fn overwrite(field: &Field, name: &Path, twin: &Path, path: &str) {
    let root = Root::open(&field.root).unwrap();
    let path = Path::new(path);
    race(name, twin, |round| {
        if round % 2 == 0 {
            if let Ok(mut writer) = root.write(path, Expected::Anything) {
                writer.write_all(b"inside").unwrap();
                let _ = writer.commit();
            }
        } else {
            let _ = root.rename(path, Path::new("moved"));
            let _ = root.rename(Path::new("moved"), path);
        }
    });
    assert_eq!(fs::read(field.outside.join("file")).unwrap(), b"outside");
    let names: Vec<_> = fs::read_dir(&field.outside).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(names.len(), 2, "nothing was made or moved there: {names:?}");
}

fn both(make: impl Fn(&Field) -> (PathBuf, PathBuf), path: &str) {
    for run in [attack, overwrite] {
        let f = field();
        fs::write(f.outside.join("only-outside"), "outside").unwrap();
        let (name, twin) = make(&f);
        run(&f, &name, &twin, path);
    }
}

#[test]
fn sp_242_a_directory_that_becomes_a_link_leads_nowhere() {
    let make = |f: &Field| {
        symlink(&f.outside, f.root.join("twin")).unwrap();
        (f.root.join("dir"), f.root.join("twin"))
    };
    both(make, "dir/file");
}

#[test]
fn sp_242_a_file_that_becomes_a_link_leads_nowhere() {
    let make = |f: &Field| {
        symlink(f.outside.join("file"), f.root.join("dir/twin")).unwrap();
        (f.root.join("dir/file"), f.root.join("dir/twin"))
    };
    both(make, "dir/file");
}

#[test]
fn sp_242_a_file_that_becomes_a_second_name_is_not_used() {
    let make = |f: &Field| {
        fs::hard_link(f.outside.join("file"), f.root.join("dir/twin")).unwrap();
        (f.root.join("dir/file"), f.root.join("dir/twin"))
    };
    both(make, "dir/file");
}
