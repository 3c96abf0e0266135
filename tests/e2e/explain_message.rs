//! `openclaw explain message` on the scenarios UQ-08 to UQ-14: what has to be said, and every offered change tried.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/explain").join(name).canonicalize().unwrap()
}

/// Runs the command in a shell, so that a printed change can be appended as it stands.
fn shell(state: &Path, args: &str, more: &str) -> Output {
    let line = format!("exec \"$0\" explain message {args} {more}");
    let home = tempfile::tempdir().unwrap();
    Command::new("/bin/sh")
        .args(["-c", &line])
        .arg(env!("CARGO_BIN_EXE_openclaw"))
        .env_clear()
        .env("HOME", home.path())
        .env("OPENCLAW_STATE_DIR", state)
        .current_dir(home.path())
        .output()
        .unwrap()
}

fn stdout(out: &Output) -> String {
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout.clone()).unwrap()
}

/// One scenario: its answer in both forms.
struct Answer {
    state: PathBuf,
    args: String,
    text: String,
    json: Value,
}

fn ask(name: &str, args: &str) -> Answer {
    let state = fixture(name);
    let text = stdout(&shell(&state, args, ""));
    let json = serde_json::from_str(&stdout(&shell(&state, args, "--json"))).unwrap();
    let answer = Answer { state, args: args.to_owned(), text, json };
    answer.try_flips();
    answer
}

impl Answer {
    /// Each change that is flags gives the verdict it claims.
    fn try_flips(&self) {
        let flips = self.json["flip"].as_array().unwrap();
        assert!(!flips.is_empty(), "{}", self.text);
        for flip in flips {
            let change = flip["change"].as_str().unwrap();
            assert!(self.text.contains(change), "the text does not show {change}\n{}", self.text);
            if change.starts_with("--") {
                let got: Value = serde_json::from_str(&stdout(&shell(
                    &self.state,
                    &self.args,
                    &format!("{change} --json"),
                )))
                .unwrap();
                assert_eq!(got["verdict"], flip["verdict"], "{change}");
            }
        }
    }

    fn is(&self, verdict: &str, reason: &str, key: &str, at: &str) -> &Self {
        assert_eq!(self.json["verdict"], verdict, "{}", self.text);
        let got = self.json["reason"].as_str().unwrap();
        assert!(got == reason || got.starts_with(&format!("{reason}: ")), "{got}");
        let by = &self.json["decidedBy"];
        assert_eq!(by["keyPath"], key);
        assert_eq!(format!("{}:{}", by["source"]["line"], by["source"]["column"]), at);
        self.says(&[verdict, reason, key, &format!("openclaw.json:{at}")])
    }

    fn says(&self, items: &[&str]) -> &Self {
        let flat = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for item in items {
            assert!(flat.contains(item), "the answer does not say {item:?}\n{}", self.text);
        }
        self
    }

    fn never_says(&self, items: &[&str]) -> &Self {
        let flat = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for item in items {
            assert!(!flat.contains(item), "the answer says {item:?}\n{}", self.text);
        }
        self
    }

    fn flip(&self, n: usize, change: &str, verdict: &str) -> &Self {
        assert_eq!(self.json["flip"][n]["change"], change);
        assert_eq!(self.json["flip"][n]["verdict"], verdict);
        self
    }

    fn fact(&self, key: &str, value: &Value) -> &Self {
        assert_eq!(&self.json[key], value, "{key}");
        self
    }

    fn snapshot(&self, name: &str) {
        let state = self.state.to_str().unwrap();
        insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(format!("{name}-text"), self.text);
            let json = serde_json::to_string_pretty(&self.json).unwrap().replace(state, "[state]");
            insta::assert_snapshot!(format!("{name}-json"), json);
        });
    }
}

