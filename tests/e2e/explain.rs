//! `openclaw explain` on the questions users ask: every answer is a snapshot, names rule and position, and every change it offers is tried.
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

/// One question's files in a home of their own.
struct Scenario {
    home: tempfile::TempDir,
    env: Vec<(String, String)>,
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Scenario {
    fn new(fixture: &str) -> Self {
        // Of the same length everywhere: texts are wrapped at 80 columns with the path in them.
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/explain").join(fixture);
        copy(&from, &home.path().join(".openclaw"));
        Self { home, env: Vec::new() }
    }

    /// A program of this name on the `PATH` of the command.
    fn program(self, directory: &str, name: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let directory = self.home.path().join(directory);
        std::fs::create_dir_all(&directory).unwrap();
        let program = directory.join(name);
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Host paths of the fixture's approvals file become paths below the home.
    fn rooted(self, directory: &str) -> Self {
        let file = self.home.path().join(".openclaw/exec-approvals.json");
        let text = std::fs::read_to_string(&file).unwrap();
        let below = self.home.path().join(directory.trim_start_matches('/'));
        std::fs::write(&file, text.replace(directory, below.to_str().unwrap())).unwrap();
        self
    }

    /// With `<home>` in place of the home's path.
    fn line(&self, line: &str) -> String {
        line.replace("<home>", self.home.path().to_str().unwrap())
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn run(&self, args: &[String]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_openclaw"))
            .args(args)
            .env_clear()
            .env("HOME", self.home.path())
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .current_dir(self.home.path())
            .output()
            .unwrap()
    }

    fn shown(&self, bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap().replace(self.home.path().to_str().unwrap(), "<home>")
    }

    fn json(&self, args: &[String]) -> Value {
        let mut args = args.to_vec();
        args.push("--json".to_owned());
        let out = self.run(&args);
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice(&out.stdout).expect("one JSON object")
    }

    /// Makes the entry that a printed `openclaw approvals allowlist add --agent ID PATTERN` makes, asks again and takes it back.
    fn remembers(&self, command: &[String], question: &[String], flip: &Value) {
        let [list, add, option, agent, pattern] = command else { panic!("{command:?}") };
        assert_eq!((list.as_str(), add.as_str(), option.as_str()), ("allowlist", "add", "--agent"));
        let file = self.home.path().join(".openclaw/exec-approvals.json");
        let before = std::fs::read(&file).ok();
        let empty = || serde_json::json!({"version": 1, "agents": {}});
        let mut approvals =
            before.as_ref().map_or_else(empty, |bytes| serde_json::from_slice(bytes).unwrap());
        let entries = &mut approvals["agents"][agent]["allowlist"];
        let mut changed = entries.as_array().cloned().unwrap_or_default();
        changed.push(serde_json::json!({"pattern": pattern}));
        *entries = Value::Array(changed);
        std::fs::write(&file, approvals.to_string()).unwrap();
        assert_eq!(self.json(question)["verdict"], flip["verdict"], "{command:?}");
        match before {
            Some(bytes) => std::fs::write(&file, bytes).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
    }

    /// Asks, compares text and JSON with the snapshots, tries every change that is written as a flag, and checks what the text says.
    fn ask(&self, name: &str, line: &str, says: &[&str], never: &[&str]) -> Value {
        let args = words(&self.line(line));
        let out = self.run(&args);
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
        let text = self.shown(&out.stdout);
        assert!(text.lines().all(|l| l.chars().count() <= 80 || l.starts_with("  --")), "{text}");
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for item in says {
            assert!(flat.contains(item), "{line}\nmust say {item:?}:\n{text}");
        }
        for item in never {
            assert!(!flat.contains(item), "{line}\nmust not say {item:?}:\n{text}");
        }
        let json = self.json(&args);
        insta::assert_snapshot!(format!("{name}_text"), text);
        let pretty = serde_json::to_string_pretty(&json).unwrap();
        insta::assert_snapshot!(format!("{name}_json"), self.shown(pretty.as_bytes()));
        for flip in json["flip"].as_array().unwrap() {
            let change = flip["change"].as_str().unwrap();
            if change.starts_with("--") {
                let tried: Vec<String> = args.iter().cloned().chain(words(change)).collect();
                assert_eq!(self.json(&tried)["verdict"], flip["verdict"], "{line} {change}");
            } else if let Some(shorter) =
                change.strip_prefix("Run `").and_then(|c| c.strip_suffix("` instead"))
            {
                let mut tried = args.clone();
                tried[2] = shorter.to_owned();
                assert_eq!(self.json(&tried)["verdict"], flip["verdict"], "{line} {change}");
            } else if let Some(command) = change.strip_prefix("openclaw approvals ") {
                self.remembers(&words(command), &args, flip);
            }
        }
        json
    }
}

/// Splits a command line as a shell does with single and double quotes.
fn words(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (mut word, mut quoted, mut any) = (String::new(), None, false);
    for c in line.chars() {
        match c {
            '\'' | '"' if quoted.is_none_or(|q| q == c) => {
                (quoted, any) = (if quoted.is_none() { Some(c) } else { None }, true);
            }
            ' ' if quoted.is_none() => {
                if any {
                    out.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        out.push(word);
    }
    out
}

fn decided(json: &Value) -> (String, String) {
    let d = &json["decidedBy"];
    let position = match (d["source"]["line"].as_u64(), d["source"]["column"].as_u64()) {
        (Some(line), Some(column)) => format!("{line}:{column}"),
        _ => d["source"]["kind"].as_str().unwrap().to_owned(),
    };
    (d["keyPath"].as_str().unwrap_or_default().to_owned(), position)
}

fn at(key: &str, position: &str) -> (String, String) {
    (key.to_owned(), position.to_owned())
}

#[test]
fn uq_01_an_agents_profile_replaces_the_global_one() {
    let json = Scenario::new("uq-01").ask(
        "uq_01",
        "explain tool exec --agent support --session agent:support:telegram:group:-1001 --channel telegram --sender 111",
        &["denied", "profile", "agents.list[1].tools.profile at openclaw.json:6:33", "tools.profile at openclaw.json:2:12", "replaced, not merged", "apply_patch"],
        &["tools.allow"],
    );
    assert_eq!(decided(&json), at("agents.list[1].tools.profile", "6:33"));
    assert_eq!(json["flip"][0]["change"], "--set 'agents.list[1].tools.alsoAllow=[\"exec\"]'");
}

#[test]
fn uq_02_an_allow_list_of_unknown_names_binds() {
    let json = Scenario::new("uq-02").ask(
        "uq_02",
        "explain tool read --agent builder --session agent:builder:main",
        &["denied", "openclaw.json:5:33", "openclaw.json:5:41", "openclaw.json:5:49", "exec", "read"],
        &["inactive"],
    );
    assert_eq!(decided(&json), at("agents.list[1].tools.allow", "5:33"));
    assert_eq!(json["flip"][0]["change"], "--set 'agents.list[1].tools.allow[1]=\"read\"'");
}

#[test]
fn uq_03_an_optional_plugin_tool_has_to_be_named() {
    let json = Scenario::new("uq-03").ask(
        "uq_03",
        "explain tool voice_transcribe --agent main --session agent:main:main",
        &[
            "absent",
            "inventory",
            "optional-plugin-tool",
            "voice-notes",
            "group:plugins",
            "openclaw.json:3:12",
        ],
        &["alsoAllow"],
    );
    assert_eq!(decided(&json), at("tools.allow", "3:12"));
    assert_eq!(json["flip"][0]["change"], "--set 'tools.allow=[\"*\",\"voice-notes\"]'");
}

#[test]
fn uq_04_the_sandbox_takes_the_browser_away() {
    let json = Scenario::new("uq-04").ask(
        "uq_04",
        "explain tool browser --agent family --session agent:family:whatsapp:group:120363001@g.us --channel whatsapp --sender +15551234567",
        &["denied", "deny list", "allow list", "tools.sandbox.tools.deny (unset, default)", "tools.sandbox.tools.allow (unset, default)", "openclaw.json:6:20", "openclaw.json:7:18", "agents.list[0].sandbox.browser.enabled", "both lists are needed"],
        &[],
    );
    assert_eq!(decided(&json), at("tools.sandbox.tools.deny", "default"));
    assert_eq!(
        json["flip"][0]["change"],
        "--set 'agents.list[0].sandbox.tools={allow:[\"read\",\"browser\"],deny:[]}'"
    );
}

#[test]
fn uq_05_the_sub_agent_deny_list_is_built_in() {
    let scenario = Scenario::new("uq-05");
    let json = scenario.ask(
        "uq_05",
        "explain tool memory_search --agent main --session agent:main:subagent:7f0c2b1e --spawned-by agent:main:main",
        &["denied", "subagent", "built in", "openclaw.json:3:27", "agent:main:main"],
        &["--set"],
    );
    assert_eq!(decided(&json).1, "builtin");
    assert_eq!(
        scenario.json(&words("explain tool memory_search --session agent:main:main"))["verdict"],
        "allowed"
    );
}

#[test]
fn uq_06_a_rule_for_one_sender() {
    let scenario = Scenario::new("uq-06");
    let line = "explain tool exec --agent main --session agent:main:telegram:group:-100123 --channel telegram --sender 987654321";
    let json = scenario.ask(
        "uq_06",
        &format!("{line} --username @untrusted_user"),
        &["denied", "group", "openclaw.json:6:53", "user name"],
        &[],
    );
    let key = "channels.telegram.groups[\"*\"].tools.bySender[\"@untrusted_user\"].deny";
    assert_eq!(decided(&json), at(key, "6:53"));
    assert_eq!(scenario.json(&words(&format!("{line} --username @other")))["verdict"], "allowed");
}

#[test]
fn uq_07_a_list_for_one_model() {
    let scenario = Scenario::new("uq-07");
    let line = "explain tool exec --agent main --session agent:main:main";
    let json = scenario.ask(
        "uq_07a",
        &format!("{line} --model openai/gpt-5.2"),
        &["denied", "globalProvider", "openclaw.json:6:27", "openclaw.json:3:5"],
        &[],
    );
    assert_eq!(decided(&json), at("tools.byProvider[\"openai/gpt-5.2\"].allow", "6:27"));
    let json = scenario.ask(
        "uq_07b",
        &format!("{line} --model openai/gpt-5.1"),
        &["allowed", "openai/gpt-5.1", "openai"],
        &[],
    );
    assert_eq!(json["verdict"], "allowed");
}

/// The environment of the host of execution.
const PATH: &str = "/usr/bin:/bin";

fn trace_positions(json: &Value) -> Vec<String> {
    let steps = json["trace"].as_array().unwrap().iter();
    steps
        .map(|s| {
            let at = &s["source"];
            format!("{}:{}", at["line"].as_u64().unwrap_or(0), at["column"].as_u64().unwrap_or(0))
        })
        .collect()
}

fn verdict(json: &Value) -> (&str, &str, &str) {
    let word = |key: &str| json[key].as_str().unwrap_or_default();
    (word("verdict"), word("route"), word("reason"))
}

fn changes(json: &Value) -> Vec<&str> {
    json["flip"].as_array().unwrap().iter().map(|f| f["change"].as_str().unwrap()).collect()
}

#[test]
fn uq_15_an_option_outside_of_the_profile() {
    let json = Scenario::new("uq-15").env("PATH", PATH).ask(
        "uq_15",
        "explain command 'sort -o notes.txt notes.txt' --agent main --session agent:main:main --approvers present",
        &["segment 1", "/usr/bin/sort", "openclaw.json:5:31", "-o", "read-only profile", "openclaw.json:4:47", "Run `sort notes.txt` instead", "approve this one line"],
        &["not listed", "deny", "allowlist add"],
    );
    assert_eq!(verdict(&json), ("ask", "gateway", "option: -o"));
    assert_eq!(decided(&json), at("tools.exec.ask", "4:47"));
    assert!(trace_positions(&json).contains(&"5:31".to_owned()));
}

#[test]
fn uq_16_the_command_that_is_not_automatic() {
    let scenario = Scenario::new("uq-16").env("PATH", PATH);
    let session = "--agent main --session agent:main:main";
    let json = scenario.ask(
        "uq_16a",
        &format!(
            "explain command \"cat access.log | cut -d' ' -f1 | tee ips.txt\" {session} --approvers present"
        ),
        &[
            "segment 1, safe-bin",
            "segment 2, safe-bin",
            "segment 3, not-listed",
            "tee",
            "whole line",
            "no part of it runs before",
            "tools.exec.safeBins (unset; nearest: openclaw.json:3:5)",
            "openclaw.json:3:53",
            "Run `cat access.log | cut -d' ' -f1` instead",
        ],
        &[],
    );
    assert_eq!(verdict(&json), ("ask", "gateway", "not-listed"));
    assert_eq!(decided(&json), at("tools.exec.ask", "3:53"));
    let json = scenario.ask(
        "uq_16b",
        &format!("explain command 'grep ERROR app.log > errors.txt' {session} --approvers present"),
        &[
            "no key opens it",
            "writing to a file is never automatic",
            "openclaw.json:3:53",
            "Run `grep ERROR app.log` instead",
        ],
        &["not listed", "not-listed"],
    );
    assert_eq!(verdict(&json), ("ask", "gateway", "redirection"));
    assert_eq!(decided(&json), at("tools.exec.ask", "3:53"));
    let json = scenario.ask(
        "uq_16c",
        &format!("explain command 'grep ERROR app.log 2>/dev/null' {session}"),
        &["/dev/null is neutral"],
        &[],
    );
    assert_eq!(json["verdict"], "allow");
}

#[test]
fn uq_17_entries_that_look_right_and_are_not() {
    let json = Scenario::new("uq-17").rooted("/opt/tools").program("opt/tools/bin", "rg").ask(
        "uq_17",
        "explain command 'rg TODO src' --agent main --session agent:main:main --base-env PATH=<home>/opt/tools/bin:/usr/bin:/bin --approvers present",
        &["/opt/tools/bin/rg", "openclaw.json:2:60", "agents.main.allowlist[0] at exec-approvals.json:3:32", "another path", "agents.main.allowlist[1] at exec-approvals.json:3:68", "without a slash never matches", "an entry of agent work does not apply to main", "openclaw approvals allowlist add --agent main", "this program with any arguments"],
        &["**"],
    );
    assert_eq!(verdict(&json), ("ask", "gateway", "not-listed"));
    assert_eq!(decided(&json), at("tools.exec.ask", "2:60"));
}

#[test]
fn uq_18_nobody_can_be_asked() {
    let json = Scenario::new("uq-18").program("bin", "npm").ask(
        "uq_18",
        "explain command 'npm test' --agent main --session agent:main:telegram:group:-1001 --channel telegram --sender 111 --approvers none --base-env PATH=<home>/bin:/usr/bin:/bin",
        &["openclaw.json:2:37", "openclaw.json:2:60", "no operator client is connected", "approvals.exec.enabled (unset; nearest: openclaw.json:1:1)", "askFallback is deny", "built in", "not forbidden as such", "--set 'approvals.exec.enabled=true'", "in the chat of that session", "here 111"],
        &["timed out", "waited", "\"full\""],
    );
    assert_eq!(verdict(&json), ("deny", "gateway", "no-approval-route"));
    assert_eq!(decided(&json), at("approvals.exec.enabled", "1:1"));
    assert_eq!(changes(&json)[0], "--set 'approvals.exec.enabled=true'");
    assert_eq!(json["flip"][0]["verdict"], "ask");
}

#[test]
fn uq_19_both_lists_must_hold_the_sender() {
    let scenario = Scenario::new("uq-19").env("PATH", PATH);
    let line = "explain command uptime --agent main --session agent:main:main --channel whatsapp --elevated on --approvers present";
    let json = scenario.ask(
        "uq_19a",
        &format!("{line} --sender +15551234567"),
        &[
            "openclaw.json:3:28",
            "tools.elevated.allowFrom.whatsapp at openclaw.json:8:52",
            "Both lists",
            "can only narrow",
            "elevated level ask, route gateway",
            "leave the sandbox even without a directive",
            "agents.defaults.elevatedDefault",
        ],
        &[],
    );
    assert_eq!(verdict(&json).0, "allow");
    assert_eq!(verdict(&json).1, "sandbox");
    assert_eq!(json["elevatedRefusedBy"], "allowFrom");
    assert_eq!(
        changes(&json)[0],
        "--set 'tools.elevated.allowFrom.whatsapp=[\"+15550001111\",\"+15551234567\"]'"
    );
    assert_eq!(json["flip"][0]["verdict"], "ask");
    let json = scenario.ask(
        "uq_19b",
        &format!("{line} --sender +15550001111"),
        &["agents.list[0].tools.elevated.allowFrom.whatsapp at openclaw.json:5:55", "Both lists"],
        &[],
    );
    assert_eq!((verdict(&json).0, verdict(&json).1), ("allow", "sandbox"));
}

#[test]
fn uq_20_security_sandbox_does_not_switch_a_sandbox_on() {
    let scenario = Scenario::new("uq-20").program("bin", "npm");
    let line = "explain command 'npm test' --agent main --session agent:main:main --approvers present --base-env PATH=<home>/bin:/usr/bin:/bin";
    let json = scenario.ask(
        "uq_20a",
        line,
        &[
            "agents.defaults.sandbox.mode at openclaw.json:2:36",
            "openclaw.json:3:20",
            "openclaw.json:3:41",
            "enforce: allowlist",
            "sandbox-inactive",
            "--set 'agents.defaults.sandbox.mode=\"all\"'",
            "written explicitly",
            "\"non-main\" would not change the main session",
        ],
        &[],
    );
    assert_eq!((verdict(&json).0, verdict(&json).1), ("ask", "gateway"));
    assert_eq!(json["routeFallback"], "sandbox-inactive");
    assert_eq!(decided(&json), at("agents.defaults.sandbox.mode", "2:36"));
    assert_eq!(changes(&json)[0], "--set 'agents.defaults.sandbox.mode=\"all\"'");
    assert_eq!(json["flip"][0]["verdict"], "allow");
    let json = scenario.ask(
        "uq_20b",
        &format!("{line} --unset tools.exec"),
        &[
            "Nothing is configured for exec",
            "on the host without a question",
            "tools.exec.host_sandbox_no_sandbox_defaults",
        ],
        &["operator", "approve", "who is asked", "container"],
    );
    assert_eq!((verdict(&json).0, verdict(&json).1), ("allow", "gateway"));
    assert_eq!(json["routeFallback"], "sandbox-inactive");
}

#[test]
fn uq_21_a_shell_is_never_a_safe_program() {
    let scenario = Scenario::new("uq-21");
    let line = "--agent main --session agent:main:main --base-env PATH=/usr/bin:/bin";
    let json = scenario.ask(
        "uq_21a",
        &format!("explain command \"bash -c 'git status'\" {line} --approvers present"),
        &[
            "openclaw.json:5:31",
            "has no effect",
            "never safe programs",
            "exec-approvals.json:2:42",
            "not looked up inside",
            "Allow-always is not offered for this line",
            "the shell form",
            "Run `git status` instead",
        ],
        &["allowlist add", "git is not listed"],
    );
    assert_eq!(verdict(&json), ("ask", "gateway", "never-safe"));
    let json = scenario.ask(
        "uq_21b",
        &format!("explain command 'git status' {line}"),
        &["allowlist:/usr/bin/git", "exec-approvals.json:2:42"],
        &[],
    );
    assert_eq!(json["verdict"], "allow");
    assert_eq!(json["segments"][0]["matched"], "allowlist:/usr/bin/git");
    assert_eq!(decided(&json), at("agents.main.allowlist[0]", "2:42"));
}

#[test]
fn uq_22_direct_messages_are_not_the_main_session() {
    let scenario = Scenario::new("uq-22");
    let json = scenario.ask(
        "uq_22a",
        "explain sandbox --session agent:main:whatsapp:direct:+15550001111",
        &[
            "sandboxed",
            "non-main",
            "openclaw.json:4:28",
            "only agent:main:main is the main session",
            "session.dmScope at openclaw.json:2:14",
            "shares that one session",
            "sandbox.mode \"off\"",
        ],
        &["groups only"],
    );
    assert_eq!(decided(&json), at("agents.defaults.sandbox.mode", "4:28"));
    assert_eq!(json["flip"][0]["change"], "--set 'session.dmScope=\"main\"'");
    let json = scenario.ask("uq_22b", "explain sandbox --session agent:main:main", &["host"], &[]);
    assert_eq!(json["verdict"], "host");
}

#[test]
fn uq_23_a_read_only_workspace_withdraws_write() {
    let json = Scenario::new("uq-23").ask(
        "uq_23",
        "explain tool write --agent family --session agent:family:main",
        &[
            "absent",
            "workspace-read-only",
            "openclaw.json:7:49",
            "openclaw.json:7:20",
            "openclaw.json:8:18",
            "edit",
            "apply_patch",
            "sandbox's own copy",
            "real workspace",
        ],
        &["deny list", "mode=\"off\""],
    );
    assert_eq!(decided(&json), at("agents.list[0].sandbox.workspaceAccess", "7:49"));
}

#[test]
fn uq_24_shared_scope_and_added_binds() {
    let scenario = Scenario::new("uq-24");
    let json = scenario.ask(
        "uq_24a",
        "explain sandbox --agent build --session agent:build:main",
        &[
            "sandboxed",
            "openclaw.json:5:22",
            "network \"none\"",
            "openclaw.json:6:19",
            "openclaw.json:10:72",
            "docker, browser and prune",
            "docker.network bridge",
        ],
        &["clears"],
    );
    assert_eq!(json["effective"]["docker"]["network"], "none");
    assert_eq!(json["flip"][0]["change"], "--set 'agents.list[0].sandbox.scope=\"agent\"'");
    let tried = scenario.json(&words("explain sandbox --agent build --session agent:build:main --set 'agents.list[0].sandbox.scope=\"agent\"'"));
    assert_eq!(tried["effective"]["docker"]["network"], "bridge");
    let json = scenario.ask(
        "uq_24b",
        "explain sandbox --agent reports --session agent:reports:main",
        &[
            "sandboxed",
            "/srv/assistant/docs:/docs:ro",
            "openclaw.json:6:36",
            "openclaw.json:11:90",
            "takes nothing away",
            "move the bind",
        ],
        &[],
    );
    assert_eq!(json["effective"]["docker"]["binds"][0], "/srv/assistant/docs:/docs:ro");
}

#[test]
fn uq_30_where_a_value_comes_from() {
    let port = Scenario::new("uq-30").env("OPENCLAW_GATEWAY_PORT", "18800");
    let json = port.ask(
        "uq_30a",
        "explain config gateway.port",
        &["18800", "OPENCLAW_GATEWAY_PORT", "18789", "openclaw.json:3:20", "--port"],
        &[],
    );
    assert_eq!((json["verdict"].as_str(), json["effective"].as_u64()), (Some("set"), Some(18800)));
    assert_eq!(json["decidedBy"]["source"]["kind"], "env");
    let json = port.ask(
        "uq_30b",
        "explain config channels.telegram.dmPolicy",
        &["allowlist", "channels.json5:2:15", "openclaw.json:6:15", "beside"],
        &[],
    );
    assert_eq!(decided(&json), at("channels.telegram.dmPolicy", "2:15"));
    let json = port.ask(
        "uq_30c",
        "explain config gateway.auth.token",
        &[
            "set",
            "not shown",
            "openclaw.json:4:28",
            "OPENCLAW_GATEWAY_TOKEN",
            "/.openclaw/.env:1",
            "process environment would win",
        ],
        &["fixture-token", "0123456789"],
    );
    assert!(json.get("effective").is_none());
}

#[test]
fn uq_31_an_agents_value_replaces_the_global_one() {
    let scenario = Scenario::new("uq-31");
    let json = scenario.ask(
        "uq_31a",
        "explain config tools.exec.ask --agent dev",
        &[
            "\"off\"",
            "openclaw.json:6:37",
            "\"always\"",
            "openclaw.json:2:60",
            "requested side",
            "only tighten",
            "refuses unlisted commands",
        ],
        &[],
    );
    assert_eq!(decided(&json), at("agents.list[1].tools.exec.ask", "6:37"));
    assert_eq!(json["flip"][0]["change"], "--unset agents.list[1].tools.exec.ask");
    let json = scenario.ask(
        "uq_31b",
        "explain config tools.exec.ask",
        &["\"always\"", "openclaw.json:2:60", "agent dev", "openclaw.json:6:37"],
        &[],
    );
    assert_eq!(json["effective"], "always");
}

#[test]
fn uq_32_a_misspelt_key_and_an_older_one() {
    let json = Scenario::new("uq-32").ask(
        "uq_32a",
        "explain config channels.whatsapp.dmPolicy",
        &[
            "config-invalid",
            "channels.whatsapp.dmPolciy at openclaw.json:4:7",
            "channels.whatsapp.dmPolicy itself is unset",
            "\"pairing\"",
            "does not start",
            "last good",
        ],
        &[],
    );
    assert_eq!(decided(&json), at("channels.whatsapp.dmPolciy", "4:7"));
    let json = Scenario::new("uq-32/b").ask(
        "uq_32b",
        "explain config gateway.auth.token",
        &[
            "set",
            "not shown",
            "gateway.token",
            "openclaw.json:2:29",
            "the file is unchanged",
            "openclaw doctor --fix",
        ],
        &["0123456789abcdef"],
    );
    assert_eq!(json["decidedBy"]["source"]["legacyKey"], "gateway.token");
}

#[test]
fn config_explain_is_the_same_answer() {
    let scenario = Scenario::new("uq-31");
    let a = scenario.json(&words("explain config tools.exec.ask --agent dev"));
    let b = scenario.json(&words("config explain tools.exec.ask --agent dev"));
    assert_eq!(a, b);
}

#[test]
fn sandbox_explain_prints_the_compatible_json() {
    let scenario = Scenario::new("uq-22");
    let out = scenario.run(&words("sandbox explain --session agent:main:telegram:group:-1 --json"));
    let json: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(json["sandbox"]["sessionIsSandboxed"], true);
    assert_eq!(json["elevated"]["channel"], "telegram");
    for key in
        ["docsUrl", "agentId", "sessionKey", "mainSessionKey", "sandbox", "elevated", "fixIt", "policy"]
    {
        assert!(json.get(key).is_some(), "{key}");
    }
    let removed = json["policy"]["removed"].as_array().unwrap();
    assert!(removed.iter().any(|r| r["tool"] == "browser" && r["layer"] == "sandbox"), "{removed:?}");
    insta::assert_snapshot!(
        "sandbox_explain_text",
        scenario.shown(&scenario.run(&words("sandbox explain --session global")).stdout)
    );
    let bad = scenario.run(&words("sandbox explain --session agent:main"));
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("malformed"));
}

#[test]
fn usage_mistakes_are_told_apart_from_answers() {
    let scenario = Scenario::new("uq-22");
    for bad in [
        "explain sandbox --set a",
        "explain sandbox --set 'a=b'",
        "explain sandbox --unset a..b",
        "explain nothing",
        "explain config",
    ] {
        assert_eq!(scenario.run(&words(bad)).status.code(), Some(2), "{bad}");
    }
    let denied = Scenario::new("uq-01");
    let line = "explain tool exec --agent support --exit-code";
    assert_eq!(denied.run(&words(line)).status.code(), Some(11));
    assert_eq!(denied.run(&words("explain tool exec --agent main --exit-code")).status.code(), Some(0));
}

const TOKEN: (&str, &str) = ("OPENCLAW_GATEWAY_TOKEN", "canary-token-0123456789abcdef");

#[test]
fn uq_25_a_client_behind_a_proxy_of_this_machine_is_not_local() {
    let proxied = Scenario::new("uq-25").env(TOKEN.0, TOKEN.1);
    let line = "explain connection --peer 127.0.0.1 --header 'X-Forwarded-For: 203.0.113.9' --header 'Host: localhost:18789' \
                --client cli --role operator --auth token --device new";
    let json = proxied.ask(
        "uq_25a",
        line,
        &[
            "pairing-required",
            "not-paired",
            "the token was accepted",
            "the client is 127.0.0.1",
            "ignored",
            "openclaw devices approve",
            "gateway.trustedProxies",
        ],
        &["203.0.113.9", "canary"],
    );
    assert_eq!(
        (json["verdict"].as_str(), json["code"].as_str()),
        (Some("pairing-required"), Some("NOT_PAIRED"))
    );
    assert_eq!(decided(&json), at("gateway.trustedProxies", "2:3"));
    let json = proxied.ask(
        "uq_25b",
        &format!("{line} --set 'gateway.trustedProxies=[\"127.0.0.1\"]'"),
        &["pairing-required", "the client is 203.0.113.9", "never local", "makes nobody local"],
        &["canary"],
    );
    assert_eq!(json["clientAddress"], "203.0.113.9");
    assert_eq!(json["local"], false);
}

#[test]
fn uq_26_only_the_hosts_own_tailnet_address_is_local() {
    let tailnet = Scenario::new("uq-26").env(TOKEN.0, TOKEN.1);
    let line = "explain connection --own-ip 100.101.102.103 --peer 100.101.102.103 --header 'Host: 100.101.102.103:18789' \
                --client cli --role operator --auth token --device new";
    let json = tailnet.ask(
        "uq_26a",
        line,
        &["admit", "own tailnet address", "without a question", "openclaw.json:3:20"],
        &["canary"],
    );
    assert_eq!((json["verdict"].as_str(), json["local"].as_bool()), (Some("admit"), Some(true)));
    let json = tailnet.ask(
        "uq_26b",
        &format!("{line} --peer 100.90.1.2"),
        &["pairing-required", "another machine of the tailnet", "however near", "openclaw devices approve"],
        &["canary", "trusted range"],
    );
    assert_eq!((json["verdict"].as_str(), json["local"].as_bool()), (Some("pairing-required"), Some(false)));
}

#[test]
fn uq_27_the_console_over_plain_http_has_no_device_identity() {
    let json = Scenario::new("uq-27").env(TOKEN.0, TOKEN.1).ask(
        "uq_27",
        "explain connection --own-ip 192.168.1.10 --peer 192.168.1.20 --header 'Host: 192.168.1.10:18789' --header 'Origin: http://192.168.1.10:18789' \
         --client control-ui --scheme http --role operator --auth token --device none",
        &["refuse", "control-ui-insecure-auth", "secure context", "the token was not the reason", "the origin equals Host", "openclaw.json:5:5", "ssh -N -L 18789:127.0.0.1:18789", "Tailscale Serve", "a downgrade"],
        &["canary"],
    );
    assert_eq!(json["reason"], "control-ui-insecure-auth");
    let flips: Vec<&str> =
        json["flip"].as_array().unwrap().iter().map(|f| f["change"].as_str().unwrap()).collect();
    assert!(flips[0].starts_with("ssh -N"), "{flips:?}");
    assert!(flips.last().unwrap().contains("allowInsecureAuth"), "the break-glass key comes last: {flips:?}");
    assert!(!flips.iter().any(|f| f.contains("dangerouslyDisableDeviceAuth")));
}

#[test]
fn uq_28_missing_and_wrong_credentials_have_different_reasons() {
    let local = Scenario::new("uq-28").env(TOKEN.0, TOKEN.1);
    let never = &["canary", "length", "delete"];
    let json = local.ask(
        "uq_28a",
        "explain connection --surface http --path /tools/invoke --peer 127.0.0.1 --header 'Host: localhost:18789' --auth none",
        &["refuse", "token_missing", "never the secret", "openclaw.json:4:13", "openclaw.json:4:28", "Authorization: Bearer"],
        never,
    );
    assert_eq!((json["status"].as_u64(), json["reason"].as_str()), (Some(401), Some("token_missing")));
    let line = "explain connection --peer 127.0.0.1 --header 'Host: localhost:18789' --client cli --role operator --device none";
    let json = local.ask(
        "uq_28b",
        &format!("{line} --auth wrong-token"),
        &["refuse", "token_mismatch", "the value that the gateway runs with", "restart"],
        never,
    );
    assert_eq!(json["reason"], "token_mismatch");
    let json = local.ask(
        "uq_28c",
        &format!("{line} --auth none"),
        &["refuse", "device-required", "neither a shared secret nor a device"],
        never,
    );
    assert_eq!(
        (json["code"].as_str(), json["reason"].as_str()),
        (Some("NOT_PAIRED"), Some("device-required"))
    );
    let json = local.ask(
        "uq_28d",
        &format!("{line} --auth none --device paired"),
        &["refuse", "token_missing", "The device is known; its token was not sent"],
        never,
    );
    assert_eq!(json["reason"], "token_missing");
}

#[test]
fn uq_29_without_a_credential_the_gateway_does_not_start_wherever_it_is_bound() {
    let lan = Scenario::new("uq-29");
    let json = lan.ask(
        "uq_29a",
        "explain connection --peer 192.168.1.20 --header 'Host: 192.168.1.10:18789' --client cli --role operator --auth none --device none",
        &["refuse", "token_missing_config", "does not start", "openclaw.json:4:5", "gateway.auth.token", "openclaw doctor --generate-gateway-token", "tunnel"],
        &["wrong"],
    );
    assert_eq!(
        (json["decidedBy"]["layer"].as_str(), decided(&json)),
        (Some("start"), at("gateway.auth.token", "2:3"))
    );
    let json = lan.ask(
        "uq_29b",
        "explain connection --set 'gateway.bind=\"loopback\"' --peer 127.0.0.1 --header 'Host: localhost:18789' --client cli --role operator --auth none --device none",
        &["refuse", "token_missing_config", "Loopback needs a credential too"],
        &["wrong"],
    );
    assert_eq!(json["reason"], "token_missing_config");
}
