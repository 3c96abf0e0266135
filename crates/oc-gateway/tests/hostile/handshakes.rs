//! Handshakes that lie: versions, proofs of another socket, clocks, credentials.

use serde_json::{Value, json};

use super::support::{Device, Frame, Socket, TOKEN, World, now_ms};
use super::{bare_params, is_well, plain};

async fn challenged(world: &World, headers: &[(&str, &str)]) -> (Socket, String) {
    let mut socket = world.connect(headers).await;
    let nonce = socket.json().await["payload"]["nonce"].as_str().unwrap().to_owned();
    (socket, nonce)
}

fn params(device: &Device, nonce: &str, at: u64) -> Value {
    let mut params = json!({
        "minProtocol": 3, "maxProtocol": 3, "role": "operator", "scopes": ["operator.read"],
        "client": {"id": "test", "version": "1", "platform": "linux", "mode": "test"},
        "auth": {"token": TOKEN},
        "device": {"id": device.id, "publicKey": device.public, "nonce": nonce},
    });
    device.sign(&mut params, "v2", at);
    params
}

/// Sends `connect`; the error and the close.
async fn refused(socket: &mut Socket, params: Value) -> (Value, (u16, String)) {
    let answer = socket.call("connect", params).await;
    assert_eq!(answer["ok"], false, "{answer}");
    (answer["error"].clone(), socket.closed().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_versions_hear_which_one_is_spoken() {
    let world = World::start(plain()).await;
    for (min, max) in [(4, 9), (1, 2), (0, 3), (3, 2)] {
        let (mut socket, _) = challenged(&world, &[]).await;
        let mut params = bare_params(TOKEN);
        (params["minProtocol"], params["maxProtocol"]) = (min.into(), max.into());
        let (error, (code, reason)) = refused(&mut socket, params).await;
        assert_eq!(error["details"]["expectedProtocol"], 3, "{error}");
        assert_eq!((code, reason.as_str()), (1002, "protocol mismatch"), "{min}..{max}");
    }
    for (key, value) in [
        ("minProtocol", json!(-1)),
        ("maxProtocol", json!("3")),
        ("role", json!("root")),
        ("surplus", json!(1)),
    ] {
        let (mut socket, _) = challenged(&world, &[]).await;
        let mut params = bare_params(TOKEN);
        params[key] = value;
        let (error, (code, _)) = refused(&mut socket, params).await;
        assert_eq!((&error["code"], code), (&json!("INVALID_REQUEST"), 1008), "{key}");
    }
    is_well(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_345_a_proof_counts_on_its_own_socket_and_once() {
    let world = World::start(plain()).await;
    let device = Device::new(10);
    // From elsewhere, so that a nonce is always needed.
    let elsewhere = [("x-forwarded-for", "203.0.113.9")];
    let (mut first, nonce) = challenged(&world, &[]).await;
    let said = params(&device, &nonce, now_ms());
    assert_eq!(first.call("connect", said.clone()).await["ok"], true);
    for headers in [&[][..], &elsewhere[..]] {
        let (mut second, _) = challenged(&world, headers).await;
        let (error, close) = refused(&mut second, said.clone()).await;
        assert_eq!(error["message"], "the device's proof is not valid for this connection");
        assert_eq!(close.0, 1008);
    }
    // On the same socket a second time: it is connected already.
    assert_eq!(first.call("connect", said.clone()).await["error"]["code"], "INVALID_REQUEST");
    // Another socket's nonce with a fresh signature; no nonce.
    let (mut third, _) = challenged(&world, &[]).await;
    refused(&mut third, params(&device, &nonce, now_ms())).await;
    let (mut fourth, _) = challenged(&world, &elsewhere).await;
    let mut bare = params(&device, "", now_ms());
    bare["device"].as_object_mut().unwrap().remove("nonce");
    device.sign(&mut bare, "v1", now_ms());
    refused(&mut fourth, bare).await;
    assert_eq!(world.gateway.registry.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_345_a_clock_may_be_ten_minutes_off_and_no_more() {
    let world = World::start(plain()).await;
    let device = Device::new(11);
    const MINUTE: u64 = 60_000;
    for (at, right) in [
        (now_ms() - 9 * MINUTE, true),
        (now_ms() + 9 * MINUTE, true),
        (now_ms() - 11 * MINUTE, false),
        (now_ms() + 11 * MINUTE, false),
        (0, false),
        (u64::MAX, false),
    ] {
        let (mut socket, nonce) = challenged(&world, &[]).await;
        let answer = socket.call("connect", params(&device, &nonce, at)).await;
        assert_eq!(answer["ok"], right, "{at}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_344_every_wrong_credential_gets_one_answer_on_the_wire() {
    let world = World::start(json!({"gateway": {"mode": "local", "auth": {
        "mode": "token", "rateLimit": {"maxAttempts": 100, "exemptLoopback": false},
    }}}))
    .await;
    let paired = Device::new(12);
    let (_in, hello) = world.admitted(&paired, "operator", &["operator.read"]).await;
    let token = hello["auth"]["deviceToken"].as_str().unwrap().to_owned();
    let mut answers = Vec::new();
    // Nobody's token, one letter off, the start of it, another device's, the password's place.
    for (device, shown) in [
        (&paired, "x".to_owned()),
        (&paired, format!("{}x", &TOKEN[..TOKEN.len() - 1])),
        (&paired, TOKEN[..5].to_owned()),
        (&paired, "y".repeat(5000)),
        (&Device::new(13), token),
    ] {
        let (mut socket, answer) = world.knock(device, "operator", &["operator.read"], &shown, &[]).await;
        answers.push((answer["error"].clone(), socket.closed().await));
    }
    for (mut auth, token_in_password) in [(json!({}), true), (json!({"token": ""}), true)] {
        let (mut socket, _) = challenged(&world, &[]).await;
        if token_in_password {
            auth["password"] = TOKEN.into();
        }
        let mut params = bare_params(TOKEN);
        params["auth"] = auth;
        let (error, close) = refused(&mut socket, params).await;
        answers.push((error, close));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(answers[0].1.0, 1008);
    // The same over HTTP: one answer, byte for byte.
    let mut over_http = Vec::new();
    for value in [
        "Bearer x",
        "Bearer ",
        "Basic eDp5",
        &format!("Bearer {}x", TOKEN),
        &format!("bearer {}", &TOKEN[1..]),
    ] {
        let text = format!(
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: {value}\r\nConnection: close\r\n\r\n"
        );
        let (status, head, body) = world.http(&text).await;
        let head: Vec<String> = head.lines().filter(|l| !l.starts_with("date:")).map(str::to_owned).collect();
        over_http.push((status, head, body));
    }
    for answer in &over_http {
        assert_eq!(answer, &over_http[0]);
    }
    assert_eq!(over_http[0].0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_336_concurrent_guesses_cannot_exceed_the_budget_by_one() {
    let limits = json!({"maxAttempts": 5, "exemptLoopback": false, "lockoutMs": 60_000});
    let world =
        World::start(json!({"gateway": {"mode": "local", "auth": {"mode": "token", "rateLimit": limits}}}))
            .await;
    // SP-337: what is no guess costs nothing.
    for _ in 0..30 {
        for text in [
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "GET /tools/invoke HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\nConnection: close\r\n\r\n",
            "POST /no/such/route HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ] {
            let (status, ..) = world.http(text).await;
            assert!(matches!(status, 401 | 404 | 405), "{status}");
        }
    }
    let tries: Vec<_> = (0..40)
        .map(|n| {
            let guess = format!(
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess{n}\r\nConnection: close\r\n\r\n"
            );
            let world = &world;
            async move { world.http(&guess).await }
        })
        .collect();
    let answers = futures_util::future::join_all(tries).await;
    let wrong = answers.iter().filter(|a| a.0 == 401).count();
    let locked = answers.iter().filter(|a| a.0 == 429).count();
    assert_eq!((wrong, locked), (5, 35));
    let retry = answers.iter().find(|a| a.0 == 429).unwrap();
    assert!(retry.1.to_lowercase().contains("retry-after: "), "{}", retry.1);
    // The lock holds for the right one too, on every surface, and nobody hears whether it was right.
    let right = format!(
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(world.http(&right).await.0, 429);
    let (mut socket, _) = challenged(&world, &[]).await;
    let (error, close) = refused(&mut socket, bare_params(TOKEN)).await;
    assert_eq!((&error["code"], &error["retryable"], close.0), (&json!("UNAVAILABLE"), &json!(true), 1008));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_334_foreign_pages_and_rebound_names_do_not_connect() {
    let world = World::start(plain()).await;
    let port = world.port;
    let own = format!("http://127.0.0.1:{port}");
    let rebound = format!("http://evil.example:{port}");
    let evil_host = format!("evil.example:{port}");
    let page = |id: &str, mode: &str| {
        let mut params = bare_params(TOKEN);
        params["client"]["id"] = id.into();
        params["client"]["mode"] = mode.into();
        params
    };
    for (id, mode, headers) in [
        ("openclaw-control-ui", "ui", vec![("origin", "https://evil.example")]),
        ("openclaw-control-ui", "ui", vec![("origin", "null")]),
        ("openclaw-control-ui", "ui", vec![("origin", rebound.as_str()), ("host", evil_host.as_str())]),
        ("openclaw-control-ui", "ui", vec![]),
        ("webchat", "webchat", vec![("origin", "file://")]),
        ("cli", "cli", vec![("origin", "https://evil.example")]),
        ("cli", "cli", vec![("origin", rebound.as_str()), ("host", evil_host.as_str())]),
        ("cli", "webchat", vec![]),
    ] {
        let (mut socket, _) = challenged(&world, &headers).await;
        let (error, close) = refused(&mut socket, page(id, mode)).await;
        assert_eq!((&error["code"], close.0), (&json!("INVALID_REQUEST"), 1008), "{id} {headers:?}");
        assert_eq!(error["details"]["reason"], "origin-mismatch", "{id} {headers:?}");
    }
    // A program whose Host names somebody else is not of this machine: no silent pairing.
    let device = Device::new(14);
    let (_, answer) =
        world.knock(&device, "operator", &["operator.read"], TOKEN, &[("host", evil_host.as_str())]).await;
    assert_eq!(answer["error"]["code"], "NOT_PAIRED", "{answer}");
    let (_, answer) =
        world.knock(&device, "operator", &["operator.read"], TOKEN, &[("origin", own.as_str())]).await;
    assert_eq!(answer["error"]["code"], "NOT_PAIRED", "a page is no program of this machine: {answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_331_forged_headers_make_nobody_local_and_name_nobody() {
    // Nothing is trusted; and a list that trusts somebody else.
    for config in [
        plain(),
        json!({"gateway": {"mode": "local", "auth": {"mode": "token", "allowTailscale": true}, "trustedProxies": ["192.0.2.1"]}}),
    ] {
        let world = World::start(config).await;
        for headers in [
            vec![("x-forwarded-for", "127.0.0.1")],
            vec![("x-real-ip", "127.0.0.1")],
            vec![("forwarded", "for=127.0.0.1;host=localhost")],
            vec![("via", "1.1 localhost")],
            vec![("x-forwarded-host", "localhost")],
            vec![("cf-connecting-ip", "127.0.0.1")],
            vec![
                ("x-forwarded-for", "100.64.0.7"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "box.tail.ts.net"),
                ("tailscale-user-login", "root@example.com"),
            ],
        ] {
            // With the secret: in, but not as a program of this machine.
            let device = Device::new(15);
            let (_, answer) = world.knock(&device, "operator", &["operator.read"], TOKEN, &headers).await;
            assert_eq!(answer["error"]["code"], "NOT_PAIRED", "{headers:?}: {answer}");
            // Without: not in, whoever the headers name.
            let (mut socket, _) = challenged(&world, &headers).await;
            let mut params = bare_params("");
            params.as_object_mut().unwrap().remove("auth");
            let (error, _) = refused(&mut socket, params).await;
            assert!(matches!(error["code"].as_str(), Some("NOT_PAIRED" | "INVALID_REQUEST")), "{error}");
            // Details are for programs of this machine.
            let lines: String = headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
            let text = format!("GET /ready HTTP/1.1\r\nHost: localhost\r\n{lines}Connection: close\r\n\r\n");
            let (_, _, body) = world.http(&text).await;
            assert_eq!(body, "{\"ready\":true}", "{headers:?}");
        }
        let (_, _, body) =
            world.http("GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        assert!(body.contains("uptimeMs"), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_330_behind_a_trusted_proxy_the_chain_counts_from_the_right_and_a_broken_one_is_nobody() {
    let world = World::start(
        json!({"gateway": {"mode": "local", "auth": {"mode": "token"}, "trustedProxies": ["127.0.0.1"]}}),
    )
    .await;
    let device = Device::new(16);
    for chain in [
        "203.0.113.9",
        "127.0.0.1, 203.0.113.9",
        "203.0.113.9, 127.0.0.1",
        "127.0.0.1",
        "junk",
        "::1",
        "localhost",
        "",
        ",,,",
    ] {
        let headers = [("x-forwarded-for", chain)];
        let (_, answer) = world.knock(&device, "operator", &["operator.read"], TOKEN, &headers).await;
        assert_eq!(answer["error"]["code"], "NOT_PAIRED", "{chain:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_351_the_switches_open_the_console_and_nothing_else() {
    let glass = |key: &str| json!({"gateway": {"mode": "local", "auth": {"mode": "token"}, "controlUi": {key: true}}});
    for (config, open) in
        [(plain(), false), (glass("allowInsecureAuth"), true), (glass("dangerouslyDisableDeviceAuth"), true)]
    {
        let world = World::start(config).await;
        let origin = format!("http://127.0.0.1:{}", world.port);
        let console = |token: &str| {
            let mut params = bare_params(token);
            params["client"] =
                json!({"id": "openclaw-control-ui", "version": "1", "platform": "web", "mode": "ui"});
            params["scopes"] = json!(["operator.admin"]);
            params
        };
        let headers = [("origin", origin.as_str())];
        let (mut socket, _) = challenged(&world, &headers).await;
        let answer = socket.call("connect", console(TOKEN)).await;
        assert_eq!(answer["ok"], open, "{answer}");
        if open {
            assert_eq!(socket.call("config.get", json!({})).await["ok"], true, "the console administers");
        }
        // Never without the secret, never for a node, never for another program, never over HTTP.
        let (mut socket, _) = challenged(&world, &headers).await;
        refused(&mut socket, console("wrong")).await;
        let (mut socket, _) = challenged(&world, &headers).await;
        let mut node = console(TOKEN);
        node["role"] = "node".into();
        refused(&mut socket, node).await;
        let (mut socket, _) = challenged(&world, &[]).await;
        let mut other = bare_params(TOKEN);
        other["scopes"] = json!(["operator.admin"]);
        assert_eq!(socket.call("connect", other).await["ok"], true);
        let refused = socket.call("config.get", json!({})).await;
        assert_eq!(refused["error"]["message"], "missing scope: operator.admin", "{refused}");
        let text = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        assert_eq!(world.http(text).await.0, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_322_fields_that_are_there_waive_nothing_and_wishes_grant_nothing() {
    let world = World::start(plain()).await;
    for extra in [
        json!({"auth": {"token": "wrong", "deviceToken": TOKEN}}),
        json!({"auth": {"bootstrapToken": TOKEN}}),
        json!({"auth": {"password": ""}}),
        json!({"permissions": {"admin": true}, "auth": {}}),
    ] {
        let (mut socket, _) = challenged(&world, &[]).await;
        let mut params = bare_params(TOKEN);
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        refused(&mut socket, params).await;
    }
    let (mut socket, _) = challenged(&world, &[]).await;
    let mut params = bare_params(TOKEN);
    params["scopes"] = json!(["operator.admin", "operator.pairing", "operator.approvals", "root"]);
    assert_eq!(socket.call("connect", params).await["ok"], true);
    for method in
        ["device.pair.list", "exec.approval.list", "config.get", "sessions.delete", "no.such.method"]
    {
        let answer = socket.call(method, json!({})).await;
        assert!(
            answer["error"]["message"].as_str().unwrap().starts_with("missing scope: "),
            "{method} {answer}"
        );
    }
    assert!(matches!(socket.call("health", json!({})).await["ok"], Value::Bool(true)));
    let closed = tokio::time::timeout(std::time::Duration::from_millis(100), socket.next()).await;
    assert!(!matches!(closed, Ok(Frame::Closed(..))), "a refusal ends nothing");
}
