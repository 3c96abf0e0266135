use oc_types::{AgentId, Node, Origin};
use serde_json::json;

use super::*;

fn patterns(list: &serde_json::Value) -> MentionPatterns {
    let config =
        Node::from_json(&json!({"messages": {"groupChat": {"mentionPatterns": list}}}), &Origin::Default);
    MentionPatterns::for_agent(&config, &AgentId::normalized("main"))
}

#[test]
fn sp_017_patterns_run_in_linear_time_and_absurd_ones_are_skipped() {
    let text = "a".repeat(100_000);
    assert!(!patterns(&json!(["(a+)+$b", "(a|a)*c", "(.*)*x"])).matches(&text));
    let long = "a".repeat(1 << 20);
    assert_eq!(patterns(&json!([long, "(", "(?=x)", "a{1000}{1000}{1000}", "", 5])).len(), 0);
    let many: Vec<_> = (0..10_000).map(|i| json!(format!("p{i}"))).collect();
    assert_eq!(patterns(&json!(many)).len(), MAX_PATTERNS);
}

#[test]
fn patterns_mean_what_they_mean_in_javascript() {
    for (pattern, text, hit) in [
        (r"\bclawd\b", "はclawdです", true),
        (r"\bclawd\b", "clawdish", false),
        ("\u{8}clawd\u{8}", "hey clawd!", true),
        (r"^\d+$", "\u{0661}", false),
        (r"[\w-]+bot", "my-bot", true),
    ] {
        assert_eq!(patterns(&json!([pattern])).matches(text), hit, "{pattern} {text}");
    }
}

#[test]
fn names_in_other_scripts_are_found() {
    let config = json!({"agents": {"list": [{"id": "main", "identity": {"name": "\u{30af}\u{30ed}"}}]}});
    let config = Node::from_json(&config, &Origin::Default);
    assert!(
        MentionPatterns::for_agent(&config, &AgentId::normalized("main"))
            .matches("\u{30af}\u{30ed}\u{3055}\u{3093}")
    );
}

#[test]
fn at_names_are_words_after_an_at_sign() {
    assert_eq!(at_names("@a hi @b_c, x@y.z @ (@d)").collect::<Vec<_>>(), ["a", "b_c", "d"]);
}
