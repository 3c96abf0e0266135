use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use super::*;

const DAY: &str = "2026-02-09";

fn mode_of(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn daily(folders: &[&Path]) -> io::Result<(LogFile, Vec<String>)> {
    let target = Target::Daily(folders.iter().map(|p| (*p).to_owned()).collect());
    LogFile::open(&target, MAX_BYTES, SystemTime::now())
}

#[test]
fn sp_005_folder_and_files_are_owner_only_and_the_day_names_the_file() {
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path().join("a/openclaw");
    let (mut log, passed) = daily(&[&folder]).unwrap();
    assert!(passed.is_empty());
    log.write(DAY, "one").unwrap();
    log.write("2026-02-10", "two").unwrap();
    log.write(DAY, "three").unwrap();
    assert_eq!(std::fs::read_to_string(log.path(DAY)).unwrap(), "one\nthree\n");
    assert_eq!(std::fs::read_to_string(folder.join("openclaw-2026-02-10.log")).unwrap(), "two\n");
    assert_eq!((mode_of(&folder), mode_of(&log.path(DAY))), (0o700, 0o600));
    // What an older program left open is closed.
    set_mode(&folder, 0o755);
    set_mode(&log.path(DAY), 0o644);
    let (mut log, _) = daily(&[&folder]).unwrap();
    log.write(DAY, "four").unwrap();
    assert_eq!((mode_of(&folder), mode_of(&log.path(DAY))), (0o700, 0o600));
}

#[test]
fn sp_001_a_folder_that_others_prepared_is_passed_over() {
    let tmp = tempfile::tempdir().unwrap();
    let own = tmp.path().join("own");
    let victim = tmp.path().join("victim");
    std::fs::create_dir(&victim).unwrap();
    let link = tmp.path().join("link");
    symlink(&victim, &link).unwrap();
    let open = tmp.path().join("open");
    std::fs::create_dir(&open).unwrap();
    set_mode(&open, 0o770);
    let file = tmp.path().join("file");
    std::fs::write(&file, "").unwrap();
    // `/` is root's; when the tests run as root, it is writable by nobody else, so it is not a case there.
    for bad in [&link, &open, &file] {
        let (mut log, passed) = daily(&[bad, &own]).unwrap();
        log.write(DAY, "x").unwrap();
        assert!(log.path(DAY).starts_with(&own), "{bad:?}");
        assert_eq!(passed.len(), 1);
        assert!(passed[0].contains(&*bad.to_string_lossy()), "{passed:?}");
        assert!(daily(&[bad]).is_err());
    }
    assert_eq!(std::fs::read_dir(&victim).unwrap().count(), 0);
    assert_eq!(mode_of(&open), 0o770, "it is not ours to change");
}

#[test]
fn sp_001_a_planted_file_is_not_written_through() {
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path().join("f");
    let (mut log, _) = daily(&[&folder]).unwrap();
    let target = tmp.path().join("target");
    std::fs::write(&target, "keep\n").unwrap();
    symlink(&target, log.path(DAY)).unwrap();
    assert!(log.write(DAY, "x").is_err());
    std::fs::remove_file(log.path(DAY)).unwrap();
    std::fs::hard_link(&target, log.path(DAY)).unwrap();
    assert!(log.write(DAY, "x").is_err());
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "keep\n");
    // Once it is gone, the log goes on.
    std::fs::remove_file(log.path(DAY)).unwrap();
    log.write(DAY, "x").unwrap();
}

#[test]
fn a_full_file_is_set_aside_five_times() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("sub/gw.log");
    let (mut log, _) = LogFile::open(&Target::Fixed(path.clone()), 10, SystemTime::now()).unwrap();
    for n in 0..9 {
        log.write(DAY, &format!("line-{n}")).unwrap();
    }
    let read = |suffix: &str| std::fs::read_to_string(format!("{}{suffix}", path.display())).ok();
    assert_eq!(read("").unwrap(), "line-8\n");
    for n in 1..=ARCHIVES {
        assert_eq!(read(&format!(".{n}")).unwrap(), format!("line-{}\n", 8 - n));
        assert_eq!(mode_of(Path::new(&format!("{}.{n}", path.display()))), 0o600);
    }
    assert_eq!(read(".6"), None);
    // A line that is longer than the limit is written all the same.
    log.write(DAY, "a line that is too long").unwrap();
    assert_eq!(read("").unwrap(), "a line that is too long\n");
}

#[test]
fn a_file_that_was_moved_away_is_made_anew() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("gw.log");
    let (mut log, _) = LogFile::open(&Target::Fixed(path.clone()), 0, SystemTime::now()).unwrap();
    log.write(DAY, "one").unwrap();
    std::fs::rename(&path, tmp.path().join("gw.old")).unwrap();
    log.write(DAY, "two").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
}

#[test]
fn old_daily_files_go_and_nothing_else() {
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path().join("f");
    std::fs::create_dir(&folder).unwrap();
    let aged = |name: &str, hours: u64| {
        let path = folder.join(name);
        std::fs::write(&path, "x").unwrap();
        let at = SystemTime::now() - Duration::from_secs(hours * 3600);
        File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        path
    };
    let goes = [aged("openclaw-2026-01-01.log", 25), aged("openclaw-2026-01-01.log.3", 25)];
    let stays = [
        aged("openclaw-2026-01-02.log", 23),
        aged("openclaw-2026-01.log", 99),
        aged("openclaw-notes.log", 99),
        aged("openclaw-2026-01-01.log.bak", 99),
        aged("other.log", 99),
    ];
    daily(&[&folder]).unwrap();
    assert!(goes.iter().all(|p| !p.exists()));
    assert!(stays.iter().all(|p| p.exists()));
}
