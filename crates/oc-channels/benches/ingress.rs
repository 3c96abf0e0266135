//! How many messages are decided and answered: `cargo bench -p oc-channels` (also `cargo xtask bench ingress`).
//!
//! Fails when a promise of `docs/performance.md` is broken. Decisions are counted per second on one thread; turns run through the whole
//! pipeline, journal on the disk included, over a runtime that answers at once and a service in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    missing_debug_implementations,
    reason = "a measurement that reports to the terminal"
)]

#[path = "../tests/conformance/doubles.rs"]
mod doubles;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use doubles::{DEADLINE, direct, event, node, world};
use oc_channels::adapter::Taken;
use oc_policy::access::{AccessRules, Approved, PairingView};
use oc_policy::inbound::{ConversationKind, Inbound};
use serde_json::json;

fn config() -> serde_json::Value {
    json!({
        "session": { "dmScope": "per-channel-peer" },
        "agents": { "defaults": { "maxConcurrent": 64 }, "list": [
            { "id": "main", "default": true, "groupChat": { "mentionPatterns": ["@openclaw", "@mybot", "\\bclaw\\b"] } },
            { "id": "work" } ] },
        "bindings": [{ "agentId": "work", "match": { "channel": "telegram", "peer": { "kind": "group", "id": "-9" } } }],
        "channels": {
            "telegram": { "dmPolicy": "pairing", "allowFrom": ["1", "2", "3"], "groupPolicy": "allowlist",
                "groupAllowFrom": ["1", "2"], "groups": { "-1": { "requireMention": true }, "-9": {} } },
            "signal": { "dmPolicy": "open", "allowFrom": ["*"] },
        },
    })
}

/// Direct and room messages, admitted and dropped, commands and text.
fn messages() -> Vec<Inbound> {
    let mut out = Vec::new();
    for (kind, place, sender, text) in [
        (ConversationKind::Direct, "1", "1", "what is on my list today?"),
        (ConversationKind::Direct, "666", "666", "let me in"),
        (ConversationKind::Direct, "77", "77", "hello again"),
        (ConversationKind::Group, "-1", "1", "hey claw, what do you think?"),
        (ConversationKind::Group, "-1", "1", "just talking to the others here, nothing to see"),
        (ConversationKind::Group, "-1", "666", "claw, show me the files"),
        (ConversationKind::Group, "-5", "1", "an unlisted room"),
        (ConversationKind::Group, "-1", "1", "/status"),
    ] {
        out.push(event("telegram", kind, "1", place, sender, text).message);
    }
    out
}

fn decisions() -> f64 {
    let rules = AccessRules::new(node(&config())).unwrap();
    let view =
        PairingView { approved: Approved::Entries(vec!["77".to_owned()]), pending: Vec::new(), now_ms: 0 };
    let messages = messages();
    let mut best: f64 = 0.0;
    for _ in 0..10 {
        let start = Instant::now();
        let rounds = 5_000;
        for _ in 0..rounds {
            let policy = rules.policy();
            for m in &messages {
                black_box(policy.judge(black_box(m), &view));
            }
        }
        best = best.max((rounds * messages.len()) as f64 / start.elapsed().as_secs_f64());
    }
    best
}

async fn turns(count: usize) -> (f64, Vec<f64>) {
    let w = Arc::new(world(config()));
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    // As many connections as a busy gateway has; each waits for its acknowledgement before it offers the next.
    let connections = 256;
    for c in 0..connections {
        let w = Arc::clone(&w);
        tasks.spawn(async move {
            let mut taken = Vec::new();
            for n in (c..count).step_by(connections) {
                let at = Instant::now();
                loop {
                    match w
                        .offer(direct("signal", &n.to_string(), &format!("+1555{:07}", n % 1000), "hello"))
                        .await
                    {
                        Taken::Done => break,
                        Taken::Later => tokio::task::yield_now().await,
                    }
                }
                taken.push(at.elapsed().as_secs_f64() * 1000.0);
            }
            taken
        });
    }
    let mut latencies = Vec::new();
    while let Some(some) = tasks.join_next().await {
        latencies.extend(some.unwrap());
    }
    let answered = async {
        while w.ingress.inbox().waiting() > 0 {
            w.ingress.inbox().flush().await.unwrap();
        }
    };
    tokio::time::timeout(DEADLINE * 10, answered).await.unwrap();
    let rate = count as f64 / start.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    (rate, latencies)
}

/// What the product adds to one turn on an idle gateway: from the offer to the answer at the service, milliseconds.
async fn alone(count: usize) -> Vec<f64> {
    let w = world(config());
    let mut out = Vec::new();
    for n in 0..count {
        let at = Instant::now();
        w.offer(direct("signal", &n.to_string(), "+15550000001", "hello")).await;
        w.service.sends.reach(n + 1).await;
        out.push(at.elapsed().as_secs_f64() * 1000.0);
        w.idle().await;
    }
    out.sort_by(f64::total_cmp);
    out
}

fn line(what: &str, value: f64, unit: &str, promise: Option<(f64, bool)>) -> bool {
    let kept = promise.is_none_or(|(limit, at_least)| if at_least { value >= limit } else { value <= limit });
    let note = match promise {
        Some((limit, at_least)) => format!("promise {} {limit:.0}", if at_least { ">=" } else { "<=" }),
        None => String::new(),
    };
    println!("{what:<60} {value:>12.1} {unit:<6} {note}{}", if kept { "" } else { "  BROKEN" });
    kept
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut kept = line("decisions per second on one core", decisions(), "/s", Some((200_000.0, true)));
    let (rate, _) = runtime.block_on(turns(20_000));
    kept &= line("turns per second, whole pipeline, answers at once", rate, "/s", Some((5_000.0, true)));
    let added = runtime.block_on(alone(500));
    line("added to a turn, median", added[added.len() / 2], "ms", None);
    kept &= line("added to a turn, 99 of 100", added[added.len() * 99 / 100], "ms", Some((5.0, false)));
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
