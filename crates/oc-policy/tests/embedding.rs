//! Embedding: the crate stays free of asynchronous, network and file-system packages.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

use std::process::Command;

/// Packages that do I/O or bring a runtime.
const FOREIGN: &[&str] = &[
    "tokio",
    "async-std",
    "smol",
    "futures",
    "futures-util",
    "async-trait",
    "mio",
    "hyper",
    "reqwest",
    "ureq",
    "socket2",
    "rustls",
    "tungstenite",
    "tokio-tungstenite",
    "bollard",
    "tempfile",
    "walkdir",
    "rustix",
    "nix",
    "libc",
    "notify",
    "fs2",
    "fs-err",
    "oc-fs",
    "oc-config",
];

#[test]
fn cargo_tree_names_no_async_network_or_file_system_crate() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--package",
            "oc-policy",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = tree.lines().filter_map(|l| l.split_whitespace().next()).collect();
    assert!(names.contains(&"oc-types"), "{tree}");
    let found: Vec<&&str> = names.iter().filter(|n| FOREIGN.contains(n)).collect();
    assert!(found.is_empty(), "{found:?} in\n{tree}");
}
