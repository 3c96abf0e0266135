use super::*;
use crate::approver::{Approvers, Permit};
use crate::binding::{Field, Host};
use crate::request::SandboxOffer;
use crate::sample;

fn owner(pid: u32) -> Owner {
    Owner { pid, started: format!("boot:{pid}") }
}

fn asking(pid: u32) -> Asking {
    Asking { kind: Kind::Exec, owner: owner(pid), id: None, timeout_ms: 300_000 }
}

/// Ids `00..`, `01..`: predictable where the machine takes randomness as an argument.
fn counter() -> impl FnMut() -> Option<[u8; 16]> {
    let mut n = 0u8;
    move || {
        n += 1;
        Some([n; 16])
    }
}

fn one() -> (Requests, Record) {
    let mut requests = Requests::default();
    let record = requests.take(sample::asked(&["npm-like", "x"]), asking(1), 1_000, &mut counter()).unwrap();
    (requests, record)
}

fn me() -> Permit {
    Permit::terminal("me")
}

#[test]
fn sp_173_an_approval_is_taken_up_once() {
    let (mut q, r) = one();
    assert_eq!(q.consume(&r.id, &owner(1), &r.binding, 2_000), Err(NotGranted::Pending));
    assert!(matches!(q.answer(&r.code, Decision::AllowOnce, None, &me(), 3_000), Ok(Answered::Now(_))));
    assert_eq!(q.consume(&r.id, &owner(2), &r.binding, 3_000), Err(NotGranted::Unknown));
    let grant = q.consume(&r.id, &owner(1), &r.binding, 3_000).unwrap();
    assert_eq!(grant.answer.decision, Decision::AllowOnce);
    assert_eq!(q.consume(&r.id, &owner(1), &r.binding, 3_001), Err(NotGranted::Used));
    // A retry of the wait learns the same for a while, and cannot run again.
    assert!(matches!(q.wait(&r.id, &owner(1), 3_000 + WAIT_RETRY_MS - 1), Waiting::Answered(_)));
    assert_eq!(q.wait(&r.id, &owner(1), 3_000 + WAIT_RETRY_MS), Waiting::Unknown);
    q.started(&r.id, &owner(1));
    assert_eq!(q.get(&r.id).unwrap().state, State::Running);
    q.finished(&r.id, &owner(1), Ending::Exit(0));
    assert_eq!(q.get(&r.id).unwrap().state, State::Finished { ending: Ending::Exit(0) });
    assert_eq!(q.consume(&r.id, &owner(1), &r.binding, 4_000), Err(NotGranted::Used));
}

#[test]
fn sp_173_anything_changed_ends_the_approval() {
    for (argv, want) in [
        (vec!["npm-like", "y"], NotGranted::Mismatch(Field::Text)),
        (vec!["/usr/bin/npm-like", "x"], NotGranted::Mismatch(Field::Text)),
    ] {
        let (mut q, r) = one();
        q.answer(&r.id, Decision::AllowOnce, None, &me(), 2_000).unwrap();
        let other = sample::asked(&argv).binding;
        assert_eq!(q.consume(&r.id, &owner(1), &other, 2_000), Err(want));
        assert_eq!(
            q.consume(&r.id, &owner(1), &r.binding, 2_000),
            Err(NotGranted::Denied(Denial::ApprovalMismatch)),
            "the right one afterwards does not run either"
        );
    }
    let (mut q, r) = one();
    q.answer(&r.id, Decision::AllowOnce, None, &me(), 2_000).unwrap();
    let mut plan = sample::plan(&["npm-like", "x"]);
    plan.segments[0].executable.as_mut().unwrap().identity.inode += 1;
    let swapped = Asked::of(&plan, &sample::circumstances(), SandboxOffer::None, &sample::host()).unwrap();
    assert_eq!(q.consume(&r.id, &owner(1), &swapped.binding, 2_000), Err(NotGranted::ExecutableChanged));
}

