//! The channel cases in `fixtures/channels`, run by the same code as `cargo xtask golden`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use serde_json::Value;

#[path = "../../../xtask/src/golden/channels.rs"]
mod channels;

/// As in `cargo xtask golden`.
pub(crate) struct Kind {
    stem: &'static str,
    claims: fn(&Value) -> bool,
    standing: fn(&Value) -> bool,
    run: fn(&Value) -> Result<(), String>,
}

fn any(_: &Value) -> bool {
    true
}

fn active(_: &Value) -> bool {
    true
}

#[test]
fn every_channel_case_agrees() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/channels");
    let mut differs = Vec::new();
    let mut count = 0;
    for kind in channels::KINDS {
        let text = std::fs::read_to_string(folder.join(format!("{}.jsonl", kind.stem))).unwrap();
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            let row: Value = serde_json::from_str(line).unwrap();
            assert!((kind.claims)(&row) && (kind.standing)(&row));
            count += 1;
            if let Err(difference) = (kind.run)(&row) {
                differs.push(format!("{} {}\n{difference}", kind.stem, row["name"]));
            }
        }
    }
    assert!(differs.is_empty(), "{} of {count} differ\n{}", differs.len(), differs.join("\n"));
    assert!(count > 450, "only {count} cases were found");
}
