//! `openclaw security lockdown|rotate|collect` as a user runs them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[path = "approvals/asker.rs"]
mod asker;

const CONFIG: &str = r#"{
  // mine
  gateway: { bind: 'lan', mode: 'local', auth: { mode: 'token', token: 'canary-gateway-token-0123456789' },
    tailscale: { mode: "off" } },
  hooks: { enabled: true, token: "${HOOK_TOKEN}" },
  channels: {
    telegram: { botToken: "123456:canary-bot-token-abcdefghijkl", dmPolicy: "open", allowFrom: ["*"], /* all */
      groups: { "-100": { requireMention: false }, "*": { requireMention: false } } },
  },
  tools: { exec: { host: 'gateway' }, elevated: { allowFrom: { telegram: ["*", "1"] } } },
}
"#;

const DEVICES: &str = r#"{
  "op": {"deviceId":"op","publicKey":"k1","displayName":"Laptop","platform":"linux","role":"operator","roles":["operator"],"scopes":["operator.read"],
    "tokens":{"operator":{"token":"canaryoperatortoken0123456789ab","role":"operator","scopes":["operator.read"],"createdAtMs":1}},"createdAtMs":1,"approvedAtMs":1},
  "mac": {"deviceId":"mac","publicKey":"k2","role":"node","roles":["node"],"scopes":[],
    "tokens":{"node":{"token":"canarynodetoken0123456789abcdef0","role":"node","scopes":[],"createdAtMs":1}},"createdAtMs":1,"approvedAtMs":1}
}"#;

const NODES: &str =
    r#"{"mac":{"nodeId":"mac","token":"canary-node-list-token","createdAtMs":1,"approvedAtMs":1}}"#;

struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { directory: tempfile::tempdir().unwrap() };
        home.write("openclaw.json", CONFIG);
        home.write(
            ".env",
            "# mine\nHOOK_TOKEN=canary-hook-token-0123456789 # old\nX_API_KEY=canary-api-key-0123456789\n",
        );
        home.write("devices/paired.json", DEVICES);
        home.write("nodes/paired.json", NODES);
        home
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join(".openclaw")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.state().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.state().join(name)).unwrap()
    }

    fn security(&self, args: &[&str]) -> (i32, String, String) {
        self.openclaw(&[&["security"], args].concat())
    }

    fn openclaw(&self, args: &[&str]) -> (i32, String, String) {
        let out = Command::new(env!("CARGO_BIN_EXE_openclaw"))
            .args(args)
            .env_clear()
            .env("HOME", self.directory.path())
            .env("USER", "me")
            .current_dir(self.directory.path())
            .output()
            .unwrap();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (out.status.code().unwrap(), text(&out.stdout), text(&out.stderr))
    }

    fn json(&self, args: &[&str]) -> Value {
        let (_, out, err) = self.security(args);
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"))
    }

    /// What the user's own files hold; logs, locks, backups and records of this product left out.
    fn files(&self) -> Vec<(String, String)> {
        ["openclaw.json", ".env", "devices/paired.json", "nodes/paired.json"]
            .map(|n| (n.to_owned(), self.read(n)))
            .to_vec()
    }

    fn ask(&self) -> Child {
        asker::child_in(self.directory.path(), "touch asked")
    }

    fn pending(&self) -> usize {
        let (_, out, _) = self.openclaw(&["approvals", "list", "--json"]);
        serde_json::from_str::<Value>(&out).unwrap()["pending"].as_array().unwrap().len()
    }
}

