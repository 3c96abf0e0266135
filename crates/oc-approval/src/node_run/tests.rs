use proptest::prelude::*;
use serde_json::json;

use super::*;

const BOTH: Offer = Offer { allowed: true, declared: true };

fn run(params: &Value) -> SystemRun {
    SystemRun::read(params).unwrap()
}

#[test]
fn sp_176_a_claim_alone_is_refused_and_no_mark_is_copied() {
    for claim in [
        json!({"approved": true}),
        json!({"approvalDecision": "allow-once"}),
        json!({"approvalDecision": "x"}),
    ] {
        let mut params = json!({"command": ["ls"]});
        params.as_object_mut().unwrap().extend(claim.as_object().unwrap().clone());
        assert_eq!(run(&params).needs(BOTH), Err(NotSent::NotApproved), "{params}");
        assert_eq!(run(&params).message(BOTH, "r", None), Err(NotSent::NotApproved));
    }
    let quiet =
        run(&json!({"command": ["ls"], "approved": false, "approvalDecision": null, "runId": "mine"}));
    assert_eq!(quiet.needs(BOTH), Ok(Needs::Nothing));
    assert_eq!(quiet.message(BOTH, "r", None).unwrap(), json!({"command": ["ls"], "runId": "r"}));
    let claimed = json!({"command": ["ls"], "approved": true, "runId": "id", "env": {"A": "b"}});
    assert_eq!(run(&claimed).needs(BOTH), Err(NotSent::Environment));
}

#[test]
fn a_node_that_does_not_offer_it_is_sent_nothing() {
    let run = run(&json!({"command": ["ls"]}));
    for (offer, why) in [
        (Offer { allowed: false, declared: true }, NotSent::NotAllowed),
        (Offer { allowed: true, declared: false }, NotSent::NotDeclared),
        (Offer { allowed: false, declared: false }, NotSent::NotAllowed),
    ] {
        assert_eq!(run.needs(offer), Err(why));
        assert_eq!(run.message(offer, "r", None), Err(why));
    }
}

#[test]
fn sp_170_raw_command_says_what_runs_or_the_call_is_refused() {
    let ok = |argv: &[&str], raw: &str| SystemRun::read(&json!({"command": argv, "rawCommand": raw})).is_ok();
    assert!(ok(&["ls", "-l"], "ls -l"));
    assert!(ok(&["ls", "a b"], "ls 'a b'") && ok(&["ls", "a b"], "ls \"a b\""));
    assert!(ok(&["/bin/sh", "-lc", "ls | wc"], "ls | wc"));
    assert!(!ok(&["rm", "-rf", "/"], "ls -l"));
    assert!(!ok(&["/bin/sh", "-lc", "rm -rf /"], "ls"));
    assert!(!ok(&["ls", "*"], "ls *"), "a pattern is no literal word");
    assert!(!ok(&["ls", "a b"], "ls a b"));
    assert!(!ok(&["python3", "-c", "x"], "x"));
}

#[test]
fn parameters_are_a_closed_object() {
    for bad in [
        json!({}),
        json!({"command": "ls"}),
        json!({"command": []}),
        json!({"command": [" "]}),
        json!({"command": ["ls"], "elevated": true}),
        json!({"command": ["ls"], "timeoutMs": -1}),
        json!({"command": ["ls", "a\u{0}b"]}),
        json!({"command": ["ls"], "cwd": "/\u{0}"}),
        json!({"command": vec!["x"; MAX_WORDS + 1]}),
        json!({"command": ["x".repeat(oc_shell::MAX_BYTES + 1)]}),
        json!(null),
    ] {
        assert!(SystemRun::read(&bad).is_err(), "{}", oc_text::visible(&bad.to_string(), 80));
    }
}

#[test]
fn an_answer_is_given_out_once_to_who_asked_while_it_lives() {
    let mut desk = Desk::default();
    assert!(desk.keep("a".to_owned(), "me".to_owned(), 1, 1_000).is_empty());
    assert_eq!(desk.take("a", "you", 1_000), None);
    assert_eq!(desk.take("b", "me", 1_000), None);
    assert_eq!(desk.take("a", "me", 999), None, "the clock was set back");
    assert_eq!(desk.take("a", "me", 1_000 + LIVE_MS), None);
    assert_eq!(desk.take("a", "me", 1_000 + LIVE_MS - 1), Some(1));
    assert_eq!(desk.take("a", "me", 1_000), None);
    let late = (0..70).flat_map(|n| desk.keep(n.to_string(), "me".to_owned(), n, 1_000)).count();
    assert_eq!(late, 6, "there is room for so many");
    assert_eq!(desk.expire(1_000 + LIVE_MS).len(), 64);
}

proptest! {
    #[test]
    fn the_line_of_a_vector_is_read_back_as_the_vector(argv in proptest::collection::vec("[ -~äß]{0,8}", 1..6)) {
        prop_assume!(!argv[0].trim().is_empty());
        let line = line::of(&argv);
        // A text that the reader refuses is asked about as a whole; what it does read is exactly the vector.
        if let Ok(run) = SystemRun::read(&json!({"command": argv, "rawCommand": line})) {
            prop_assert_eq!(run.line(), line.as_str());
        } else {
            prop_assert!(false, "{:?}", argv);
        }
        let twice = canonical(&line).into_owned();
        prop_assert_eq!(canonical(&twice).into_owned(), twice);
    }
}
