//! `openclaw pairing` as a user runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(home.credentials()).unwrap();
        let config = json!({ "channels": { "telegram": { "accounts": { "work": {} } }, "signal": {} } });
        std::fs::write(home.0.path().join(".openclaw/openclaw.json"), config.to_string()).unwrap();
        home
    }

    fn credentials(&self) -> PathBuf {
        self.0.path().join(".openclaw/credentials")
    }

    fn pending(&self, name: &str, requests: &[(&str, &str, i64)]) {
        let time = |ago: i64| {
            let at = jiff::Timestamp::now().as_millisecond() - ago;
            format!("{:.3}", jiff::Timestamp::from_millisecond(at).unwrap())
        };
        let requests: Vec<Value> = requests
            .iter()
            .map(|(id, code, ago)| {
                json!({ "id": id, "code": code, "createdAt": time(*ago), "lastSeenAt": time(*ago), "meta": { "name": "Ada\u{1b}[2J" } })
            })
            .collect();
        std::fs::write(
            self.credentials().join(name),
            json!({ "version": 1, "requests": requests }).to_string(),
        )
        .unwrap();
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let out = Command::new(env!("CARGO_BIN_EXE_openclaw"))
            .arg("pairing")
            .args(args)
            .env_clear()
            .env("HOME", self.0.path())
            .current_dir(self.0.path())
            .output()
            .unwrap();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (out.status.code().unwrap(), text(&out.stdout), text(&out.stderr))
    }

    fn json(&self, args: &[&str]) -> Value {
        let (code, out, err) = self.run(args);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"))
    }

    fn read(&self, name: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.credentials().join(name)).unwrap()).unwrap()
    }
}

#[test]
fn sp_411_approve_lets_in_the_sender_of_the_code_once() {
    let home = Home::new();
    home.pending(
        "telegram-pairing.json",
        &[("111", "ABCDEFGH", 1000), ("222", "JKLMNPQR", 2000), ("333", "STUVWXYZ", 3_700_000)],
    );
    let listed = home.json(&["list", "telegram", "--json"]);
    assert_eq!(listed["channel"], "telegram");
    let codes: Vec<&str> =
        listed["requests"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["ABCDEFGH", "JKLMNPQR"], "the expired one is not listed");
    assert_eq!(
        home.read("telegram-pairing.json")["requests"].as_array().unwrap().len(),
        2,
        "and is taken out of the file"
    );
    assert_eq!(home.json(&["list", "--channel", "telegram", "--json"]), listed);
    let (code, out, _) = home.run(&["approve", "telegram", "abcdefgh"]);
    assert_eq!((code, out.as_str()), (0, "111 may write to telegram now.\n"));
    assert_eq!(home.read("telegram-allowFrom.json"), json!({ "version": 1, "allowFrom": ["111"] }));
    for name in ["telegram-pairing.json", "telegram-allowFrom.json"] {
        let mode = std::fs::metadata(home.credentials().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(!home.credentials().join("telegram-pairing.json.lock").exists());
    for args in [
        &["approve", "telegram", "abcdefgh"][..],
        &["approve", "telegram", "STUVWXYZ"],
        &["approve", "telegram", "wrong"],
        &["approve", "JKLMNPQR"],
        &["approve"],
        &["approve", "telegram", "JKLMNPQR", "more"],
        &["approve", "--channel", "telegram"],
        &["approve", "../x", "JKLMNPQR"],
        &["reject", "signal", "JKLMNPQR"],
    ] {
        let (code, out, err) = home.run(args);
        assert_eq!((code, out.as_str()), (1, ""), "{args:?}: {err}");
        assert!(!err.contains("JKLMNPQR"), "a code is not repeated: {err}");
    }
    let done = home.json(&["reject", "--channel", "telegram", "jklmnpqr", "--json"]);
    assert_eq!(
        done,
        json!({ "channel": "telegram", "account": "default", "id": "222", "result": "rejected" })
    );
    assert_eq!(home.read("telegram-allowFrom.json")["allowFrom"], json!(["111"]));
    assert_eq!(home.json(&["list", "telegram", "--json"])["requests"], json!([]));
}

#[test]
fn all_channels_and_accounts_are_listed_and_names_cannot_write_to_the_terminal() {
    let home = Home::new();
    home.pending("telegram-work-pairing.json", &[("9", "ABCDEFGH", 1000)]);
    let (code, out, _) = home.run(&["list"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("telegram, account work") && out.contains("ABCDEFGH") && !out.contains('\u{1b}'),
        "{out}"
    );
    let all = home.json(&["list", "--json"]);
    assert_eq!(all["channels"].as_array().unwrap().len(), 3);
    let (code, ..) = home.run(&["approve", "telegram", "ABCDEFGH"]);
    assert_eq!(code, 1, "the code of one account opens no other");
    let (code, ..) = home.run(&["approve", "telegram", "ABCDEFGH", "--account", "work"]);
    assert_eq!(code, 0);
    assert!(home.credentials().join("telegram-work-allowFrom.json").exists());
}

#[test]
fn sp_008_a_damaged_store_is_an_error_and_stays() {
    let home = Home::new();
    let path = home.credentials().join("signal-pairing.json");
    std::fs::write(&path, "{\"version\":1,").unwrap();
    for args in [&["list", "signal", "--json"][..], &["approve", "signal", "ABCDEFGH"]] {
        let (code, out, err) = home.run(args);
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(err.contains("signal-pairing.json"), "{err}");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"version\":1,");
}
