//! Frames, heads and paths that reach the gateway's port.
#![no_main]

#[path = "../src/gateway_wire.rs"]
mod gateway_wire;

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_wire::wire(data));
