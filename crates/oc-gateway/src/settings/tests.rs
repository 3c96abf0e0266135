use super::*;
use oc_types::Origin;
use serde_json::json;

const TOKEN: &str = "a-token-that-is-long-enough";

fn read_with(
    json: serde_json::Value,
    env: &[(&str, &str)],
    flags: &Flags,
) -> Result<Settings, Vec<StartRefused>> {
    let node = Node::from_json(&json, &Origin::Builtin);
    let environment = Environment::from_process(env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let text = |path: &[&str]| node.path(path).and_then(Node::as_str).map(|s| Secret::new(s.to_owned()));
    let resolved = Resolved {
        token: text(&["gateway", "auth", "token"]),
        password: text(&["gateway", "auth", "password"]),
        hooks: text(&["hooks", "token"]),
        failed: Vec::new(),
    };
    read(&node, &environment, flags, &resolved)
}

fn local(more: serde_json::Value) -> serde_json::Value {
    let mut all = json!({"gateway": {"mode": "local", "auth": {"token": TOKEN}}});
    for (key, value) in more.as_object().unwrap() {
        all["gateway"][key] = value.clone();
    }
    all
}

fn refused(json: serde_json::Value) -> String {
    let all = read_with(json, &[], &Flags::default()).unwrap_err();
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn sp_320_without_a_credential_the_gateway_does_not_start() {
    let none = refused(json!({"gateway": {"mode": "local"}}));
    assert!(none.contains("gateway.auth.token") && none.contains("onboard --secure"), "{none}");
    let blank = refused(json!({"gateway": {"mode": "local", "auth": {"token": "  "}}}));
    assert!(blank.contains("gateway.auth.token"), "{blank}");
    let wrong_mode =
        refused(json!({"gateway": {"mode": "local", "auth": {"mode": "password", "token": TOKEN}}}));
    assert!(wrong_mode.contains("gateway.auth.password"), "{wrong_mode}");
    let none_mode = refused(json!({"gateway": {"mode": "local", "auth": {"mode": "none"}}}));
    assert!(none_mode.contains("\"none\" is not served"), "{none_mode}");
    let lan = refused(json!({"gateway": {"mode": "local", "bind": "lan"}}));
    assert!(lan.contains("gateway.bind is \"lan\""), "{lan}");
}

#[test]
fn the_secret_comes_from_flag_configuration_environment_in_this_order() {
    let opens = |json, env: &[(&str, &str)], flags: &Flags, text: &str| {
        let settings = read_with(json, env, flags).unwrap();
        let shown = crate::entrance::credential::Shown { token: Some(text), password: Some(text) };
        settings.accepts.judge(shown).is_ok()
    };
    let env = [("OPENCLAW_GATEWAY_TOKEN", "from-environment")];
    let flags = Flags { token: Some(Secret::new("from-flag".to_owned())), ..Flags::default() };
    assert!(opens(local(json!({})), &env, &flags, "from-flag"));
    assert!(opens(local(json!({})), &env, &Flags::default(), TOKEN));
    let bare = json!({"gateway": {"mode": "local"}});
    assert!(opens(bare.clone(), &env, &Flags::default(), "from-environment"));
    assert!(opens(bare.clone(), &[("CLAWDBOT_GATEWAY_TOKEN", "older")], &Flags::default(), "older"));
    let password = [("OPENCLAW_GATEWAY_PASSWORD", "pw")];
    assert!(opens(bare, &password, &Flags::default(), "pw"), "a known password makes the mode");
}

#[test]
fn the_mode_has_to_say_that_the_gateway_runs_here() {
    assert!(refused(json!({"gateway": {"auth": {"token": TOKEN}}})).contains("gateway.mode is not set"));
    assert!(refused(json!({"gateway": {"mode": "remote", "auth": {"token": TOKEN}}})).contains("\"remote\""));
    let flags = Flags { allow_unconfigured: true, ..Flags::default() };
    assert!(read_with(json!({"gateway": {"auth": {"token": TOKEN}}}), &[], &flags).is_ok());
}

#[test]
fn the_port_comes_from_flag_environment_configuration() {
    let port =
        |env: &[(&str, &str)], flags: &Flags| read_with(local(json!({"port": 3})), env, flags).unwrap().port;
    let env = [("OPENCLAW_GATEWAY_PORT", "2")];
    assert_eq!(port(&env, &Flags { port: Some(1), ..Flags::default() }), 1);
    assert_eq!(port(&env, &Flags::default()), 2);
    assert_eq!(port(&[], &Flags::default()), 3);
    assert_eq!(read_with(local(json!({})), &[], &Flags::default()).unwrap().port, DEFAULT_PORT);
}

#[test]
fn tailscale_publishes_loopback_only_and_the_internet_needs_a_password() {
    assert!(refused(local(json!({"bind": "lan", "tailscale": {"mode": "serve"}}))).contains("\"loopback\""));
    assert!(refused(local(json!({"tailscale": {"mode": "funnel"}}))).contains("\"password\""));
    let serve = read_with(local(json!({"tailscale": {"mode": "serve"}})), &[], &Flags::default()).unwrap();
    assert!(serve.tailscale.identity);
    assert!(!read_with(local(json!({})), &[], &Flags::default()).unwrap().tailscale.identity);
}

#[test]
fn sp_348_hooks_need_a_secret_of_their_own() {
    let with = |hooks: serde_json::Value| {
        let mut all = local(json!({}));
        all["hooks"] = hooks;
        all
    };
    assert!(refused(with(json!({"enabled": true}))).contains("hooks.token"));
    assert!(refused(with(json!({"enabled": true, "token": TOKEN}))).contains("one of their own"));
    assert!(refused(with(json!({"enabled": true, "token": "other", "path": "/"}))).contains("hooks.path"));
    assert!(
        refused(with(json!({"enabled": true, "token": "other", "path": "/a/../b"}))).contains("hooks.path")
    );
    let good =
        read_with(with(json!({"enabled": true, "token": "other", "path": "in/"})), &[], &Flags::default());
    assert_eq!(good.unwrap().hooks.unwrap().path, "/in");
    let off = read_with(with(json!({"enabled": false})), &[], &Flags::default()).unwrap();
    assert!(off.hooks.is_none());
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let all =
        refused(json!({"gateway": {"mode": "remote", "bind": "everywhere"}, "hooks": {"enabled": true}}));
    for part in ["remote", "everywhere", "gateway.auth.token", "hooks.token"] {
        assert!(all.contains(part), "{part}: {all}");
    }
}
