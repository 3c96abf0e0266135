//! `openclaw channels login`, `test` and `logout` as a user runs them, against a fake of the Telegram Bot API on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const TOKEN: &str = "4242:AAbb_cc-dd";
const OTHER: &str = "4242:AAxx_yy-zz";

/// What the fake says.
#[derive(Clone, Copy)]
enum Manner {
    /// It knows [`TOKEN`] alone.
    Proper,
    /// It takes connections and says nothing.
    Silent,
}

fn service(manner: Manner) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream, manner));
        }
    });
    port
}

fn answer(mut stream: TcpStream, manner: Manner) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    if let Manner::Silent = manner {
        // Until the other side gives up.
        let _ = reader.read_to_end(&mut Vec::new());
        return;
    }
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = n.trim().parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let known = first.contains(&format!("/bot{TOKEN}/getMe"));
    let (status, body) = if known {
        (200, json!({ "ok": true, "result": { "id": 4242, "is_bot": true, "username": "claw_bot" } }))
    } else {
        let path = first.split(' ').nth(1).unwrap();
        // Services repeat what they were asked.
        (401, json!({ "ok": false, "error_code": 401, "description": format!("Unauthorized {path}") }))
    };
    let body = body.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

struct Home(tempfile::TempDir);

impl Home {
    fn new(config: &Value) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(home.state()).unwrap();
        std::fs::write(home.state().join("openclaw.json"), format!("// mine\n{config:#}\n")).unwrap();
        home
    }

    /// With a section of Telegram whose service is the fake.
    fn telegram(port: u16, more: &Value) -> Self {
        let mut section = json!({ "apiRoot": format!("http://127.0.0.1:{port}"), "allowFrom": ["999"] });
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Self::new(&json!({ "channels": { "telegram": section } }))
    }

    fn state(&self) -> PathBuf {
        self.0.path().join(".openclaw")
    }

    fn secret(&self, name: &str) -> PathBuf {
        self.state().join("credentials").join(name)
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.state().join("openclaw.json")).unwrap()
    }

    fn get(&self, key: &str) -> Option<Value> {
        let all: Value = json5::from_str(&self.config()).unwrap();
        key.split('.').try_fold(all, |v, k| v.get(k).cloned())
    }

    fn run(&self, args: &[&str], input: &str) -> (i32, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_openclaw"))
            .arg("channels")
            .args(args)
            .env_clear()
            .env("HOME", self.0.path())
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who refuses does not read.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let out = child.wait_with_output().unwrap();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        let (said, noted) = (text(&out.stdout), text(&out.stderr));
        for secret in ["AAbb", "AAxx", "hush"] {
            assert!(!said.contains(secret) && !noted.contains(secret), "{args:?}: {said}{noted}");
        }
        (out.status.code().unwrap(), said, noted)
    }

    fn says(&self, args: &[&str], input: &str, code: i32) -> String {
        let (got, out, err) = self.run(args, input);
        assert_eq!(got, code, "{args:?}: {out}{err}");
        let text = format!("{out}{err}").replace(self.0.path().to_str().unwrap(), "~");
        // Folding depends on the length of the folder's name.
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(format!("channels_{name}"), text);
    });
}

