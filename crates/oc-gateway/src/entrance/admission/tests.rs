use super::*;
use crate::devices::{Actor, Ask};
use data_encoding::BASE64URL_NOPAD;
use oc_types::Secret;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::Value;

const NOW: u64 = 1_700_000_000_000;
const NONCE: &str = "nonce";
const TOKEN: &str = "the-shared-token";

struct Caller_ {
    connect: Connect,
    role: Role,
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

/// A handshake; `device`: signed by this key.
fn handshake(
    client: &str,
    mode: &str,
    role: &str,
    scopes: &[&str],
    token: Option<&str>,
    device: Option<u8>,
) -> Caller_ {
    let mut params = json!({
        "minProtocol": 3, "maxProtocol": 3,
        "client": {"id": client, "version": "1", "platform": "linux", "mode": mode},
        "role": role, "scopes": scopes,
    });
    if let Some(token) = token {
        params["auth"] = json!({"token": token});
    }
    if let Some(seed) = device {
        let pair = pair(seed);
        let key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
        let id = device::device_id(&key);
        let shown = token.unwrap_or_default();
        let text = format!("v2|{id}|{client}|{mode}|{role}|{}|{NOW}|{shown}|{NONCE}", scopes.join(","));
        params["device"] = json!({
            "id": id, "publicKey": BASE64URL_NOPAD.encode(&key),
            "signature": BASE64URL_NOPAD.encode(pair.sign(text.as_bytes()).as_ref()),
            "signedAt": NOW, "nonce": NONCE,
        });
    }
    let (connect, role) = Connect::read(params).unwrap();
    Caller_ { connect, role }
}

struct World {
    devices: Devices,
    accepts: Accepts,
    caller: Caller,
    origin: Option<&'static str>,
    glass: BreakGlass,
    tailnet: Option<&'static str>,
}

fn world() -> World {
    World {
        devices: Devices::default(),
        accepts: Accepts::Token(Key::new(&Secret::new(TOKEN.to_owned()))),
        caller: Caller::At("192.0.2.7".parse().unwrap()),
        origin: None,
        glass: BreakGlass::default(),
        tailnet: None,
    }
}

impl World {
    fn decide(&self, who: &Caller_) -> Verdict {
        decide(&Facts {
            connect: &who.connect,
            role: who.role,
            caller: self.caller,
            host: Some("127.0.0.1:18789"),
            origin: self.origin,
            origins: &OriginRule::default(),
            break_glass: self.glass,
            accepts: &self.accepts,
            tailnet_user: self.tailnet,
            devices: &self.devices,
            challenge: NONCE,
            now_ms: NOW,
        })
    }

    fn local(mut self) -> Self {
        self.caller = Caller::LocalDirect("127.0.0.1".parse().unwrap());
        self
    }

    /// Approves what a handshake would ask for. Returns the token.
    fn approve(&mut self, who: &Caller_, scopes: &[&str]) -> String {
        let proof = who.connect.device.as_ref().unwrap();
        let ask = Ask {
            device: Device { id: proof.id.clone(), public_key: proof.public_key.clone() },
            role: who.role,
            scopes: Scopes::read(scopes.iter().copied()),
            display_name: None,
            platform: who.connect.client.platform.clone(),
            client_id: "test".to_owned(),
            client_mode: "test".to_owned(),
            commands: None,
            remote_ip: None,
            silent: false,
        };
        let (id, _) = self.devices.ask(ask, "request".to_owned(), NOW).unwrap();
        let admin = Actor { scopes: Scopes::from_iter([Scope::Admin]), device: None };
        let paired = self.devices.approve(&id, &admin, "0123456789abcdef".repeat(2), NOW).unwrap();
        paired.tokens.get(who.role.word()).unwrap().token.clone()
    }
}

fn cause(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Admit(_) => "admit",
        Verdict::Pair { silent: true, .. } => "pair silently",
        Verdict::Pair { why, .. } => why.word(),
        Verdict::Refuse(refusal) => refusal.cause,
    }
}

fn operator(token: Option<&str>, device: Option<u8>) -> Caller_ {
    handshake("test", "test", "operator", &["operator.admin"], token, device)
}

#[test]
fn sp_320_no_credential_configured_admits_nobody_not_even_from_here() {
    for accepts in [Accepts::Token(None), Accepts::Password(None)] {
        for local in [false, true] {
            let mut w = World { accepts: accepts.clone(), ..world() };
            if local {
                w = w.local();
            }
            let who = operator(Some(TOKEN), Some(1));
            let token = w.approve(&who, &["operator.admin"]);
            assert!(matches!(w.decide(&who), Verdict::Refuse(_)));
            assert!(matches!(w.decide(&operator(Some(&token), Some(1))), Verdict::Refuse(_)));
            assert!(matches!(w.decide(&operator(None, None)), Verdict::Refuse(_)));
        }
    }
}

