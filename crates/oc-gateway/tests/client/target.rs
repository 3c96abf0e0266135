//! Where a client goes, from flags, environment and configuration.

use std::net::IpAddr;

use oc_config::Environment;
use oc_gateway::client::{
    Asked, Credentials, Pin, Scheme, Source, Surroundings, Target, TargetError, target,
};
use oc_types::{Node, Origin, Secret};
use serde_json::{Value, json};

fn config(json: &Value) -> Node {
    Node::from_json(json, &Origin::Default)
}

fn given(token: &str) -> Credentials {
    Credentials { token: Some(Secret::new(token.to_owned())), password: None }
}

fn read(t: &Target) -> (String, Option<String>, Option<String>) {
    let show = |s: &Option<Secret>| s.as_ref().map(|s| s.expose().to_owned());
    (t.display.clone(), show(&t.credentials.token), show(&t.credentials.password))
}

fn expect(
    url: &str,
    token: Option<&str>,
    password: Option<&str>,
) -> (String, Option<String>, Option<String>) {
    (url.to_owned(), token.map(str::to_owned), password.map(str::to_owned))
}

fn vars() -> Environment {
    let set = [
        ("OPENCLAW_GATEWAY_TOKEN", "et"),
        ("CLAWDBOT_GATEWAY_PASSWORD", "ep"),
        ("OPENCLAW_GATEWAY_PORT", "8"),
    ];
    Environment::from_process(set.map(|(n, v)| (n.to_owned(), v.to_owned())))
}

#[test]
fn the_target_follows_mode_environment_and_configuration() {
    let vars = vars();
    let mut json = json!({"gateway": {"port": 7, "auth": {"token": "a", "password": "b"},
        "remote": {"url": "wss://user:pw@h.example:9/p?token=x", "token": "r", "password": "q"}}});
    let tree = config(&json);
    let bare = Surroundings::of(&tree);
    let none = Asked::default();
    assert_eq!(read(&target::resolve(&bare, &none)), expect("ws://127.0.0.1:7", Some("a"), Some("b")));
    let around = Surroundings { env: Some(&vars), ..bare };
    assert_eq!(read(&target::resolve(&around, &none)), expect("ws://127.0.0.1:8", Some("et"), Some("ep")));
    let cli = Asked { credentials: given("cli"), ..Asked::default() };
    assert_eq!(read(&target::resolve(&around, &cli)), expect("ws://127.0.0.1:8", Some("cli"), None));

    json["gateway"]["mode"] = "remote".into();
    let tree = config(&json);
    let around = Surroundings { env: Some(&vars), ..Surroundings::of(&tree) };
    let t = target::resolve(&around, &none);
    assert_eq!(read(&t), expect("wss://h.example:9/p", Some("r"), Some("ep")));
    assert_eq!((t.scheme, t.source), (Scheme::Tls, Source::Remote));
    json["gateway"]["remote"]["url"] = "  ".into();
    let tree = config(&json);
    let around = Surroundings { env: Some(&vars), ..Surroundings::of(&tree) };
    assert_eq!(target::resolve(&around, &none).display, "ws://127.0.0.1:8");
}

#[test]
fn sp_353_a_url_on_the_command_line_gets_the_credentials_beside_it_and_no_others() {
    let vars = vars();
    let tree = config(&json!({"gateway": {"mode": "remote", "auth": {"token": "a"},
        "remote": {"url": "wss://h.example", "token": "r", "tlsFingerprint": "00"}}}));
    let around = Surroundings { env: Some(&vars), ..Surroundings::of(&tree) };
    let url = Some("wss://other.example".to_owned());
    let t = target::resolve(&around, &Asked { url: url.clone(), ..Asked::default() });
    assert_eq!(t.problem, Some(TargetError::NeedsCredentials));
    assert!(t.credentials.is_empty());
    let t =
        target::resolve(&around, &Asked { url, credentials: given("x"), fingerprint: None, local: false });
    assert_eq!((t.problem.clone(), read(&t)), (None, expect("wss://other.example", Some("x"), None)));
}

#[test]
fn what_is_no_address_or_no_pin_is_never_contacted() {
    for bad in ["", "h.example", "ftp://h", "ws://", "javascript:1", "ws:///x", "ws://[::1"] {
        let t = target::parse(bad, Source::Flag);
        assert_eq!(t.scheme, Scheme::Invalid, "{bad}");
        assert!(t.refusal(false).is_some_and(|e| e.to_string().contains("--url")), "{bad}");
    }
    let loopback = |url| target::parse(url, Source::Flag).is_loopback();
    assert!(loopback("ws://[::1]:5") && loopback("ws://127.9.9.9") && loopback("ws://[::ffff:127.0.0.1]"));
    assert!(!loopback("ws://127.0.0.1.evil.example") && !loopback("ws://0.0.0.0"));
    for (url, pin, wrong) in [("wss://h", "12", "not a SHA-256"), ("ws://h", &*"ab".repeat(32), "needs wss")]
    {
        let tree =
            config(&json!({"gateway": {"mode": "remote", "remote": {"url": url, "tlsFingerprint": pin}}}));
        let t = target::resolve(&Surroundings::of(&tree), &Asked::default());
        let refusal = t.refusal(false).unwrap().to_string();
        assert!(refusal.contains(wrong) && refusal.contains("gateway.remote.tlsFingerprint"), "{refusal}");
    }
    assert_eq!(
        Pin::parse(&format!("SHA256:{}", "AB:".repeat(31) + "ab")).unwrap().to_string(),
        "ab".repeat(32)
    );
    assert!(Pin::parse("").is_none() && Pin::parse(&"zz".repeat(32)).is_none());
}

#[test]
fn a_credential_that_cannot_be_read_is_no_missing_credential() {
    let tree = config(&json!({"gateway": {"auth": {"token": {"file": "/no/such/file"}}}}));
    let t = target::resolve(&Surroundings::of(&tree), &Asked::default());
    let refusal = t.refusal(false).unwrap().to_string();
    assert!(refusal.contains("gateway.auth.token") && refusal.contains("/no/such/file"), "{refusal}");
}

#[test]
fn the_local_gateway_is_reached_without_leaving_the_machine() {
    let own: [IpAddr; 3] =
        ["127.0.0.1".parse().unwrap(), "192.0.2.9".parse().unwrap(), "100.101.1.2".parse().unwrap()];
    let at = |gateway: Value| {
        let tree = config(&json!({ "gateway": gateway }));
        let around = Surroundings { own: &own, ..Surroundings::of(&tree) };
        let t = target::resolve(&around, &Asked { credentials: given("x"), ..Asked::default() });
        assert_eq!(t.refusal(true), None, "{t:?}");
        t.display
    };
    assert_eq!(at(json!({"bind": "lan", "port": 5})), "ws://127.0.0.1:5");
    assert_eq!(at(json!({"bind": "tailnet", "port": 5})), "ws://100.101.1.2:5");
    assert_eq!(at(json!({"bind": "custom", "customBindHost": "192.0.2.9", "port": 5})), "ws://192.0.2.9:5");
    // An address that is not this machine's own is not where its gateway listens.
    assert_eq!(at(json!({"bind": "custom", "customBindHost": "192.0.2.10", "port": 5})), "ws://127.0.0.1:5");
    assert_eq!(at(json!({"bind": "custom", "customBindHost": "0.0.0.0", "port": 5})), "ws://127.0.0.1:5");
}
