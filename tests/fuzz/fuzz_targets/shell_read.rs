#![no_main]
//! See `src/shell.rs`.

#[path = "../src/shell.rs"]
mod shell;

libfuzzer_sys::fuzz_target!(|data: &[u8]| shell::text(data));
