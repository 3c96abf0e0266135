#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::authority::{Scope, Scopes};
use crate::entrance::device::Device;
use crate::protocol::connect::Role;

const NOW: u64 = 1_700_000_000_000;

fn scopes(words: &[&str]) -> Scopes {
    Scopes::read(words.iter().copied())
}

fn device(n: u32) -> Device {
    Device { id: format!("device-{n}"), public_key: format!("key-{n}") }
}

fn ask(n: u32, role: Role, words: &[&str]) -> Ask {
    Ask {
        device: device(n),
        role,
        scopes: scopes(words),
        display_name: None,
        platform: "linux".into(),
        client_id: "cli".into(),
        client_mode: "cli".into(),
        commands: None,
        remote_ip: None,
        silent: false,
    }
}

fn admin() -> Actor {
    Actor { scopes: scopes(&["operator.admin"]), device: None }
}

fn same(a: &str, b: &str) -> bool {
    a == b
}

fn paired(words: &[&str]) -> Devices {
    let mut all = Devices::default();
    let (id, _) = all.ask(ask(1, Role::Operator, words), "r1".into(), NOW).unwrap();
    all.approve(&id, &admin(), "t1".into(), NOW).unwrap();
    all
}

fn admit(all: &Devices, n: u32, role: Role, words: &[&str]) -> Admission {
    all.admit(&Wish { device: &device(n), role, scopes: &scopes(words) })
}

#[test]
fn sp_326_widening_is_a_new_request_and_connecting_changes_nothing() {
    let all = paired(&["operator.read"]);
    let before = all.clone();
    assert_eq!(admit(&all, 1, Role::Operator, &["operator.read"]), Admission::Admit);
    assert_eq!(admit(&all, 1, Role::Operator, &[]), Admission::Admit);
    assert_eq!(admit(&all, 1, Role::Operator, &["operator.write"]), Admission::Pairing(Why::ScopeUpgrade));
    assert_eq!(admit(&all, 1, Role::Node, &[]), Admission::Pairing(Why::RoleUpgrade));
    assert_eq!(admit(&all, 2, Role::Operator, &[]), Admission::Pairing(Why::NotPaired));
    let stolen = Device { id: device(1).id, public_key: "other".into() };
    let wish = Wish { device: &stolen, role: Role::Operator, scopes: &scopes(&[]) };
    assert_eq!(all.admit(&wish), Admission::Pairing(Why::NotPaired));
    assert_eq!(all, before);
}

#[test]
fn one_request_a_device_and_another_wish_replaces_it() {
    let mut all = Devices::default();
    let first = all.ask(ask(1, Role::Operator, &["operator.read"]), "r1".into(), NOW).unwrap();
    assert_eq!(first, ("r1".into(), true));
    let again = all.ask(ask(1, Role::Operator, &["operator.read"]), "r2".into(), NOW + 1).unwrap();
    assert_eq!(again, ("r1".into(), false));
    let more = all.ask(ask(1, Role::Operator, &["operator.admin"]), "r3".into(), NOW + 2).unwrap();
    assert_eq!(more, ("r3".into(), true));
    assert_eq!(all.pending.keys().collect::<Vec<_>>(), ["r3"]);
    assert_eq!(all.approve("r1", &admin(), "t".into(), NOW + 3), Err(DeviceError::Unknown));
}

#[test]
fn requests_are_bounded_and_end() {
    let mut all = Devices::default();
    for n in 0..64 {
        all.ask(ask(n, Role::Operator, &[]), format!("r{n}"), NOW).unwrap();
    }
    assert_eq!(all.ask(ask(99, Role::Operator, &[]), "r99".into(), NOW), Err(DeviceError::Full));
    let late = NOW + PENDING_TTL_MS;
    assert_eq!(all.approve("r1", &admin(), "t".into(), late), Err(DeviceError::Unknown));
    assert!(all.ask(ask(99, Role::Operator, &[]), "r99".into(), late).is_ok());
}

#[test]
fn sp_325_nobody_gives_what_they_do_not_hold() {
    let mut all = Devices::default();
    all.ask(ask(1, Role::Operator, &["operator.admin"]), "r1".into(), NOW).unwrap();
    all.ask(ask(2, Role::Node, &[]), "r2".into(), NOW).unwrap();
    all.ask(ask(3, Role::Operator, &[]), "r3".into(), NOW).unwrap();
    let pairing = Actor { scopes: scopes(&["operator.pairing"]), device: None };
    let reader = Actor { scopes: scopes(&["operator.read"]), device: None };
    assert_eq!(all.approve("r1", &pairing, "t".into(), NOW), Err(DeviceError::Beyond("operator.admin")));
    assert_eq!(all.approve("r2", &pairing, "t".into(), NOW), Err(DeviceError::Beyond("operator.admin")));
    // An empty wish runs the check all the same.
    assert_eq!(all.approve("r3", &reader, "t".into(), NOW), Err(DeviceError::Beyond("operator.pairing")));
    assert_eq!(all.reject("r3", &reader), Err(DeviceError::Beyond("operator.pairing")));
    let bound = Actor { scopes: scopes(&["operator.pairing"]), device: Some("device-9".into()) };
    assert_eq!(all.approve("r3", &bound, "t".into(), NOW), Err(DeviceError::Unknown));
    assert!(all.approve("r3", &pairing, "t".into(), NOW).is_ok());
    assert_eq!(all.pending.len(), 2);
}

