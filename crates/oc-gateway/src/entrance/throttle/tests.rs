#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn at(address: &str) -> Caller {
    Caller::At(address.parse().unwrap())
}

fn shared(t: &mut Throttle, caller: Caller, now: u64) -> Admission {
    t.attempt(Class::SharedSecret, caller, false, now)
}

/// An attempt with a wrong credential.
fn wrong(t: &mut Throttle, caller: Caller, now: u64) -> Admission {
    let admission = shared(t, caller, now);
    if admission == Admission::Now {
        assert_eq!(t.failed(Class::SharedSecret, caller, false, now), 0);
    }
    admission
}

#[test]
fn sp_336_attempts_at_the_same_time_share_the_budget_and_lock_nobody_out_before_they_are_wrong() {
    let caller = at("203.0.113.9");
    let mut t = Throttle::new(Limits::default());
    let begun: Vec<_> = (0..12).map(|_| shared(&mut t, caller, 0)).collect();
    assert_eq!(begun.iter().filter(|a| **a == Admission::Now).count(), 10);
    assert_eq!(begun[10..], [Admission::Busy; 2]);
    // One of them was wrong: its place is gone for good. One was right: everybody's errors are forgotten.
    t.failed(Class::SharedSecret, caller, false, 0);
    assert_eq!(shared(&mut t, caller, 0), Admission::Busy);
    t.succeeded(Class::SharedSecret, caller, false);
    assert_eq!((shared(&mut t, caller, 0), shared(&mut t, caller, 0)), (Admission::Now, Admission::Now));
    for _ in 0..10 {
        t.failed(Class::SharedSecret, caller, false, 0);
    }
    assert_eq!(shared(&mut t, caller, 0), Admission::Locked(300_000));
}

#[test]
fn sp_337_a_right_credential_that_was_under_way_opens_a_lock_again() {
    let caller = at("203.0.113.9");
    let mut t = Throttle::new(Limits { max_attempts: 2, ..Limits::default() });
    assert_eq!((shared(&mut t, caller, 0), shared(&mut t, caller, 0)), (Admission::Now, Admission::Now));
    t.failed(Class::SharedSecret, caller, false, 0);
    t.failed(Class::SharedSecret, caller, false, 0);
    assert!(matches!(shared(&mut t, caller, 0), Admission::Locked(_)));
    t.succeeded(Class::SharedSecret, caller, false);
    assert_eq!(shared(&mut t, caller, 0), Admission::Now);
}

#[test]
fn sp_336_right_credentials_of_local_programs_never_wait() {
    let local = Caller::LocalDirect("127.0.0.1".parse().unwrap());
    let mut t = Throttle::new(Limits::default());
    for _ in 0..5 {
        t.failed(Class::SharedSecret, local, false, 0);
    }
    assert!((0..1_000).all(|_| shared(&mut t, local, 0) == Admission::Now));
    t.succeeded(Class::SharedSecret, local, false);
    assert!(t.is_empty());
}

#[test]
fn sp_336_the_budget_is_never_passed_by_one() {
    let mut t = Throttle::new(Limits::default());
    let caller = at("203.0.113.9");
    let tries: Vec<_> = (0..12).map(|_| wrong(&mut t, caller, 1_000)).collect();
    assert_eq!(tries.iter().filter(|a| **a == Admission::Now).count(), 10);
    assert_eq!(tries.last(), Some(&Admission::Locked(300_000)));
    assert_eq!(shared(&mut t, caller, 300_999), Admission::Locked(1));
    assert_eq!(shared(&mut t, caller, 301_000), Admission::Now);
    assert_eq!(shared(&mut t, at("203.0.113.10"), 1_000), Admission::Now);
}

#[test]
fn sp_336_ipv6_counts_by_its_network_and_the_unknown_share_one_budget() {
    let mut t = Throttle::new(Limits { max_attempts: 2, ..Limits::default() });
    wrong(&mut t, at("2001:db8:1:2::1"), 0);
    wrong(&mut t, at("2001:db8:1:2:ffff::9"), 0);
    assert!(matches!(shared(&mut t, at("2001:db8:1:2::77"), 0), Admission::Locked(_)));
    assert_eq!(shared(&mut t, at("2001:db8:1:3::1"), 0), Admission::Now);
    wrong(&mut t, Caller::Unknown, 0);
    wrong(&mut t, Caller::Unknown, 0);
    assert!(matches!(shared(&mut t, Caller::Unknown, 0), Admission::Locked(_)));
}

#[test]
fn sp_336_local_programs_wait_and_local_pages_are_locked() {
    let local = Caller::LocalDirect("127.0.0.1".parse().unwrap());
    let mut t = Throttle::new(Limits::default());
    let waits: Vec<_> = (0..8).map(|_| t.failed(Class::SharedSecret, local, false, 0)).collect();
    assert_eq!(waits, [0, 250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    let mut t = Throttle::new(Limits::default());
    for _ in 0..10 {
        t.attempt(Class::SharedSecret, local, true, 0);
        t.failed(Class::SharedSecret, local, true, 0);
    }
    assert!(matches!(t.attempt(Class::SharedSecret, local, true, 0), Admission::Locked(_)));
    // A page's guesses, and those of a proxy on this machine that nobody named, are not the local programs'.
    t.succeeded(Class::SharedSecret, local, false);
    assert_eq!(shared(&mut t, local, 0), Admission::Now);
    let proxied = Caller::At("127.0.0.1".parse().unwrap());
    assert!(matches!(t.attempt(Class::SharedSecret, proxied, false, 0), Admission::Locked(_)));
}

#[test]
fn sp_337_success_and_no_guess_give_the_budget_back() {
    let caller = at("203.0.113.9");
    let mut t = Throttle::new(Limits { max_attempts: 1, ..Limits::default() });
    for _ in 0..5 {
        assert_eq!(shared(&mut t, caller, 0), Admission::Now);
        t.succeeded(Class::SharedSecret, caller, false);
    }
    for _ in 0..5 {
        assert_eq!(shared(&mut t, caller, 0), Admission::Now);
        t.forget_one(Class::SharedSecret, caller, false);
    }
    assert_eq!(t.attempt(Class::Hook, caller, false, 0), Admission::Now);
}

#[test]
fn sp_336_memory_is_bounded_and_a_lock_outlives_a_flood() {
    let mut t = Throttle::new(Limits { max_attempts: 1, ..Limits::default() });
    let target = at("203.0.113.9");
    wrong(&mut t, target, 0);
    assert!(matches!(shared(&mut t, target, 0), Admission::Locked(_)));
    for n in 0..u32::try_from(MAX_KEYS).unwrap() + 50 {
        wrong(&mut t, Caller::At(IpAddr::V4((0x0a00_0000 + n).into())), 1);
    }
    assert!(t.len() <= MAX_KEYS);
    assert!(matches!(shared(&mut t, target, 2), Admission::Locked(_)));
}
