use super::*;
use crate::authority::Scopes;
use crate::devices::{Actor, Ask, DeviceError};
use crate::entrance::device::Device;

fn ask(n: u32) -> Ask {
    Ask {
        device: Device { id: format!("device-{n}"), public_key: format!("key-{n}") },
        role: Role::Operator,
        scopes: Scopes::read(["operator.read"]),
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
    Actor { scopes: Scopes::read(["operator.admin"]), device: None }
}

#[test]
fn what_was_approved_is_read_back_by_another_store() {
    let tmp = tempfile::tempdir().unwrap();
    let store = DeviceStore::of(tmp.path());
    assert_eq!(store.read().unwrap(), Devices::default());
    store.change(|all, now| all.ask(ask(1), "r1".into(), now).unwrap()).unwrap();
    let refused = store.change(|all, now| all.approve("r2", &admin(), "t1".into(), now).cloned()).unwrap();
    assert_eq!(refused, Err(DeviceError::Unknown));
    let paired = store.change(|all, now| all.approve("r1", &admin(), "t1".into(), now).cloned()).unwrap();
    let again = DeviceStore::of(tmp.path()).read().unwrap();
    assert!(again.pending.is_empty());
    assert_eq!(again.paired["device-1"], paired.unwrap());
    let text = std::fs::read_to_string(store.files().paired()).unwrap();
    assert!(text.starts_with("{\n  \"device-1\": {\n    \"deviceId\": \"device-1\","), "{text}");
}

#[test]
fn sp_008_a_device_list_with_misplaced_records_pairs_nobody() {
    let tmp = tempfile::tempdir().unwrap();
    let store = DeviceStore::of(tmp.path());
    store.change(|all, now| all.ask(ask(1), "r1".into(), now).unwrap()).unwrap();
    store.change(|all, now| all.approve("r1", &admin(), "t1".into(), now).cloned()).unwrap().unwrap();
    let good = std::fs::read_to_string(store.files().paired()).unwrap();
    let swaps = [
        ("\"device-1\": {", "\"device-2\": {"),
        ("\"operator\": {", "\"node\": {"),
        ("\"publicKey\"", "\"x\""),
    ];
    for (from, to) in swaps {
        assert!(good.contains(from), "{good}");
        let bad = good.replace(from, to);
        std::fs::write(store.files().paired(), &bad).unwrap();
        assert!(matches!(store.read(), Err(PairingFailure::Damaged { .. })), "{bad}");
        let ran = std::cell::Cell::new(false);
        assert!(store.change(|_, _| ran.set(true)).is_err());
        assert!(!ran.get());
        assert_eq!(std::fs::read_to_string(store.files().paired()).unwrap(), bad);
    }
}
