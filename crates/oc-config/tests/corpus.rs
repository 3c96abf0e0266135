//! The fuzz targets' claims over their committed corpus (`tests/fuzz/corpus`), so that every test run replays it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

#[path = "../../../tests/fuzz/src/config.rs"]
mod config;

fn replay(target: &str, claim: fn(&[u8])) {
    let folder = format!("{}/../../tests/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        claim(&std::fs::read(entry.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen > 5, "{target}: {seen}");
}

#[test]
fn sp_020_config_json5() {
    replay("config_json5", config::json5);
}

#[test]
fn sp_020_config_toml() {
    replay("config_toml", config::toml);
}

#[test]
fn sp_020_config_include() {
    replay("config_include", config::include);
}