#[test]
fn sp_174_an_answer_at_the_end_is_too_late_and_one_before_counts_afterwards() {
    let (mut q, r) = one();
    assert_eq!(r.expires_at_ms, 301_000);
    let mut late = q.clone();
    assert_eq!(late.answer(&r.code, Decision::AllowOnce, None, &me(), 301_000), Err(Refused::Unknown));
    assert_eq!(
        late.wait(&r.id, &owner(1), 301_000),
        Waiting::Denied { reason: Denial::ApprovalTimeout, detail: String::new() }
    );
    q.answer(&r.code, Decision::AllowOnce, None, &me(), 300_999).unwrap();
    assert!(q.consume(&r.id, &owner(1), &r.binding, 900_000).is_ok());
    // A clock that was set back far does not lengthen the time.
    let (mut q, r) = one();
    q.records[0].created_at_ms = 500_000;
    q.records[0].expires_at_ms = 800_000;
    assert_eq!(q.answer(&r.code, Decision::AllowOnce, None, &me(), 1_000), Err(Refused::Unknown));
}

#[test]
fn sp_174_a_restart_denies_what_waited_and_what_was_allowed() {
    let (mut q, a) = one();
    let mut random = || Some([9u8; 16]);
    let b = q.take(sample::asked(&["other"]), asking(2), 1_000, &mut random).unwrap();
    q.answer(&b.code, Decision::AllowOnce, None, &me(), 1_500).unwrap();
    assert_eq!(q.bury(&mut |o| o.pid == 2, 2_000), vec![b.id.clone()]);
    assert_eq!(
        q.consume(&b.id, &owner(2), &b.binding, 2_000),
        Err(NotGranted::Denied(Denial::GatewayRestart))
    );
    assert_eq!(q.get(&a.id).unwrap().state, State::Pending, "the living go on");
    q.answer(&a.code, Decision::AllowOnce, None, &me(), 2_000).unwrap();
    q.consume(&a.id, &owner(1), &a.binding, 2_000).unwrap();
    assert!(q.bury(&mut |_| true, 3_000).is_empty(), "it was running: lost, not denied");
    assert_eq!(q.get(&a.id).unwrap().state, State::Finished { ending: Ending::Lost });
}

#[test]
fn the_first_answer_wins_and_the_same_again_succeeds() {
    let (mut q, r) = one();
    q.answer(&r.code, Decision::Deny, None, &me(), 2_000).unwrap();
    assert!(matches!(q.answer(&r.id, Decision::Deny, None, &me(), 2_001), Ok(Answered::Already(_))));
    let recorded = Answer { decision: Decision::Deny, target: None };
    assert_eq!(q.answer(&r.id, Decision::AllowOnce, None, &me(), 2_001), Err(Refused::Otherwise(recorded)));
    assert_eq!(
        q.wait(&r.id, &owner(1), 2_001),
        Waiting::Denied { reason: Denial::UserDenied, detail: String::new() }
    );
}

#[test]
fn sp_175_codes_prefixes_and_ids_and_one_answer_for_what_is_not_there() {
    let mut q = Requests::default();
    let mut ids =
        ["abcdef01-0000-4000-8000-000000000001", "abcdef02-0000-4000-8000-000000000002"].into_iter();
    for pid in [1, 2] {
        let asking = Asking { id: ids.next().map(str::to_owned), ..asking(pid) };
        q.take(sample::asked(&["x"]), asking, 1_000, &mut || None).unwrap();
    }
    for key in ["ABCDEF01", "abcdef01-00", " abcdef01-0000-4000-8000-000000000001 "] {
        let mut q = q.clone();
        let got = q.answer(key, Decision::Deny, None, &me(), 2_000).unwrap();
        assert_eq!(got.record().owner.pid, 1, "{key}");
    }
    // Too short, unknown, expired, aborted and another agent's: one answer.
    assert_eq!(q.answer("abcdef0", Decision::Deny, None, &me(), 2_000), Err(Refused::Unknown));
    assert_eq!(q.answer("ffffffff", Decision::Deny, None, &me(), 2_000), Err(Refused::Unknown));
    let foreign = me().within(&["work".to_owned()], &[]);
    assert_eq!(q.answer("abcdef01", Decision::Deny, None, &foreign, 2_000), Err(Refused::Unknown));
    let mut later = q.clone();
    assert_eq!(later.answer("abcdef01", Decision::Deny, None, &me(), 999_000), Err(Refused::Unknown));
    let mut aborted = q.clone();
    assert_eq!(aborted.abort_session("agent:main:main", 2_000).len(), 2);
    assert_eq!(aborted.answer("abcdef01", Decision::Deny, None, &me(), 2_000), Err(Refused::Unknown));
    // A shared start names nobody.
    q.take(
        sample::asked(&["x"]),
        Asking { id: Some("custom-id-1".to_owned()), ..asking(3) },
        1_000,
        &mut || None,
    )
    .unwrap();
    q.take(
        sample::asked(&["x"]),
        Asking { id: Some("custom-id-2".to_owned()), ..asking(3) },
        1_000,
        &mut || None,
    )
    .unwrap();
    assert_eq!(q.answer("custom-id", Decision::Deny, None, &me(), 2_000), Err(Refused::Ambiguous));
    let code = q.get("custom-id-2").unwrap().code.clone();
    assert_eq!(q.answer(&code, Decision::Deny, None, &me(), 2_000).unwrap().record().id, "custom-id-2");
}

