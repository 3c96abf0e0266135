//! Command lines with the verdict that each must get, over a throw-away workspace and home with traps in them
//! (`fixtures/exec/cases.jsonl`, `tree.json`): nothing dangerous runs without a person, nothing harmless asks for one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use oc_approval::check::{Answer, answer_line};
use oc_approval::decision::Verdict;
use oc_fs::host_view::Disk;
use serde_json::{Value, json};

/// What the cases resolve programs with.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Programs that the cases take for installed and that a small system may lack (`cargo xtask install` brings them).
const NEEDED: [&str; 7] = ["less", "more", "file", "zip", "unzip", "awk", "jq"];

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/exec").join(name);
    fs::read_to_string(path).unwrap()
}

struct Tree {
    _keep: tempfile::TempDir,
    workspace: PathBuf,
    home: PathBuf,
}

impl Tree {
    fn build() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap();
        let (workspace, home) = (root.join("ws"), root.join("home"));
        let tree: Value = serde_json::from_str(&fixture("tree.json")).unwrap();
        let out = Self { _keep: keep, workspace, home };
        let write = |path: PathBuf, text: &str| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (key, base) in [("workspace", &out.workspace), ("home", &out.home)] {
            for (name, text) in tree[key].as_object().unwrap() {
                write(base.join(name), text.as_str().unwrap());
            }
        }
        for name in tree["empty"].as_array().unwrap() {
            write(out.workspace.join(name.as_str().unwrap()), "");
        }
        for name in tree["executable"].as_array().unwrap() {
            let path = out.workspace.join(name.as_str().unwrap());
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for (name, target) in tree["links"].as_object().unwrap() {
            let path = out.workspace.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(out.expand(target.as_str().unwrap()), path).unwrap();
        }
        out
    }

    fn expand(&self, text: &str) -> String {
        text.replace("@WS", self.workspace.to_str().unwrap()).replace("@HOME", self.home.to_str().unwrap())
    }

    fn ask(&self, case: &Value) -> Answer {
        let or = |key: &str, unset: Value| case.get(key).filter(|v| !v.is_null()).cloned().unwrap_or(unset);
        let mut base: BTreeMap<String, Value> =
            [("PATH".to_owned(), json!(PATH)), ("HOME".to_owned(), json!("@HOME"))].into();
        base.extend(or("baseEnv", json!({})).as_object().unwrap().clone());
        let question = json!({
            "id": case["id"],
            "cmd": case["cmd"],
            "cwd": or("cwd", json!("@WS")),
            "env": or("env", json!({})),
            "baseEnv": base,
            "safeBins": or("safeBins", json!("default")),
            "allowlist": or("allowlist", json!([])),
            "pty": or("pty", json!(false)),
        });
        answer_line(serde_json::to_string(&self.expanded(question)).unwrap().as_bytes(), &Disk)
    }

    fn expanded(&self, value: Value) -> Value {
        match value {
            Value::String(s) => Value::String(self.expand(&s)),
            Value::Array(a) => a.into_iter().map(|v| self.expanded(v)).collect(),
            Value::Object(o) => o.into_iter().map(|(k, v)| (k, self.expanded(v))).collect(),
            other => other,
        }
    }
}

fn is_installed(program: &str) -> bool {
    PATH.split(':').any(|dir| Path::new(dir).join(program).exists())
}

fn score(file: &str) -> (usize, usize, Vec<String>) {
    let tree = Tree::build();
    let (mut dangerous, mut harmless, mut wrong) = (0, 0, Vec::new());
    for line in fixture(file).lines().filter(|l| !l.trim().is_empty()) {
        let case: Value = serde_json::from_str(line).unwrap();
        let answer = tree.ask(&case);
        let (count, expected) =
            if case["verdict"] == "allow" { (&mut harmless, true) } else { (&mut dangerous, false) };
        *count += 1;
        if (answer.verdict == Verdict::Allow) != expected {
            wrong.push(format!(
                "{} {}: expected {}, got {} ({})",
                case["id"],
                case["cmd"],
                case["verdict"],
                answer.verdict.word(),
                answer.reason
            ));
        }
    }
    (dangerous, harmless, wrong)
}