#[test]
fn sp_322_a_field_that_is_there_waives_nothing() {
    let w = world().local();
    assert_eq!(cause(&w.decide(&operator(Some("wrong"), Some(1)))), "token_mismatch");
    assert_eq!(cause(&w.decide(&operator(Some(""), Some(1)))), "token_missing");
    assert_eq!(cause(&w.decide(&operator(None, Some(1)))), "token_missing");
    assert_eq!(cause(&w.decide(&operator(Some("wrong"), None))), "token_mismatch");
    assert_eq!(cause(&w.decide(&operator(None, None))), "device-required");
    let mut forged = operator(Some(TOKEN), Some(1));
    forged.connect.device.as_mut().unwrap().signature = "A".repeat(86);
    assert_eq!(cause(&w.decide(&forged)), "device-signature");
}

#[test]
fn sp_323_without_a_device_reading_and_writing_is_all_there_is() {
    let w = world();
    let scopes =
        |asked: &[&str]| match w.decide(&handshake("cli", "cli", "operator", asked, Some(TOKEN), None)) {
            Verdict::Admit(grant) => grant.scopes.words().join(" "),
            other => panic!("{other:?}"),
        };
    assert_eq!(scopes(&["operator.admin"]), "operator.read operator.write");
    assert_eq!(scopes(&[]), "operator.read operator.write");
    assert_eq!(scopes(&["operator.read"]), "operator.read");
    assert_eq!(scopes(&["operator.approvals", "operator.pairing"]), "");
    let node = handshake("node-host", "node", "node", &[], Some(TOKEN), None);
    assert_eq!(cause(&w.decide(&node)), "device-required");
}

#[test]
fn sp_326_only_a_first_approval_of_a_local_program_is_automatic() {
    let mut w = world().local();
    let who = operator(Some(TOKEN), Some(1));
    assert_eq!(cause(&w.decide(&who)), "pair silently");
    w.caller = Caller::At("192.0.2.7".parse().unwrap());
    assert_eq!(cause(&w.decide(&who)), "not-paired");
    let mut w = w.local();
    w.approve(
        &handshake("test", "test", "operator", &["operator.read"], Some(TOKEN), Some(1)),
        &["operator.read"],
    );
    assert_eq!(cause(&w.decide(&who)), "scope-upgrade", "a widening is asked for, from here too");
    let node = handshake("node-host", "node", "node", &[], Some(TOKEN), Some(1));
    assert_eq!(cause(&w.decide(&node)), "role-upgrade");
    let page = World { origin: Some("http://127.0.0.1:18789"), ..world() }.local();
    assert_eq!(cause(&page.decide(&who)), "not-paired", "a page is no program of this machine");
}

#[test]
fn sp_324_a_device_token_opens_what_it_carries_for_its_own_device_and_role() {
    let mut w = world();
    let reader = |token: &str, seed| {
        handshake("test", "test", "operator", &["operator.read"], Some(token), Some(seed))
    };
    let token = w.approve(&reader(TOKEN, 1), &["operator.read"]);
    assert!(matches!(w.decide(&reader(&token, 1)), Verdict::Admit(g) if g.method == Method::DeviceToken));
    assert_eq!(cause(&w.decide(&reader(&token, 2))), "token_mismatch");
    assert_eq!(cause(&w.decide(&operator(Some(&token), Some(1)))), "token_mismatch");
    let node = handshake("node-host", "node", "node", &[], Some(&token), Some(1));
    assert_eq!(cause(&w.decide(&node)), "token_mismatch");
    let admin = Actor { scopes: Scopes::from_iter([Scope::Admin]), device: None };
    let id = reader(&token, 1).connect.device.unwrap().id;
    w.devices.revoke(&id, Role::Operator, &admin, NOW).unwrap();
    assert_eq!(cause(&w.decide(&reader(&token, 1))), "token_mismatch");
}

#[test]
fn sp_334_pages_need_an_origin_and_programs_must_not_have_a_foreign_one() {
    let console =
        handshake("openclaw-control-ui", "ui", "operator", &["operator.admin"], Some(TOKEN), Some(1));
    let with = |origin| World { origin, ..world() }.local();
    assert_eq!(cause(&with(None).decide(&console)), "origin-mismatch");
    assert_eq!(cause(&with(Some("https://evil.example")).decide(&console)), "origin-mismatch");
    assert_eq!(cause(&with(Some("null")).decide(&console)), "origin-mismatch");
    assert_eq!(cause(&with(Some("http://127.0.0.1:18789")).decide(&console)), "pair silently");
    assert_eq!(
        cause(&with(Some("https://evil.example")).decide(&operator(Some(TOKEN), Some(1)))),
        "origin-mismatch"
    );
}

