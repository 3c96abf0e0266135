//! File tools while a thread exchanges what a path means, between their check and their use: on the host and in the native sandbox. The
//! container's half is in `oc-sandbox`, where the swapping command runs in the container itself.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oc_runner::protocol::{FileOperation, FileRequest};
use oc_sandbox::connection::Connection;
use oc_sandbox::executor::{ExecutorError, FileAnswer, Place};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;
use tokio::process::{ChildStdin, ChildStdout};

use crate::native::{Running, planned};

/// Rounds a case.
fn rounds() -> u32 {
    std::env::var("OC_RACE_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000)
}

/// What is exchanged with a good name.
#[derive(Clone, Copy, Debug)]
enum Twin {
    /// The directory, with a link to a directory outside.
    DirectoryLink,
    /// The file, with a link to a file outside.
    FileLink,
    /// The file, with a second name of a file outside.
    SecondName,
}

/// A workspace with `d/passwd` in it, and what must not be reached.
struct Field {
    folder: tempfile::TempDir,
    workspace: PathBuf,
    outside: PathBuf,
}

impl Field {
    /// In memory where that is possible: most of the time goes to waiting for the disk otherwise.
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let at = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("races").tempdir_in(at).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (workspace, outside) = (folder.path().join("workspace"), folder.path().join("outside"));
        for dir in [&workspace.join("d"), &outside, &folder.path().join("home/.openclaw")] {
            fs::create_dir_all(dir).unwrap();
        }
        fs::write(workspace.join("d/passwd"), "inside").unwrap();
        fs::write(outside.join("passwd"), "outside").unwrap();
        if rustix::process::geteuid().is_root() {
            for path in [&workspace, &workspace.join("d"), &workspace.join("d/passwd")] {
                chown(path, Some(1000), Some(1000)).unwrap();
            }
            // So that only the rules of the file tools stand before it.
            chown(&outside, Some(1000), Some(1000)).unwrap();
            chown(outside.join("passwd"), Some(1000), Some(1000)).unwrap();
        }
        Self { folder, workspace, outside }
    }

    /// The good name and its twin. `etc`: links lead to what a sandbox has at `/etc`, instead of the folder outside.
    fn names(&self, twin: Twin, etc: bool) -> (PathBuf, PathBuf, PathBuf) {
        let outside = if etc { PathBuf::from("/etc") } else { self.outside.clone() };
        match twin {
            Twin::DirectoryLink => (self.workspace.join("d"), self.workspace.join("twin"), outside),
            Twin::FileLink => {
                (self.workspace.join("d/passwd"), self.workspace.join("d/twin"), outside.join("passwd"))
            }
            Twin::SecondName => {
                (self.workspace.join("d/passwd"), self.workspace.join("d/twin"), self.outside.join("passwd"))
            }
        }
    }
}

/// Makes the twin when it is not there: a write may have replaced it.
fn heal(twin: Twin, name: &Path, at: &Path, target: &Path) {
    let is_twin = |path: &Path| match twin {
        Twin::DirectoryLink | Twin::FileLink => path.is_symlink(),
        Twin::SecondName => fs::metadata(path).is_ok_and(|m| std::os::unix::fs::MetadataExt::nlink(&m) > 1),
    };
    if is_twin(name) || is_twin(at) {
        return;
    }
    let _ = fs::remove_file(at);
    let _ = match twin {
        Twin::DirectoryLink | Twin::FileLink => symlink(target, at),
        Twin::SecondName => fs::hard_link(target, at),
    };
}

/// Every file operation, round by round, while the names are exchanged. All of them go through `connection`.
async fn race(field: &Field, connection: &Connection, root: Option<String>, twin: Twin, etc: bool) {
    let (name, at, target) = field.names(twin, etc);
    heal(twin, &name, &at, &target);
    let over = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&over);
    let swapper = std::thread::spawn(move || {
        let mut swaps = 0_u64;
        while !stop.load(Ordering::Relaxed) {
            let done = renameat_with(CWD, &name, CWD, &at, RenameFlags::EXCHANGE);
            swaps += u64::from(done.is_ok());
            if done.is_err() || swaps.is_multiple_of(16) {
                heal(twin, &name, &at, &target);
            }
        }
        swaps
    });
    let (mut inside, mut refused) = (0_u32, 0_u32);
    let path = || "d/passwd".to_owned();
    for round in 0..rounds() {
        let (operation, content): (_, &[u8]) = match round % 8 {
            0..=3 => (FileOperation::Read { path: path(), offset: 0, limit: 1000 }, b""),
            4 => (FileOperation::Write { path: path(), expected: None }, b"inside"),
            5 => (FileOperation::Write { path: "d/made".to_owned(), expected: None }, b"inside"),
            6 => (FileOperation::List { path: "d".to_owned(), limit: 1000 }, b""),
            _ => {
                (FileOperation::Rename { path: "d/made".to_owned(), target: format!("d/moved-{round}") }, b"")
            }
        };
        let read = matches!(operation, FileOperation::Read { .. });
        let request = FileRequest { root: root.clone(), operation };
        let answer = connection.file(request, content.to_vec()).await;
        match answer {
            Ok(FileAnswer { content, entries, .. }) => {
                if read {
                    assert_eq!(String::from_utf8_lossy(&content), "inside", "{twin:?}: an escape");
                    inside += 1;
                }
                let foreign = |n: &str| n == "shadow" || n == "hosts" || n == "only-outside";
                assert!(!entries.iter().any(|(n, _)| foreign(n)), "{twin:?}: an escape: {entries:?}");
            }
            Err(ExecutorError::Failed { .. }) => refused += 1,
            Err(other) => panic!("{twin:?}: {other}"),
        }
    }
    over.store(true, Ordering::Relaxed);
    assert!(swapper.join().unwrap() > 0);
    assert!(inside > 0 && refused > 0, "{twin:?}: both states were seen: {inside} inside, {refused} refused");
    assert_eq!(fs::read_to_string(field.outside.join("passwd")).unwrap(), "outside", "{twin:?}");
    let mut names: Vec<_> = fs::read_dir(&field.outside).unwrap().flatten().map(|e| e.file_name()).collect();
    names.sort();
    assert_eq!(names, ["only-outside", "passwd"], "{twin:?}: something was made or moved there");
}

const TWINS: [Twin; 3] = [Twin::DirectoryLink, Twin::FileLink, Twin::SecondName];

fn field() -> Field {
    let field = Field::new();
    fs::write(field.outside.join("only-outside"), "outside").unwrap();
    field
}

#[tokio::test]
async fn sp_242_exchanging_names_on_the_host_opens_no_way_out() {
    for twin in TWINS {
        let field = field();
        let mut child = Command::new(env!("CARGO_BIN_EXE_openclaw"))
            .args(["__runner", "serve"])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = ChildStdin::from_std(child.stdin.take().unwrap()).unwrap();
        let from = ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        let connection = Connection::open(Place::Host, from, to).await.unwrap();
        let root = field.workspace.display().to_string();
        race(&field, &connection, Some(root), twin, false).await;
        drop(connection);
        tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn sp_242_exchanging_names_under_a_native_sandbox_opens_no_way_out() {
    for twin in TWINS {
        let field = field();
        let state = field.folder.path().join("home/.openclaw");
        let sandbox = planned(json!({ "workspaceAccess": "rw" }), &field.workspace, &state);
        let inside = Running::start(&sandbox, &field.outside).await;
        race(&field, &inside.connection, None, twin, true).await;
    }
}