#[test]
fn sp_175_ids_are_version_4_and_codes_of_pending_requests_differ() {
    let mut draws = [[1u8; 16], [1u8; 16], [2u8; 16]].into_iter();
    let mut random = || draws.next();
    let mut q = Requests::default();
    let a = q.take(sample::asked(&["x"]), asking(1), 0, &mut random).unwrap();
    let b = q.take(sample::asked(&["x"]), asking(1), 0, &mut random).unwrap();
    assert_eq!(a.id, "01010101-0101-4101-8101-010101010101");
    assert_eq!((a.code.as_str(), b.code.as_str()), ("01010101", "02020202"));
    assert_eq!(q.take(sample::asked(&["x"]), asking(1), 0, &mut || None), Err(NotTaken::Random));
    for id in ["", "with space", "a\nb", &"x".repeat(129), &a.id.to_uppercase()] {
        let asking = Asking { id: Some(id.to_owned()), ..asking(1) };
        assert_eq!(q.take(sample::asked(&["x"]), asking, 0, &mut || None), Err(NotTaken::Id), "{id}");
    }
}

#[test]
fn sp_175_ten_wrong_codes_mute_the_sender_and_nobody_else() {
    let (mut q, r) = one();
    let stranger = Permit::client("a", &["operator.approvals"]).unwrap();
    for n in 0..10 {
        assert_eq!(q.answer("00000000", Decision::Deny, None, &stranger, 2_000 + n), Err(Refused::Unknown));
    }
    assert_eq!(q.answer(&r.code, Decision::AllowOnce, None, &stranger, 3_000), Err(Refused::Muted));
    let other = Permit::client("b", &["operator.approvals"]).unwrap();
    assert!(q.clone().answer(&r.code, Decision::AllowOnce, None, &other, 3_000).is_ok());
    q.records[0].expires_at_ms = 2_000_000;
    assert!(q.answer(&r.code, Decision::AllowOnce, None, &stranger, 602_010).is_ok());
}

