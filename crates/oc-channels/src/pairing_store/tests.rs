use super::*;

const NOW: i64 = 1_770_000_000_000;

fn written(dir: &Path, name: &str, value: &Value) {
    atomic::replace(&dir.join(name), value.to_string().as_bytes()).unwrap();
}

fn request(id: &str, code: &str, age_ms: i64) -> Value {
    let at = jiff::Timestamp::from_millisecond(NOW - age_ms).unwrap();
    json!({ "id": id, "code": code, "createdAt": format!("{at:.3}"), "lastSeenAt": format!("{at:.3}"), "own": 7 })
}

#[test]
fn an_approval_binds_the_sender_of_the_code_and_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let requests = [request("111", "ABCDEFGH", 1000), request("222", "JKLMNPQR", 1000)];
    written(dir.path(), "telegram-pairing.json", &json!({ "version": 1, "requests": requests }));
    let store = ChannelPairing::of(dir.path(), "telegram", "default").unwrap();
    assert_eq!(store.waiting(NOW).unwrap().len(), 2);
    assert_eq!(store.approve("abcdefgh", NOW).unwrap(), "111");
    assert_eq!(store.approved().unwrap(), ["111"]);
    assert_eq!(store.waiting(NOW).unwrap().iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["222"]);
    let text = oc_fs::bounded_read::text(&dir.path().join("telegram-pairing.json"), LIMIT).unwrap();
    assert!(text.contains("\"own\": 7"), "what another program keeps there stays: {text}");
    assert!(matches!(store.approve("abcdefgh", NOW), Err(ChannelPairingFailure::NoSuchCode { .. })));
}

#[test]
fn an_expired_code_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let requests = [request("111", "ABCDEFGH", 3_600_001)];
    written(dir.path(), "telegram-work-pairing.json", &json!({ "version": 1, "requests": requests }));
    let store = ChannelPairing::of(dir.path(), "telegram", "work").unwrap();
    assert_eq!(store.waiting(NOW).unwrap(), []);
    assert!(store.approve("ABCDEFGH", NOW).is_err());
    assert_eq!(store.approved().unwrap(), Vec::<String>::new());
}

#[test]
fn sp_008_a_damaged_store_is_an_error_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    written(
        dir.path(),
        "telegram-pairing.json",
        &json!({ "version": 1, "requests": [request("1", "ABCDEFGH", 1)] }),
    );
    written(dir.path(), "telegram-allowFrom.json", &json!({ "version": 2 }));
    let store = ChannelPairing::of(dir.path(), "telegram", "default").unwrap();
    assert!(matches!(store.approve("ABCDEFGH", NOW), Err(ChannelPairingFailure::Damaged { .. })));
    assert_eq!(store.waiting(NOW).unwrap().len(), 1);
}