#[test]
fn sp_324_rotation_stays_within_the_record_and_the_caller() {
    let mut all = paired(&["operator.read", "operator.write"]);
    let wide = scopes(&["operator.admin"]);
    let rotate = |all: &mut Devices, s: Option<&Scopes>, actor: &Actor| {
        all.rotate("device-1", Role::Operator, s, actor, "t2".into(), NOW + 1)
    };
    assert_eq!(rotate(&mut all, Some(&wide), &admin()), Err(DeviceError::BeyondRecord));
    let pairing = Actor { scopes: scopes(&["operator.pairing"]), device: None };
    assert!(matches!(rotate(&mut all, None, &pairing), Err(DeviceError::Beyond(_))));
    let node = all.rotate("device-1", Role::Node, None, &admin(), "t".into(), NOW);
    assert_eq!(node, Err(DeviceError::BeyondRecord));
    let less = scopes(&["operator.read"]);
    let got = rotate(&mut all, Some(&less), &admin()).unwrap();
    assert_eq!(
        (got.token.scopes, got.close),
        (vec!["operator.read".to_owned()], ("device-1".into(), Role::Operator))
    );
    let wish = |s| Wish { device: Box::leak(Box::new(device(1))), role: Role::Operator, scopes: s };
    assert!(all.token_for(&wish(&less), "t1", same).is_none(), "the old token is dead");
    assert!(all.token_for(&wish(&less), "t2", same).is_some());
    assert!(all.token_for(&wish(&scopes(&["operator.write"])), "t2", same).is_none());
}

#[test]
fn sp_328_a_revoked_token_is_dead_and_names_whose_sockets_close() {
    let mut all = paired(&["operator.read"]);
    let read = scopes(&["operator.read"]);
    let one = device(1);
    let wish = Wish { device: &one, role: Role::Operator, scopes: &read };
    assert!(all.token_for(&wish, "t1", same).is_some());
    assert!(all.token_for(&wish, "t", same).is_none() && all.token_for(&wish, "", same).is_none());
    let gone = all.revoke("device-1", Role::Operator, &admin(), NOW + 1).unwrap();
    assert_eq!(gone, ("device-1".into(), Role::Operator));
    assert!(all.token_for(&wish, "t1", same).is_none());
    assert_eq!(all.revoke("device-1", Role::Node, &admin(), NOW), Err(DeviceError::Unknown));
}

#[test]
fn another_key_starts_anew() {
    let mut all = paired(&["operator.admin"]);
    let mut other = ask(1, Role::Operator, &["operator.read"]);
    other.device.public_key = "key-new".into();
    let (id, _) = all.ask(other, "r2".into(), NOW).unwrap();
    assert_eq!(all.pending[&id].is_repair, Some(true));
    let record = all.approve(&id, &admin(), "t2".into(), NOW).unwrap();
    assert_eq!(
        (record.public_key.as_str(), record.scopes.as_slice()),
        ("key-new", &["operator.read".to_owned()][..])
    );
}

#[test]
fn files_of_other_releases_keep_their_members() {
    let text = r#"{"deviceId":"d","publicKey":"k","role":"operator","roles":["operator"],"scopes":["operator.read"],
        "tokens":{"operator":{"token":"canary","role":"operator","scopes":["operator.read"],"createdAtMs":1}},
        "createdAtMs":1,"approvedAtMs":2,"future":{"a":1}}"#;
    let record: Paired = serde_json::from_str(text).unwrap();
    let back: serde_json::Value = serde_json::to_value(&record).unwrap();
    assert_eq!(back, serde_json::from_str::<serde_json::Value>(text).unwrap());
    assert!(!format!("{record:?}").contains("canary"));
}

fn any_scopes() -> impl Strategy<Value = Scopes> {
    proptest::collection::vec(0..Scope::ALL.len(), 0..4)
        .prop_map(|picked| picked.into_iter().map(|n| Scope::ALL[n]).collect())
}

proptest! {
    #[test]
    fn sp_324_a_token_never_carries_more_than_its_record_or_its_maker(
        wanted in any_scopes(), maker in any_scopes(), rotated in any_scopes(), rotator in any_scopes(),
    ) {
        let mut all = Devices::default();
        let mut request = ask(1, Role::Operator, &[]);
        request.scopes = wanted.clone();
        all.ask(request, "r1".into(), NOW).unwrap();
        let actor = Actor { scopes: maker.clone(), device: None };
        let approved = all.approve("r1", &actor, "t1".into(), NOW).is_ok();
        prop_assert_eq!(approved, maker.satisfies(Scope::Pairing) && maker.covers(&wanted));
        if approved {
            let actor = Actor { scopes: rotator.clone(), device: None };
            let _ = all.rotate("device-1", Role::Operator, Some(&rotated), &actor, "t2".into(), NOW);
            let record = &all.paired["device-1"];
            let token = Scopes::read(record.tokens["operator"].scopes.iter().map(String::as_str));
            prop_assert!(record.granted().covers(&token));
            prop_assert!(record.tokens["operator"].token == "t1" || rotator.covers(&rotated));
        }
    }
}

