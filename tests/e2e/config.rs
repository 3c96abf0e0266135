//! `openclaw config` as a person uses it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const MAIN: &str = include_str!("../../fixtures/config/edit/openclaw.json5");
const CHANNELS: &str = include_str!("../../fixtures/config/edit/channels.json5");
const MODELS: &str = include_str!("../../fixtures/config/edit/models.json5");
const CANARY: &str = "canary-4d1f0b7a9e";

struct Home {
    tmp: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self::with(MAIN);
        std::fs::write(home.state().join("channels.json5"), CHANNELS).unwrap();
        std::fs::write(home.state().join("models.json5"), MODELS).unwrap();
        home
    }

    fn with(text: &str) -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let home = Self { tmp };
        std::fs::create_dir(home.state()).unwrap();
        std::fs::write(home.file(), text).unwrap();
        home
    }

    fn state(&self) -> PathBuf {
        self.tmp.path().join(".openclaw")
    }

    fn file(&self) -> PathBuf {
        self.state().join("openclaw.json")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw"));
        command
            .arg("config")
            .args(args)
            .env_clear()
            .env("HOME", self.tmp.path())
            .current_dir(self.tmp.path());
        for name in ["OPENCLAW_GATEWAY_TOKEN", "TELEGRAM_BOT_TOKEN", "LOCAL_KEY"] {
            command.env(name, format!("{CANARY}-{name}"));
        }
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Standard output and error with the temporary directory replaced, and the exit code.
    fn shown(&self, args: &[&str]) -> String {
        let out = self.run(args);
        let clean = |b: &[u8]| String::from_utf8_lossy(b).replace(self.tmp.path().to_str().unwrap(), "HOME");
        let (stdout, stderr) = (clean(&out.stdout), clean(&out.stderr));
        let stderr = if stderr.is_empty() { stderr } else { format!("-- stderr\n{stderr}") };
        format!("{stdout}{stderr}-- exit {}\n", out.status.code().unwrap())
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn sp_054_set_changes_the_lines_of_its_change_set_only() {
    let home = Home::new();
    insta::assert_snapshot!(
        "dry_run",
        home.shown(&["set", "--dry-run", "channels.telegram.dmPolicy", "allowlist"])
    );
    assert_eq!(home.text(), MAIN);
    let done = home.shown(&["set", "logging.redactSensitive", "tools"]);
    assert!(done.ends_with("-- exit 0\n"), "{done}");
    assert_eq!(home.text(), MAIN.replace(r#"redactSensitive: "off""#, r#"redactSensitive: "tools""#));
    assert_eq!(std::fs::read_to_string(home.state().join("openclaw.json.bak")).unwrap(), MAIN);
    for name in ["openclaw.json", "openclaw.json.bak", "logs/config-changes.jsonl"] {
        assert_eq!(mode(&home.state().join(name)), 0o600, "{name}");
    }
    let again = home.run(&["set", "logging.redactSensitive", "tools"]);
    assert!(String::from_utf8_lossy(&again.stdout).starts_with("nothing to do"));
}

#[test]
fn sp_064_no_answer_shows_a_credential() {
    let home = Home::new();
    let literal = format!("{CANARY}-literal");
    let answers = [
        vec!["get", "gateway"],
        vec!["get", "gateway.auth.token"],
        vec!["get", "gateway.auth.token", "--json"],
        vec!["get", "channels", "--json"],
        vec!["get", "models"],
        vec!["set", "--dry-run", "gateway.auth.token", &literal],
        vec!["set", "gateway.auth.token", &literal],
        vec!["set", "--dry-run", "gateway.port", "1"],
        vec!["set", "gateway.auth.tokn", &literal],
        vec!["set", "--json", "gateway.auth.token", &literal],
        vec!["set", "gateway.auth.token.deeper", &literal],
        vec!["validate"],
        vec!["validate", "--json"],
        vec!["unset", "--dry-run", "gateway.auth.token"],
        vec!["log"],
        vec!["log", "--json", "--security"],
    ];
    for args in answers {
        let shown = home.shown(&args);
        assert!(!shown.contains(CANARY), "{args:?}\n{shown}");
    }
    assert!(home.text().contains(&format!("token: '{literal}', // from the service file")));
    // A view written back keeps what is stored.
    let view = home.run(&["get", "gateway.auth", "--json"]);
    let view = String::from_utf8(view.stdout).unwrap();
    assert!(view.contains("__OPENCLAW_REDACTED__"));
    assert!(home.run(&["set", "gateway.auth", &view]).status.success());
    assert!(home.text().contains(&literal) && !home.text().contains("REDACTED"));
}

#[test]
fn get_answers_in_the_form_that_was_asked_for() {
    let home = Home::new();
    assert_eq!(home.shown(&["get", "gateway.bind"]), "loopback\n-- exit 0\n");
    assert_eq!(home.shown(&["get", "gateway.bind", "--json"]), "\"loopback\"\n-- exit 0\n");
    assert_eq!(home.shown(&["get", "gateway.port"]), "18789\n-- exit 0\n");
    assert_eq!(home.shown(&["get", "channels.telegram.allowFrom[1]"]), "222\n-- exit 0\n");
    insta::assert_snapshot!("get_missing", home.shown(&["get", "gateway.tls.cert"]));
    assert!(home.shown(&["get", "a..b"]).ends_with("-- exit 1\n"));
    assert!(home.shown(&["get", "a.__proto__"]).contains("reserved"));
}

#[test]
fn a_credential_comes_from_standard_input() {
    let home = Home::new();
    let mut child = home
        .command(&["set", "--stdin", "hooks.token"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"12345678901234567890123456789012\n").unwrap();
    assert!(child.wait().unwrap().success());
    // Digits, but a text where the vocabulary wants one.
    assert!(
        home.text().contains("token: \"12345678901234567890123456789012\"")
            || home.text().contains("token: '12345678901234567890123456789012'"),
        "{}",
        home.text()
    );
}

#[test]
fn sp_071_what_cuts_too_much_needs_force_and_every_write_is_listed() {
    let home = Home::new();
    insta::assert_snapshot!("held", home.shown(&["unset", "gateway.auth"]));
    assert_eq!(home.text(), MAIN);
    for args in [
        &["set", "gateway.bind", "lan"][..],
        &["set", "messages.responsePrefix", "hi"],
        &["unset", "--force", "gateway.mode"],
    ] {
        let shown = home.shown(args);
        assert!(shown.ends_with("-- exit 0\n"), "{args:?} {shown}");
    }
    std::fs::write(home.file(), home.text().replace("18789", "by hand")).unwrap();
    let plain = |text: String| {
        // Times and the user differ from run to run.
        text.lines()
            .map(|l| {
                let l = l.replace(&format!("(uid {})", rustix_uid()), "(uid N)");
                if l.starts_with("20") { format!("TIME{}", &l[19..]) } else { l }
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    insta::assert_snapshot!("log", plain(home.shown(&["log"])));
    insta::assert_snapshot!("log_security", plain(home.shown(&["log", "--security"])));
    let json: serde_json::Value =
        serde_json::from_slice(&home.run(&["log", "--security", "--json"]).stdout).unwrap();
    assert_eq!(json["changes"][0]["path"], "gateway.bind");
    assert_eq!(json["changes"][0]["access"], "widens");
    assert_eq!(json["editedSince"], true);
}

fn rustix_uid() -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").map_or(0, |m| m.uid())
}

#[test]
fn sp_063_an_edit_that_would_not_load_writes_nothing() {
    let home = Home::new();
    for args in [
        &["set", "gateway.extra", "${NOT_SET_ANYWHERE}"][..],
        &["set", "gateway.auth.mode.deeper", "1"],
        &["set", "--json", "gateway.port", "{"],
        &["set", "gateway.auth.password", "__OPENCLAW_REDACTED__"],
        &["set", "tools.deny", "[]"],
        &["unset", "gateway.nothing"],
    ] {
        let shown = home.shown(args);
        assert!(shown.ends_with("-- exit 1\n"), "{args:?}\n{shown}");
        assert_eq!(home.text(), MAIN, "{args:?}");
    }
    assert!(home.shown(&["set", "gateway.port"]).ends_with("-- exit 2\n"));
}

#[test]
fn validate_names_file_line_and_fix() {
    let home = Home::with("{\n  gateway: {\n    auth: { token: '${NOT_SET_ANYWHERE}' },\n  },\n}\n");
    insta::assert_snapshot!("validate", home.shown(&["validate"]));
    let json: serde_json::Value = serde_json::from_slice(&home.run(&["validate", "--json"]).stdout).unwrap();
    assert_eq!(json["valid"], false);
    assert_eq!(
        (json["issues"][0]["line"].as_u64(), json["issues"][0]["path"].as_str()),
        (Some(3), Some("gateway.auth.token"))
    );
    // Reading still works.
    let got = home.shown(&["get", "gateway.auth"]);
    assert!(got.contains("-- exit 0") && got.contains("note: the configuration is not valid"), "{got}");

    let broken = Home::with("{ gateway: ");
    assert!(broken.shown(&["validate"]).ends_with("-- exit 1\n"));
    assert!(broken.shown(&["set", "gateway.port", "1"]).ends_with("-- exit 1\n"));
    assert_eq!(broken.text(), "{ gateway: ");
}

#[test]
fn toml_is_edited_as_toml() {
    let home = Home::new();
    std::fs::remove_file(home.file()).unwrap();
    let file = home.state().join("openclaw.toml");
    std::fs::write(&file, include_str!("../../fixtures/config/edit/openclaw.toml")).unwrap();
    assert_eq!(home.shown(&["file"]), "HOME/.openclaw/openclaw.toml\n-- exit 0\n");
    let done = home.shown(&["set", "logging.redactSensitive", "tools"]);
    assert!(done.ends_with("-- exit 0\n"), "{done}");
    let after = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        after,
        include_str!("../../fixtures/config/edit/openclaw.toml")
            .replace("redactSensitive = \"off\"", "redactSensitive = \"tools\"")
    );
}

#[test]
fn a_first_set_creates_the_file() {
    let tmp = tempfile::tempdir().unwrap();
    let home = Home { tmp };
    assert!(home.shown(&["file"]).contains("does not exist yet"));
    let done = home.shown(&["set", "gateway.bind", "loopback"]);
    assert!(done.ends_with("-- exit 0\n"), "{done}");
    assert_eq!(home.text(), "{\n  gateway: {\n    bind: \"loopback\"\n  }\n}\n");
    assert_eq!((mode(&home.state()), mode(&home.file())), (0o700, 0o600));
}

#[test]
fn schema_is_json() {
    let home = Home::new();
    let schema: serde_json::Value = serde_json::from_slice(&home.run(&["schema"]).stdout).unwrap();
    assert!(schema["properties"]["gateway"].is_object());
}

#[test]
fn sp_007_concurrent_writers_lose_no_change() {
    let home = Home::new();
    let children: Vec<_> = (0..20)
        .map(|i| {
            home.command(&["set", &format!("channels.telegram.groups[\"-{i}\"].requireMention"), "true"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let got: serde_json::Value =
        serde_json::from_slice(&home.run(&["get", "channels.telegram.groups", "--json"]).stdout).unwrap();
    assert_eq!(got.as_object().unwrap().len(), 20);
    let log: serde_json::Value = serde_json::from_slice(&home.run(&["log", "--json"]).stdout).unwrap();
    assert_eq!(log["changes"].as_array().unwrap().len(), 20);
    assert_eq!(log["editedSince"], false);
}

#[test]
fn sp_005_whatever_the_umask_every_file_is_owner_only() {
    for umask in ["000", "022", "077"] {
        let home = Home::new();
        std::fs::set_permissions(home.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let line =
            format!("umask {umask} && exec {} config set gateway.port 18790", env!("CARGO_BIN_EXE_openclaw"));
        let mut shell = home.command(&[]);
        let envs: Vec<_> = shell.get_envs().map(|(k, v)| (k.to_owned(), v.map(ToOwned::to_owned))).collect();
        shell = Command::new("/bin/sh");
        shell.args(["-c", &line]).env_clear().current_dir(home.tmp.path());
        for (k, v) in envs {
            shell.env(k, v.unwrap_or_default());
        }
        assert!(shell.output().unwrap().status.success(), "umask {umask}");
        for name in
            ["openclaw.json", "openclaw.json.bak", ".openclaw.json.flock", "logs/config-changes.jsonl"]
        {
            assert_eq!(mode(&home.state().join(name)), 0o600, "umask {umask}: {name}");
        }
        assert_eq!(mode(&home.state().join("logs")), 0o700, "umask {umask}");
    }
}

#[test]
fn sp_006_a_failed_write_leaves_the_old_bytes() {
    let home = Home::new();
    // The place of the newest backup is taken by a folder that cannot be moved on: nothing may be replaced.
    let taken = home.state().join("openclaw.json.bak.4");
    std::fs::create_dir(&taken).unwrap();
    std::fs::write(taken.join("x"), "x").unwrap();
    let shown = home.shown(&["set", "gateway.port", "18790"]);
    assert!(shown.ends_with("-- exit 1\n") && shown.contains("openclaw.json"), "{shown}");
    assert_eq!(home.text(), MAIN);
    assert!(!home.state().join("logs").exists());
}

#[test]
fn sp_071_onboarding_is_in_the_change_log_too() {
    let tmp = tempfile::tempdir().unwrap();
    let home = Home { tmp };
    let onboard = Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .arg("onboard")
        .env_clear()
        .env("HOME", home.tmp.path())
        .output()
        .unwrap();
    assert!(onboard.status.success());
    let log = home.shown(&["log", "--security"]);
    assert!(log.contains("gateway.auth.token added") && log.contains("openclaw onboard"), "{log}");
}
