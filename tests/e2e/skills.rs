//! `openclaw skills` with the real binary.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

struct Home(tempfile::TempDir);

impl Home {
    fn new(config: &Value) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        put(&home.path().join("state/openclaw.json"), &config.to_string());
        home
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn skill(&self, at: &str, name: &str, more: &str) {
        let text = format!("---\nname: {name}\ndescription: Does {name}\n{more}\n---\nHow to do it.\n");
        put(&self.path().join(at).join("SKILL.md"), &text);
    }

    fn run(&self, args: &[&str]) -> Output {
        let bin = self.path().join("bin");
        Command::new(env!("CARGO_BIN_EXE_openclaw"))
            .args(args)
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", &bin)
            .env("HERE", "1")
            .env("OPENCLAW_STATE_DIR", self.path().join("state"))
            .current_dir(self.path())
            .output()
            .unwrap()
    }

    fn text(&self, args: &[&str]) -> String {
        let out = self.run(args);
        let text = format!(
            "exit {}\n{}{}",
            out.status.code().unwrap(),
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
        unfolded(&text).replace(&self.path().display().to_string(), "HOME")
    }

    fn names(&self, args: &[&str]) -> Vec<String> {
        let out = self.run(args);
        let answer: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{out:?}"));
        let rows = answer["skills"].as_array().unwrap();
        rows.iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// Values that were folded, in one line again: a full line was cut within a word.
fn unfolded(text: &str) -> String {
    let mut out = String::new();
    let mut full = false;
    for line in text.lines() {
        match line.strip_prefix("              ") {
            Some(rest) => out.push_str(&format!("{}{rest}", if full { "" } else { " " })),
            None => out.push_str(&format!("\n{line}")),
        }
        full = line.chars().count() == 80;
    }
    format!("{}\n", out.trim_start_matches('\n'))
}

fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(format!("skills_{name}"), text);
    });
}

#[test]
fn what_an_agent_has_and_what_stands_against_the_rest() {
    let home = Home::new(&json!({
        "agents": {"defaults": {"workspace": "~/work"}, "list": [{"id": "main", "default": true}, {"id": "reader", "workspace": "~/reader", "skills": []}]},
        "skills": {"load": {"extraDirs": ["~/extra"]}, "entries": {"off": {"enabled": false}, "accepted": {"enabled": true}}},
    }));
    let program = home.path().join("bin/gh");
    put(&program, "#!/bin/sh\n");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    home.skill(
        "work/skills/issues",
        "issues",
        r#"metadata: {"openclaw": {"requires": {"bins": ["gh"], "env": ["HERE"]}}}"#,
    );
    home.skill("state/skills/issues", "issues", "note: the workspace's own stands in for it");
    home.skill("state/skills/video", "video", "metadata:\n  openclaw:\n    os: [linux, darwin]\n    requires:\n      bins: [ffmpeg]\n      anyBins: [rg, grep]\n      env: [KEY]\n      config: [channels.slack]");
    home.skill("extra/off", "off", "");
    home.skill("extra/held-back", "held-back", "");
    home.skill("extra/accepted", "accepted", "");
    for name in ["held-back", "accepted"] {
        put(&home.path().join("extra").join(name).join("run.js"), "\nrequire('child_process').exec('id')");
    }
    put(&home.path().join("extra/broken/SKILL.md"), "---\nname: broken\nmetadata: {\n---\n");
    std::os::unix::fs::symlink("/etc", home.path().join("work/skills/away")).unwrap();
    snapshot("list", &home.text(&["skills", "list"]));
    snapshot("check", &home.text(&["skills", "check"]));
    assert_eq!(home.names(&["skills", "list", "--eligible", "--json"]), ["accepted", "issues"]);
    assert_eq!(
        home.names(&["skills", "list", "--agent", "reader", "--eligible", "--json"]),
        Vec::<String>::new()
    );
    for agent in ["nobody", "../x"] {
        assert!(!home.run(&["skills", "list", "--agent", agent]).status.success());
    }
}

#[test]
fn without_skills_and_without_a_gateway() {
    let home = Home::new(&json!({}));
    snapshot("none", &home.text(&["skills", "check"]));
    assert!(!home.run(&["skills", "list", "--live", "--timeout", "500"]).status.success());
}