#[test]
fn uq_08_what_happens_to_a_message_without_a_code() {
    let line = |sender: &str| {
        format!(
            "--channel telegram --account default --chat direct --sender {sender} --text hi --now 2026-02-10T12:00:00Z"
        )
    };
    let key = "channels.telegram.dmPolicy";
    let a = ask("uq-08", &line("222"));
    a.is("pairing", "dm_pairing_required", key, "2:27")
        .fact("pairingCreated", &false.into())
        .fact("pairingId", &"222".into())
        .flip(0, "openclaw pairing approve telegram ABCD2345", "allow")
        .says(&["still pending", "no second reply", "2026-02-10T12:20:00Z", "reaches nobody"])
        .snapshot("uq-08-a");
    let b = ask("uq-08", &line("333"));
    b.is("pairing", "dm_pairing_required", key, "2:27")
        .fact("pairingCreated", &true.into())
        .fact("pendingCount", &2.into())
        .says(&["expired at 2026-02-10T11:59:59Z", "does not extend", "new code"])
        .never_says(&["WXYZ6789"])
        .snapshot("uq-08-b");
    let c = ask("uq-08/full", &line("444"));
    c.is("pairing", "dm_pairing_required", key, "2:27")
        .fact("pairingCreated", &false.into())
        .fact("pairingId", &Value::Null)
        .fact("pendingCount", &3.into())
        .flip(0, "--set 'channels.telegram.allowFrom=[\"111\",\"444\"]'", "allow")
        .says(&[
            "openclaw.json:2:48",
            "no request, no code, no reply",
            "Approving one of them",
            "2026-02-10T12:20:00Z",
        ])
        .snapshot("uq-08-c");
}

#[test]
fn uq_09_paired_and_ignored_under_allowlist() {
    let a =
        ask("uq-09", "--channel whatsapp --account default --chat direct --sender +15551234567 --text hello");
    a.is("drop", "dm_not_allowlisted", "channels.whatsapp.allowFrom", "5:7")
        .says(&[
            "openclaw.json:4:7",
            "credentials/whatsapp-allowFrom.json",
            "under the policy `pairing` only",
        ])
        .flip(0, "--set 'channels.whatsapp.allowFrom=[\"+15550001111\",\"+15551234567\"]'", "allow")
        .snapshot("uq-09");
}

#[test]
fn uq_10_two_silent_groups_two_causes() {
    let line = |group: &str| {
        format!("--channel whatsapp --chat group:{group} --sender +15551234567 --text \"what time is it\"")
    };
    let a = ask("uq-10", &line("120363999@g.us"));
    a.is("drop", "group_not_listed", "channels.whatsapp.groups", "7:7")
        .flip(0, "--set 'channels.whatsapp.groups[\"120363999@g.us\"]={}'", "context_only")
        .says(&["everybody may write in rooms", "the mention rule is the next gate"])
        .never_says(&["kept as pending context"])
        .snapshot("uq-10-a");
    let b = ask("uq-10", &format!("{} --chat group:120363001@g.us", line("120363999@g.us")));
    b.is(
        "context_only",
        "mention_required",
        "channels.whatsapp.groups[\"120363001@g.us\"].requireMention",
        "7:37",
    )
    .flip(0, "--text \"@openclaw what time is it\"", "allow")
    .says(&["openclaw.json:2:48", "requireMention=false", "kept as pending context"])
    .snapshot("uq-10-b");
}

#[test]
fn uq_11_listed_for_direct_messages_ignored_in_the_group() {
    let a = ask("uq-11", "--channel telegram --chat group:-1001 --sender 111 --text hi");
    let key = "channels.telegram.groupAllowFrom";
    a.is("drop", "group_sender_not_allowed", key, "7:7")
        .says(&["openclaw.json:5:7", "only when groupAllowFrom is absent"])
        .flip(0, "--set 'channels.telegram.groupAllowFrom=[\"222\",\"111\"]'", "allow")
        .snapshot("uq-11-a");
    let b = ask("uq-11", "--channel telegram --chat group:-1001 --sender 333 --text hi");
    b.is("drop", "group_sender_not_allowed", key, "7:7")
        .says(&["credentials/telegram-allowFrom.json", "counts for direct messages only"])
        .flip(0, "--set 'channels.telegram.groupAllowFrom=[\"222\",\"333\"]'", "allow")
        .snapshot("uq-11-b");
}

