//! The claim "exposure": nobody is served from outside without a credential that counts at this moment, checked over all interleavings of
//! starts, handshakes, approvals, revocations and rotations, on the gateway's own decisions: [`settings::read`], [`bind::addresses`],
//! [`peer::caller`], [`admission::decide`], [`Devices`], [`admission::outlives`]. Each broken twin is caught.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex};

use data_encoding::BASE64URL_NOPAD;
use oc_config::Environment;
use oc_gateway::authority::{Scope, Scopes};
use oc_gateway::devices::{Actor, Ask, Devices};
use oc_gateway::entrance::admission::{self, BreakGlass, Facts, Method, Verdict};
use oc_gateway::entrance::credential::Accepts;
use oc_gateway::entrance::device::{Device, device_id};
use oc_gateway::entrance::origin::OriginRule;
use oc_gateway::entrance::peer::{self, Caller, Head, Own};
use oc_gateway::protocol::connect::{Connect, Role};
use oc_gateway::server::bind;
use oc_gateway::settings::{self, Flags, Resolved, Settings};
use oc_types::{Node, Origin, Secret};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;
use stateright::{Checker as _, HasDiscoveries, Model, Property};

const NOW: u64 = 1_700_000_000_000;
const NONCE: &str = "nonce";
/// The shared secrets, one after the other.
const SECRETS: [&str; 2] = ["the-first-secret-of-all", "the-second-secret-of-all"];
/// The device's token, fixed so that states are few.
const DEVICE_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// How the operator may have configured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Setup {
    bind: &'static str,
    secret: Option<usize>,
    password_mode: bool,
    trusts_proxy: bool,
    insecure_ui: bool,
}

/// From where somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum From {
    /// This machine.
    Here,
    /// This machine, claiming to speak for somebody else.
    Proxy,
    /// The network, claiming to be this machine.
    Outside,
}

/// What somebody shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shows {
    Nothing,
    Secret(usize),
    DeviceToken,
}

/// Somebody who is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Inside {
    from: From,
    shows: Shows,
    with_device: bool,
    method: u8,
}

/// The device of this world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Standing {
    Unknown,
    Asked,
    Paired,
    Revoked,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    setup: Setup,
    running: bool,
    device: Standing,
    inside: Vec<Inside>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    Start,
    Connect(From, Shows, bool, bool),
    Approve,
    Revoke,
    Rotate,
    Rebind(&'static str),
}

/// What may be broken, to see that it is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Break {
    Nothing,
    /// It starts without a credential, and lets in whoever comes.
    NoSecretNeeded,
    /// An address in a header makes a caller local, and local is enough.
    HeaderIsLocal,
    /// Connections outlive the secret that they showed.
    SecretsLinger,
    /// A revoked device keeps its connection and its token.
    TokensLinger,
    /// The listener is wider than asked for.
    WiderBind,
}

type Made = HashMap<(Break, Setup, Standing, Act), Option<Method>>;

/// Decisions that were made: checking a signature takes longer than everything else here.
static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);

struct Exposure {
    broken: Break,
}

fn configured(setup: Setup) -> (Node, Resolved) {
    let config = json!({
        "gateway": {
            "mode": "local",
            "bind": setup.bind,
            "customBindHost": "192.0.2.1",
            "auth": {"mode": if setup.password_mode { "password" } else { "token" }},
            "trustedProxies": if setup.trusts_proxy { vec!["127.0.0.1"] } else { vec![] },
            "controlUi": {"allowInsecureAuth": setup.insecure_ui},
        },
    });
    let secret = setup.secret.map(|n| Secret::new(SECRETS[n].to_owned()));
    let (token, password) = if setup.password_mode { (None, secret) } else { (secret, None) };
    (Node::from_json(&config, &Origin::Builtin), Resolved { token, password, ..Resolved::default() })
}

fn read(setup: Setup) -> Option<Settings> {
    let (config, resolved) = configured(setup);
    settings::read(&config, &Environment::default(), &Flags::default(), &resolved).ok()
}

fn device() -> (Device, Ed25519KeyPair) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
    (Device { id: device_id(&key), public_key: BASE64URL_NOPAD.encode(&key) }, pair)
}

fn devices(standing: Standing) -> Devices {
    let mut all = Devices::default();
    if standing == Standing::Unknown {
        return all;
    }
    let (device, _) = device();
    let ask = Ask {
        device: device.clone(),
        role: Role::Operator,
        scopes: Scopes::from_iter([Scope::Admin]),
        display_name: None,
        platform: "linux".to_owned(),
        client_id: "test".to_owned(),
        client_mode: "test".to_owned(),
        commands: None,
        remote_ip: None,
        silent: false,
    };
    let (id, _) = all.ask(ask, "request".to_owned(), NOW).unwrap();
    if standing == Standing::Asked {
        return all;
    }
    let admin = Actor { scopes: Scopes::from_iter([Scope::Admin]), device: None };
    all.approve(&id, &admin, DEVICE_TOKEN.to_owned(), NOW).unwrap();
    if standing == Standing::Revoked {
        all.revoke(&device.id, Role::Operator, &admin, NOW).unwrap();
    }
    all
}