#[test]
fn login_stores_test_tries_logout_removes() {
    let home = Home::telegram(service(Manner::Proper), &json!({}));
    let file = home.secret("telegram-default-botToken");
    let before = home.config();
    snapshot("login", &home.says(&["login", "--channel", "telegram"], &format!("{TOKEN}\n"), 0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{TOKEN}\n"));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o7777, 0o700);
    assert_eq!(home.get("channels.telegram.tokenFile"), Some(json!(file.to_str().unwrap())));
    assert!(home.config().contains("// mine") && !home.config().contains("AAbb"), "{}", home.config());

    snapshot("test", &home.says(&["test"], "", 0));
    let (code, out, _) = home.run(&["test", "--channel", "telegram", "--account", "default", "--json"], "");
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["ok"]), (0, &json!(true)));
    assert_eq!(answer["accounts"][0]["bot"], json!({ "id": "4242", "username": "claw_bot" }));

    let list = home.secret("telegram-allowFrom.json");
    std::fs::write(&list, r#"{"version":1,"allowFrom":["111"]}"#).unwrap();
    home.says(&["logout", "--channel", "telegram"], "y\n", 1);
    assert!(file.exists(), "nobody could be asked: nothing goes");
    snapshot("logout", &home.says(&["logout", "--channel", "telegram", "--yes"], "", 0));
    assert!(!file.exists() && list.exists());
    assert_eq!(home.get("channels.telegram.tokenFile"), None);
    assert_eq!(home.get("channels.telegram.allowFrom"), Some(json!(["999"])));
    assert_eq!(home.config(), before, "nothing else was touched");
    snapshot("test_missing", &home.says(&["test"], "", 0));
    home.says(&["test", "--channel", "telegram"], "", 1);
    snapshot("logout_nothing", &home.says(&["logout", "--channel", "telegram", "--yes"], "", 0));
}

#[test]
fn a_refused_credential_names_its_key_and_is_not_shown() {
    let home = Home::telegram(service(Manner::Proper), &json!({ "botToken": OTHER }));
    snapshot("test_refused", &home.says(&["test", "--channel", "telegram"], "", 1));
    let (code, out, _) = home.run(&["test", "--json"], "");
    let answer: Value = serde_json::from_str(&out).unwrap();
    let error = &answer["accounts"][0]["error"];
    assert_eq!((code, &error["kind"]), (1, &json!("credential")));
    assert_eq!(error["key"], "channels.telegram.botToken");
    assert!(error["fix"].as_str().unwrap().contains("channels login --channel telegram"));
    // The new one replaces the one in the configuration.
    home.says(&["login", "--channel", "telegram"], TOKEN, 0);
    assert_eq!(home.get("channels.telegram.botToken"), None);
    home.says(&["test"], "", 0);
}

#[test]
fn a_service_that_says_nothing_is_given_up() {
    let home = Home::telegram(service(Manner::Silent), &json!({ "botToken": TOKEN }));
    let (code, out, _) = home.run(&["test", "--json", "--timeout", "300"], "");
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["accounts"][0]["result"]), (1, &json!("timeout")));
}

#[test]
fn an_account_that_is_off_is_not_asked() {
    let home = Home::telegram(service(Manner::Silent), &json!({ "botToken": TOKEN, "enabled": false }));
    home.says(&["test"], "", 0);
    let said = home.says(&["test", "--channel", "telegram"], "", 1);
    assert!(said.contains("channels.telegram.enabled"), "{said}");
}

#[test]
fn credentials_come_one_a_line_and_never_as_an_argument() {
    let home = Home::new(&json!({}));
    let slack = ["login", "--channel", "slack"];
    let said = home.says(&slack, "xoxb-hush-1\n", 1);
    assert!(said.contains("channels.slack.botToken, channels.slack.appToken"), "{said}");
    let refused = home.says(&["login", "--channel", "slack", "--token", "xoxb-hush-1"], "", 1);
    assert!(refused.contains("--token-file"), "{refused}");
    assert!(!home.state().join("credentials").exists(), "{refused}");
    snapshot("login_slack", &home.says(&slack, "xoxb-hush-1\nxapp-hush-2\n", 0));
    assert_eq!(
        home.get("channels.slack.appToken.file"),
        Some(json!(home.secret("slack-default-appToken").to_str().unwrap()))
    );

    // A file that others can read is not taken.
    let given = home.0.path().join("given");
    std::fs::write(&given, "xapp-hush-3\n").unwrap();
    std::fs::set_permissions(&given, std::fs::Permissions::from_mode(0o644)).unwrap();
    let args = ["login", "--channel", "slack", "--key", "appToken", "--token-file", given.to_str().unwrap()];
    let said = home.says(&args, "", 1);
    assert!(said.contains("chmod 600"), "{said}");
    std::fs::set_permissions(&given, std::fs::Permissions::from_mode(0o600)).unwrap();
    home.says(&args, "", 0);
    assert_eq!(std::fs::read_to_string(home.secret("slack-default-appToken")).unwrap(), "xapp-hush-3\n");
    assert_eq!(std::fs::read_to_string(home.secret("slack-default-botToken")).unwrap(), "xoxb-hush-1\n");
}

