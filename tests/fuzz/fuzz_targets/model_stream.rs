#![no_main]
//! See `src/model_stream.rs`.

#[path = "../src/model_stream.rs"]
mod model_stream;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model_stream::stream(data));
