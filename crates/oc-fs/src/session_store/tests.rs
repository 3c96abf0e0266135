mod append;

use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::json;

use super::*;

fn store(tmp: &Path) -> SessionStore {
    let store = SessionStore::of(tmp, &AgentId::normalized("main"), None, tmp);
    mode::create_directories(store.folder()).unwrap();
    store
}

fn put(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn entry(value: Value) -> Entry {
    value.as_object().unwrap().clone()
}

fn mode_of(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_place_of_a_store() {
    let (state, home) = (Path::new("/s"), Path::new("/h"));
    let ops = AgentId::normalized("Ops");
    let at = |configured| SessionStore::of(state, &ops, configured, home).path().to_owned();
    assert_eq!(at(None), Path::new("/s/agents/ops/sessions/sessions.json"));
    assert_eq!(at(Some("~/x/{agentId}.json")), Path::new("/h/x/ops.json"));
    assert_eq!(at(Some("/y/all.json")), Path::new("/y/all.json"));
    assert_eq!(at(Some(" ")), Path::new("/s/agents/ops/sessions/sessions.json"));
}

#[test]
fn sp_005_store_lock_and_archives_are_owner_only() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    let e = entry(json!({ "sessionId": "a", "updatedAt": 1 }));
    store
        .change(|all| {
            all.insert("agent:main:main".into(), Value::Object(e.clone()));
            Ok::<_, SessionStoreFailure>(())
        })
        .unwrap();
    assert_eq!(mode_of(store.path()), 0o600);
    let transcript = store.folder().join("a.jsonl");
    std::fs::write(&transcript, "{\"type\":\"session\"}\n".to_owned() + &"{\"id\":1}\n".repeat(9)).unwrap();
    std::fs::set_permissions(&transcript, std::fs::Permissions::from_mode(0o644)).unwrap();
    let Compacted::Shortened { kept, archived } = store.compact(&e, 4, "t").unwrap() else { panic!() };
    assert_eq!((kept, mode_of(&archived), mode_of(&transcript)), (4, 0o600, 0o600));
    assert_eq!(std::fs::read_to_string(&archived).unwrap().lines().count(), 10);
    std::fs::set_permissions(&transcript, std::fs::Permissions::from_mode(0o644)).unwrap();
    let gone = store.archive(&e, "deleted", "t").unwrap().unwrap();
    assert_eq!((gone.file_name().unwrap().to_str().unwrap(), mode_of(&gone)), ("a.jsonl.deleted.t", 0o600));
    assert_eq!(store.archive(&e, "deleted", "t").unwrap(), None);
    for found in std::fs::read_dir(store.folder()).unwrap().flatten() {
        assert_eq!(mode_of(&found.path()), 0o600, "{:?}", found.file_name());
    }
    assert_eq!(mode_of(store.folder()), 0o700);
}

#[test]
fn sp_007_concurrent_changes_lose_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..10 {
                    store
                        .change(|all| {
                            all.insert(format!("k{writer}-{n}"), json!({ "updatedAt": n }));
                            Ok::<_, SessionStoreFailure>(())
                        })
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(store.read().unwrap().len(), 80);
}

#[test]
fn sp_008_a_store_that_cannot_be_read_is_an_error_and_stays() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    for text in ["{\"a\":", "[]", "7"] {
        put(store.path(), text);
        assert!(matches!(store.read(), Err(SessionStoreFailure::Damaged { .. })), "{text}");
        let changed = store.change(|all| {
            all.insert("k".into(), json!({}));
            Ok::<_, SessionStoreFailure>(())
        });
        assert!(changed.is_err());
        assert_eq!(std::fs::read_to_string(store.path()).unwrap(), text);
    }
    put(store.path(), "{}");
    std::fs::set_permissions(store.path(), std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(store.read(), Err(SessionStoreFailure::Unusable(_))));
    std::fs::remove_file(store.path()).unwrap();
    put(&tmp.path().join("other.json"), "{}");
    symlink(tmp.path().join("other.json"), store.path()).unwrap();
    assert!(store.read().is_err());
}

#[test]
fn a_failing_step_and_one_that_changes_nothing_write_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    let text = "{ \"k\": { \"x\": 1 }, \"odd\": 5 }";
    put(store.path(), text);
    store.change(|_| Ok::<_, SessionStoreFailure>(())).unwrap();
    assert_eq!(std::fs::read_to_string(store.path()).unwrap(), text);
    let failed: Result<(), _> = store.change(|all| {
        all.clear();
        Err(SessionStoreFailure::Unusable(io::Error::other("no")))
    });
    assert!(failed.is_err());
    assert_eq!(std::fs::read_to_string(store.path()).unwrap(), text);
    assert_eq!(store.read().unwrap().len(), 1, "what is no entry is not listed");
}

