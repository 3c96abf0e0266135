use super::*;

fn frame(bytes: usize) -> Utf8Bytes {
    "x".repeat(bytes).into()
}

fn ending(outbox: &Outbox) -> Option<Ending> {
    match outbox.take() {
        Some(Next::End(ending)) => Some(ending),
        _ => None,
    }
}

#[test]
fn frames_leave_in_order_and_then_the_ending() {
    let outbox = Outbox::default();
    outbox.push("a".into(), Weight::Needed);
    outbox.push("b".into(), Weight::DropIfSlow);
    outbox.end(Ending::after(Close::Restart, "service restart"));
    outbox.push("c".into(), Weight::Needed);
    let next = |o: &Outbox| match o.take() {
        Some(Next::Frame(f)) => f.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!((next(&outbox), next(&outbox)), ("a".to_owned(), "b".to_owned()));
    assert_eq!(ending(&outbox).unwrap().close, Close::Restart);
}

#[test]
fn a_slow_reader_misses_ticks_and_is_ended_by_what_it_needs() {
    let outbox = Outbox::default();
    outbox.push(frame(MAX_BUFFERED), Weight::Needed);
    outbox.push(frame(1), Weight::DropIfSlow);
    assert!(!outbox.is_ending());
    outbox.push(frame(1), Weight::Needed);
    assert!(outbox.is_over());
    assert_eq!(ending(&outbox).unwrap(), Ending::now(Close::Policy, "slow consumer"));
}

#[test]
fn sp_328_an_ending_for_safety_waits_for_nothing_and_the_first_one_counts() {
    let outbox = Outbox::default();
    outbox.push("a".into(), Weight::Needed);
    outbox.end(Ending::now(Close::Policy, "token revoked"));
    outbox.end(Ending::after(Close::Restart, "service restart"));
    assert_eq!(ending(&outbox).unwrap().reason, "token revoked");
}
