//! The committed corpus of the reader's fuzz target, replayed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

#[path = "../../../tests/fuzz/src/shell.rs"]
mod shell;

#[test]
fn sp_130_the_corpus_of_the_reader_holds() {
    let folder = format!("{}/../../tests/fuzz/corpus/shell_read", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        shell::text(&std::fs::read(file).unwrap());
    }
}
