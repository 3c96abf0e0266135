use std::collections::BTreeMap;

use super::*;

type Names = BTreeMap<String, u32>;

fn files() -> (tempfile::TempDir, PairingFiles) {
    let tmp = tempfile::tempdir().unwrap();
    let files = PairingFiles::of(&tmp.path().join("state"), Kind::Devices);
    (tmp, files)
}

fn add(files: &PairingFiles, name: &str, n: u32) -> Result<(), PairingFailure> {
    files.change(
        |_: &Names, _: &Names| Ok(()),
        |_, paired: &mut Names| {
            paired.insert(name.to_owned(), n);
        },
    )
}

fn bits(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn sp_005_pairing_lists_are_owner_only_and_an_open_directory_is_closed() {
    let (tmp, files) = files();
    assert_eq!(files.read::<Names, Names>().unwrap(), (Names::new(), Names::new()));
    assert!(!files.paired().exists(), "reading creates nothing");
    let directory = tmp.path().join("state/devices");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
    add(&files, "a", 1).unwrap();
    assert_eq!((bits(files.paired()), bits(&directory)), (0o600, 0o700));
    assert!(!files.pending().exists(), "what stays empty is not written");
    assert_eq!(files.read::<Names, Names>().unwrap().1["a"], 1);
}

#[test]
fn sp_008_a_pairing_list_that_cannot_be_read_pairs_nobody_and_stays() {
    for text in ["", "{", "[]", "{\"a\":\"canary\"}", "null"] {
        for which in ["pending.json", "paired.json"] {
            let (_tmp, files) = files();
            add(&files, "a", 1).unwrap();
            let path = files.paired().with_file_name(which);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let refused = files.read::<Names, Names>().unwrap_err();
            assert!(matches!(refused, PairingFailure::Damaged { .. }), "{text} {refused}");
            assert!(!refused.to_string().contains("canary"));
            assert!(add(&files, "b", 2).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}

#[test]
fn sp_008_others_files_and_links_are_no_pairing_lists() {
    let (tmp, files) = files();
    add(&files, "a", 1).unwrap();
    std::fs::set_permissions(files.paired(), Permissions::from_mode(0o620)).unwrap();
    assert!(matches!(files.read::<Names, Names>(), Err(PairingFailure::Unusable(_))));
    std::fs::set_permissions(files.paired(), Permissions::from_mode(0o600)).unwrap();
    let real = tmp.path().join("real.json");
    std::fs::rename(files.paired(), &real).unwrap();
    std::os::unix::fs::symlink(&real, files.paired()).unwrap();
    assert!(add(&files, "b", 2).unwrap_err().to_string().contains("link"));
    let linked = PairingFiles::of(&tmp.path().join("other"), Kind::Nodes);
    std::fs::create_dir(tmp.path().join("other")).unwrap();
    std::os::unix::fs::symlink(tmp.path(), tmp.path().join("other/nodes")).unwrap();
    assert!(add(&linked, "b", 2).unwrap_err().to_string().contains("link"));
}

#[test]
fn sp_007_pairings_at_the_same_time_lose_nothing() {
    let (_tmp, files) = files();
    std::thread::scope(|s| {
        for writer in 0..8 {
            let files = &files;
            s.spawn(move || {
                for n in 0..5 {
                    add(files, &format!("{writer}-{n}"), n).unwrap();
                }
            });
        }
    });
    assert_eq!(files.read::<Names, Names>().unwrap().1.len(), 40);
}
