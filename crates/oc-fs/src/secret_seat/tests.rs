use std::os::unix::fs::PermissionsExt;

use super::*;

fn made(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let tmp = tempfile::tempdir().unwrap();
    let file = tmp.path().join("secret");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    (tmp, file)
}

#[test]
fn the_new_secret_takes_the_old_ones_place_owner_only_and_no_copy_is_kept() {
    let secret = Secret::new("new".to_owned());
    let (tmp, file) = made("# mine\nT=old\nU=1\n");
    in_env_file(&file, "T", &secret).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# mine\nT=new\nU=1\n");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    for entry in std::fs::read_dir(tmp.path()).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("old"), "{text}");
    }
    assert!(matches!(in_env_file(&file, "V", &secret), Err(SeatFailure::Moved(_))));
    let (_tmp, file) = made("old\n");
    in_own_file(&file, &secret).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "new\n");
}

#[test]
fn a_link_or_a_file_that_others_write_is_left_alone() {
    let secret = Secret::new("new".to_owned());
    let (tmp, file) = made("T=old\n");
    let link = tmp.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert!(matches!(in_env_file(&link, "T", &secret), Err(SeatFailure::Unusable(_))));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(in_own_file(&file, &secret).is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "T=old\n");
}
