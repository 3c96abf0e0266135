//! What was given and is taken back: secrets, tokens, devices, scopes, configurations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use oc_gateway::authority::Scopes;
use oc_gateway::devices::Actor;
use oc_gateway::protocol::connect::Role;
use oc_gateway::server::reload::{self, Reloaded};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::{Device, Frame, TOKEN, World};
use super::{bare, bare_params, is_well, plain, until};

/// Waits are short here, so that a test does not wait for long.
fn quick(token: &str) -> Value {
    json!({"gateway": {"mode": "local", "auth": {"mode": "token", "token": token}, "reload": {"debounceMs": 1}}})
}

fn get(token: &str) -> String {
    format!(
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_350_a_changed_secret_counts_from_the_swap_on() {
    let hooks = |token: &str, hook: &str| {
        let mut config = quick(token);
        config["hooks"] = json!({"enabled": true, "token": hook});
        config
    };
    let world = Arc::new(World::start(hooks("the-first-secret-of-all", "the-first-hook-secret")).await);
    let device = Device::new(30);
    let (mut by_device, hello) = {
        let (_first, answer) =
            world.knock(&device, "operator", &["operator.read"], "the-first-secret-of-all", &[]).await;
        let token = answer["payload"]["auth"]["deviceToken"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned();
        let (socket, answer) = world.knock(&device, "operator", &["operator.read"], &token, &[]).await;
        assert_eq!(answer["ok"], true, "{answer}");
        (socket, token)
    };
    let mut by_secret = world.connect(&[]).await;
    let _ = by_secret.json().await;
    assert_eq!(by_secret.call("connect", bare_params("the-first-secret-of-all")).await["ok"], true);
    // A body that is half sent when the secret changes.
    let mut half = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    let mut half_hook = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    for (stream, path, token) in [
        (&mut half, "/tools/invoke", "the-first-secret-of-all"),
        (&mut half_hook, "/hooks/wake", "the-first-hook-secret"),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: 40\r\nConnection: close\r\n\r\n{{\"text\":\"x\",\"tool\":"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
    }
    // Load with the old secret all the while; what begins after the swap must not be let in.
    let swapped = Arc::new(AtomicBool::new(false));
    let over = Arc::new(AtomicBool::new(false));
    let (before, after) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (world, swapped, over) = (Arc::clone(&world), Arc::clone(&swapped), Arc::clone(&over));
            let (before, after) = (Arc::clone(&before), Arc::clone(&after));
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    let begun_after = swapped.load(Ordering::SeqCst);
                    let (status, ..) = world.http(&get("the-first-secret-of-all")).await;
                    let count = if begun_after { &after } else { &before };
                    count.fetch_add(usize::from(status == 200), Ordering::SeqCst);
                    if begun_after {
                        return status;
                    }
                }
                0
            })
        })
        .collect();
    until("some calls with the old secret", || before.load(Ordering::SeqCst) > 20).await;
    world.configure(&hooks("the-second-secret-of-all", "the-second-hook-secret"));
    until("the new reading is in force", || world.gateway.snapshot().generation > 1).await;
    until("its swap is over", || {
        world.gateway.registry.all().iter().all(|c| c.device.is_some() || c.outbox.is_ending())
    })
    .await;
    swapped.store(true, Ordering::SeqCst);
    for task in load {
        assert_eq!(task.await.unwrap(), 401);
    }
    over.store(true, Ordering::SeqCst);
    assert_eq!(after.load(Ordering::SeqCst), 0);
    assert_eq!(by_secret.closed().await, (1008, "gateway credential changed".to_owned()));
    for stream in [&mut half, &mut half_hook] {
        stream.write_all(b"\"session_status\"   }                    ").await.unwrap();
        let mut all = String::new();
        let _ = stream.read_to_string(&mut all).await;
        assert!(all.starts_with("HTTP/1.1 401 "), "{all}");
    }
    assert_eq!(world.http(&get("the-second-secret-of-all")).await.0, 200);
    // A device's own token does not rest on the secret.
    assert_eq!(by_device.call("health", json!({})).await["ok"], true);
    let (_again, answer) = world.knock(&device, "operator", &["operator.read"], &hello, &[]).await;
    assert_eq!(answer["ok"], true, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_067_nobody_slips_in_while_the_secret_changes() {
    let world = Arc::new(World::start(quick("secret-number-0-of-this-test")).await);
    let now = Arc::new(AtomicUsize::new(0));
    let over = Arc::new(AtomicBool::new(false));
    // How many were admitted with each secret. Whoever comes with the one before is slowed down (SP-331), so the first
    // change waits for someone, and so does the end.
    let admitted: Arc<Vec<AtomicUsize>> = Arc::new((0..=15).map(|_| AtomicUsize::new(0)).collect());
    let clients: Vec<_> = (0..12)
        .map(|_| {
            let (world, now, over) = (Arc::clone(&world), Arc::clone(&now), Arc::clone(&over));
            let admitted = Arc::clone(&admitted);
            tokio::spawn(async move {
                let mut stale = Vec::new();
                while !over.load(Ordering::SeqCst) {
                    let number = now.load(Ordering::SeqCst);
                    let mut socket = world.connect(&[]).await;
                    let Frame::Json(_) = socket.next().await else { continue };
                    let params = bare_params(&format!("secret-number-{number}-of-this-test"));
                    let request = json!({"type": "req", "id": "c", "method": "connect", "params": params});
                    socket.send_text(&request.to_string()).await;
                    if matches!(socket.next().await, Frame::Json(answer) if answer["ok"] == true) {
                        admitted[number].fetch_add(1, Ordering::SeqCst);
                        stale.push((number, socket));
                    }
                    if stale.len() > 40 {
                        stale.remove(0);
                    }
                }
                stale
            })
        })
        .collect();
    let last = 15;
    super::until("someone comes in with the first secret", || admitted[0].load(Ordering::SeqCst) > 0).await;
    for number in 1..=last {
        let generation = world.gateway.snapshot().generation;
        world.configure(&quick(&format!("secret-number-{number}-of-this-test")));
        let reloading = Arc::clone(&world.gateway);
        tokio::task::spawn_blocking(move || reload::now(&reloading)).await.unwrap();
        assert!(world.gateway.snapshot().generation > generation);
        now.store(number, Ordering::SeqCst);
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
    super::until("someone comes in with the last secret", || admitted[last].load(Ordering::SeqCst) > 0).await;
    over.store(true, Ordering::SeqCst);
    let (mut ended, mut served) = (0, 0);
    for client in clients {
        for (number, mut socket) in client.await.unwrap() {
            if number == last {
                served += usize::from(socket.call("health", json!({})).await["ok"] == true);
            } else {
                let (code, _) = socket.closed().await;
                assert!(matches!(code, 1008 | 1006), "{code}");
                ended += 1;
            }
        }
    }
    assert!(ended > 0 && served > 0, "{ended} {served}");
}

/// A pair of sockets: one that administers, and one that a device's own token opened.
async fn admin_and_device(world: &World, seed: u8) -> (super::Socket, Device, super::Socket, String) {
    let (admin, _) = world.admitted(&Device::new(40), "operator", &["operator.admin"]).await;
    let device = Device::new(seed);
    let (_, hello) = world.admitted(&device, "operator", &["operator.admin"]).await;
    let token = hello["auth"]["deviceToken"].as_str().unwrap().to_owned();
    let (socket, answer) = world.knock(&device, "operator", &["operator.admin"], &token, &[]).await;
    assert_eq!(answer["ok"], true, "{answer}");
    (admin, device, socket, token)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_328_whoever_loses_its_token_is_cut_off_before_the_call_returns() {
    let world = World::start(plain()).await;
    for (seed, method, more) in [
        (41, "device.token.revoke", json!({})),
        (42, "device.token.rotate", json!({})),
        (43, "device.token.rotate", json!({"scopes": ["operator.read"]})),
    ] {
        let (mut admin, device, mut socket, token) = admin_and_device(&world, seed).await;
        let mut params = json!({"deviceId": device.id, "role": "operator"});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = admin.call(method, params).await;
        assert_eq!(answer["ok"], true, "{answer}");
        let open = |c: &Arc<oc_gateway::server::connection::Connection>| {
            c.device.as_ref().is_some_and(|d| d.id == device.id) && !c.outbox.is_ending()
        };
        assert!(!world.gateway.registry.all().iter().any(open), "{method}: a socket is still served");
        let wake = json!({"type": "req", "id": "w", "method": "wake", "params": {"text": "too late", "mode": "now"}});
        socket.send_text(&wake.to_string()).await;
        assert_eq!(socket.closed().await.0, 1008);
        let (_, answer) = world.knock(&device, "operator", &["operator.admin"], &token, &[]).await;
        assert_eq!(answer["error"]["details"]["reason"], "unauthorized", "{answer}");
        if let Some(fresh) = answer["payload"]["token"].as_str() {
            let (_, answer) = world.knock(&device, "operator", &["operator.admin"], fresh, &[]).await;
            assert_eq!(answer["ok"], more == json!({}), "fewer scopes are fewer: {answer}");
        }
    }
    assert!(world.gateway.system_events.lock().unwrap().texts().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_328_a_device_that_another_process_removes_is_cut_off() {
    let world = World::start(plain()).await;
    let (_admin, device, mut socket, token) = admin_and_device(&world, 44).await;
    let store = world.gateway.devices.clone();
    let id = device.id.clone();
    tokio::task::spawn_blocking(move || store.change(|all, _| all.paired.shift_remove(&id)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(socket.closed().await, (1008, "device access revoked".to_owned()));
    let (_, answer) = world.knock(&device, "operator", &["operator.admin"], &token, &[]).await;
    assert_eq!(answer["ok"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_328_a_call_that_waits_while_its_caller_is_cut_off_has_no_effect() {
    let world = World::start(plain()).await;
    let (_admin, device, mut socket, _) = admin_and_device(&world, 45).await;
    // Somebody asks to be let in; from elsewhere, so that a person has to answer.
    let stranger = Device::new(46);
    let (_, asked) = world
        .knock(&stranger, "operator", &["operator.read"], TOKEN, &[("x-forwarded-for", "203.0.113.9")])
        .await;
    let request = asked["error"]["details"]["requestId"].as_str().unwrap().to_owned();
    let (entered, has_entered) = std::sync::mpsc::channel::<()>();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let gateway = Arc::clone(&world.gateway);
    let id = device.id.clone();
    let holder = tokio::task::spawn_blocking(move || {
        gateway.devices.change(|all, now| {
            entered.send(()).unwrap();
            released.recv().unwrap();
            let admin = Actor { scopes: Scopes::read(["operator.admin"]), device: None };
            all.revoke(&id, Role::Operator, &admin, now).unwrap();
            gateway.registry.end_device(&id, Role::Operator, "device token revoked");
        })
    });
    tokio::task::spawn_blocking(move || has_entered.recv().unwrap()).await.unwrap();
    let approve =
        json!({"type": "req", "id": "a", "method": "device.pair.approve", "params": {"requestId": request}});
    socket.send_text(&approve.to_string()).await;
    let running = || {
        let all = world.gateway.registry.all();
        all.iter().any(|c| c.running.load(Ordering::SeqCst) > 0)
    };
    until("the call waits for the lock", running).await;
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    assert_eq!(socket.closed().await.0, 1008);
    until("the call is over", || !running()).await;
    let devices = world.gateway.devices.read().unwrap();
    assert!(!devices.paired.contains_key(&stranger.id), "approved by somebody who was out already");
    assert!(devices.pending.contains_key(&request));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_067_an_invalid_configuration_leaves_the_old_one_in_force_and_says_why() {
    let world = World::start(plain()).await;
    let mut client = bare(&world).await;
    let same = json!("the-one-secret-for-both-purposes");
    for (what, text) in [
        ("no JSON", "{ gateway: ".to_owned()),
        ("nothing", String::new()),
        ("an unknown key", json!({"gateway": {"mode": "local", "authh": {}}}).to_string()),
        ("a wrong type", json!({"gateway": {"mode": "local", "port": "many"}}).to_string()),
        ("another mode", json!({"gateway": {"mode": "remote"}}).to_string()),
        ("no credential", json!({"gateway": {"mode": "local", "auth": {"mode": "password"}}}).to_string()),
        ("one secret twice", json!({"gateway": {"mode": "local", "auth": {"token": same}}, "hooks": {"enabled": true, "token": same}}).to_string()),
        ("an include that is not there", json!({"$include": "./not-there.json"}).to_string()),
    ] {
        super::support::write(&world.state_dir().join("openclaw.json"), &text);
        let gateway = Arc::clone(&world.gateway);
        let reloaded = tokio::task::spawn_blocking(move || reload::now(&gateway)).await.unwrap();
        let Reloaded::Refused { why } = reloaded else { panic!("{what}: {reloaded:?}") };
        assert!(!why.is_empty() && why.iter().all(|w| !w.contains("the-one-secret")), "{what}: {why:?}");
        assert_eq!(world.gateway.snapshot().generation, 1, "{what}");
        assert_eq!(world.http(&get(TOKEN)).await.0, 200, "{what}");
        assert_eq!(client.call("health", json!({})).await["ok"], true, "{what}");
    }
    world.configure(&quick("the-secret-after-the-mistakes"));
    until("a valid one is taken", || world.gateway.snapshot().generation > 1).await;
    is_well(&world).await;
}