#[test]
fn sp_328_a_role_is_taken_from_everybody_and_given_back() {
    let mut all = paired(&["operator.read"]);
    for (n, id) in [(1, "n1"), (2, "n2")] {
        all.ask(ask(n, Role::Node, &[]), id.into(), NOW).unwrap();
        all.approve(id, &admin(), format!("node-{n}"), NOW).unwrap();
    }
    all.ask(ask(3, Role::Node, &[]), "n3".into(), NOW).unwrap();
    let before = all.clone();
    assert_eq!(all.take_role(Role::Node, NOW), ["device-1", "device-2"]);
    assert!(all.pending.is_empty(), "requests for the role are dropped");
    assert!(!all.paired.contains_key("device-2"), "it had no other role");
    assert_eq!(admit(&all, 1, Role::Operator, &["operator.read"]), Admission::Admit);
    assert_eq!(admit(&all, 1, Role::Node, &[]), Admission::Pairing(Why::RoleUpgrade));
    let one = device(1);
    let wish = Wish { device: &one, role: Role::Node, scopes: &scopes(&[]) };
    assert!(all.token_for(&wish, "node-1", same).is_none());
    assert!(!all.take_role_of("device-1", Role::Node, NOW));
    assert_eq!(all.put_back(&before.paired, Role::Node), ["device-1", "device-2"]);
    assert!(all.token_for(&wish, "node-1", same).is_some());
    assert_eq!(all.paired["device-2"], before.paired["device-2"]);
    assert_eq!(all.put_back(&before.paired, Role::Node), Vec::<String>::new());
    let mut swapped = all.clone();
    swapped.take_role(Role::Node, NOW);
    swapped.paired["device-1"].public_key = "other".into();
    assert_eq!(swapped.put_back(&before.paired, Role::Node), ["device-2"]);
}

#[test]
fn sp_328_every_token_is_taken_back_at_once() {
    let mut all = paired(&["operator.read"]);
    assert_eq!(all.revoke_all(NOW + 1), [("device-1".to_owned(), "operator".to_owned())]);
    assert_eq!(all.revoke_all(NOW + 2), Vec::new());
    let read = scopes(&["operator.read"]);
    let one = device(1);
    let wish = Wish { device: &one, role: Role::Operator, scopes: &read };
    assert!(all.token_for(&wish, "t1", same).is_none());
    assert_eq!(all.admit(&wish), Admission::Admit, "the device stays paired");
}

#[test]
fn sp_328_what_was_taken_is_remembered_until_a_person_gives_it_back() {
    let mut all = paired(&["operator.read"]);
    all.ask(ask(2, Role::Node, &[]), "n2".into(), NOW).unwrap();
    all.approve("n2", &admin(), "node-2".into(), NOW).unwrap();
    let before = all.clone();
    assert!(all.take_role_of("device-2", Role::Node, NOW + 1));
    assert!(all.is_removed("device-2", Role::Node));
    // Only what was taken: the other role of the device, and other devices, are as they were.
    assert!(!all.is_removed("device-2", Role::Operator) && !all.is_removed("device-1", Role::Node));
    // Asking and rejecting give nothing back.
    all.ask(ask(2, Role::Node, &[]), "again".into(), NOW + 2).unwrap();
    assert!(all.is_removed("device-2", Role::Node));
    all.reject("again", &admin()).unwrap();
    assert!(all.is_removed("device-2", Role::Node));
    let taken = all.clone();
    all.ask(ask(2, Role::Node, &[]), "third".into(), NOW + 3).unwrap();
    all.approve("third", &admin(), "node-2b".into(), NOW + 3).unwrap();
    assert!(!all.is_removed("device-2", Role::Node) && all.removed.is_empty());
    // So does the undo of a lockdown, record by record or as a whole.
    let mut back = taken.clone();
    assert_eq!(back.put_back(&before.paired, Role::Node), ["device-2"]);
    assert!(back.removed.is_empty());
    let mut back = taken.clone();
    back.settle_removed();
    assert!(back.is_removed("device-2", Role::Node), "it is not back");
    back.paired = before.paired;
    back.settle_removed();
    assert!(back.removed.is_empty());
    // Bounded: the one that was taken out first goes first.
    let mut many = taken;
    for n in 0..MAX_REMOVED {
        many.remember_removed(&format!("gone-{n}"), Role::Node, NOW);
    }
    assert_eq!(many.removed.len(), MAX_REMOVED);
    assert!(!many.is_removed("device-2", Role::Node) && many.is_removed("gone-0", Role::Node));
}
