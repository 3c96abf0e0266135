use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn key() -> KeyPath {
    KeyPath::dotted("channels.telegram.tokenFile")
}

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn sp_066_a_good_file_is_read_and_every_other_fails_closed() {
    let tmp = tempfile::tempdir().unwrap();
    let good = tmp.path().join("token");
    write(&good, "canary-token\n", 0o600);
    let found = resolve(&key(), &Credential::File(good.clone()), &[]).unwrap();
    assert_eq!(found.expose(), "canary-token");

    let workspace = tmp.path().join("work");
    std::fs::create_dir(&workspace).unwrap();
    write(&workspace.join("token"), "canary", 0o600);
    write(&tmp.path().join("open"), "canary", 0o644);
    write(&tmp.path().join("blank"), " \n", 0o600);
    write(&tmp.path().join("bin"), "", 0o600);
    std::fs::write(tmp.path().join("bin"), [0xff, 0xfe]).unwrap();
    symlink(&good, tmp.path().join("link")).unwrap();
    symlink(&workspace, tmp.path().join("other-name")).unwrap();
    write(&tmp.path().join("two"), "canary", 0o600);
    std::fs::hard_link(tmp.path().join("two"), tmp.path().join("names")).unwrap();
    write(&tmp.path().join("large"), &"x".repeat(70_000), 0o600);
    for bad in
        ["work/token", "other-name/token", "open", "blank", "bin", "link", "two", "large", "absent", "work"]
    {
        let file = tmp.path().join(bad);
        let refused =
            resolve(&key(), &Credential::File(file.clone()), std::slice::from_ref(&workspace)).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains("channels.telegram.tokenFile") && text.contains(bad), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
#[cfg(not(target_os = "macos"))]
fn sp_066_a_keychain_reference_fails_closed_elsewhere() {
    let reference = Credential::Keychain { service: "s".to_owned(), account: "a".to_owned() };
    assert_eq!(
        resolve(&key(), &reference, &[]).unwrap_err().to_string(),
        "channels.telegram.tokenFile: a keychain reference works on macOS only; use a file reference here"
    );
}
