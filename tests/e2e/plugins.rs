//! `openclaw plugins` with the real binary, packages made here, and a registry on loopback for the real `npm`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(home.state()).unwrap();
        put(&home.state().join("openclaw.json"), "{ gateway: { mode: 'local' } } // mine");
        home
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    fn plugin(&self) -> PathBuf {
        self.state().join("extensions/voice-notes")
    }

    fn marker(&self) -> PathBuf {
        self.path().join("a-script-ran")
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_openclaw"))
            .args(args)
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", std::env::var("PATH").unwrap())
            .env("OPENCLAW_STATE_DIR", self.state())
            .current_dir(self.path())
            .output()
            .unwrap()
    }

    /// What a run prints, with everything that differs from run to run replaced.
    fn text(&self, args: &[&str]) -> String {
        let out = self.run(args);
        let mut text = format!(
            "exit {}\n{}{}",
            out.status.code().unwrap(),
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
        text = unfolded(&text).replace(&self.path().display().to_string(), "HOME");
        regex::Regex::new(r"sha512-[A-Za-z0-9+/]+={2}")
            .unwrap()
            .replace_all(&text, "<integrity>")
            .into_owned()
    }

    fn json(&self, args: &[&str]) -> Value {
        let out = self.run(args);
        serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{out:?}"))
    }

    fn fails(&self, args: &[&str], why: &str) {
        let out = self.run(args);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success() && said.contains(why), "{args:?}: {said}");
    }

    /// A package's folder, with scripts that would leave a marker.
    fn package(&self, name: &str, version: &str, code: &str) -> PathBuf {
        let folder = self.path().join(name).join("package");
        let touch = format!("touch {}", self.marker().display());
        let scripts: Vec<_> = ["preinstall", "install", "postinstall", "prepack", "postpack", "prepare"]
            .iter()
            .map(|s| ((*s).to_owned(), json!(touch)))
            .collect();
        let needs = if name == "needy" { json!({"helper": "1.2.3"}) } else { json!({}) };
        let package = json!({
            "name": "voice-notes", "version": version, "dependencies": needs,
            "scripts": scripts.into_iter().collect::<serde_json::Map<_, _>>(),
        });
        let manifest = json!({
            "id": "voice-notes", "description": "Writes down what was said", "configSchema": {},
            "tools": ["voice_list", {"name": "voice_transcribe", "optional": true}],
            "mcpServer": {"command": "node", "args": ["./server.js", "--stdio"], "env": ["VOICE_KEY"]},
        });
        put(&folder.join("package.json"), &package.to_string());
        put(&folder.join("openclaw.plugin.json"), &manifest.to_string());
        put(&folder.join("server.js"), code);
        folder
    }

    /// The same as a `.tgz`.
    fn packed(&self, name: &str, version: &str, code: &str) -> PathBuf {
        let folder = self.package(name, version, code);
        let file = self.path().join(format!("{name}.tgz"));
        let done = Command::new("tar")
            .arg("-czf")
            .arg(&file)
            .arg("-C")
            .arg(folder.parent().unwrap())
            .arg("package")
            .status()
            .unwrap();
        assert!(done.success());
        file
    }

    fn standing(&self) -> String {
        self.json(&["plugins", "list", "--json"])["plugins"][0]["standing"].as_str().unwrap().to_owned()
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
        insta::assert_snapshot!(format!("plugins_{name}"), text);
    });
}

const CLEAN: &str = "process.stdin.resume();\n";
const DANGEROUS: &str = "const cp = require('child_process');\ncp.execSync('id');\n";

#[test]
fn from_a_package_to_a_loaded_plugin_and_away() {
    let home = Home::new();
    let file = home.packed("good", "1.2.3", CLEAN);
    let file = file.to_str().unwrap();
    snapshot("install", &home.text(&["plugins", "install", file]));
    assert!(home.plugin().join("server.js").is_file());
    assert!(!home.marker().exists(), "a lifecycle script was run");
    for (path, mode) in [(home.plugin(), 0o700), (home.plugin().join("server.js"), 0o600)] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, mode, "{}", path.display());
    }
    snapshot("list_unlisted", &home.text(&["plugins", "list"]));
    assert_eq!(home.standing(), "unlisted");
    let tools = |home: &Home| String::from_utf8(home.run(&["tool", "list"]).stdout).unwrap();
    assert!(!tools(&home).contains("voice_list"), "an unlisted plugin's tool is there");
    home.fails(&["plugins", "install", file], "--replace");

    snapshot("enable", &home.text(&["plugins", "enable", "voice-notes"]));
    assert_eq!(home.standing(), "loaded");
    assert!(tools(&home).contains("voice_list"));
    let config = std::fs::read_to_string(home.state().join("openclaw.json")).unwrap();
    assert!(config.contains("// mine") && config.contains("voice-notes"), "{config}");
    snapshot("check", &home.text(&["plugins", "check"]));
    assert!(home.run(&["config", "validate"]).status.success());
    assert!(home.run(&["plugins", "disable", "voice-notes"]).status.success());
    assert_eq!(home.standing(), "off");
    assert!(!tools(&home).contains("voice_list"));
    assert!(home.run(&["plugins", "remove", "voice-notes"]).status.success());
    assert!(!home.plugin().exists() && !home.state().join(".plugin-staging").exists());
    assert!(home.run(&["config", "validate"]).status.success(), "nothing names it any more");
    snapshot("list_empty", &home.text(&["plugins", "list"]));
    assert!(!home.marker().exists());
}

