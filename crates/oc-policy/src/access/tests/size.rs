//! Absurd sizes stay linear.

use super::*;

#[test]
fn ten_thousand_groups_and_a_hundred_thousand_entries_are_decided_in_one_pass() {
    let groups: serde_json::Map<_, _> =
        (0..10_000).map(|i| (format!("-{i}"), json!({"requireMention": false}))).collect();
    let mut senders: Vec<Value> = (0..100_000).map(|i| json!(i)).collect();
    senders.push(json!("999999"));
    let config = node(
        &json!({"channels": {"telegram": {"groups": groups, "groupAllowFrom": senders, "allowFrom": ["*"]}}}),
    );
    let policy = AccessPolicy::new(&config).unwrap();
    let mut m = message("telegram", ConversationKind::Group, "999999");
    m.conversation = ConversationId::new("-9999");
    let start = std::time::Instant::now();
    for _ in 0..10 {
        assert_eq!(policy.decide(&m, &PairingView::empty(NOW)).outcome.word(), "allow");
    }
    // A quadratic pass would take hours; the bound is generous for a loaded machine and an unoptimised build.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
