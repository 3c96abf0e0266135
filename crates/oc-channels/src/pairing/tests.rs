use proptest::prelude::*;

use super::*;

fn counter() -> impl FnMut(&mut [u8; CODE_LENGTH]) {
    let mut n = 0u64;
    move |bytes| {
        n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
        *bytes = n.rotate_left(17).to_le_bytes();
    }
}

#[test]
fn sp_411_codes_come_from_the_alphabet_and_skip_those_in_use() {
    let mut zero = |bytes: &mut [u8; CODE_LENGTH]| *bytes = [0; CODE_LENGTH];
    assert_eq!(new_code(&mut zero, |_| false).unwrap(), "AAAAAAAA");
    assert_eq!(new_code(&mut zero, |_| true), Err(CodeExhausted));
}

#[test]
fn sp_013_codes_are_unbiased_over_their_alphabet() {
    let mut counts = [0u32; 32];
    for b in 0..=255u8 {
        let mut same = |bytes: &mut [u8; CODE_LENGTH]| *bytes = [b; CODE_LENGTH];
        let code = new_code(&mut same, |_| false).unwrap();
        counts[ALPHABET.iter().position(|a| *a == code.as_bytes()[0]).unwrap()] += 1;
    }
    assert_eq!(counts, [8; 32]);
}

#[test]
fn sp_411_an_approval_binds_the_sender_and_happens_once() {
    let mut random = counter();
    let mut pending = Pending::default();
    let Upserted::Created { code } = pending.upsert("7", &[], 0, &mut random).unwrap() else { panic!() };
    assert_eq!(pending.approve("", 0), None);
    assert_eq!(pending.approve("AAAAAAAA", 0), None);
    assert_eq!(pending.approve(&format!(" {} ", code.to_lowercase()), REQUEST_LIFETIME_MS).unwrap().id, "7");
    assert_eq!(pending.approve(&code, 0), None, "a code works once");
    let Upserted::Created { code } = pending.upsert("8", &[], 0, &mut random).unwrap() else { panic!() };
    assert_eq!(pending.approve(&code, REQUEST_LIFETIME_MS + 1), None, "an expired code is dead");
}

#[test]
fn sp_008_a_store_of_another_form_is_an_error() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{\"version\":2,\"allowFrom\":[]}",
        "{\"version\":1}",
        "{\"allowFrom\":{}}",
        "{\"allowFrom\":[null]}",
    ] {
        assert!(parse_approved(text).is_err(), "{text}");
        assert!(parse_pending(text).is_err(), "{text}");
    }
    assert_eq!(parse_approved("{\"version\":1,\"allowFrom\":[\"*\", 7]}").unwrap(), ["*", "7"]);
}

#[test]
fn sp_018_channel_names_cannot_leave_the_folder() {
    for (name, stem) in [(" Telegram ", "telegram"), ("a/../b", "a___b"), ("a:b", "a_b"), ("...", "_.")] {
        assert_eq!(file_stem(name).unwrap(), stem);
    }
    for name in ["", " ", "/", "..", "*"] {
        assert!(file_stem(name).is_err(), "{name}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write(u8),
    Approve(usize),
    Wait(i64),
}

proptest! {
    #[test]
    fn sp_411_never_more_than_the_cap_and_never_the_same_sender_twice(steps in prop::collection::vec(prop_oneof![
        (0..8u8).prop_map(Step::Write), (0..4usize).prop_map(Step::Approve), (0..4_000_000i64).prop_map(Step::Wait),
    ], 0..60)) {
        let (mut pending, mut now, mut random) = (Pending::default(), 0, counter());
        for step in steps {
            match step {
                Step::Write(id) => {
                    let known = pending.requests().iter().any(|r| r.id == id.to_string() && !is_expired(r.created_ms, now));
                    let answer = pending.upsert(&id.to_string(), &[], now, &mut random).unwrap();
                    prop_assert_eq!(matches!(answer, Upserted::Known { .. }), known);
                }
                Step::Approve(i) => {
                    if let Some(r) = pending.requests().get(i).cloned() {
                        let alive = !is_expired(r.created_ms, now);
                        prop_assert_eq!(pending.approve(&r.code, now).map(|a| a.id), alive.then_some(r.id));
                    }
                }
                Step::Wait(ms) => now += ms,
            }
            prop_assert!(pending.requests().len() <= MAX_PENDING);
            let mut ids: Vec<_> = pending.requests().iter().map(|r| &r.id).collect();
            ids.sort();
            ids.dedup();
            prop_assert_eq!(ids.len(), pending.requests().len());
        }
    }
}
