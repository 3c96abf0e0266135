//! Writing transcripts.

use crate::durability::Durability;
use std::time::Duration;

use super::*;

const HEADER: &str = r#"{"type":"session","version":3,"id":"a"}"#;

fn opened(store: &SessionStore) -> Result<OpenedTranscript, TranscriptFailure> {
    let e = entry(json!({ "sessionId": "a" }));
    store.open_transcript(&e, HEADER, "2026-01-01T00-00-00.000Z", Duration::ZERO)
}

fn lines(n: std::ops::Range<u32>) -> Vec<String> {
    n.map(|n| json!({ "type": "message", "id": n.to_string() }).to_string()).collect()
}

#[test]
fn sp_005_a_transcript_begins_with_its_header_and_is_its_owners() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    let mut first = opened(&store).unwrap();
    assert_eq!((first.lines.clone(), first.mended.clone()), (vec![HEADER.to_owned()], None));
    first.transcript.append(&lines(1..3), Durability::Written).unwrap();
    let path = first.transcript.path().to_owned();
    assert_eq!(mode_of(&path), 0o600);
    assert!(matches!(opened(&store), Err(TranscriptFailure::Lock(_))), "one writer at a time");
    drop(first);
    let again = opened(&store).unwrap();
    assert_eq!(again.lines, [vec![HEADER.to_owned()], lines(1..3)].concat());
    drop(again);
    // Others may not read it afterwards either.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(opened(&store).unwrap());
    assert_eq!(mode_of(&path), 0o600);
}

#[test]
fn a_torn_end_is_cut_off_and_kept_beside() {
    for (end, mended) in [
        (&b"{\"type\":\"message\",\"id\":\"2\""[..], Some(26)),
        (&b"{\"type\":\"mess\xc3"[..], Some(14)),
        (&b"\0\0\0\0"[..], Some(4)),
        (&b"17"[..], Some(2)),
        (&b"{\"type\":\"message\",\"id\":\"2\"}"[..], None),
    ] {
        let tmp = tempfile::tempdir().unwrap();
        let store = store(tmp.path());
        let path = store.folder().join("a.jsonl");
        let whole = format!("{HEADER}\n{}\n", lines(1..2).concat());
        let before = [whole.as_bytes(), end].concat();
        put(&path, "");
        std::fs::write(&path, &before).unwrap();
        let mut got = opened(&store).unwrap();
        match (mended, got.mended.clone()) {
            (Some(bytes), Some(Mended::Cut { bytes: cut, kept })) => {
                assert_eq!(cut, bytes);
                assert_eq!(std::fs::read(&kept).unwrap(), before);
                assert_eq!(mode_of(&kept), 0o600);
                assert_eq!(got.lines.len(), 2);
            }
            (None, Some(Mended::Ended)) => assert_eq!(got.lines.len(), 3),
            other => panic!("{other:?}"),
        }
        got.transcript.append(&lines(9..10), Durability::Synced).unwrap();
        drop(got);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.lines().all(|l| serde_json::from_str::<Value>(l).is_ok()), "{text}");
        assert!(text.ends_with("\"9\"}\n"));
    }
}

#[test]
fn a_header_that_was_torn_is_written_again() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    put(&store.folder().join("a.jsonl"), "{\"type\":\"ses");
    assert_eq!(opened(&store).unwrap().lines, [HEADER]);
    assert_eq!(opened(&store).unwrap().lines, [HEADER]);
}

#[test]
fn a_line_with_a_line_break_is_refused_and_nothing_is_written() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    let mut got = opened(&store).unwrap();
    let bad = ["{}".to_owned(), "{\n}".to_owned()];
    assert!(got.transcript.append(&bad, Durability::Written).is_err());
    drop(got);
    assert_eq!(opened(&store).unwrap().lines, [HEADER]);
}

#[test]
fn sp_018_an_entry_without_a_session_id_has_no_transcript() {
    let tmp = tempfile::tempdir().unwrap();
    let store = store(tmp.path());
    let e = entry(json!({ "sessionId": "../x" }));
    assert!(store.open_transcript(&e, HEADER, "t", Duration::ZERO).is_err());
}
