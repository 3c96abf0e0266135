//! The committed corpus of the profile's fuzz target, replayed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

#[path = "../../../tests/fuzz/src/safe_bin.rs"]
mod safe_bin;

#[test]
fn sp_161_the_corpus_of_the_profiles_holds() {
    let folder = format!("{}/../../tests/fuzz/corpus/safe_bin_profile", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        safe_bin::profile(&std::fs::read(file).unwrap());
    }
}
