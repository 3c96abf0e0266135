#![no_main]
//! See `src/safe_bin.rs`.

#[path = "../src/safe_bin.rs"]
mod safe_bin;

libfuzzer_sys::fuzz_target!(|data: &[u8]| safe_bin::profile(data));
