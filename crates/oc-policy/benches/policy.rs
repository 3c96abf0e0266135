//! How long decisions take: `cargo bench -p oc-policy` (also `cargo xtask bench policy`).
//!
//! Prints one line a question and fails when a promise of `docs/performance.md` is broken. No framework: the figures are
//! nanoseconds of the median of many rounds.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement that reports to the terminal"
)]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use oc_policy::inventory::{Inventory, Tool};
use oc_policy::owner_only::Ownership;
use oc_policy::sender::Sender;
use oc_policy::tool_policy::{CompiledPolicy, Context, IdsFrom};
use oc_types::{Node, Origin};
use serde_json::{Map, Value, json};

/// Nine layers on one session.
fn nine_layers() -> Value {
    json!({
        "tools": {
            "profile": "coding", "alsoAllow": ["web_fetch", "message", "cron"], "deny": ["sessions_send"],
            "byProvider": {"openai": {"profile": "coding", "alsoAllow": ["web_fetch", "cron"], "deny": ["image"]}},
            "sandbox": {"tools": {"allow": ["exec", "read", "write", "web_fetch", "process"], "deny": ["process"]}},
            "subagents": {"tools": {"deny": ["write"]}},
        },
        "agents": {
            "defaults": {"sandbox": {"mode": "non-main"}},
            "list": [{"id": "w", "tools": {"deny": ["edit"], "byProvider": {"openai/gpt-5.2": {"deny": ["memory_get"]}}}}],
        },
        "channels": {"telegram": {"groups": {"-1": {"tools": {"deny": ["web_fetch"]}}}}},
    })
}

/// The median time of one call, in nanoseconds.
fn median(rounds: usize, calls: usize, mut call: impl FnMut()) -> u128 {
    let mut times: Vec<u128> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| call());
            start.elapsed().as_nanos() / calls.max(1) as u128
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

struct Report {
    kept: bool,
}

impl Report {
    fn line(&mut self, what: &str, nanos: u128, limit: Option<u128>) {
        let promise = match limit {
            Some(l) if nanos > l => {
                self.kept = false;
                format!("  BROKEN: at most {l} ns")
            }
            Some(l) => format!("  (promise: at most {l} ns)"),
            None => String::new(),
        };
        println!("{what:<58} {nanos:>12} ns{promise}");
    }
}

fn main() -> ExitCode {
    let mut report = Report { kept: true };
    let config = Node::from_json(&nine_layers(), &Origin::Default);
    let (policy, _) = CompiledPolicy::compile(&config);
    let context = Context {
        session_key: Some("agent:w:subagent:z"),
        spawned_by: Some("agent:w:telegram:group:-1"),
        provider: Some("openai"),
        model: Some("gpt-5.2"),
        sender: Sender { id: Some("42"), ..Sender::default() },
        ids_from: IdsFrom::Adapter,
        owner: Ownership::NotProven,
        ..Context::default()
    };
    let tools: Vec<Tool> = policy.inventory().tools().iter().take(24).cloned().collect();
    let stack = policy.stack(&context).unwrap();
    report.line(
        "one decision through nine layers",
        median(101, 1000, || {
            black_box(stack.decide(black_box("read")));
        }),
        Some(1_000),
    );
    let plain = Context { spawned_by: None, session_key: Some("agent:w:telegram:group:-1"), ..context };
    report.line(
        "one decision, a room's session, layers found anew",
        median(101, 1000, || {
            black_box(policy.decide(black_box(&plain), "read").unwrap());
        }),
        None,
    );
    report.line(
        "one decision, nine layers and a parent's, found anew",
        median(101, 1000, || {
            black_box(policy.decide(black_box(&context), "read").unwrap());
        }),
        None,
    );
    report.line(
        "a set of 24 tools through nine layers, found anew",
        median(101, 200, || {
            black_box(policy.filter(black_box(&context), &tools).unwrap());
        }),
        Some(10_000),
    );
    report.line(
        "compile that configuration",
        median(31, 20, || {
            black_box(CompiledPolicy::compile(black_box(&config)));
        }),
        None,
    );
    reach(&mut report);
    huge(&mut report);
    if report.kept { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// 50 agents x 30 tools x 8 classes of caller.
fn reach(report: &mut Report) {
    let agents: Vec<Value> = (0..50)
        .map(|i| json!({"id": format!("a{i}"), "tools": {"deny": ["exec"], "alsoAllow": ["message"]}, "sandbox": {"mode": "non-main"}}))
        .collect();
    let config = json!({"tools": {"profile": "coding"}, "agents": {"list": agents},
        "channels": {"telegram": {"groups": {"*": {"tools": {"deny": ["write"]}}}}}});
    let extra = (0..5).map(|i| Tool::plugin(format!("plugin_tool_{i}"), "extra"));
    let inventory = Inventory::with_plugins(extra);
    let (policy, _) = CompiledPolicy::compile_with(&Node::from_json(&config, &Origin::Default), inventory);
    let tools: Vec<Tool> = policy.inventory().tools().iter().take(30).cloned().collect();
    assert_eq!(tools.len(), 30);
    let rests = [
        "main",
        "telegram:group:-1",
        "direct:1",
        "subagent:1",
        "cron:1",
        "hook:1",
        "node-1",
        "slack:channel:c",
    ];
    let keys: Vec<String> =
        (0..50).flat_map(|a| rests.iter().map(move |r| format!("agent:a{a}:{r}"))).collect();
    let nanos = median(15, 1, || {
        for key in &keys {
            black_box(policy.filter(&Context::session(key), &tools).unwrap());
        }
    });
    report.line("reach: 50 agents x 30 tools x 8 classes of caller", nanos, Some(20_000_000));
}

/// Absurd sizes stay linear.
fn huge(report: &mut Report) {
    for size in [1_000_usize, 10_000] {
        let groups: Map<String, Value> =
            (0..size).map(|i| (format!("-{i}"), json!({"tools": {"deny": ["exec"]}}))).collect();
        let config =
            Node::from_json(&json!({"channels": {"telegram": {"groups": groups}}}), &Origin::Default);
        let nanos = median(5, 1, || {
            black_box(CompiledPolicy::compile(&config));
        });
        report.line(&format!("compile {size} groups, per group"), nanos / size as u128, None);
    }
    let senders: Map<String, Value> =
        (0..100_000).map(|i| (format!("{i}"), json!({"deny": ["exec"]}))).collect();
    let config = json!({"channels": {"telegram": {"groups": {"*": {"toolsBySender": senders}}}}});
    let config = Node::from_json(&config, &Origin::Default);
    let nanos = median(3, 1, || {
        black_box(CompiledPolicy::compile(&config));
    });
    report.line("compile 100000 sender rules, per rule", nanos / 100_000, None);
    let pattern = "*a".repeat(500_000);
    let config = Node::from_json(&json!({"tools": {"deny": [pattern]}}), &Origin::Default);
    let nanos = median(5, 1, || {
        black_box(CompiledPolicy::compile(&config));
    });
    report.line("compile one pattern of 1 MB", nanos, None);
}