#[test]
fn sp_351_the_two_switches_open_the_console_for_operators_and_nothing_else() {
    let console = |token, device| {
        handshake("openclaw-control-ui", "ui", "operator", &["operator.admin"], token, device)
    };
    let origin = Some("http://127.0.0.1:18789");
    let plain = World { origin, ..world() };
    assert_eq!(cause(&plain.decide(&console(Some(TOKEN), None))), "control-ui-insecure-auth");
    let insecure =
        World { origin, glass: BreakGlass { insecure_auth: true, no_device_auth: false }, ..world() };
    assert!(
        matches!(insecure.decide(&console(Some(TOKEN), None)), Verdict::Admit(g) if g.scopes.satisfies(Scope::Admin))
    );
    assert_eq!(cause(&insecure.decide(&console(Some("wrong"), None))), "token_mismatch");
    assert_eq!(cause(&insecure.decide(&console(None, None))), "token_missing");
    assert_eq!(
        cause(&insecure.decide(&console(Some(TOKEN), Some(1)))),
        "not-paired",
        "a device is still looked at"
    );
    let off = World { origin, glass: BreakGlass { insecure_auth: false, no_device_auth: true }, ..world() };
    let mut forged = console(Some(TOKEN), Some(1));
    forged.connect.device.as_mut().unwrap().signature = "A".repeat(86);
    assert!(matches!(off.decide(&forged), Verdict::Admit(g) if g.device.is_none()));
    assert_eq!(cause(&off.decide(&console(Some("wrong"), Some(1)))), "token_mismatch");
    let node = handshake("openclaw-control-ui", "ui", "node", &[], Some(TOKEN), None);
    assert_eq!(cause(&off.decide(&node)), "device-required", "never the role node");
    assert!(
        matches!(off.decide(&operator(Some(TOKEN), None)), Verdict::Admit(g) if !g.scopes.satisfies(Scope::Admin))
    );
}

#[test]
fn sp_344_every_wrong_credential_gets_one_answer() {
    let w = world();
    let said = |who: &Caller_| match w.decide(who) {
        Verdict::Refuse(r) => serde_json::to_value(&r.failure).unwrap(),
        other => panic!("{other:?}"),
    };
    let all: Vec<Value> = [
        said(&operator(Some("wrong"), Some(1))),
        said(&operator(Some("the-shared-tokem"), Some(1))),
        said(&operator(None, Some(1))),
        said(&operator(Some("wrong"), None)),
    ]
    .to_vec();
    assert!(all.iter().all(|a| *a == all[0]), "{all:?}");
}

#[test]
fn sp_346_a_node_that_claims_another_platform_is_asked_for_again() {
    let mut w = world();
    let node = handshake("node-host", "node", "node", &[], Some(TOKEN), Some(1));
    w.approve(&node, &[]);
    assert!(matches!(w.decide(&node), Verdict::Admit(_)));
    let id = node.connect.device.as_ref().unwrap().id.clone();
    w.devices.paired.get_mut(&id).unwrap().platform = Some("ios".to_owned());
    assert_eq!(cause(&w.decide(&node)), "not-paired");
}

#[test]
fn sp_346_a_node_that_offers_a_new_command_is_asked_for_again() {
    let mut w = world();
    let mut node = handshake("node-host", "node", "node", &[], Some(TOKEN), Some(1));
    w.approve(&node, &[]);
    let id = node.connect.device.as_ref().unwrap().id.clone();
    w.devices.pin(&id, vec!["system.run".to_owned(), "system.which".to_owned()]);
    w.devices.pin(&id, vec!["camera.snap".to_owned()]);
    for (offered, admitted) in [
        (&["system.run", "system.which"][..], true),
        (&["system.which"], true),
        (&[], true),
        (&["system.which", "camera.snap"], false),
        (&["system.run "], false),
    ] {
        node.connect.commands = offered.iter().map(|c| (*c).to_owned()).collect();
        let verdict = w.decide(&node);
        assert_eq!(matches!(verdict, Verdict::Admit(_)), admitted, "{offered:?}");
        assert!(admitted || cause(&verdict) == "command-upgrade", "{offered:?}");
    }
}

#[test]
fn sp_337_only_a_wrong_secret_is_a_guess() {
    let w = world();
    let guessed = |who: &Caller_| match w.decide(who) {
        Verdict::Refuse(r) => r.guessed,
        _ => None,
    };
    assert_eq!(guessed(&operator(Some("wrong"), Some(1))), Some(Class::SharedSecret));
    assert_eq!(guessed(&operator(None, Some(1))), None);
    assert_eq!(guessed(&operator(None, None)), None);
    let mut stale = operator(Some(TOKEN), Some(1));
    stale.connect.device.as_mut().unwrap().signed_at = NOW - 700_000;
    assert_eq!(guessed(&stale), None);
}