fn handshake(shows: Shows, with_device: bool, console: bool, password_mode: bool) -> Connect {
    let (client, mode) = if console { ("openclaw-control-ui", "ui") } else { ("test", "test") };
    let token = match shows {
        Shows::Nothing => "",
        Shows::Secret(n) => SECRETS[n],
        Shows::DeviceToken => DEVICE_TOKEN,
    };
    let as_password = password_mode && matches!(shows, Shows::Secret(_));
    let signed = if as_password { "" } else { token };
    let mut params = json!({
        "minProtocol": 3, "maxProtocol": 3, "role": "operator", "scopes": ["operator.admin"],
        "client": {"id": client, "version": "1", "platform": "linux", "mode": mode},
        "auth": if as_password { json!({"password": token}) } else { json!({"token": token}) },
    });
    if with_device {
        let (device, pair) = device();
        let text = format!("v2|{}|{client}|{mode}|operator|operator.admin|{NOW}|{signed}|{NONCE}", device.id);
        params["device"] = json!({
            "id": device.id, "publicKey": device.public_key, "signedAt": NOW, "nonce": NONCE,
            "signature": BASE64URL_NOPAD.encode(pair.sign(text.as_bytes()).as_ref()),
        });
    }
    Connect::read(params).unwrap().0
}

impl Exposure {
    fn caller(&self, from: From, settings: &Settings) -> Caller {
        let (peer, forwarded): (IpAddr, _) = match from {
            From::Here => ("127.0.0.1".parse().unwrap(), None),
            From::Proxy => ("127.0.0.1".parse().unwrap(), Some("127.0.0.1")),
            From::Outside => ("203.0.113.9".parse().unwrap(), Some("127.0.0.1")),
        };
        if self.broken == Break::HeaderIsLocal && forwarded.is_some() {
            return Caller::LocalDirect("127.0.0.1".parse().unwrap());
        }
        let head = Head { host: Some("127.0.0.1:18789"), forwarded_for: forwarded, ..Head::default() };
        peer::caller(peer, &head, &settings.proxies, &Own::default())
    }

    /// Whether somebody from there reaches the socket at all.
    fn reaches(&self, from: From, settings: &Settings) -> bool {
        let wanted = bind::addresses(settings.bind, settings.custom_host.as_deref(), &[]).unwrap_or_default();
        let wide = wanted.iter().any(|(a, _)| !a.is_loopback()) || self.broken == Break::WiderBind;
        from != From::Outside || wide
    }

    /// The decision, made once for each question: what it depends on is all in the key.
    fn decide(&self, world: &World, settings: &Settings, act: Act) -> Option<Method> {
        let key = (self.broken, world.setup, world.device, act);
        let known = MADE.lock().unwrap().get(&key).copied();
        known.unwrap_or_else(|| {
            let made = self.decided(world, settings, act);
            MADE.lock().unwrap().insert(key, made);
            made
        })
    }

    fn decided(&self, world: &World, settings: &Settings, act: Act) -> Option<Method> {
        let Act::Connect(from, shows, with_device, console) = act else { return None };
        let caller = self.caller(from, settings);
        if self.broken == Break::NoSecretNeeded && !settings.accepts.is_usable() {
            return Some(Method::Token);
        }
        if self.broken == Break::HeaderIsLocal
            && caller.is_local_direct()
            && shows == Shows::Nothing
            && from == From::Outside
        {
            return Some(Method::Tailscale);
        }
        let connect = handshake(shows, with_device, console, world.setup.password_mode);
        let standing = match (self.broken, world.device) {
            (Break::TokensLinger, Standing::Revoked) => Standing::Paired,
            (_, standing) => standing,
        };
        let verdict = admission::decide(&Facts {
            connect: &connect,
            role: Role::Operator,
            caller,
            host: Some("127.0.0.1:18789"),
            origin: console.then_some("http://127.0.0.1:18789"),
            origins: &OriginRule::default(),
            break_glass: BreakGlass {
                insecure_auth: settings.control_ui.allow_insecure_auth,
                no_device_auth: false,
            },
            accepts: &settings.accepts,
            tailnet_user: None,
            devices: &devices(standing),
            challenge: NONCE,
            now_ms: NOW,
        });
        match verdict {
            Verdict::Admit(grant) => Some(grant.method),
            Verdict::Pair { grant, silent: true, .. } => Some(grant.method),
            Verdict::Pair { silent: false, .. } | Verdict::Refuse(_) => None,
        }
    }

    fn settings(&self, setup: Setup) -> Option<Settings> {
        if let Some(settings) = read(setup) {
            return Some(settings);
        }
        if self.broken != Break::NoSecretNeeded {
            return None;
        }
        let mut settings = read(Setup { secret: Some(0), bind: "loopback", ..setup })?;
        settings.accepts = Accepts::Token(None);
        Some(settings)
    }
}

/// Whether what somebody showed counts at this moment.
fn counts(world: &World, inside: &Inside) -> bool {
    match inside.shows {
        Shows::Nothing => false,
        Shows::Secret(n) => world.setup.secret == Some(n),
        Shows::DeviceToken => {
            inside.with_device && world.device == Standing::Paired && world.setup.secret.is_some()
        }
    }
}

