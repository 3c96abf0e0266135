#![no_main]
//! See `src/code_scan.rs`.

#[path = "../src/code_scan.rs"]
mod code_scan;

libfuzzer_sys::fuzz_target!(|data: &[u8]| code_scan::file(data));