#[test]
fn sp_138_no_dangerous_line_runs_unseen_and_no_harmless_one_asks() {
    let missing: Vec<&str> = NEEDED.into_iter().filter(|p| !is_installed(p)).collect();
    assert!(missing.is_empty(), "not installed: {missing:?}; run `cargo xtask install`");
    let (dangerous, harmless, wrong) = score("cases.jsonl");
    assert_eq!((dangerous, harmless), (647, 213));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every known trick of every program that has a profile, of programs that are listed in vain, and of wrappers and links around them.
#[test]
fn sp_165_no_trick_of_a_listed_program_runs_unseen() {
    let (dangerous, harmless, wrong) = score("gtfobins.jsonl");
    assert!(dangerous > 1000 && harmless == 0, "{dangerous} {harmless}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A trick must be refused for what it does: a program that is not there, or a typing error in the row, proves nothing.
#[test]
fn sp_165_tricks_are_refused_for_what_they_do() {
    let tree = Tree::build();
    let mut vain = Vec::new();
    for line in fixture("gtfobins.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let program = case["group"].as_str().unwrap();
        let (_, reason) = judged(&tree, &case);
        let is_profiled = oc_approval::safe_bin::catalogue::built_in(program).is_some();
        if is_profiled
            && is_installed(program)
            && ["unresolved", "not-listed", "no-profile"].contains(&reason.as_str())
        {
            vain.push(format!("{} {}: {reason}", case["id"], case["cmd"]));
        }
    }
    // What starts something else by name, or names a program by another path, is not found or not listed as that.
    assert!(vain.len() < 40, "{}", vain.join("\n"));
}

/// Lines of every day that nobody should be asked about, beyond those of the golden set.
#[test]
fn sp_166_no_line_of_every_day_asks() {
    let (dangerous, harmless, wrong) = score("harmless.jsonl");
    assert!(dangerous == 0 && harmless >= 800, "{dangerous} {harmless}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is added to a question never opens it: another command, an environment, a shorter list.
#[test]
fn sp_135_more_or_less_of_a_line_never_turns_a_question_into_a_run() {
    let tree = Tree::build();
    let mut opened = Vec::new();
    let mut check = |case: &Value, change: &str, changed: Value| {
        if judged(&tree, &changed).0 == Verdict::Allow {
            opened.push(format!("{} {} with {change}", case["id"], case["cmd"]));
        }
    };
    for file in ["cases.jsonl", "gtfobins.jsonl", "harmless.jsonl"] {
        for line in fixture(file).lines().filter(|l| !l.trim().is_empty()) {
            let case: Value = serde_json::from_str(line).unwrap();
            let with = |key: &str, value: Value| {
                let mut changed = case.clone();
                changed[key] = value;
                changed
            };
            let text = case["cmd"].as_str().unwrap();
            // A final backslash takes the meaning of what is appended away.
            for more in ["; nobody-has-this", " && nobody-has-this", " | nobody-has-this"] {
                if text.ends_with('\\') {
                    continue;
                }
                check(&case, more, with("cmd", json!(format!("{text}{more}"))));
            }
            if case["allowlist"].as_array().is_none_or(Vec::is_empty) {
                check(&case, "an empty list", with("safeBins", json!([])));
            }
            if case["verdict"] != "allow" {
                let mut env = case["env"].as_object().cloned().unwrap_or_default();
                env.insert("LC_TIME".to_owned(), json!("C"));
                check(&case, "an environment", with("env", Value::Object(env)));
                check(&case, "a terminal", with("pty", json!(true)));
            }
        }
    }
    // A comment swallows what is appended to it.
    opened.retain(|line| !line.contains('#'));
    assert!(opened.is_empty(), "{}", opened.join("\n"));
}

#[test]
fn an_answer_does_not_change_the_files_it_is_about() {
    let tree = Tree::build();
    let list = |tree: &Tree| -> Vec<(PathBuf, u64, std::time::SystemTime)> {
        let mut out = Vec::new();
        let mut open = vec![tree.workspace.clone(), tree.home.clone()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let meta = path.symlink_metadata().unwrap();
                if meta.is_dir() {
                    open.push(path.clone());
                }
                out.push((path, meta.len(), meta.modified().unwrap()));
            }
        }
        out.sort();
        out
    };
    let before = list(&tree);
    for line in fixture("cases.jsonl").lines().filter(|l| !l.trim().is_empty()) {
        tree.ask(&serde_json::from_str(line).unwrap());
    }
    assert!(before == list(&tree));
}

/// Verdict and the stable word of the reason.
fn judged(tree: &Tree, case: &Value) -> (Verdict, String) {
    let answer = tree.ask(case);
    (answer.verdict, answer.reason.split(':').next().unwrap().to_owned())
}

#[test]
fn hostile_input_gets_a_verdict_and_is_never_automatic() {
    let tree = Tree::build();
    let long = format!("echo {}", "a".repeat(16 * 1024));
    let many = "ls;".repeat(10_000);
    let nested = format!("echo {}{}", "$(".repeat(2000), ")".repeat(2000));
    for (line, verdict) in [
        ("ls\0", Verdict::Deny),
        ("", Verdict::Deny),
        (" \t ", Verdict::Deny),
        (long.as_str(), Verdict::Ask),
        (many.as_str(), Verdict::Ask),
        (nested.as_str(), Verdict::Ask),
        ("ls\u{202e}", Verdict::Ask),
        ("l\u{200b}s", Verdict::Ask),
        ("\u{ff4c}\u{ff53}", Verdict::Ask),
        ("c\u{0430}t notes.txt", Verdict::Ask),
        ("ls\u{2028}id", Verdict::Ask),
        ("ls\u{a0}-l", Verdict::Ask),
        ("ls \u{1b}[2J", Verdict::Ask),
    ] {
        let (got, reason) = judged(&tree, &json!({"id": "x", "cmd": line}));
        assert_eq!(got, verdict, "{:?}: {reason}", line.chars().take(40).collect::<String>());
    }
}

#[test]
fn a_working_directory_that_is_gone_or_none_refuses() {
    let tree = Tree::build();
    fs::remove_dir_all(tree.workspace.join("docs")).unwrap();
    for cwd in ["@WS/docs", "@WS/notes.txt", "docs", "", "@WS/\u{0}"] {
        let got = judged(&tree, &json!({"id": "x", "cmd": "ls", "cwd": cwd}));
        assert_eq!(got, (Verdict::Deny, "no-directory".to_owned()), "{cwd:?}");
    }
}

#[test]
fn sp_152_entries_of_the_list_say_what_they_say() {
    let tree = Tree::build();
    let tool = |name: &str| {
        let path = tree.workspace.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    tool("bin/tool.a");
    tool("bin/toolxa");
    tool("bin/deep/tool.a");
    symlink("/bin/sh", tree.workspace.join("bin/link.a")).unwrap();
    let ask = |line: &str, pattern: &str| {
        judged(&tree, &json!({"id": "x", "cmd": line, "safeBins": [], "allowlist": [pattern]})).0
    };
    for (line, pattern, verdict) in [
        ("bin/tool.a", "@WS/bin/tool.a", Verdict::Allow),
        ("bin/toolxa", "@WS/bin/tool.a", Verdict::Ask),
        ("bin/tool.a", "@WS/bin/*", Verdict::Allow),
        ("bin/deep/tool.a", "@WS/bin/*", Verdict::Ask),
        ("bin/deep/tool.a", "@WS/bin/**", Verdict::Allow),
        ("bin/deep/tool.a", "@WS/bin?deep/tool.a", Verdict::Ask),
        ("bin/tool.a", "tool.a", Verdict::Ask),
        ("bin/tool.a", "@WS/bin/tool", Verdict::Ask),
        ("bin/link.a", "@WS/bin/*", Verdict::Ask),
        ("bin/none.a", "@WS/bin/*", Verdict::Ask),
        ("bin/tool.a; bin/none.a", "@WS/bin/*", Verdict::Ask),
    ] {
        assert_eq!(ask(line, pattern), verdict, "{line} with {pattern}");
    }
}

#[test]
fn sp_210_a_request_that_sets_a_dangerous_variable_is_refused() {
    let tree = Tree::build();
    for name in [
        "PATH",
        "LD_PRELOAD",
        "LD_AUDIT",
        "BASH_ENV",
        "ENV",
        "IFS",
        "PYTHONPATH",
        "NODE_OPTIONS",
        "GIT_SSH_COMMAND",
        "LESSOPEN",
    ] {
        let got = judged(&tree, &json!({"id": "x", "cmd": "ls", "env": {name: "x"}}));
        assert_eq!(got, (Verdict::Deny, "env-forbidden".to_owned()), "{name}");
    }
}
