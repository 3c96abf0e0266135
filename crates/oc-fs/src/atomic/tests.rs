use std::os::unix::fs::MetadataExt;

use super::*;

fn names(dir: &Path) -> Vec<String> {
    let mut out: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    out.sort();
    out
}

#[test]
fn sp_006_a_failing_step_leaves_the_old_bytes_and_no_temporary() {
    for step in WriteStep::ALL {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("store.json");
        std::fs::write(&path, "old").unwrap();
        let failed = replace_with(&path, b"new bytes", &|s| {
            if s == step { Err(io::Error::new(io::ErrorKind::StorageFull, "no space")) } else { Ok(()) }
        })
        .unwrap_err();
        assert_eq!(failed.step(), step);
        let renamed = matches!(step, WriteStep::SyncDirectory | WriteStep::Done);
        let want: &[u8] = if renamed { b"new bytes" } else { b"old" };
        assert_eq!(std::fs::read(&path).unwrap(), want, "{step:?}");
        assert_eq!(names(tmp.path()), ["store.json"], "{step:?}");
    }
}

#[test]
fn sp_006_a_link_is_replaced_and_its_target_kept() {
    let tmp = tempfile::tempdir().unwrap();
    let target = tmp.path().join("target");
    let link = tmp.path().join("link");
    std::fs::write(&target, "target").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    replace(&link, b"new").unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), b"target");
    let meta = std::fs::symlink_metadata(&link).unwrap();
    assert!(meta.is_file());
    assert_eq!(meta.mode() & 0o7777, 0o600);
}

#[test]
fn sp_006_a_planted_temporary_is_not_used() {
    let tmp = tempfile::tempdir().unwrap();
    let outside = tmp.path().join("outside");
    std::fs::write(&outside, "outside").unwrap();
    for n in 0..50 {
        let planted = tmp.path().join(format!(".store.json.{}.{n}.tmp", std::process::id()));
        std::os::unix::fs::symlink(&outside, planted).unwrap();
    }
    replace(&tmp.path().join("store.json"), b"new").unwrap();
    assert_eq!(std::fs::read(&outside).unwrap(), b"outside");
    sweep(&tmp.path().join("store.json"));
    assert_eq!(names(tmp.path()), ["outside", "store.json"]);
}

#[test]
fn sp_006_a_directory_in_place_of_the_file_is_an_error() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::create_dir(tmp.path().join("store.json")).unwrap();
    assert_eq!(replace(&tmp.path().join("store.json"), b"new").unwrap_err().step(), WriteStep::Rename);
    assert!(replace(Path::new("/"), b"x").is_err());
    assert!(replace(&tmp.path().join("missing/store.json"), b"x").is_err());
}
