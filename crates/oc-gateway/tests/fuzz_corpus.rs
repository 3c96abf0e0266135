//! The committed corpus of the wire's fuzz target, replayed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

#[path = "../../../tests/fuzz/src/gateway_wire.rs"]
mod gateway_wire;

#[test]
fn sp_020_whatever_reaches_the_port_is_answered() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus/gateway_wire");
    let mut seen = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let data = std::fs::read(entry.unwrap().path()).unwrap();
        gateway_wire::wire(&data);
        // Its beginnings too.
        for end in 0..data.len().min(200) {
            gateway_wire::wire(data.get(..end).unwrap());
        }
        seen += 1;
    }
    assert!(seen >= 6);
}