#[test]
fn lockdown_closes_and_undo_restores_every_byte() {
    let home = Home::new();
    let config = home.state().join("openclaw.json");
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o644)).unwrap();
    let before = home.files();
    let mut child = home.ask();
    let end = Instant::now() + Duration::from_secs(20);
    while home.pending() == 0 {
        assert!(Instant::now() < end, "the request never came");
        std::thread::sleep(Duration::from_millis(30));
    }

    let planned = home.json(&["lockdown", "--dry-run", "--json"]);
    assert_eq!(home.files(), before, "a dry run changes nothing");
    assert_eq!(planned["approvalsDenied"].as_array().unwrap().len(), 1);
    assert_eq!(planned["nodesRevoked"], json!(["mac", "mac"]));
    assert!(planned["diff"].as_str().unwrap().contains("loopback"));
    assert!(!planned.to_string().contains("canary"));

    let (code, out, err) = home.security(&["lockdown"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(
        out.contains("gateway.bind: lan -> loopback") && out.contains("1 waiting commands denied"),
        "{out}"
    );
    assert!(!out.contains("canary"), "{out}");
    assert_eq!(home.pending(), 0);
    let _ = child.wait().unwrap();
    let now = home.read("openclaw.json");
    for (part, there) in [
        ("// mine", true),
        ("\"*\"", false),
        ("bind: 'loopback'", true),
        ("requireMention: true", true),
        ("${HOOK_TOKEN}", true),
    ] {
        assert_eq!(now.contains(part), there, "{part}: {now}");
    }
    let devices: Value = serde_json::from_str(&home.read("devices/paired.json")).unwrap();
    assert!(devices.get("mac").is_none() && devices.get("op").is_some());
    assert_eq!(home.read("nodes/paired.json"), "{}");

    // Nothing is wider than it was, whoever asks.
    let old = home.directory.path().join("old.json");
    std::fs::write(&old, CONFIG.replace("${HOOK_TOKEN}", "x")).unwrap();
    let new = home.directory.path().join("new.json");
    std::fs::write(&new, now.replace("${HOOK_TOKEN}", "x")).unwrap();
    let (code, out, err) = home.openclaw(&["policy", "diff", old.to_str().unwrap(), new.to_str().unwrap()]);
    assert_eq!(code, 0, "{out}{err}");

    // A second one finds nothing to do and does not spoil the undo.
    let again = home.json(&["lockdown", "--json"]);
    assert_eq!((&again["changes"], &again["nodesRevoked"]), (&json!([]), &json!([])));
    let (code, out, err) = home.security(&["lockdown", "--undo"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(home.files(), before);
    assert_eq!(std::fs::metadata(&config).unwrap().permissions().mode() & 0o7777, 0o644);
    assert_eq!(home.security(&["lockdown", "--undo"]).0, 1, "there is nothing left to undo");
}

#[test]
fn undo_keeps_what_was_paired_meanwhile_and_refuses_an_edited_configuration() {
    let home = Home::new();
    assert_eq!(home.security(&["lockdown"]).0, 0);
    let changed = home.read("devices/paired.json").replace("Laptop", "Renamed");
    home.write("devices/paired.json", &changed);
    let config = home.read("openclaw.json");
    home.write("openclaw.json", &config.replace("// mine", "// edited"));
    let (code, _, err) = home.security(&["lockdown", "--undo"]);
    assert!(code == 1 && err.contains("openclaw.json was changed"), "{err}");
    home.write("openclaw.json", &config);
    let undone = home.json(&["lockdown", "--undo", "--json"]);
    assert_eq!(undone["nodes"], json!(["mac"]));
    assert_eq!(home.read("openclaw.json"), CONFIG);
    let devices: Value = serde_json::from_str(&home.read("devices/paired.json")).unwrap();
    assert_eq!(devices["op"]["displayName"], "Renamed");
    assert_eq!(devices["mac"]["tokens"]["node"]["token"], "canarynodetoken0123456789abcdef0");
    assert_eq!(home.read("nodes/paired.json"), NODES);
}

#[test]
fn rooms_that_answer_without_a_mention_wait_for_one_while_locked_down() {
    let home = Home::new();
    let main = "agents/main/sessions/sessions.json";
    let other = "agents/gone/sessions/sessions.json";
    // As the reference release writes it, members of its own included.
    let text = r#"{"agent:main:telegram:group:1":{"sessionId":"a","updatedAt":1,"groupActivation":"always","x":[1]},
 "agent:main:telegram:group:2":{"sessionId":"b","groupActivation":"mention"},"agent:main:main":{"sessionId":"c"}}"#;
    home.write(main, text);
    home.write(other, r#"{"agent:gone:slack:channel:c":{"groupActivation":"always"}}"#);
    let both = json!(["agent:main:telegram:group:1", "agent:gone:slack:channel:c"]);
    let planned = home.json(&["lockdown", "--dry-run", "--json"]);
    assert_eq!(planned["sessionsMuted"], both);
    assert_eq!(home.read(main), text);
    let done = home.json(&["lockdown", "--json"]);
    assert_eq!((&done["ok"], &done["sessionsMuted"]), (&json!(true), &both), "{done}");
    let now: Value = serde_json::from_str(&home.read(main)).unwrap();
    assert_eq!(now["agent:main:telegram:group:1"]["groupActivation"], "mention");
    assert_eq!(now["agent:main:telegram:group:1"]["x"], json!([1]));
    assert!(!home.read(other).contains("always"));
    // A second one keeps what the first recorded; what changed meanwhile keeps its changes.
    assert_eq!(home.json(&["lockdown", "--json"])["sessionsMuted"], json!([]));
    let used = home.read(other).replace('{', "{\n ").replacen(
        "\"groupActivation\"",
        "\"updatedAt\": 7, \"groupActivation\"",
        1,
    );
    home.write(other, &used);
    let undone = home.json(&["lockdown", "--undo", "--json"]);
    assert_eq!(home.read(main), text);
    assert_eq!(undone["rooms"], json!(["agent:gone:slack:channel:c"]));
    let now: Value = serde_json::from_str(&home.read(other)).unwrap();
    let entry = &now["agent:gone:slack:channel:c"];
    assert_eq!((&entry["groupActivation"], &entry["updatedAt"]), (&json!("always"), &json!(7)));
}

#[test]
fn a_rotation_between_lockdown_and_undo_stays() {
    let home = Home::new();
    assert_eq!(home.security(&["lockdown"]).0, 0);
    let shown = home.json(&["rotate", "gateway", "--show", "--json"]);
    let secret = shown["secrets"]["gateway.auth.token"].as_str().unwrap();
    assert_eq!(home.security(&["rotate", "devices"]).0, 0);
    let (code, out, err) = home.security(&["lockdown", "--undo"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(home.read("openclaw.json"), CONFIG.replace("canary-gateway-token-0123456789", secret));
    for list in ["devices/paired.json", "nodes/paired.json"] {
        assert!(
            !home.read(list).contains("canarynode") && !home.read(list).contains("canary-node"),
            "{list}"
        );
    }
}

#[test]
fn a_damaged_record_of_an_earlier_lockdown_does_not_keep_this_one_from_closing() {
    let home = Home::new();
    home.write("security-lockdown.json", "{");
    let report = home.json(&["lockdown", "--json"]);
    assert!(report["errors"][0].as_str().unwrap().contains("earlier lockdown"), "{report}");
    assert!(home.read("openclaw.json").contains("bind: 'loopback'"));
    assert_eq!(home.read("security-lockdown.json.damaged"), "{");
    assert_eq!(home.security(&["lockdown", "--undo"]).0, 0);
    assert_eq!(home.read("openclaw.json"), CONFIG);
}

#[test]
fn an_invalid_configuration_does_not_keep_the_rest_from_closing() {
    let home = Home::new();
    home.write("openclaw.json", "{ gateway: { bnd: 1 } }");
    let report = home.json(&["lockdown", "--json"]);
    assert_eq!(report["ok"], false);
    assert_eq!(report["nodesRevoked"], json!(["mac", "mac"]));
    assert_eq!(home.read("openclaw.json"), "{ gateway: { bnd: 1 } }");
}

#[test]
fn sp_066_rotation_puts_a_new_secret_where_the_old_one_stood() {
    let home = Home::new();
    let (code, out, err) = home.security(&["rotate", "gateway"]);
    assert_eq!(code, 0, "{out}{err}");
    let config = home.read("openclaw.json");
    assert!(!config.contains("canary-gateway-token") && config.contains("// mine"), "{config}");
    let token = config.split("token: '").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    assert!(token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{config}");
    assert!(!out.contains(&token) && !err.contains(&token), "{out}");
    for part in ["gateway.remote.token", "Laptop on linux", "channels.telegram.botToken", "X_API_KEY"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!out.contains("canary"), "{out}");

    let planned = home.json(&["rotate", "hooks", "--dry-run", "--json"]);
    assert_eq!(planned["rotated"][0]["key"], "hooks.token");
    assert!(home.read(".env").contains("canary-hook-token"));
    let shown = home.json(&["rotate", "hooks", "--show", "--json"]);
    let secret = shown["secrets"]["hooks.token"].as_str().unwrap();
    let wanted = format!("# mine\nHOOK_TOKEN={secret}\nX_API_KEY=canary-api-key-0123456789\n");
    let env = home.read(".env").replace(" # old", "");
    assert_eq!(env, wanted);
    assert!(home.read("openclaw.json").contains("${HOOK_TOKEN}"));

    let report = home.json(&["rotate", "devices", "--json"]);
    assert_eq!(report["rotated"].as_array().unwrap().len(), 3, "{report}");
    let devices: Value = serde_json::from_str(&home.read("devices/paired.json")).unwrap();
    for (id, role) in [("op", "operator"), ("mac", "node")] {
        assert!(devices[id]["tokens"][role]["revokedAtMs"].is_u64(), "{devices}");
    }
    assert!(!home.read("nodes/paired.json").contains("canary"));
}

#[test]
fn a_secret_that_only_a_person_can_change_is_named_and_the_exit_code_says_so() {
    let home = Home::new();
    let text = CONFIG.replace("'canary-gateway-token-0123456789'", "\"pre-${GATEWAY_PART}\"");
    home.write("openclaw.json", &text);
    home.write(".env", "GATEWAY_PART=p1234567\nHOOK_TOKEN=h");
    let (code, out, _) = home.security(&["rotate", "gateway"]);
    assert!(code == 1 && out.contains("by hand: gateway.auth.token"), "{out}");
    assert_eq!(home.read("openclaw.json"), text);
}

/// A secret of every kind, in its place and said in conversations, logs and approvals.
#[test]
fn sp_014_no_secret_of_any_kind_is_in_an_evidence_bundle() {
    let home = Home::new();
    let secrets = [
        "canary-gateway-token-0123456789",
        "123456:canary-bot-token-abcdefghijkl",
        "canary-hook-token-0123456789",
        "canary-api-key-0123456789",
        "canaryoperatortoken0123456789ab",
        "canarynodetoken0123456789abcdef0",
        "canary-node-list-token",
        "canary-profile-key",
        "canary-oauth-refresh",
        "canary-wa-noise",
        "canarysockettoken0123456789abcdef",
        "sk-canary0123456789abcdefghijkl",
        "canary \"odd\" pass\\word",
    ];
    home.write(
        "agents/main/agent/auth-profiles.json",
        r#"{"profiles":{"a":{"type":"api_key","provider":"anthropic","key":"canary-profile-key"},"b":{"type":"oauth","refresh":"canary-oauth-refresh"}}}"#,
    );
    home.write("credentials/whatsapp/default/creds.json", r#"{"noiseKey":{"private":"canary-wa-noise"}}"#);
    home.write(
        "exec-approvals.json",
        r#"{"version":1,"socket":{"path":"/s","token":"canarysockettoken0123456789abcdef"}}"#,
    );
    let with_password =
        CONFIG.replace("mode: 'token'", "mode: 'token', password: 'canary \"odd\" pass\\\\word'");
    home.write(
        "openclaw.json",
        &with_password.replace("hooks:", "logging: { file: \"~/.openclaw/gateway.log\" },\n  hooks:"),
    );
    let mut transcript = String::new();
    let mut log = String::new();
    for secret in secrets {
        let inner = json!({ "command": format!("curl -H 'X: {secret}' https://x/?k={secret}") }).to_string();
        transcript
            .push_str(&format!("{}\n", json!({ "type": "message", "content": [{ "text": inner }, secret] })));
        log.push_str(&format!("{}\nplain line with {secret} in it\n", json!({ "0": secret, "time": "t" })));
    }
    transcript.push_str("{\"type\":\"message\",\"content\":\"what the attacker said\"}\n");
    home.write("agents/main/sessions/s1.jsonl", &transcript);
    home.write("gateway.log", &log);
    let (code, _, err) = home.openclaw(&["config", "set", "gateway.bind", "loopback"]);
    assert_eq!(code, 0, "{err}");

    let (code, out, err) = home.security(&["collect", "--output", "bundle.json"]);
    assert_eq!(code, 0, "{out}{err}");
    let file = home.directory.path().join("bundle.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    for secret in secrets.iter().copied().chain(["odd", "canary"]) {
        let at = text.find(secret).map(|at| &text[at.saturating_sub(80)..(at + 80).min(text.len())]);
        assert_eq!(at, None, "{secret}");
    }
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert!(bundle["collectedAt"].as_str().unwrap().starts_with("20"));
    assert_eq!(bundle["host"]["os"], std::env::consts::OS);
    assert_eq!(bundle["openclaw"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(bundle["exposure"]["now"]["bind"], "loopback");
    assert_eq!(bundle["exposure"]["history"][0]["changes"][0]["path"], "gateway.bind");
    assert!(text.contains("what the attacker said"));
    assert_eq!(bundle["transcripts"][0]["lines"].as_array().unwrap().len(), secrets.len() + 1);
    assert_eq!(bundle["logs"].as_array().unwrap().len(), 1);
    assert!(bundle["audit"]["findings"].is_array() && bundle["ledger"].is_array());
    assert_eq!(bundle["paired"]["devices"][0]["name"], "Laptop");
    let (code, out, _) = home.security(&["collect", "--output", "-", "--no-transcripts"]);
    assert!(code == 0 && !out.contains("what the attacker said"));
}

#[test]
fn an_evidence_bundle_is_never_written_through_a_link() {
    let home = Home::new();
    let real = home.directory.path().join("real");
    std::fs::write(&real, "kept").unwrap();
    std::os::unix::fs::symlink(&real, home.directory.path().join("bundle.json")).unwrap();
    let (code, _, err) = home.security(&["collect", "--output", "bundle.json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "kept");
    assert!(!Path::new(&home.directory.path().join("bundle.json")).symlink_metadata().unwrap().is_symlink());
}
