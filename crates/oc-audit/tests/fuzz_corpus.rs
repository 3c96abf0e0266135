//! The committed corpus of the code scanner's fuzz target, replayed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

#[path = "../../../tests/fuzz/src/code_scan.rs"]
mod code_scan;

#[test]
fn the_corpus_of_the_code_scanner_holds() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus/code_scan");
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        code_scan::file(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 10);
}
