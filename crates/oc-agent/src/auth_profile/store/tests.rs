use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::*;

fn store(dir: &Path) -> AuthStore {
    AuthStore::of(dir, &AgentId::normalized("main"), None, dir, &dir.join("credentials"))
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn it_lies_where_the_agent_does() {
    let dir = Path::new("/s");
    assert_eq!(store(dir).path(), Path::new("/s/agents/main/agent/auth-profiles.json"));
    let named =
        AuthStore::of(dir, &AgentId::normalized("main"), Some(Path::new("~/x")), Path::new("/h"), dir);
    assert_eq!(named.path(), Path::new("/h/x/auth-profiles.json"));
}

#[test]
fn sp_005_it_is_owner_only_from_the_first_byte() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    store.change(|p| p.put_key("p:a", "p", &oc_types::Secret::new("k".to_owned()))).unwrap();
    let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.path()), 0o600);
    assert_eq!(mode(store.path().parent().unwrap()), 0o700);
    assert_eq!(store.read().unwrap().ids().collect::<Vec<_>>(), ["p:a"]);
    // Nothing new is no write.
    let before = fs::metadata(store.path()).unwrap().modified().unwrap();
    store.change(|_| ()).unwrap();
    assert_eq!(fs::metadata(store.path()).unwrap().modified().unwrap(), before);
}

#[test]
fn sp_008_a_damaged_file_is_an_error_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    put(store.path(), "{\"version\":1,\"profiles\": sk-secret");
    let failure = store.read().unwrap_err().to_string();
    assert!(failure.contains("it is left as it is") && !failure.contains("sk-secret"), "{failure}");
    assert!(store.change(|p| p.put_key("p:a", "p", &oc_types::Secret::new("k".to_owned()))).is_err());
    assert_eq!(fs::read_to_string(store.path()).unwrap(), "{\"version\":1,\"profiles\": sk-secret");
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(store.read(), Err(AuthStoreFailure::Unusable(_))), "others can write it");
    fs::remove_file(store.path()).unwrap();
    std::os::unix::fs::symlink("/dev/null", store.path()).unwrap();
    assert!(matches!(store.read(), Err(AuthStoreFailure::Unusable(_))), "a link");
}

#[test]
fn logins_of_an_older_version_are_taken_over_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let older = dir.path().join("credentials/oauth.json");
    let text = json!({
        "anthropic": {"type": "oauth", "access": "a-1", "refresh": "r-1", "expires": 5},
        "Z.AI": {"access": "a-2", "email": "x@y.test"},
        "broken": {"refresh": "r-3"}, "odd": 3,
    })
    .to_string();
    put(&older, &text);
    let found = store.read().unwrap();
    assert_eq!(found.ids().collect::<Vec<_>>(), ["anthropic:default", "zai:default"]);
    assert!(store.path().is_file());
    assert_eq!(fs::read_to_string(&older).unwrap(), text, "never written");
    // From now on the profiles are what counts, also when they are emptied.
    fs::write(&older, json!({"openai": {"access": "a-9"}}).to_string()).unwrap();
    assert_eq!(store.read().unwrap(), found);
    put(store.path(), "{\"version\":1,\"profiles\":{}}");
    assert_eq!(store.read().unwrap().ids().count(), 0);
}

#[test]
fn an_older_file_that_cannot_be_read_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    put(&dir.path().join("credentials/oauth.json"), "{a-1");
    assert!(matches!(store.read(), Err(AuthStoreFailure::Damaged { .. })));
    assert!(!store.path().exists());
    put(&dir.path().join("credentials/oauth.json"), "{}");
    assert_eq!(store.read().unwrap(), Profiles::default());
    assert!(!store.path().exists(), "nothing to take over, nothing written");
}

#[test]
fn sp_007_changes_at_the_same_time_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    std::thread::scope(|s| {
        for n in 0..8 {
            let store = &store;
            s.spawn(move || {
                store
                    .change(|p| p.put_key(&format!("p:{n}"), "p", &oc_types::Secret::new("k".to_owned())))
                    .unwrap();
            });
        }
    });
    assert_eq!(store.read().unwrap().ids().count(), 8);
}