#[test]
fn uq_12_the_second_account_has_its_own_map() {
    let a = ask("uq-12", "--channel telegram --account work --chat group:-1001 --sender 111 --text hi");
    a.is("drop", "group_not_listed", "channels.telegram.accounts.work.groups", "9:34").says(&[
        "openclaw.json:7:7",
        "not merged",
        "openclaw.json:6:33",
        "inherited from the channel",
    ]);
    let flips = a.json["flip"].as_array().unwrap();
    let wanted = "--set 'channels.telegram.accounts.work.groups[\"-1001\"]={requireMention:false}'";
    assert!(flips.iter().any(|f| f["change"] == wanted && f["verdict"] == "allow"), "{flips:?}");
    a.snapshot("uq-12-a");
    let b = ask("uq-12", "--channel telegram --account work --chat direct --sender 999 --text hi");
    assert_eq!((&b.json["verdict"], &b.json["reason"]), (&"drop".into(), &"dm_not_allowlisted".into()));
    b.says(&["channels.telegram.dmPolicy at openclaw.json:5:7", "inherited from the channel"])
        .snapshot("uq-12-b");
}

#[test]
fn uq_13_open_and_still_a_list_of_rooms() {
    let a = ask(
        "uq-13",
        "--channel discord --guild 900100 --chat channel:5550 --chat-name random --sender 111 --mentioned",
    );
    a.is("drop", "channel_not_listed", "channels.discord.guilds[\"900100\"].channels", "7:21")
        .says(&["also under the policy `open`", "openclaw.json:5:7"])
        .flip(0, "--set 'channels.discord.guilds[\"900100\"].channels[\"5550\"]={allow:true}'", "allow")
        .snapshot("uq-13-a");
    let b = ask(
        "uq-13",
        "--channel discord --guild 900200 --chat channel:7770 --chat-name help --sender 111 --mentioned",
    );
    b.is("drop", "guild_not_listed", "channels.discord.guilds", "6:7")
        .says(&["also under the policy `open`", "openclaw.json:5:7", "admits all channels of this server"])
        .flip(0, "--set 'channels.discord.guilds[\"900200\"]={}'", "allow")
        .snapshot("uq-13-b");
}

#[test]
fn uq_14_open_without_a_star_is_no_configuration() {
    let a = ask("uq-14", "--channel telegram --chat direct --sender 999 --text hi");
    assert_eq!(a.json["verdict"], "config-invalid");
    assert_eq!(a.json["decidedBy"]["keyPath"], "channels.telegram.allowFrom");
    assert_eq!(a.json["decidedBy"]["source"]["line"], 5);
    a.says(&[
        "config-invalid",
        "openclaw.json:5:7",
        "openclaw.json:4:7",
        "\"*\"",
        "does not start",
        "last good configuration",
    ])
    .flip(0, "--set 'channels.telegram.dmPolicy=\"pairing\"'", "pairing")
    .flip(1, "--set 'channels.telegram.allowFrom=[\"*\"]'", "allow")
    .says(&["opens the bot to everybody"])
    .never_says(&["dm_not_allowlisted"])
    .snapshot("uq-14");
}

#[test]
fn exit_codes_tell_the_three_answers_apart() {
    for (sender, code) in [("111", 0), ("222", 10)] {
        let args = format!("--channel telegram --sender {sender} --exit-code --now 2026-02-10T12:00:00Z");
        assert_eq!(shell(&fixture("uq-08"), &args, "").status.code(), Some(code));
    }
    assert_eq!(
        shell(&fixture("uq-09"), "--channel whatsapp --sender +1 --exit-code", "").status.code(),
        Some(11)
    );
    assert_eq!(shell(&fixture("uq-09"), "--channel whatsapp --chat somewhere", "").status.code(), Some(1));
    assert_eq!(shell(&fixture("uq-09"), "--no-such-flag", "").status.code(), Some(2));
}

#[test]
fn sp_008_an_unreadable_store_denies_and_stays_as_it_is() {
    let state = tempfile::tempdir().unwrap();
    std::fs::create_dir(state.path().join("credentials")).unwrap();
    std::fs::write(state.path().join("openclaw.json"), "{channels:{telegram:{}}}").unwrap();
    for (file, content) in
        [("telegram-allowFrom.json", "{\"version\":1,\"allowFrom\":"), ("telegram-pairing.json", "[]")]
    {
        let path = state.path().join("credentials").join(file);
        std::fs::write(&path, content).unwrap();
        let out = stdout(&shell(state.path(), "--channel telegram --sender 5 --json", ""));
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["verdict"], "drop");
        assert!(json["storeError"].as_str().unwrap().contains(file), "{out}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        std::fs::remove_file(&path).unwrap();
    }
}
