//! Commands through the gate as a person and an agent run them: `openclaw exec run`, `openclaw tool invoke exec`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

struct Home {
    directory: tempfile::TempDir,
    root: PathBuf,
}

const GROUP: [&str; 2] = ["--session", "agent:main:telegram:group:42"];

impl Home {
    fn new(config: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for folder in [".openclaw", "project", "bin"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::write(root.join(".openclaw/openclaw.json"), format!("{config:#}\n")).unwrap();
        let home = Self { directory, root };
        home.program("bin/npm", "echo tested \"$@\"; exit 3");
        std::fs::write(home.root.join("project/package.json"), "{\"name\": \"p\"}\n").unwrap();
        home
    }

    fn program(&self, name: &str, body: &str) {
        let path = self.root.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw"));
        command
            .args(args)
            .env_clear()
            .env("HOME", &self.root)
            .env("USER", "me")
            .env("PATH", format!("{}:/usr/bin:/bin", self.root.join("bin").display()))
            .env("DOCKER_HOST", "unix:///no/engine/here.sock")
            .env("LD_PRELOAD", "")
            .env("MY_SECRET_TOKEN", "made-up-value")
            .current_dir(self.root.join("project"));
        command
    }

    fn openclaw(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// `exec run`: exit code, output, messages.
    fn run(&self, flags: &[&str], command: &str) -> (i32, String, String) {
        seen(&self.openclaw(&[&["exec", "run"], flags, &["--", command]].concat()))
    }

    /// A run that will wait.
    #[expect(clippy::zombie_processes, reason = "it is given back, or the test has failed")]
    fn waiting(&self, flags: &[&str], command: &str) -> (Child, Value) {
        let child = self
            .command(&[&["exec", "run"], flags, &["--", command]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let out = self.openclaw(&["approvals", "list", "--json"]);
            let json: Value = serde_json::from_slice(&out.stdout).unwrap();
            if let Some(record) = json["pending"].get(0) {
                return (child, record.clone());
            }
            assert!(Instant::now() < end, "{command} does not ask: {json}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn answer(&self, word: &str, record: &Value) {
        let out = self.openclaw(&["approvals", word, record["code"].as_str().unwrap()]);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    fn records(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.root.join(".openclaw/ledger/ledger-000001.jsonl")).unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }
}

fn seen(out: &Output) -> (i32, String, String) {
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
}

fn ended(child: Child) -> (i32, String, String) {
    seen(&child.wait_with_output().unwrap())
}

/// The configuration that seed B recommends, with somebody who may elevate.
fn baseline() -> Value {
    json!({
        "channels": {"telegram": {"dmPolicy": "pairing", "groups": {"*": {"requireMention": true}}}},
        "agents": {"defaults": {"sandbox": {
            "mode": "non-main",
            "scope": "session",
            "tools": {"deny": ["browser", "canvas", "nodes", "cron", "gateway"]},
        }}},
        "tools": {
            "exec": {"ask": "elevated", "security": "sandbox", "safeBins": ["ls", "cat", "grep", "find"]},
            "elevated": {"enabled": true, "allowFrom": {"telegram": ["7"]}},
        },
    })
}

fn on_host() -> Value {
    json!({"tools": {"exec": {"host": "gateway"}}})
}

#[test]
fn the_seeds_baseline_runs_ls_asks_about_npm_test_and_keeps_groups_in_the_sandbox() {
    let home = Home::new(&baseline());
    // Main session: a listed program runs on the host, another one asks.
    assert_eq!(home.run(&[], "ls"), (0, "package.json\n".to_owned(), String::new()));
    let (child, record) = home.waiting(&[], "npm test");
    assert_eq!(
        (&record["request"]["host"], &record["request"]["command"]),
        (&json!("gateway"), &json!("npm test"))
    );
    home.answer("approve", &record);
    let (code, out, err) = ended(child);
    assert_eq!((code, out.as_str()), (3, "tested test\n"), "{err}");
    assert!(
        err.contains(&format!("openclaw approvals approve {}", record["code"].as_str().unwrap())),
        "{err}"
    );

    // With elevated `ask`, a group's host run asks; a listed program runs there.
    let elevated = [&GROUP[..], &["--channel", "telegram", "--sender", "7"]].concat();
    let project = home.root.join("project");
    let (code, out, err) = seen(
        &home.openclaw(
            &[
                &[
                    "tool",
                    "invoke",
                    "exec",
                    "--args",
                    &json!({"command": "ls", "workdir": project}).to_string(),
                ],
                &elevated[..],
            ]
            .concat(),
        ),
    );
    assert_eq!((code, out.as_str()), (0, "package.json\n"), "{err}");
    assert!(err.contains("on the host"), "{err}");
    let (child, record) = home.waiting(&elevated, "ls --color=never; made-up-program");
    home.answer("deny", &record);
    assert_eq!(ended(child).0, 11);

    // `full` asks nobody on the host.
    let full = [&elevated[..], &["--elevated", "full", "--cwd"], &[project.to_str().unwrap()]].concat();
    assert_eq!(home.run(&full, "npm test").0, 3);

    // Not elevated, a group's commands run in its sandbox, and nobody is asked.
    let (code, out, err) = home.run(&GROUP, "pwd; ls -a; test -e /etc/passwd; no-such-program; true");
    if err.contains("no sandbox") {
        eprintln!("skipped: this kernel offers no native sandbox: {err}");
        return;
    }
    assert_eq!((code, out.lines().next()), (0, Some("/workspace")), "{err}");
    assert!(!out.contains("package.json"));
    let (code, _, err) = home.run(&GROUP, "npm --version");
    assert_ne!(code, 10, "nobody is asked: {err}");
    assert!(!err.contains("waiting"), "{err}");
}

#[test]
fn exit_codes_say_what_happened() {
    let mut config = on_host();
    config["tools"]["exec"]["approvalTimeoutMs"] = json!(1000);
    let home = Home::new(&config);
    assert_eq!(home.run(&[], "grep -c absent package.json").0, 1, "the command's own");
    assert_eq!(home.run(&[], "ls /no/such/thing 2>/dev/null").0, 2);
    let (code, out, err) = home.run(&[], "npm test");
    assert_eq!((code, out.as_str()), (10, ""), "{err}");
    assert!(err.contains("nobody answered within 1 s"), "{err}");
    let (child, record) = home.waiting(&[], "npm test");
    home.answer("deny", &record);
    let (code, _, err) = ended(child);
    assert_eq!(code, 11, "{err}");
    assert!(err.contains("a person refused"), "{err}");
    std::fs::write(
        home.root.join(".openclaw/exec-approvals.json"),
        "{\"version\": 1, \"defaults\": {\"security\": \"deny\"}}\n",
    )
    .unwrap();
    assert_eq!(home.run(&[], "ls").0, 11);
    std::fs::write(home.root.join(".openclaw/exec-approvals.json"), "{").unwrap();
    let (code, _, err) = home.run(&[], "ls");
    assert_eq!(code, 11);
    assert!(err.contains("until it is mended") || err.contains("approvals file"), "{err}");
    assert_eq!(seen(&home.openclaw(&["exec", "run"])).0, 2);
}

#[test]
fn sp_212_a_host_command_inherits_no_loader_setting_and_by_itself_no_secret() {
    let home = Home::new(&on_host());
    let (code, out, err) = home.run(&[], "env");
    assert_eq!(code, 0, "{err}");
    assert!(!out.contains("made-up-value") && !out.contains("LD_PRELOAD"), "{out}");
    assert!(out.contains(&format!("PATH={}:/usr/bin:/bin", home.root.join("bin").display())), "{out}");
}

#[test]
fn sp_145_a_program_that_is_swapped_while_somebody_reads_the_prompt_does_not_run() {
    let home = Home::new(&on_host());
    home.program("project/tool", "echo first");
    let (child, record) = home.waiting(&[], "./tool");
    home.program("project/tool", "echo second > ran");
    home.answer("approve", &record);
    let (code, out, err) = ended(child);
    assert_eq!((code, out.as_str()), (11, ""), "{err}");
    assert!(err.contains("executable-changed"), "{err}");
    assert!(!home.root.join("project/ran").exists());
}

#[test]
fn sp_172_a_script_that_changed_or_is_not_known_does_not_run() {
    let home = Home::new(&on_host());
    let (child, record) = home.waiting(&[], "npm test");
    std::fs::write(home.root.join("project/package.json"), "{\"name\": \"another\"}\n").unwrap();
    home.answer("approve", &record);
    let (code, _, err) = ended(child);
    assert_eq!(code, 11, "{err}");
    assert!(err.contains("script file"), "{err}");
    let (code, _, err) = home.run(&[], "bash");
    assert_eq!(code, 11, "{err}");
    assert!(err.contains("name one script"), "{err}");
}

#[test]
fn sp_180_allow_always_is_remembered_for_the_same_words_only() {
    let home = Home::new(&on_host());
    let (child, record) = home.waiting(&[], "stat -c %s package.json");
    let out = home.openclaw(&["approvals", "approve", record["code"].as_str().unwrap(), "--always"]);
    assert!(out.status.success());
    assert_eq!(ended(child).1, "14\n");
    assert_eq!(home.run(&[], "stat -c %s package.json").0, 0);
    let (child, record) = home.waiting(&[], "stat -c %n package.json");
    home.answer("deny", &record);
    assert_eq!(ended(child).0, 11);
}

#[test]
fn the_ledger_names_the_approval_and_the_approver() {
    let home = Home::new(&on_host());
    let (child, record) = home.waiting(&[], "npm test");
    home.answer("approve", &record);
    assert_eq!(ended(child).0, 3);
    let records = home.records();
    let verdicts: Vec<&str> = records.iter().map(|r| r["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["asked", "allowed", "failed"]);
    assert!(records.iter().all(|r| r["approvalId"] == record["id"]), "{records:?}");
    assert_eq!(records[1]["rule"], "exec: allow-once by terminal:me");
    assert!(!records.iter().any(|r| r.to_string().contains("npm")), "no command text");
    let why = home.openclaw(&["ledger", "why", record["id"].as_str().unwrap()]);
    assert!(why.status.success(), "{}", String::from_utf8_lossy(&why.stderr));
    assert!(home.openclaw(&["ledger", "verify"]).status.success());
}

#[test]
fn control_c_takes_the_request_back() {
    let home = Home::new(&on_host());
    let (mut child, _) = home.waiting(&[], "npm test");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(err.contains("given up"), "{err}");
    let (_, all, _) = seen(&home.openclaw(&["approvals", "list", "--all"]));
    assert!(all.contains("denied: run-aborted"), "{all}");
}

#[test]
fn a_background_command_of_one_call_ends_with_it_and_says_so() {
    let home = Home::new(&json!({}));
    let marker = home.root.join("project/still-there");
    let text = format!("echo begun; sleep 30; touch {}", marker.display());
    let args = json!({"command": text, "background": true, "workdir": home.root.join("project")}).to_string();
    let begun = Instant::now();
    let (code, out, err) = seen(&home.openclaw(&["tool", "invoke", "exec", "--args", &args]));
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("runs on in the background as p1"), "{out}");
    assert!(err.contains("ends now, with this process"), "{err}");
    assert!(begun.elapsed() < Duration::from_secs(25));
    let records = home.records();
    let verdicts: Vec<&str> = records.iter().map(|r| r["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["allowed", "running", "failed"]);
    assert!(!marker.exists() && !runs(&marker), "nothing stays behind");
}

/// Whether a process with this text in its command line runs.
fn runs(text: &Path) -> bool {
    let text = text.display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes
        .filter(|p| p.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit()))
        .filter_map(|p| std::fs::read(p.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).contains(&text))
}

#[test]
fn exec_explain_answers_as_explain_command_does() {
    let home = Home::new(&baseline());
    let long = home.openclaw(&["explain", "command", "npm test"]);
    let short = home.openclaw(&["exec", "explain", "npm test"]);
    assert_eq!(seen(&long), seen(&short));
    assert!(seen(&short).1.contains("ask"), "{}", seen(&short).1);
}

/// The text with what differs from run to run replaced.
fn steady(home: &Home, text: &str) -> String {
    let mut out = text.replace(&home.root.display().to_string(), "HOME");
    for (pattern, with) in [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
        (r"[0-9a-f]{32}", "<call>"),
        (r"\b[0-9a-f]{8}\b", "<code>"),
        (r"asked \d+ s ago, expires in [0-9a-z ]+", "asked <ago>, expires in <left>"),
    ] {
        out = regex::Regex::new(pattern).unwrap().replace_all(&out, with).into_owned();
    }
    out
}

#[test]
fn sp_191_a_waiting_run_shows_how_to_answer_and_the_prompt_shows_all() {
    let home = Home::new(&on_host());
    let (child, record) = home.waiting(&["--env", "CI=1"], "npm test 'a b'");
    let shown = seen(&home.openclaw(&["approvals", "list"])).1;
    home.answer("deny", &record);
    let (code, out, err) = ended(child);
    let body =
        format!("{}\n--- exit {code}\n{out}--- stderr\n{}", steady(&home, &shown), steady(&home, &err));
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("exec_run_waits", body);
    });
    drop(home.directory);
}
