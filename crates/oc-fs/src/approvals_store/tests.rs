use std::os::unix::fs::PermissionsExt;

use super::*;

fn store() -> (tempfile::TempDir, ApprovalsStore) {
    let tmp = tempfile::tempdir().unwrap();
    let store = ApprovalsStore::of(&tmp.path().join("state"));
    (tmp, store)
}

fn write(store: &ApprovalsStore, text: &[u8]) {
    mode::create_directories(store.path().parent().unwrap()).unwrap();
    std::fs::write(store.path(), text).unwrap();
    std::fs::set_permissions(store.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn sp_183_the_store_is_owner_only_and_versioned() {
    let (_tmp, store) = store();
    let empty = store.read().unwrap();
    assert_eq!(empty.file, None);
    assert_eq!(empty.hash, hex(b""));
    assert!(!store.path().exists(), "reading creates nothing");
    assert_eq!(store.add("*", "/usr/bin/git").unwrap(), Changed::Yes);
    assert_eq!(std::fs::metadata(store.path()).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(store.add("*", " /usr/bin/git ").unwrap(), Changed::No);
    let now = store.read().unwrap();
    assert!(std::fs::read_to_string(store.path()).unwrap().starts_with("{\n  \"version\": 1,"));
    assert!(now.document.socket().0.is_none(), "no socket unless it is needed");
    assert_eq!(now.file.unwrap().rules("main")[0].pattern, "/usr/bin/git");
    assert_eq!(store.remove("*", "/usr/bin/git").unwrap(), Changed::Yes);
    assert_eq!(store.remove("*", "/usr/bin/git").unwrap(), Changed::No);
}

#[test]
fn sp_183_what_cannot_be_read_denies_and_is_left_in_place() {
    for text in [
        "",
        "{",
        "[]",
        "{\"version\":2}",
        "{\"version\":1,\"agents\":[]}",
        "{\"version\":1,\"agents\":{\"a\":",
    ] {
        let (_tmp, store) = store();
        write(&store, text.as_bytes());
        assert!(matches!(store.read(), Err(StoreFailure::Damaged { .. })), "{text}");
        assert!(store.add("*", "/bin/x").is_err());
        assert!(store.set(Document::default(), None).is_err());
        assert!(store.socket().is_err());
        assert_eq!(std::fs::read_to_string(store.path()).unwrap(), text);
    }
    let (_tmp, store) = store();
    write(&store, b"\xff{}");
    assert!(matches!(store.read(), Err(StoreFailure::NotText(_))));
    write(&store, b"{\"version\":1}");
    std::fs::set_permissions(store.path(), std::fs::Permissions::from_mode(0o602)).unwrap();
    assert!(store.read().is_err(), "others can write it");
    std::fs::set_permissions(store.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    let real = store.path().with_file_name("real.json");
    std::fs::rename(store.path(), &real).unwrap();
    std::os::unix::fs::symlink(&real, store.path()).unwrap();
    assert!(store.read().unwrap_err().to_string().contains("it is a link"));
    assert!(store.add("*", "/bin/x").is_err());
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "{\"version\":1}");
}

#[test]
fn a_set_on_an_older_reading_is_refused_and_keeps_the_socket() {
    let (_tmp, store) = store();
    let (path, token) = store.socket().unwrap();
    assert_eq!(path, store.path().with_file_name(SOCKET_NAME));
    assert_eq!(token.expose().len(), 32);
    assert_eq!(store.socket().unwrap().1.expose(), token.expose(), "drawn once");
    let hash = store.read().unwrap().hash;
    store.add("main", "/bin/x").unwrap();
    assert!(matches!(store.set(Document::default(), Some(&hash)), Err(StoreFailure::Conflict(_))));
    let hash = store.read().unwrap().hash;
    let now = store.set(Document::default(), Some(&hash)).unwrap();
    assert_eq!(now.document.socket().1, Some(token.expose()));
    assert!(!now.document.shown().to_string().contains(token.expose()));
    // A view written back keeps the token too.
    let view = Document::of(now.document.shown()).unwrap();
    assert_eq!(store.set(view, None).unwrap().document.socket().1, Some(token.expose()));
}

#[test]
fn sp_007_writers_at_the_same_time_lose_nothing() {
    let (_tmp, store) = store();
    std::thread::scope(|s| {
        for writer in 0..8 {
            let store = &store;
            s.spawn(move || {
                for n in 0..5 {
                    store.add("*", &format!("/bin/{writer}-{n}")).unwrap();
                }
            });
        }
    });
    assert_eq!(store.read().unwrap().file.unwrap().rules("x").len(), 40);
}
