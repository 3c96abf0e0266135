#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::devices::{Actor, Ask};

const NOW: u64 = 1_700_000_000_000;

fn admin() -> Actor {
    Actor { scopes: Scopes::read(["operator.admin"]), device: None }
}

fn paired(role: Role) -> (Devices, Device) {
    let device = Device { id: "d".into(), public_key: "k".into() };
    let mut all = Devices::default();
    let ask = Ask {
        device: device.clone(),
        role,
        scopes: Scopes::default(),
        display_name: None,
        platform: "linux".into(),
        client_id: "node-host".into(),
        client_mode: "node".into(),
        commands: None,
        remote_ip: None,
        silent: false,
    };
    all.ask(ask, "r".into(), NOW).unwrap();
    all.approve("r", &admin(), "t".into(), NOW).unwrap();
    (all, device)
}

#[test]
fn sp_328_what_another_process_takes_away_ends_the_sockets_that_rest_on_it() {
    let (before, device) = paired(Role::Node);
    let scopes = Scopes::default();
    let access =
        |method| Access { device: &device, role: Role::Node, scopes: &scopes, method, since_ms: NOW };
    let both = [Method::Token, Method::DeviceToken];
    for method in both {
        assert!(!access(method).is_lost(&before));
        let mut taken = before.clone();
        taken.take_role(Role::Node, NOW);
        assert!(access(method).is_lost(&taken));
    }
    let mut revoked = before.clone();
    revoked.revoke_all(NOW + 1);
    assert!(access(Method::DeviceToken).is_lost(&revoked));
    // It came in with the shared secret, which still stands, and is still paired.
    assert!(!access(Method::Token).is_lost(&revoked));
    let mut rotated = before.clone();
    rotated.rotate("d", Role::Node, None, &admin(), "t2".into(), NOW + 1).unwrap();
    assert!(access(Method::DeviceToken).is_lost(&rotated));
    let later = Access { since_ms: NOW + 2, ..access(Method::DeviceToken) };
    assert!(!later.is_lost(&rotated));
    // Removed before anybody looked.
    assert!(access(Method::Password).is_lost(&Devices::default()));
}
