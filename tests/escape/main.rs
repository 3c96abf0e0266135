//! The escape suite: what a command in a sandbox must not get, tried for real, and each attempt shown to work without the sandbox.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

mod access;
mod bad_input;
mod commands;
mod gate;
mod host;
mod kill;
mod native;
mod probes;
mod proxy;
mod races;

use host::Host;
use native::{Running, limits, planned};
use probes::PROBES;
use serde_json::json;

/// Users whose workspace the sandbox is for: this one, and as root another one as well.
fn owners(host: &Host) -> Vec<Option<u32>> {
    if host.is_root { vec![None, Some(1000)] } else { vec![None] }
}

#[tokio::test]
async fn sp_231_sp_234_nothing_gets_out_of_a_native_sandbox() {
    let mut host = Host::new();
    for owner in owners(&host) {
        let workspace = host.workspace(&format!("work-{}", owner.unwrap_or(0)), owner);
        let sandbox =
            planned(json!({ "workspaceAccess": "rw", "docker": limits() }), &workspace, &host.state);
        let inside = Running::start(&sandbox, &host.home).await;
        let mut out = Vec::new();
        for probe in PROBES {
            let (said, _) = inside.run(&host.script(probe, "/workspace")).await;
            if said.contains("ESCAPED") {
                out.push((probe.name, said));
            }
        }
        assert_eq!(out, [], "of {} probes, as owner {owner:?}", PROBES.len());
        // A process of the host by its number; never all of them, the test would be worse than what it looks for.
        let _ = inside.run(&format!("kill -9 {}", host.sleeper.id())).await;
        let (said, _) = inside.run("echo alive; id -u").await;
        assert!(said.starts_with("alive"), "{said}");
        assert_ne!(said.lines().nth(1), Some("0"), "root inside");
        assert!(host.sleeper.try_wait().unwrap().is_none(), "a process of the host was ended");
        assert!(!host.home.join("written").exists());
    }
}

#[test]
fn each_probe_works_where_nothing_protects() {
    let host = Host::new();
    let workspace = host.workspace("plain", None);
    let mut weak = Vec::new();
    let mut not_shown = Vec::new();
    for probe in PROBES {
        match host.succeeds_unprotected(probe, &workspace) {
            Some((true, _)) => {}
            Some((false, said)) => weak.push((probe.name, said)),
            None => not_shown.push(probe.name),
        }
    }
    eprintln!("not shown, because this user is not root: {not_shown:?}");
    assert_eq!(weak, [], "a probe that never works is no test");
}