#[test]
fn sp_001_a_transcript_lies_in_its_folder_or_is_ignored() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    let at = |file: &str| store.transcript(&entry(json!({ "sessionId": "a", "sessionFile": file }))).unwrap();
    let own = store.folder().join("a.jsonl");
    assert_eq!(at("").path, own);
    assert_eq!(at("a-topic-5.jsonl").path.file_name().unwrap(), "a-topic-5.jsonl");
    symlink(tmp.path(), store.folder().join("out")).unwrap();
    for file in
        ["/etc/passwd", "../../../x.jsonl", "out/x.jsonl", "sessions.json", "/etc/x.jsonl", "nowhere/x.jsonl"]
    {
        let found = at(file);
        assert_eq!((found.path, found.ignored.as_deref()), (own.clone(), Some(file)));
    }
    for id in ["", "a/b", "..", "a b", &"x".repeat(65)] {
        assert_eq!(store.transcript(&entry(json!({ "sessionId": id }))), None, "{id:?}");
    }
    // The file itself may not be a link either.
    put(&tmp.path().join("secret.jsonl"), "{}\n");
    symlink(tmp.path().join("secret.jsonl"), &own).unwrap();
    assert!(store.tail(&entry(json!({ "sessionId": "a" })), 100).is_err());
}

#[test]
fn the_last_lines_of_a_transcript() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    let e = entry(json!({ "sessionId": "a" }));
    assert_eq!(store.tail(&e, 100).unwrap(), Tail::default());
    put(&store.folder().join("a.jsonl"), "aaaa\n\nbbbb\ncccc\n");
    let tail = |bytes| store.tail(&e, bytes).unwrap();
    assert_eq!(tail(100), Tail { lines: vec!["aaaa".into(), "bbbb".into(), "cccc".into()], cut: false });
    assert_eq!(tail(10), Tail { lines: vec!["bbbb".into(), "cccc".into()], cut: true });
    assert_eq!(tail(9), Tail { lines: vec!["cccc".into()], cut: true });
}

#[test]
fn a_shortened_transcript_keeps_its_head_and_is_one_tree() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    let e = entry(json!({ "sessionId": "a" }));
    assert_eq!(store.compact(&e, 3, "t").unwrap(), Compacted::Missing);
    let lines: Vec<String> = std::iter::once(json!({ "type": "session", "id": "a" }).to_string())
        .chain((1..6).map(|n| json!({ "type": "message", "id": n, "parentId": n - 1 }).to_string()))
        .collect();
    put(&store.folder().join("a.jsonl"), &format!("{}\n", lines.join("\n")));
    assert_eq!(store.compact(&e, 6, "t").unwrap(), Compacted::Kept(6));
    assert!(matches!(store.compact(&e, 3, "t").unwrap(), Compacted::Shortened { kept: 3, .. }));
    let now: Vec<Value> = std::fs::read_to_string(store.folder().join("a.jsonl"))
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(now.iter().map(|l| l["id"].clone()).collect::<Vec<_>>(), [json!("a"), json!(4), json!(5)]);
    assert_eq!((&now[1]["parentId"], &now[2]["parentId"]), (&Value::Null, &json!(4)));
}

#[test]
fn what_is_old_goes_and_what_is_used_stays() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    const DAY: u64 = 86_400_000;
    let now = 100 * DAY;
    let old = json!({ "sessionId": "old", "updatedAt": now - 40 * DAY });
    let young = json!({ "sessionId": "young", "updatedAt": now - DAY });
    put(store.path(), &json!({ "agent:main:old": old, "agent:main:young": young }).to_string());
    let aged = |path: PathBuf, days: u64| {
        put(&path, "x\n");
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(now - days * DAY);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        path
    };
    let f = |name: &str| store.folder().join(name);
    let goes = [
        aged(f("old.jsonl"), 40),
        aged(f("orphan.jsonl"), 31),
        aged(f("y.jsonl.deleted.2026-01-01T00-00-00.000Z"), 50),
        aged(f("z.jsonl.bak.2026-01-01T00-00-00.000Z"), 50),
        aged(tmp.path().join("openclaw.json.bak.1"), 50),
        aged(tmp.path().join("openclaw.json.bak"), 50),
    ];
    let stays = [
        aged(f("young.jsonl"), 90),
        aged(f("new-orphan.jsonl"), 2),
        aged(f("notes.txt"), 90),
        aged(tmp.path().join("openclaw.json"), 90),
        aged(tmp.path().join("exec-approvals.json"), 90),
        aged(tmp.path().join("fresh.json.bak"), 1),
    ];
    let run = |act| prune(std::slice::from_ref(&store), tmp.path(), now, 30 * DAY, act);
    let before = std::fs::read_to_string(store.path()).unwrap();
    let named = run(Act::Name);
    assert_eq!(std::fs::read_to_string(store.path()).unwrap(), before);
    assert!(goes.iter().all(|p| p.exists()));
    let removed = run(Act::Remove);
    assert_eq!(named, removed);
    assert_eq!(removed.failed, Vec::<String>::new());
    assert_eq!(removed.removed.len(), 1 + goes.len(), "{removed:?}");
    assert!(goes.iter().all(|p| !p.exists()), "{removed:?}");
    assert!(stays.iter().all(|p| p.exists()));
    assert_eq!(store.read().unwrap().keys().collect::<Vec<_>>(), ["agent:main:young"]);
    // A damaged store: nothing beside it is touched, and it is said.
    put(store.path(), "{");
    aged(f("orphan.jsonl"), 31);
    let failed = run(Act::Remove);
    assert_eq!((failed.removed.len(), failed.failed.len()), (0, 1));
}