#[test]
fn tampered_bytes_are_refused_and_leave_nothing() {
    let home = Home::new();
    let file = home.packed("good", "1.2.3", CLEAN);
    let file = file.to_str().unwrap();
    let wrong = format!("sha512-{}==", "A".repeat(86));
    home.fails(&["plugins", "install", file, "--integrity", &wrong], "--integrity says sha512-AAAA");
    home.fails(&["plugins", "install", file, "--integrity", "sha1-x"], "no integrity");
    assert!(!home.plugin().exists());
    assert!(!std::fs::read_to_string(home.state().join("openclaw.json")).unwrap().contains("installs"));
    assert!(home.run(&["plugins", "install", file]).status.success());
    let bent = home.packed("bent", "1.2.3", "process.stdin.pause();\n");
    let bent = bent.to_str().unwrap();
    home.fails(&["plugins", "install", bent, "--replace"], "plugins.installs.voice-notes.integrity");
    assert_eq!(std::fs::read_to_string(home.plugin().join("server.js")).unwrap(), CLEAN);
}

#[test]
fn dangerous_code_blocks_enabling() {
    let home = Home::new();
    let folder = home.package("bad", "1.0.0", DANGEROUS);
    snapshot("install_dangerous", &home.text(&["plugins", "install", folder.to_str().unwrap()]));
    snapshot("enable_dangerous", &home.text(&["plugins", "enable", "voice-notes"]));
    assert_eq!(home.standing(), "unlisted");
    assert!(
        !home.run(&["plugins", "enable", "voice-notes", "--force"]).status.success(),
        "there is no --force"
    );
    home.fails(
        &["plugins", "enable", "voice-notes", "--accept", "dangerous-exec:x.js"],
        "nothing was enabled",
    );
    let accept = ["plugins", "enable", "voice-notes", "--accept", "dangerous-exec:server.js"];
    assert!(home.run(&accept).status.success());
    assert_eq!(home.standing(), "loaded");
    let out = home.run(&["plugins", "check", "--json"]);
    assert_eq!(out.status.code(), Some(1), "what was accepted is still said");
    assert!(!home.marker().exists());
}

#[test]
fn only_pinned_packages_folders_and_archives() {
    let home = Home::new();
    // A folder of a package's name in the current directory is not taken for it.
    home.package("voice-notes", "1.0.0", CLEAN);
    for what in ["voice-notes", "voice-notes@latest", "voice-notes@^1.0.0"] {
        home.fails(&["plugins", "install", what], "does not name an exact version");
    }
    for what in ["https://registry.test/x.tgz", "git+ssh://x.test/y", "someone/repository"] {
        home.fails(&["plugins", "install", what], "is not taken");
    }
    let folder = home.package("links", "1.0.0", CLEAN);
    std::os::unix::fs::symlink("/etc/passwd", folder.join("data")).unwrap();
    home.fails(&["plugins", "install", folder.to_str().unwrap()], "data is a link");
    assert!(!home.plugin().exists());
}

/// Whether `npm` is there. Where nothing may be skipped (`OC_REQUIRE`), its absence is a failure.
fn npm_is_there() -> bool {
    let there = Command::new("npm").arg("--version").output().is_ok_and(|o| o.status.success());
    let required = std::env::var("OC_REQUIRE").unwrap_or_default();
    assert!(there || !required.split_whitespace().any(|w| w == "npm"), "npm is required and not there");
    if !there {
        eprintln!("skipped: no npm");
    }
    there
}

