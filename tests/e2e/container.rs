//! The gateway's image, made from Debian packages and run as the documentation says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The user inside.
const UID: u32 = 10_001;

struct Container {
    image: String,
    name: String,
    state: tempfile::TempDir,
}

/// Says that a test is left out. Where nothing may be skipped (`OC_REQUIRE` has the word), that is a failure.
fn skip(test: &str, word: &str, why: &str) {
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == word);
    assert!(!required, "{test} needs {word}: {why}");
    println!("SKIP {test}: {why}");
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/docker").join(name)
}

fn ok(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|o| o.status.success())
}

impl Container {
    /// Builds the image. `None`, with the reason printed, where that cannot be done.
    fn build(test: &str) -> Option<Self> {
        for (program, args, what) in [
            ("id", &["-u"][..], ""),
            ("docker", &["info"][..], "no container engine answers"),
            ("debootstrap", &["--version"][..], "debootstrap is not installed"),
        ] {
            let root = program != "id" || rustix::process::geteuid().is_root();
            if !root || !ok(program, args) {
                skip(test, "docker", if root { what } else { "it needs root" });
                return None;
            }
        }
        let tag = std::process::id();
        let container = Self {
            image: format!("openclaw-gateway:test-{tag}"),
            name: format!("openclaw-gateway-test-{tag}"),
            state: tempfile::tempdir().unwrap(),
        };
        let owner_only = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(container.state.path(), owner_only).unwrap();
        std::os::unix::fs::chown(container.state.path(), Some(UID), Some(UID)).unwrap();
        // The base system is kept between runs; the programs are new each time.
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateway-rootfs");
        let programs = Path::new(env!("CARGO_BIN_EXE_openclaw")).parent().unwrap();
        let built = Command::new("sh")
            .arg(script("image.sh"))
            .arg(programs)
            .arg(&container.image)
            .env("ROOTFS", &root)
            .output()
            .unwrap();
        if !built.status.success() {
            // Half a base system would be taken for a whole one the next time.
            let _ = std::fs::remove_dir_all(&root);
            let said = String::from_utf8_lossy(&built.stderr);
            assert!(said.contains("installing a base system"), "{said}");
            println!(
                "SKIP {test}: the base system could not be installed: {}",
                said.lines().last().unwrap_or("")
            );
            return None;
        }
        Some(container)
    }

    fn script(&self, args: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .arg(script("run.sh"))
            .args(args)
            .env("IMAGE", &self.image)
            .env("STATE", self.state.path())
            .env("NAME", &self.name)
            .env("NETWORK", "none")
            .env("ARGS", "--label openclaw-test=1");
        command
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Output {
        self.script(args).output().unwrap()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.name]).output();
        let _ = Command::new("docker").args(["image", "rm", &self.image]).output();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_image_sets_up_audits_clean_and_writes_to_its_state_only() {
    let test = "the_image_sets_up_audits_clean_and_writes_to_its_state_only";
    let Some(container) = Container::build(test) else { return };
    let made = container.run(&["setup"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let config = container.state.path().join("openclaw.json");
    let meta = std::fs::metadata(&config).unwrap();
    assert_eq!((meta.uid(), meta.permissions().mode() & 0o7777), (UID, 0o600));

    let audit = container.run(&["openclaw", "security", "audit", "--fail-on", "warn"]);
    assert!(audit.status.success(), "{}", text(&audit.stdout));
    // Nothing but the state can be written, and the engine is out of reach.
    for place in ["/etc/x", "/usr/local/bin/x", "/x"] {
        let refused = container.run(&["openclaw", "security", "collect", "--output", place]);
        assert!(!refused.status.success() && text(&refused.stderr).contains(place), "{place}: {refused:?}");
    }
    let doctor = container.run(&["openclaw", "sandbox", "doctor"]);
    assert!(!text(&doctor.stdout).contains("docker.sock answers"), "{doctor:?}");

    if !Path::new(env!("CARGO_BIN_EXE_openclaw")).with_file_name("openclaw-gateway").exists() {
        println!("SKIP {test}, serving: there is no openclaw-gateway beside openclaw");
        return;
    }
    let mut serving = container
        .script(&["serve"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let deep = loop {
        let asked = Command::new("docker")
            .args(["exec", &container.name, "openclaw", "security", "audit", "--deep", "--json"])
            .output()
            .unwrap();
        let said: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap_or_default();
        if said["deep"]["gateway"]["ok"] == true || Instant::now() > end {
            break said;
        }
        std::thread::sleep(Duration::from_millis(300));
    };
    assert_eq!(deep["deep"]["gateway"]["ok"], true, "{deep:#}");
    assert_eq!((&deep["summary"]["critical"], &deep["summary"]["warn"]), (&0.into(), &0.into()), "{deep:#}");
    // It ends by itself when it is told to, without being killed.
    assert!(ok("docker", &["stop", "--time", "10", &container.name]));
    assert_eq!(serving.wait().unwrap().code(), Some(0));
}
