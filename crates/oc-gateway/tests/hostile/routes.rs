//! What every route of the port says to whoever asks: golden tables.

use serde_json::json;

use super::plain;
use super::support::{TOKEN, World};

const HOOKS: &str = "the-token-of-the-hooks-alone";

fn with_hooks() -> serde_json::Value {
    json!({
        "gateway": {"mode": "local", "auth": {"mode": "token"}, "http": {"endpoints": {
            "chatCompletions": {"enabled": true}, "responses": {"enabled": true},
        }}},
        "hooks": {"enabled": true, "token": HOOKS},
    })
}

/// A request: method, path, further head lines, body.
fn request(method: &str, path: &str, lines: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{lines}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n")
}

const ROUTES: [&str; 12] = [
    "/health",
    "/healthz",
    "/ready",
    "/readyz",
    "/metrics",
    "/tools/invoke",
    "/v1/chat/completions",
    "/v1/responses",
    "/hooks/wake",
    "/hooks/agent",
    "/",
    "/approvals",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_355_without_a_credential_there_is_liveness_and_nothing_else() {
    let world = World::start(with_hooks()).await;
    let mut seen = String::new();
    for path in ROUTES {
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            // As somebody from elsewhere: programs of this machine hear why it is not ready.
            let text = request(method, path, "X-Forwarded-For: 203.0.113.9\r\n", "");
            let (status, _, body) = world.http(&text).await;
            let body = if body.contains("<html") { "(the console's document)" } else { body.as_str() };
            seen.push_str(&format!("{method} {path}: {status} {body}\n"));
        }
    }
    assert!(!seen.contains(env!("CARGO_PKG_VERSION")));
    insta::assert_snapshot!("without_a_credential", seen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_335_pages_of_other_sites_change_nothing() {
    let world = World::start(with_hooks()).await;
    let invoke = r#"{"tool":"session_status","dryRun":true}"#;
    let wake = r#"{"text":"hello"}"#;
    for (path, token, body, right) in
        [("/tools/invoke", TOKEN, invoke, &[200, 404][..]), ("/hooks/wake", HOOKS, wake, &[200])]
    {
        let own = format!("Origin: http://127.0.0.1:{}\r\n", world.port);
        for (lines, refused) in [
            (String::new(), false),
            (own.clone(), false),
            ("Sec-Fetch-Site: same-origin\r\n".to_owned(), false),
            ("Sec-Fetch-Site: none\r\n".to_owned(), false),
            ("Sec-Fetch-Site: cross-site\r\n".to_owned(), true),
            ("Sec-Fetch-Site: same-site\r\n".to_owned(), true),
            ("Sec-Fetch-Site: odd\r\n".to_owned(), true),
            ("Origin: https://evil.example\r\n".to_owned(), true),
            ("Origin: null\r\n".to_owned(), true),
            (format!("{own}Sec-Fetch-Site: cross-site\r\n"), true),
        ] {
            let (status, head, _) =
                world.http(&request("POST", path, &format!("{}{lines}", bearer(token)), body)).await;
            if refused {
                assert_eq!(status, 403, "{path} {lines}")
            } else {
                assert!(right.contains(&status), "{path} {lines}: {status}")
            }
            assert!(!head.to_lowercase().contains("access-control-"), "no page of another site may read it");
        }
        // From a page, only what no form can send.
        for kind in
            ["", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"]
        {
            let lines = format!("Authorization: Bearer {token}\r\n{own}{kind}");
            assert_eq!(world.http(&request("POST", path, &lines, body)).await.0, 403, "{path} {kind}");
        }
        // Reading changes nothing, with or without the secret.
        for method in ["GET", "HEAD", "DELETE"] {
            assert_eq!(
                world.http(&request(method, path, &bearer(token), "")).await.0,
                405,
                "{path} {method}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_354_hooks_have_a_secret_of_their_own_in_a_header() {
    let world = World::start(with_hooks()).await;
    let wake = r#"{"text":"hello"}"#;
    let other = format!("X-OpenClaw-Token: {HOOKS}\r\n");
    for (path, lines, body, wanted) in [
        ("/hooks/wake", bearer(HOOKS), wake, 200),
        ("/hooks/wake", other, wake, 200),
        ("/hooks/wake", bearer(TOKEN), wake, 401),
        ("/hooks/wake", String::new(), wake, 401),
        ("/hooks/wake?token=the-token-of-the-hooks-alone", String::new(), wake, 400),
        ("/hooks/wake?token=the-token-of-the-hooks-alone", bearer(HOOKS), wake, 400),
        ("/hooks/wake", bearer(HOOKS), "{}", 400),
        ("/hooks/wake", bearer(HOOKS), r#"{"text":" "}"#, 400),
        ("/hooks/wake", bearer(HOOKS), r#"{"text":"x","mode":"later"}"#, 400),
        ("/hooks/wake", bearer(HOOKS), r#"{"text":"hello","mode":"next-heartbeat"}"#, 501),
        ("/hooks/agent", bearer(HOOKS), r#"{"message":"x","sessionKey":"agent:main:main"}"#, 400),
        ("/hooks/agent", bearer(TOKEN), r#"{"message":"x"}"#, 401),
        ("/hooks/none", bearer(HOOKS), wake, 404),
        // SP-348: neither opens what the other is for.
        ("/tools/invoke", bearer(HOOKS), r#"{"tool":"x"}"#, 401),
    ] {
        assert_eq!(world.http(&request("POST", path, &lines, body)).await.0, wanted, "{path} {lines} {body}");
    }
    assert_eq!(
        world.http(&request("POST", "/hooks/wake", &bearer(HOOKS), &"x".repeat(300_000))).await.0,
        413
    );
    // What nobody would hear of is not kept.
    assert!(world.gateway.system_events.lock().unwrap().texts().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_348_one_secret_for_two_purposes_does_not_start() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join(".openclaw");
    std::fs::create_dir_all(&state).unwrap();
    let twice = json!({
        "gateway": {"mode": "local", "auth": {"mode": "token", "token": HOOKS}}, "hooks": {"enabled": true, "token": HOOKS},
    });
    super::support::write(&state.join("openclaw.json"), &twice.to_string());
    let started =
        oc_gateway::server::run::start(super::support::source(home.path()), "t".to_owned(), None).await;
    assert!(started.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_320_no_credential_and_no_start_whatever_the_address() {
    for bind in ["loopback", "lan", "auto"] {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join(".openclaw");
        std::fs::create_dir_all(&state).unwrap();
        let config = json!({"gateway": {"mode": "local", "bind": bind}});
        super::support::write(&state.join("openclaw.json"), &config.to_string());
        let mut source = super::support::source(home.path());
        source.request.environment = oc_config::Environment::from_process([
            ("HOME".to_owned(), home.path().display().to_string()),
            ("OPENCLAW_ALLOW_MULTI_GATEWAY".to_owned(), "1".to_owned()),
        ]);
        let started = oc_gateway::server::run::start(source, "t".to_owned(), None).await;
        let why = started.map(drop).expect_err("it started").to_string();
        assert!(why.contains("gateway.auth"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_356_every_answer_of_the_console_is_dressed() {
    let world = World::start(plain()).await;
    for (method, path) in [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/approvals"),
        ("GET", "/app.js"),
        ("GET", "/style.css"),
        ("GET", "/icon.svg"),
        ("GET", "/no-such-file.js"),
        ("POST", "/"),
        ("GET", "/<script>alert(1)</script>"),
    ] {
        let (status, head, body) = world.http(&request(method, path, "", "")).await;
        let head = head.to_lowercase();
        if status == 400 {
            assert!(!body.contains("<script>"), "{path}");
            continue;
        }
        let policy = head
            .lines()
            .find_map(|l| l.strip_prefix("content-security-policy: "))
            .unwrap_or_else(|| panic!("{path}: {head}"));
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe-") && !policy.contains('*'), "{policy}");
        for line in
            ["x-frame-options: deny", "x-content-type-options: nosniff", "referrer-policy: no-referrer"]
        {
            assert!(head.contains(line), "{method} {path}: {line}");
        }
        assert!(!body.contains("alert(1)"), "{path}");
        if head.contains("text/html") && status == 200 {
            assert!(
                !body.contains("<script>") && !body.contains(" onload=") && !body.contains("javascript:"),
                "inline script"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_343_nothing_secret_comes_in_or_goes_out_in_an_address() {
    let mut config = with_hooks();
    config["gateway"]["controlUi"] = json!({"basePath": "/ui"});
    let world = World::start(config).await;
    let canary = "canary-in-the-address";
    for path in ROUTES.into_iter().chain(["/ui", "/ui/", "/ui/app.js", "/ui/approvals", "/nowhere"]) {
        for method in ["GET", "POST", "HEAD"] {
            for query in [
                format!("token={canary}"),
                format!("token={TOKEN}"),
                format!("token={HOOKS}"),
                format!("gatewayUrl=wss://{canary}"),
            ] {
                let text = request(
                    method,
                    &format!("{path}?{query}"),
                    &format!("Referer: http://localhost/?token={canary}\r\n"),
                    "",
                );
                let (status, head, body) = world.http(&text).await;
                // No secret in an address opens anything.
                assert!(
                    !(path == "/metrics"
                        || path.starts_with("/tools")
                        || path.starts_with("/v1")
                        || path.starts_with("/hooks"))
                        || status >= 400,
                    "{method} {path}?{query}: {status}"
                );
                for secret in [canary, TOKEN, HOOKS] {
                    assert!(!head.contains(secret) && !body.contains(secret), "{method} {path}?{query}");
                }
                let head = head.to_lowercase();
                assert!(!head.contains("set-cookie"), "{path}");
                assert!(head.contains("referrer-policy: no-referrer"), "{path}");
                if let Some(location) = head.lines().find_map(|l| l.strip_prefix("location: ")) {
                    assert_eq!(location, "/ui/", "{path}");
                }
            }
        }
    }
    // Nor at the handshake.
    let mut socket = world.connect_at(&format!("/?token={TOKEN}&password={TOKEN}"), &[]).await;
    let _ = socket.json().await;
    let mut params = super::bare_params("");
    params.as_object_mut().unwrap().remove("auth");
    assert_eq!(socket.call("connect", params).await["error"]["code"], "NOT_PAIRED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metrics_are_whole_and_hold_no_names() {
    let world = World::start(with_hooks()).await;
    let (mut client, _) =
        world.admitted(&super::support::Device::new(41), "operator", &["operator.read"]).await;
    assert_eq!(client.call("health", json!({})).await["ok"], true);
    assert_eq!(client.call("no.such.method", json!({})).await["ok"], false);
    let get = format!(
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    );
    let (status, head, body) = world.http(&get).await;
    assert_eq!(status, 200, "{body}");
    assert!(
        head.to_lowercase().contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{head}"
    );
    for line in [
        "# TYPE openclaw_uptime_seconds gauge",
        "# UNIT openclaw_uptime_seconds seconds",
        "openclaw_config_generation 1",
        "openclaw_connections{role=\"operator\"} 1",
        "openclaw_connections{role=\"node\"} 0",
        "# TYPE openclaw_requests counter",
        "openclaw_requests_total 2",
        "openclaw_request_failures_total 1",
        "openclaw_handshakes_total{outcome=\"admitted\"} 1",
        "openclaw_handshakes_total{outcome=\"refused\"} 0",
    ] {
        assert!(body.lines().any(|l| l == line), "{line}: {body}");
    }
    assert!(body.ends_with("# EOF\n"), "{body}");
    let names = body.lines().filter(|l| !l.starts_with('#')).all(|l| l.starts_with("openclaw_"));
    assert!(names && !body.contains("127.0.0.1"), "{body}");
}
