use std::os::unix::fs::MetadataExt;

use super::*;

#[test]
fn sp_005_lock_files_are_owner_only_and_upstreams_goes_away() {
    let tmp = tempfile::tempdir().unwrap();
    let store = tmp.path().join("pairing.json");
    let lock = acquire(&store, Convention::Upstream, WAIT).unwrap();
    let marker = tmp.path().join("pairing.json.lock");
    for file in [&marker, &tmp.path().join(".pairing.json.flock")] {
        assert_eq!(std::fs::symlink_metadata(file).unwrap().mode() & 0o7777, 0o600);
    }
    drop(lock);
    assert!(!marker.exists());
}

#[test]
fn sp_007_a_second_writer_waits_and_then_says_so() {
    let tmp = tempfile::tempdir().unwrap();
    let store = tmp.path().join("a.json");
    let held = acquire(&store, Convention::Own, WAIT).unwrap();
    let second = acquire(&store, Convention::Own, Duration::from_millis(20)).unwrap_err();
    assert!(matches!(second, LockFailure::Busy { .. }), "{second}");
    drop(held);
    assert!(acquire(&store, Convention::Own, Duration::ZERO).is_ok());
}

#[test]
fn sp_007_a_marker_of_a_dead_process_is_taken_over_a_live_one_is_not() {
    let tmp = tempfile::tempdir().unwrap();
    let store = tmp.path().join("a.json");
    let marker = tmp.path().join("a.json.lock");
    std::fs::write(&marker, format!("{{\"pid\":{}}}", std::process::id())).unwrap();
    assert!(acquire(&store, Convention::Upstream, Duration::from_millis(20)).is_err());
    // The largest process id Linux can hand out is 2^22: this one does not exist.
    std::fs::write(&marker, "{\"pid\":4194305}").unwrap();
    assert!(acquire(&store, Convention::Upstream, Duration::from_millis(20)).is_ok());
}

#[test]
fn sp_006_a_link_in_place_of_the_lock_file_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("target"), "x").unwrap();
    std::os::unix::fs::symlink(tmp.path().join("target"), tmp.path().join(".a.json.flock")).unwrap();
    let refused = acquire(&tmp.path().join("a.json"), Convention::Own, WAIT).unwrap_err();
    assert!(refused.to_string().contains("link"), "{refused}");
}

#[test]
fn sp_007_a_kept_lock_file_keeps_others_away_and_knows_when_it_does_not() {
    let tmp = tempfile::tempdir().unwrap();
    let store = tmp.path().join("a.json");
    let kept = LockFile::open(&store).unwrap();
    let taken = kept.try_take().unwrap();
    assert!(acquire(&store, Convention::Own, Duration::ZERO).is_err());
    drop(taken);
    let other = acquire(&store, Convention::Own, Duration::ZERO).unwrap();
    assert!(kept.try_take().is_none());
    drop(other);
    assert!(kept.try_take().is_some());
    // Another file under the name: a lock of the old one would keep nobody away.
    std::fs::remove_file(tmp.path().join(".a.json.flock")).unwrap();
    assert!(kept.try_take().is_none());
    drop(acquire(&store, Convention::Own, Duration::ZERO).unwrap());
    assert!(kept.try_take().is_none());
}
