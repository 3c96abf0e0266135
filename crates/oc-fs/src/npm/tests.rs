use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A program in place of `npm`.
fn stand_in(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("npm");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn pinned() -> Pinned {
    Pinned::parse("voice@1.2.3").unwrap()
}

#[test]
fn one_package_file_is_what_is_taken() {
    let t = tempfile::tempdir().unwrap();
    let into = t.path().join("in");
    let pack_with = |script: &str| {
        let _ = fs::remove_dir_all(&into);
        fs::create_dir(&into).unwrap();
        pack(&stand_in(t.path(), script), &pinned(), &into)
    };
    let path = pack_with(r#"echo "$@" > "$PWD/voice-1.2.3.tgz""#).unwrap();
    let said = fs::read_to_string(path).unwrap();
    assert!(said.starts_with("pack --ignore-scripts ") && said.ends_with("-- voice@1.2.3\n"), "{said}");
    assert!(matches!(pack_with("true"), Err(NpmFailure::NoFile)));
    assert!(matches!(pack_with("touch a.tgz b.tgz"), Err(NpmFailure::NoFile)));
    assert!(matches!(pack_with("ln -s /etc/passwd a.tgz"), Err(NpmFailure::NoFile)));
    assert!(matches!(pack_with("touch a.js"), Err(NpmFailure::NoFile)));
    let failed = pack_with("echo 'npm error code E404' >&2; exit 1").unwrap_err();
    assert_eq!(failed.to_string(), "`npm pack` failed: npm error code E404");
}

#[test]
fn a_program_that_hangs_is_ended() {
    let t = tempfile::tempdir().unwrap();
    let npm = stand_in(t.path(), "exec sleep 600");
    let late = run(&npm, "pack", &[], t.path(), Duration::from_millis(200)).unwrap_err();
    assert!(matches!(late, NpmFailure::Late("pack")), "{late}");
}

#[test]
fn npm_is_never_looked_for_in_the_current_folder() {
    let t = tempfile::tempdir().unwrap();
    let npm = stand_in(t.path(), "true");
    assert_eq!(find("::.:bin"), None);
    assert_eq!(find(&format!(".:{}", t.path().display())), Some(npm));
}