#[test]
fn accounts_have_credentials_of_their_own() {
    let home = Home::telegram(service(Manner::Proper), &json!({ "botToken": OTHER }));
    home.says(&["login", "--channel", "telegram", "--account", "work"], TOKEN, 0);
    assert_eq!(home.get("channels.telegram.botToken"), Some(json!(OTHER)));
    home.says(&["test", "--channel", "telegram", "--account", "work"], "", 0);
    home.says(&["test", "--channel", "telegram", "--account", "default"], "", 1);
    home.says(&["test", "--channel", "telegram", "--account", "home"], "", 1);
    home.says(&["logout", "--channel", "telegram", "--account", "home", "--yes"], "", 1);
    home.says(&["logout", "--channel", "telegram", "--account", "work", "--yes"], "", 0);
    assert!(!home.secret("telegram-work-botToken").exists());
    assert_eq!(home.get("channels.telegram.accounts.work"), Some(json!({})));
    assert_eq!(home.get("channels.telegram.botToken"), Some(json!(OTHER)));
}

#[test]
fn what_is_not_ours_stays_and_what_is_missing_is_said() {
    let home = Home::new(&json!({}));
    let own = home.0.path().join("my-token");
    std::fs::write(&own, TOKEN).unwrap();
    let config = json!({ "channels": { "discord": { "token": { "file": own } } } });
    std::fs::write(home.state().join("openclaw.json"), config.to_string()).unwrap();
    let said = home.says(&["logout", "--channel", "discord", "--yes"], "", 0);
    assert!(said.contains("it is yours") && own.exists(), "{said}");
    for (args, want) in [
        (&["login", "--channel", "matrix"][..], "openclaw config set channels.matrix.homeserver"),
        (&["login", "--channel", "signal"], "docs/channels/signal.md"),
        (&["login", "--channel", "googlechat"], "no adapter"),
        (&["login", "--channel", "slack", "--key", "nothing"], "botToken, appToken, signingSecret"),
        (&["login", "--channel", "telegram", "--account", " "], "--account"),
        (&["login", "--channel", "telegram"], "blank or holds control characters"),
        (&["test", "--channel", "telegram"], "channels login --channel telegram"),
        (&["logout", "--channel", "telegram", "--yes"], "nothing to remove"),
    ] {
        let said = home.says(args, "a\u{1b}hush\n", 1);
        assert!(said.contains(want), "{args:?}: {said}");
    }
    assert!(!home.state().join("credentials").exists());
}

#[test]
fn a_section_of_rules_alone_is_not_set_up_and_no_failure() {
    let rules = json!({ "dmPolicy": "pairing", "groups": { "*": { "requireMention": true } } });
    let home = Home::new(&json!({ "channels": { "whatsapp": rules } }));
    snapshot("test_not_set_up", &home.says(&["test"], "", 0));
    home.says(&["test", "--channel", "whatsapp"], "", 1);
    let (code, out, _) = home.run(&["test", "--json"], "");
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["accounts"][0]["result"]), (0, &json!("not-set-up")));
}

#[test]
fn a_new_way_in_is_said_and_a_gateway_that_is_no_service_is_not_restarted_as_one() {
    let home = Home::new(&json!({}));
    let login = ["login", "--channel", "telegram"];
    let said = home.says(&login, &format!("{TOKEN}\n"), 0);
    assert!(said.contains("note: channels.telegram.tokenFile widens access: a new way in"), "{said}");
    assert!(said.contains("then restart the gateway, if it runs"), "{said}");
    let rules = Home::new(&json!({ "channels": { "telegram": { "dmPolicy": "open", "allowFrom": ["*"] } } }));
    let opened = rules.says(&login, &format!("{TOKEN}\n"), 0);
    assert!(opened.contains("note: channels.telegram is set up now: a new way in"), "{opened}");
    let again = rules.says(&login, &format!("{TOKEN}\n"), 0);
    assert!(!again.contains("note:"), "{again}");
    if cfg!(target_os = "linux") {
        let unit = home.0.path().join(".config/systemd/user/openclaw-gateway.service");
        std::fs::create_dir_all(unit.parent().unwrap()).unwrap();
        std::fs::write(&unit, "[Service]\nExecStart=/bin/true\n").unwrap();
        let said = home.says(&login, &format!("{TOKEN}\n"), 0);
        assert!(said.contains("`openclaw gateway restart`") && !said.contains("widens"), "{said}");
    }
}
