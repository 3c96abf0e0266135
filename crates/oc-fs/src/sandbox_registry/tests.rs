use std::os::unix::fs::MetadataExt as _;

use super::*;

fn entry(name: &str) -> Entry {
    Entry {
        container_name: name.to_owned(),
        session_key: "agent:main".to_owned(),
        created_at_ms: 1,
        last_used_at_ms: 2,
        image: "i".to_owned(),
        config_hash: Some("h".to_owned()),
    }
}

#[test]
fn sp_236_the_file_has_upstreams_layout_and_is_for_its_owner_alone() {
    let state = tempfile::tempdir().unwrap();
    let file = containers(state.path());
    assert_eq!(file.read().unwrap(), Registry::default());
    file.update(|r| r.put(entry("c"))).unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert_eq!(
        text,
        "{\n  \"entries\": [\n    {\n      \"containerName\": \"c\",\n      \"sessionKey\": \"agent:main\",\n      \
         \"createdAtMs\": 1,\n      \"lastUsedAtMs\": 2,\n      \"image\": \"i\",\n      \"configHash\": \"h\"\n    }\n  ]\n}\n"
    );
    assert_eq!(std::fs::metadata(file.path()).unwrap().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(state.path().join("sandbox")).unwrap().mode() & 0o777, 0o700);
    file.update(|r| r.put(Entry { last_used_at_ms: 9, ..entry("c") })).unwrap();
    assert_eq!(file.read().unwrap().entries, [Entry { last_used_at_ms: 9, ..entry("c") }]);
    file.update(|r| r.drop_entry("c")).unwrap();
    assert_eq!(file.read().unwrap().owner("c"), None);
}

#[test]
fn sp_236_a_damaged_registry_is_never_taken_as_empty() {
    let state = tempfile::tempdir().unwrap();
    let file = containers(state.path());
    file.update(|r| r.put(entry("c"))).unwrap();
    for damaged in ["", "{", "[]", "{\"entries\": 3}", "{\"entries\": [{}]}", "\u{0}\u{0}"] {
        std::fs::write(file.path(), damaged).unwrap();
        assert!(matches!(file.read(), Err(RegistryFailure::Damaged { .. })), "{damaged:?}");
        assert!(matches!(file.update(|_| ()), Err(RegistryFailure::Damaged { .. })), "{damaged:?}");
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), damaged, "left as it is");
        file.rebuild(vec![entry("from-the-engine")]).unwrap();
        assert_eq!(file.read().unwrap().entries, [entry("from-the-engine")]);
        file.rebuild(vec![]).unwrap();
        assert_eq!(file.read().unwrap().entries.len(), 1, "a readable one stays");
        let kept = file.path().with_extension("json.damaged");
        assert_eq!(std::fs::read_to_string(kept).unwrap(), damaged);
    }
}

#[test]
fn browsers_have_a_file_of_their_own() {
    let state = tempfile::tempdir().unwrap();
    let file = browsers(state.path());
    let text = r#"{"entries":[{"containerName":"b","sessionKey":"shared","createdAtMs":1,"lastUsedAtMs":2,"image":"i","cdpPort":5,"other":1}]}"#;
    std::fs::create_dir(state.path().join("sandbox")).unwrap();
    std::fs::write(file.path(), text).unwrap();
    let read = file.read().unwrap();
    assert_eq!((read.entries[0].cdp_port, read.owner("b")), (5, Some("shared")));
}
