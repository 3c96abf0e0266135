use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::Header;

use super::*;

/// One raw entry: the builder of the crate would refuse most of what a hostile archive holds.
fn entry(out: &mut Vec<u8>, name: &str, kind: EntryType, mode: u32, link: &str, body: &[u8]) {
    let mut header = Header::new_ustar();
    header.set_size(body.len() as u64);
    header.set_mode(mode);
    header.set_entry_type(kind);
    let raw = header.as_ustar_mut().unwrap();
    raw.name[..name.len()].copy_from_slice(name.as_bytes());
    raw.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(body);
    out.resize(out.len().div_ceil(512) * 512, 0);
}

fn packed(mut tar: Vec<u8>) -> Vec<u8> {
    tar.resize(tar.len() + 1024, 0);
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&tar).unwrap();
    gz.finish().unwrap()
}

fn one(name: &str, kind: EntryType, link: &str) -> Vec<u8> {
    let mut tar = Vec::new();
    entry(&mut tar, "package/package.json", EntryType::Regular, 0o644, "", b"{}");
    entry(&mut tar, name, kind, 0o777, link, b"");
    packed(tar)
}

fn mode_of(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_come_out_owner_only() {
    let t = tempfile::tempdir().unwrap();
    let mut tar = Vec::new();
    entry(&mut tar, "package/", EntryType::Directory, 0o777, "", b"");
    entry(&mut tar, "package/bin/run", EntryType::Regular, 0o4777, "", b"#!/bin/sh\n");
    entry(&mut tar, "package/a.js", EntryType::Regular, 0o666, "", b"1");
    unpack(&packed(tar), t.path()).unwrap();
    assert_eq!(fs::read(t.path().join("a.js")).unwrap(), b"1");
    assert_eq!(mode_of(&t.path().join("a.js")), 0o600);
    assert_eq!(mode_of(&t.path().join("bin/run")), 0o700);
    assert_eq!(mode_of(&t.path().join("bin")), 0o700);
}

#[test]
fn sp_243_no_entry_leaves_the_folder() {
    let refused = |archive: Vec<u8>| {
        let t = tempfile::tempdir().unwrap();
        let into = t.path().join("in");
        fs::create_dir(&into).unwrap();
        let answer = unpack(&archive, &into).unwrap_err();
        let outside: Vec<_> = fs::read_dir(t.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        assert_eq!(outside, ["in"], "{answer}");
        answer
    };
    for name in
        ["/etc/x", "package/../../x", "../x", "package/./x", "package//x", "package/a\\b", "package/a\tb"]
    {
        let answer = refused(one(name, EntryType::Regular, ""));
        assert!(matches!(answer, NotUnpacked::Path(_)), "{name}: {answer}");
    }
    for (kind, link) in [
        (EntryType::Symlink, "/etc/passwd"),
        (EntryType::Symlink, "package.json"),
        (EntryType::Link, "package/package.json"),
        (EntryType::Char, ""),
        (EntryType::Block, ""),
        (EntryType::Fifo, ""),
        (EntryType::new(b'Z'), ""),
    ] {
        assert!(matches!(refused(one("package/x", kind, link)), NotUnpacked::Entry { .. }), "{kind:?}");
    }
    // The same path twice, and a file where a folder is.
    assert!(matches!(
        refused(one("package/package.json", EntryType::Regular, "")),
        NotUnpacked::Write { .. }
    ));
    assert!(matches!(
        refused(one("package/package.json/x", EntryType::Regular, "")),
        NotUnpacked::Write { .. }
    ));
    assert!(matches!(refused(one("loose", EntryType::Regular, "")), NotUnpacked::Entry { .. }));
}

#[test]
fn bombs_end() {
    let small = Caps { bytes: 64 * 1024, files: 10, headers: 64 * 1024 };
    let unpacked = |tar: Vec<u8>| {
        let t = tempfile::tempdir().unwrap();
        unpack_within(&packed(tar), t.path(), small)
    };
    let mut big = Vec::new();
    entry(&mut big, "package/big", EntryType::Regular, 0o644, "", &vec![0; 64 * 1024 + 1]);
    assert!(matches!(unpacked(big), Err(NotUnpacked::TooMuch)));
    let mut two = Vec::new();
    entry(&mut two, "package/a", EntryType::Regular, 0o644, "", &vec![0; 40 * 1024]);
    entry(&mut two, "package/b", EntryType::Regular, 0o644, "", &vec![0; 40 * 1024]);
    assert!(matches!(unpacked(two), Err(NotUnpacked::TooMuch)));
    let mut many = Vec::new();
    for i in 0..=small.files {
        entry(&mut many, &format!("package/d{i}/"), EntryType::Directory, 0o755, "", b"");
    }
    assert!(matches!(unpacked(many), Err(NotUnpacked::TooMuch)));
    // Nothing but global headers, which name no file.
    let mut headers = Vec::new();
    for _ in 0..200 {
        entry(&mut headers, "pax", EntryType::XGlobalHeader, 0o644, "", &[b' '; 1024]);
    }
    assert!(matches!(unpacked(headers), Err(NotUnpacked::TooMuch)));
}

#[test]
fn sp_020_a_damaged_archive_is_an_answer() {
    let whole = one("package/x.js", EntryType::Regular, "");
    for cut in 0..whole.len() {
        let t = tempfile::tempdir().unwrap();
        let _ = unpack(&whole[..cut], t.path());
    }
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 0x41;
        let t = tempfile::tempdir().unwrap();
        let into = t.path().join("in");
        fs::create_dir(&into).unwrap();
        let _ = unpack(&bent, &into);
        assert_eq!(fs::read_dir(t.path()).unwrap().count(), 1);
    }
    let t = tempfile::tempdir().unwrap();
    assert!(matches!(unpack(b"plain text", t.path()), Err(NotUnpacked::Damaged(_))));
    assert!(matches!(unpack(&packed(Vec::new()), t.path()), Err(NotUnpacked::Damaged(_))));
}

#[test]
fn a_folder_is_copied_by_the_same_rules() {
    let t = tempfile::tempdir().unwrap();
    let (from, into) = (t.path().join("from"), t.path().join("into"));
    fs::create_dir_all(from.join("sub")).unwrap();
    fs::create_dir_all(from.join(".git/objects")).unwrap();
    fs::create_dir(&into).unwrap();
    fs::write(from.join("sub/x.js"), "1").unwrap();
    fs::set_permissions(from.join("sub/x.js"), fs::Permissions::from_mode(0o777)).unwrap();
    copy(&from, &into).unwrap();
    assert_eq!(mode_of(&into.join("sub/x.js")), 0o700);
    assert!(!into.join(".git").exists());
    std::os::unix::fs::symlink("/etc/passwd", from.join("sub/link")).unwrap();
    let again = t.path().join("again");
    fs::create_dir(&again).unwrap();
    assert!(matches!(copy(&from, &again), Err(NotUnpacked::Entry { .. })));
}
