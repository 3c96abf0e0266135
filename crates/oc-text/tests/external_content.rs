//! The recorded envelopes and sanitised texts (`fixtures/channels/external-content.jsonl`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use oc_text::external::{External, ExternalSource, sanitize_markers, wrap};
use oc_text::untrusted::own_words;
use serde_json::Value;

const ROWS: &str = include_str!("../../../fixtures/channels/external-content.jsonl");
const ID: &str = "00112233aabbccdd";

#[test]
fn every_recorded_row_agrees() {
    let mut rows = 0;
    for line in ROWS.lines().filter(|l| !l.trim().is_empty()) {
        let row: Value = serde_json::from_str(line).unwrap();
        let name = row["name"].as_str().unwrap();
        let expected = row.pointer("/product/expected").unwrap_or(&row["expected"]);
        let event = &row["event"];
        let text = event["text"].as_str().unwrap();
        match event["source"].as_str() {
            None => {
                assert_eq!(sanitize_markers(text), expected["sanitized"], "{name}");
                // A sender's own words lose at least as much.
                assert_eq!(sanitize_markers(&own_words(text)), own_words(text), "{name}");
            }
            Some(source) => {
                let source = ExternalSource::parse(source);
                let (sender, subject) = (event["sender"].as_str(), event["subject"].as_str());
                let wrapped = wrap(&External { source, text, sender, subject }, ID, false);
                // The recorded ones have no id.
                assert_eq!(wrapped.replace(&format!(" id=\"{ID}\""), ""), expected["wrapped"], "{name}");
                assert_eq!(source.warns_by_default(), expected["warningByDefault"], "{name}");
            }
        }
        rows += 1;
    }
    assert!(rows > 10, "{rows}");
}