#[test]
fn queues_are_bounded() {
    let mut q = Requests::default();
    let mut n = 0u32;
    let mut random = move || {
        n += 1;
        let mut id = [0u8; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        Some(id)
    };
    let of_session = |n: usize| {
        let mut at = sample::circumstances();
        at.session = format!("agent:main:s{n}");
        Asked::of(&sample::plan(&["x"]), &at, SandboxOffer::None, &sample::host()).unwrap()
    };
    for n in 0..8 {
        q.take(of_session(0), asking(n), 0, &mut random).unwrap();
    }
    let refused = q.take(of_session(0), asking(1), 0, &mut random).unwrap_err();
    assert!(refused.to_string().starts_with("too-many-pending: 8 "), "{refused}");
    for n in 8..64 {
        q.take(of_session(n), asking(1), 0, &mut random).unwrap();
    }
    assert!(matches!(
        q.take(of_session(99), asking(1), 0, &mut random),
        Err(NotTaken::TooMany { pending: 64, .. })
    ));
    // What is over goes, oldest first; what waits stays.
    for round in 0..10 {
        q.expire(400_000 * (round + 1));
        for n in 0..60 {
            q.take(of_session(n), asking(1), 400_000 * (round + 1), &mut random).unwrap();
        }
    }
    assert_eq!(q.pending().count(), 60);
    assert!(q.records().count() <= 60 + MAX_OVER);
}

#[test]
fn decisions_that_are_not_offered_are_refused() {
    let mut at = sample::circumstances();
    at.ask = crate::approvals_file::Ask::Always;
    let asked = Asked::of(&sample::plan(&["x"]), &at, SandboxOffer::None, &sample::host()).unwrap();
    let mut q = Requests::default();
    let r = q.take(asked, asking(1), 0, &mut counter()).unwrap();
    let refused = q.answer(&r.code, Decision::AllowAlways, None, &me(), 1).unwrap_err();
    assert_eq!(refused.to_string(), "APPROVAL_ALLOW_ALWAYS_UNAVAILABLE: this request takes allow-once, deny");
    assert!(matches!(
        q.answer(&r.code, Decision::AllowOnce, Some(Target::Host), &me(), 1),
        Err(Refused::Target(Target::Host))
    ));
    assert!(q.answer(&r.code, Decision::AllowOnce, None, &me(), 1).is_ok());
}

#[test]
fn a_prompt_for_the_place_takes_the_sandbox_when_there_is_one() {
    let open = |sandbox| {
        let mut at = sample::circumstances();
        at.host = Host::Prompt;
        let asked = Asked::of(&sample::plan(&["x"]), &at, sandbox, &sample::host()).unwrap();
        let mut q = Requests::default();
        let r = q.take(asked, asking(1), 0, &mut counter()).unwrap();
        (q, r)
    };
    let (mut q, r) = open(SandboxOffer::Available);
    let got = q.answer(&r.code, Decision::AllowOnce, None, &me(), 1).unwrap();
    assert_eq!(got.record().answer.as_ref().unwrap().target, Some(Target::Sandbox));
    let got = q.answer(&r.code, Decision::AllowOnce, Some(Target::Host), &me(), 1).unwrap_err();
    assert!(matches!(got, Refused::Otherwise(_)));
    let (mut q, r) = open(SandboxOffer::None);
    assert_eq!(q.answer(&r.code, Decision::AllowOnce, None, &me(), 1), Err(Refused::TargetMissing));
    assert_eq!(
        q.answer(&r.code, Decision::AllowOnce, Some(Target::Sandbox), &me(), 1),
        Err(Refused::Target(Target::Sandbox))
    );
    let got = q.answer(&r.code, Decision::AllowOnce, Some(Target::Host), &me(), 1).unwrap();
    assert_eq!(got.record().answer.as_ref().unwrap().target, Some(Target::Host));
}

#[test]
fn sp_177_rules_that_refuse_now_deny_what_has_not_started() {
    let (mut q, r) = one();
    q.answer(&r.code, Decision::AllowOnce, None, &me(), 2_000).unwrap();
    assert!(q.reevaluate(&mut |_| Reevaluated::Stands, 2_000).is_empty());
    assert_eq!(q.reevaluate(&mut |_| Reevaluated::Refused, 2_000), vec![r.id.clone()]);
    assert_eq!(
        q.consume(&r.id, &owner(1), &r.binding, 2_000),
        Err(NotGranted::Denied(Denial::PolicyChanged))
    );
}

#[test]
fn sp_176_a_request_cannot_carry_its_own_answer() {
    let (_, r) = one();
    let honest = serde_json::to_value(&r.request).unwrap();
    assert!(serde_json::from_value::<crate::request::Request>(honest.clone()).is_ok());
    for field in ["approved", "approvalDecision", "decision", "answer", "resolvedBy", "state", "allowAlways"]
    {
        let mut with = honest.clone();
        with[field] = serde_json::json!("allow-once");
        assert!(serde_json::from_value::<crate::request::Request>(with).is_err(), "{field}");
    }
}

#[test]
fn sp_203_a_button_answers_its_own_request_and_only_for_listed_clickers() {
    let (mut q, r) = one();
    let other = q.take(sample::asked(&["y"]), asking(1), 1_000, &mut || Some([200; 16])).unwrap();
    let approvers = Approvers { exec: Some(vec!["42".to_owned()]), plugin: None };
    assert!(Permit::button("discord", "43", &approvers, Kind::Exec, &r.id).is_err());
    let permit = Permit::button("discord", "42", &approvers, Kind::Exec, &r.id).unwrap();
    assert_eq!(q.answer(&other.id, Decision::AllowOnce, None, &permit, 2_000), Err(Refused::Unknown));
    assert!(q.answer(&r.id, Decision::AllowOnce, None, &permit, 2_000).is_ok());
}
