use jiff::Timestamp;
use oc_types::{Node, Origin};
use serde_json::json;

use super::prune::{PLACEHOLDER, Pruning, prune};
use super::*;
use crate::message::{Answer, Block, Message, StopReason, Usage};
use crate::session::history::Recorded;

fn recorded(n: usize, message: Message) -> Recorded {
    Recorded { entry: n.to_string(), at: Timestamp::UNIX_EPOCH, message }
}

fn answer(text: &str) -> Message {
    Message::Assistant(Answer {
        blocks: vec![Block::Text(text.to_owned())],
        stop: StopReason::EndTurn,
        usage: Usage::default(),
        api: "anthropic-messages",
        provider: "p".to_owned(),
        model: "m".to_owned(),
    })
}

fn result(chars: usize) -> Message {
    let content = vec![Block::Text("r".repeat(chars))];
    Message::ToolResult { call_id: "c".to_owned(), tool: "read".to_owned(), content, is_error: false }
}

fn user(chars: usize) -> Message {
    Message::User(vec![Block::Text("u".repeat(chars))])
}

fn chars(m: &Recorded) -> usize {
    estimate::message_chars(&m.message)
}

#[test]
fn windows_are_capped_warned_about_and_refused() {
    let node = |v| Node::from_json(&v, &Origin::Default);
    let of = |v: serde_json::Value, tokens| Window::of(&node(v), tokens);
    assert_eq!(of(json!({}), 200_000), Window { tokens: 200_000, reserve: 20_000 });
    let capped = json!({ "agents": { "defaults": { "contextTokens": 50_000, "compaction": { "reserveTokensFloor": 30_000 } } } });
    assert_eq!(of(capped.clone(), 200_000), Window { tokens: 50_000, reserve: 25_000 });
    assert_eq!(of(capped, 8_000).tokens, 8_000);
    for (tokens, fit) in
        [(15_999, Fit::TooSmall), (16_000, Fit::Small), (31_999, Fit::Small), (32_000, Fit::Good)]
    {
        assert_eq!(of(json!({}), tokens).fit(), fit, "{tokens}");
    }
    assert_eq!(of(json!({}), 200_000).room(), 180_000);
}

#[test]
fn old_results_are_trimmed_and_then_taken_out() {
    let window = Window { tokens: 20_000, reserve: 0 };
    let pruning = Pruning { least_prunable: 5_000, ..Pruning::default() };
    let later = Timestamp::from_second(301).unwrap();
    let build = |sizes: [usize; 3]| {
        let mut all = vec![recorded(0, user(10))];
        for (n, size) in sizes.into_iter().enumerate() {
            all.push(recorded(n * 2 + 1, answer("a")));
            all.push(recorded(n * 2 + 2, result(size)));
        }
        all.extend([recorded(90, answer("b")), recorded(91, answer("c"))]);
        all
    };
    // Not before the cache is cold, not below the share, not in the last three answers.
    let mut young = build([60_000, 10, 10]);
    let before = young.clone();
    prune(&mut young, &pruning, window, Timestamp::from_second(299).unwrap());
    assert_eq!(young, before);
    let mut small = build([10_000, 10, 10]);
    let before = small.clone();
    prune(&mut small, &pruning, window, later);
    assert_eq!(small, before);
    // Trimmed: head and tail.
    let mut long = build([30_000, 4_000, 30_000]);
    prune(&mut long, &pruning, window, later);
    assert!((3_000..3_200).contains(&chars(&long[2])), "{}", chars(&long[2]));
    assert_eq!(chars(&long[4]), 4_016, "4000 characters stay");
    assert_eq!(chars(&long[6]), 30_016, "the last answers stay");
    // Taken out, oldest first, as far as needed.
    let mut full = build([4_000, 4_000, 60_000]);
    prune(&mut full, &pruning, window, later);
    let Message::ToolResult { content, .. } = &full[2].message else { panic!() };
    assert_eq!(content, &[Block::Text(PLACEHOLDER.to_owned())]);
    // Too little to gain.
    let mut full = build([4_000, 4_000, 60_000]);
    let before = full.clone();
    prune(&mut full, &Pruning::default(), window, later);
    assert_eq!(full, before);
}

#[test]
fn pruning_is_off_unless_it_is_switched_on() {
    let of = |v: serde_json::Value| {
        Pruning::from_config(&Node::from_json(
            &json!({ "agents": { "defaults": { "contextPruning": v } } }),
            &Origin::Default,
        ))
    };
    assert_eq!(of(json!({})), None);
    assert_eq!(of(json!({ "mode": "off" })), None);
    assert_eq!(of(json!({ "mode": "cache-ttl" })), Some(Pruning::default()));
    let set = of(
        json!({ "mode": "cache-ttl", "ttl": "1h", "keepLastAssistants": 1, "softTrim": { "maxChars": 10 } }),
    )
    .unwrap();
    assert_eq!((set.ttl.as_secs(), set.keep_answers, set.trim_over), (3600, 1, 10));
}

#[test]
fn a_plan_keeps_the_tail_and_never_parts_a_call_from_its_result() {
    let window = Window { tokens: 40_000, reserve: 20_000 };
    // Room is 20,000 tokens; 10,000 are kept.
    let all: Vec<Recorded> =
        [user(20_000), answer("a"), result(20_000), answer("b"), result(36_000), answer("c")]
            .into_iter()
            .enumerate()
            .map(|(n, m)| recorded(n, m))
            .collect();
    let plan = compact::plan(&all, window).unwrap();
    assert_eq!(plan.first_kept, "3", "the answer that asked for the kept result");
    assert!(plan.record.starts_with("[People] uuu") && plan.record.contains("[Tool read] rrr"));
    assert!(plan.record.chars().count() < 23_000, "results are shortened");
    assert_eq!(compact::plan(&all[..1], window), None);
    assert_eq!(compact::plan(&[], window), None);
    // Everything fits into what is kept: nothing to shorten.
    assert_eq!(compact::plan(&[recorded(0, user(10)), recorded(1, answer("x"))], window), None);
    let Message::User(blocks) = compact::question(&plan, window, "0011") else { panic!() };
    let Block::Text(text) = &blocks[0] else { panic!() };
    assert!(text.contains("Source: Earlier messages"));
}

#[test]
fn a_huge_last_message_is_kept_alone() {
    let window = Window { tokens: 40_000, reserve: 20_000 };
    let all = [recorded(0, user(10)), recorded(1, answer("a")), recorded(2, user(100_000))];
    assert_eq!(compact::plan(&all, window).unwrap().first_kept, "2");
}
