use super::*;

fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own").join("gateway.00000000.lock");
    (dir, path)
}

const SHORT: Duration = Duration::from_millis(120);

#[test]
fn a_second_gateway_is_told_who_has_the_place_and_gets_it_afterwards() {
    let (dir, path) = place();
    let config = dir.path().join("openclaw.json");
    let first = take_at(&path, &config, SHORT).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
    let error = take_at(&path, &config, SHORT).unwrap_err().to_string();
    assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
    drop(first);
    assert!(!path.exists());
    take_at(&path, &config, SHORT).unwrap();
}

#[test]
fn a_dead_owner_is_replaced_a_live_one_is_not() {
    let (dir, path) = place();
    let config = dir.path().join("openclaw.json");
    mode::create_directories(path.parent().unwrap()).unwrap();
    let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
    let held = format!(r#"{{"pid":{},"createdAt":"x","configPath":"c"}}"#, child.id());
    std::fs::write(&path, &held).unwrap();
    let taken = take_at(&path, &config, SHORT).unwrap_err();
    assert!(matches!(taken, InstanceFailure::Taken { pid: Some(pid), .. } if pid == child.id()));
    let later = format!(r#"{{"pid":{},"startTime":1}}"#, child.id());
    std::fs::write(&path, later).unwrap();
    drop(take_at(&path, &config, SHORT).unwrap());
    std::fs::write(&path, held).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    take_at(&path, &config, SHORT).unwrap();
}

#[test]
fn a_folder_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, path) = place();
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    std::fs::set_permissions(path.parent().unwrap(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = take_at(&path, &dir.path().join("c"), SHORT).unwrap_err();
    assert!(matches!(error, InstanceFailure::Unusable { .. }), "{error}");
}