impl Model for Exposure {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        let mut all = Vec::new();
        for bind in ["loopback", "lan"] {
            for secret in [None, Some(0)] {
                for password_mode in [false, true] {
                    for trusts_proxy in [false, true] {
                        for insecure_ui in [false, true] {
                            let setup = Setup { bind, secret, password_mode, trusts_proxy, insecure_ui };
                            all.push(World {
                                setup,
                                running: false,
                                device: Standing::Unknown,
                                inside: Vec::new(),
                            });
                        }
                    }
                }
            }
        }
        all
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        if !world.running {
            acts.push(Act::Start);
            return;
        }
        if world.inside.len() < 2 {
            for from in [From::Here, From::Proxy, From::Outside] {
                for shows in [Shows::Nothing, Shows::Secret(0), Shows::Secret(1), Shows::DeviceToken] {
                    for with_device in [false, true] {
                        for console in [false, true] {
                            acts.push(Act::Connect(from, shows, with_device, console));
                        }
                    }
                }
            }
        }
        acts.extend([Act::Approve, Act::Revoke, Act::Rotate, Act::Rebind("lan"), Act::Rebind("loopback")]);
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        let mut next = world.clone();
        let settings = self.settings(world.setup);
        match act {
            Act::Start => next.running = settings.is_some(),
            Act::Connect(from, shows, with_device, _) => {
                let settings = settings?;
                if !self.reaches(from, &settings) {
                    return None;
                }
                if let Some(method) = self.decide(world, &settings, act) {
                    next.inside.push(Inside { from, shows, with_device, method: method as u8 });
                    if with_device && world.device == Standing::Unknown {
                        next.device = Standing::Paired;
                    }
                } else if with_device
                    && world.device == Standing::Unknown
                    && counts(world, &Inside { from, shows, with_device, method: 0 })
                {
                    next.device = Standing::Asked;
                }
            }
            Act::Approve if world.device == Standing::Asked => next.device = Standing::Paired,
            Act::Revoke if world.device == Standing::Paired => {
                next.device = Standing::Revoked;
                if self.broken != Break::TokensLinger {
                    // What the server closes: the connections of the device in the role.
                    next.inside.retain(|i| !i.with_device);
                }
            }
            Act::Rotate => {
                let old = settings?;
                next.setup.secret = world.setup.secret.map(|n| 1 - n);
                let new = self.settings(next.setup)?;
                if self.broken != Break::SecretsLinger {
                    next.inside.retain(|i| {
                        let method = if i.method == Method::DeviceToken as u8 {
                            Method::DeviceToken
                        } else {
                            Method::Token
                        };
                        admission::outlives(method, &old.accepts, &new.accepts)
                    });
                }
            }
            Act::Rebind(bind) => {
                next.setup.bind = bind;
                // Another bind is a restart: everybody leaves, and it starts only if it may.
                next.inside.clear();
                next.running = self.settings(next.setup).is_some();
            }
            Act::Approve | Act::Revoke => return None,
        }
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("whoever is in shows what counts now", |_, world: &World| {
                world.inside.iter().all(|i| counts(world, i))
            }),
            Property::always(
                "nobody from outside is in while only this machine is served",
                |_, world: &World| {
                    world.setup.bind != "loopback" || world.inside.iter().all(|i| i.from != From::Outside)
                },
            ),
            Property::always(
                "without a secret nobody is in, and the gateway does not run",
                |_, world: &World| {
                    world.setup.secret.is_some() || (world.inside.is_empty() && !world.running)
                },
            ),
            Property::sometimes("somebody from outside is in", |_, world: &World| {
                world.inside.iter().any(|i| i.from == From::Outside)
            }),
            Property::sometimes("a device token is used after a rotation", |_, world: &World| {
                world.setup.secret == Some(1) && world.inside.iter().any(|i| i.shows == Shows::DeviceToken)
            }),
        ]
    }
}

fn found(broken: Break) -> (usize, Vec<&'static str>) {
    let checker = Exposure { broken }.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let claims = [
        "whoever is in shows what counts now",
        "nobody from outside is in while only this machine is served",
        "without a secret nobody is in, and the gateway does not run",
    ];
    let failed = claims.into_iter().filter(|claim| checker.discovery(claim).is_some()).collect();
    (checker.unique_state_count(), failed)
}

#[test]
fn sp_320_sp_328_nobody_is_served_without_a_credential_that_counts_now() {
    let checker = Exposure { broken: Break::Nothing }.checker().spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.unique_state_count() > 200, "{} states", checker.unique_state_count());
}

#[test]
fn every_broken_twin_is_caught() {
    for broken in [
        Break::NoSecretNeeded,
        Break::HeaderIsLocal,
        Break::SecretsLinger,
        Break::TokensLinger,
        Break::WiderBind,
    ] {
        let (states, failed) = found(broken);
        assert!(!failed.is_empty(), "{broken:?} was not noticed in {states} states");
    }
}