/// The packages of a registry by name, each in version 1.2.3.
type Packages = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A package registry.
fn registry(packages: Packages) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let packages = packages.lock().unwrap().clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                reader.read_line(&mut first).unwrap();
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap() == 0 || line == "\r\n" {
                        break;
                    }
                }
                let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
                let name = path.split('/').next().unwrap_or_default();
                let (kind, body) = match packages.get(name) {
                    Some(bytes) if path.ends_with(".tgz") => ("application/octet-stream", bytes.clone()),
                    Some(_) => {
                        let tarball = format!("http://127.0.0.1:{port}/{name}/-/{name}-1.2.3.tgz");
                        let version = json!({"name": name, "version": "1.2.3", "hasInstallScript": true, "dist": {"tarball": tarball}});
                        let about = json!({"name": name, "dist-tags": {"latest": "1.2.3"}, "versions": {"1.2.3": version}});
                        ("application/json", about.to_string().into_bytes())
                    }
                    None => ("application/json", b"{}".to_vec()),
                };
                let mut stream = stream;
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            });
        }
    });
    port
}

#[test]
fn a_pinned_package_comes_through_the_real_npm_and_the_users_settings() {
    if !npm_is_there() {
        return;
    }
    let home = Home::new();
    let bytes = std::fs::read(home.packed("good", "1.2.3", CLEAN)).unwrap();
    let served: Packages = Arc::new(Mutex::new(BTreeMap::from([("voice-notes".to_owned(), bytes)])));
    let port = registry(Arc::clone(&served));
    // The user's own settings choose the registry, and would have scripts run.
    put(
        &home.path().join(".npmrc"),
        &format!("registry=http://127.0.0.1:{port}/\nignore-scripts=false\naudit=false\nfund=false\n"),
    );
    // What lies in the current directory has no say.
    put(&home.path().join("project/.npmrc"), "registry=http://127.0.0.1:1/\n");
    let said = home.text(&["plugins", "install", "voice-notes@1.2.3"]);
    assert!(said.starts_with("exit 0\nInstalled voice-notes 1.2.3"), "{said}");
    assert!(!home.marker().exists(), "a lifecycle script was run");
    let list = home.json(&["plugins", "list", "--json"]);
    let record = &list["plugins"][0]["install"];
    assert_eq!((&record["source"], &record["spec"]), (&json!("npm"), &json!("voice-notes@1.2.3")));
    assert!(record["integrity"].as_str().unwrap().starts_with("sha512-"));
    let again = home.text(&["plugins", "install", "voice-notes@1.2.3", "--replace"]);
    assert!(again.contains("with plugins.installs: the same"), "{again}");
    // The registry hands out other bytes under the same version.
    let bent = std::fs::read(home.packed("bent", "1.2.3", DANGEROUS)).unwrap();
    served.lock().unwrap().insert("voice-notes".to_owned(), bent);
    let _ = std::fs::remove_dir_all(home.path().join(".npm"));
    home.fails(&["plugins", "install", "voice-notes@1.2.3", "--replace"], "nothing was unpacked");
    assert_eq!(std::fs::read_to_string(home.plugin().join("server.js")).unwrap(), CLEAN);
    // The audit has nothing to say against a pinned and checked package that is named.
    assert!(home.run(&["plugins", "enable", "voice-notes"]).status.success());
    let report = String::from_utf8(home.run(&["security", "audit", "--json"]).stdout).unwrap();
    for finding in [
        "plugins.installs_unpinned",
        "plugins.installs_missing",
        "plugins.installs_version",
        "extensions_no_allowlist",
    ] {
        assert!(!report.contains(finding), "{finding}");
    }
}

#[test]
fn packages_that_a_plugin_needs_come_when_asked_for_and_are_scanned_too() {
    if !npm_is_there() {
        return;
    }
    let home = Home::new();
    let helper = std::fs::read(home.packed("helper", "1.2.3", DANGEROUS)).unwrap();
    let port = registry(Arc::new(Mutex::new(BTreeMap::from([("helper".to_owned(), helper)]))));
    put(&home.path().join(".npmrc"), &format!("registry=http://127.0.0.1:{port}/\nignore-scripts=false\n"));
    let folder = home.package("needy", "1.0.0", CLEAN);
    let folder = folder.to_str().unwrap();
    let without = home.text(&["plugins", "install", folder]);
    assert!(without.contains("Needs       helper (not in the package"), "{without}");
    let with = home.text(&["plugins", "install", folder, "--replace", "--dependencies"]);
    assert!(with.starts_with("exit 0\nReplaced") && !with.contains("Needs "), "{with}");
    assert!(with.contains("CRITICAL    dangerous-exec at node_modules/helper/server.js:2"), "{with}");
    home.fails(&["plugins", "enable", "voice-notes"], "dangerous-exec:node_modules/helper/server.js");
    assert!(!home.marker().exists(), "a lifecycle script was run");
}
