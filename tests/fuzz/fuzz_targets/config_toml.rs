#![no_main]
//! See `src/config.rs`.

#[path = "../src/config.rs"]
mod config;

libfuzzer_sys::fuzz_target!(|data: &[u8]| config::toml(data));
