//! The fuzz target's claims over its committed corpus, and over pieces of it mixed up, so that every test run replays them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

#[path = "../../../tests/fuzz/src/model_stream.rs"]
mod model_stream;

use proptest::prelude::*;

fn corpus() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus/model_stream");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files.iter().map(|f| std::fs::read(f).unwrap()).collect()
}

#[test]
fn sp_020_model_stream() {
    let inputs = corpus();
    assert!(inputs.len() >= 10);
    inputs.iter().for_each(|input| model_stream::stream(input));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Any split of a stream decodes alike, also when lines of streams of other formats stand between its own.
    #[test]
    fn where_a_stream_is_cut_changes_nothing(
        choice in any::<u8>(),
        lines in proptest::collection::vec((0usize..16, 0usize..40), 0..40),
        cut_off in 0usize..400,
    ) {
        let corpus: Vec<String> = corpus().iter().map(|c| String::from_utf8_lossy(&c[1..]).into_owned()).collect();
        let mut input = vec![choice];
        for (file, line) in lines {
            let events: Vec<&str> = corpus[file % corpus.len()].split_inclusive("\n\n").collect();
            input.extend(events[line % events.len()].as_bytes());
        }
        input.truncate(input.len().saturating_sub(cut_off).max(1));
        model_stream::stream(&input);
    }
}
