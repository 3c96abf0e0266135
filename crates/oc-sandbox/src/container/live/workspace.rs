//! What a sandbox sees of the workspaces, and what the host sees afterwards.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oc_runner::protocol::{FileOperation, FileRequest};
use serde_json::json;

use super::setting::{USER, inspect, run, shell, ways};
use super::{Setting, engine};
use crate::container::ContainerExecutor;
use crate::executor::{Executor as _, ExecutorError, FileAnswer, Place};
use crate::gate::AuthorizedCall;

async fn operate(
    executor: &ContainerExecutor,
    operation: FileOperation,
    content: &[u8],
) -> Result<FileAnswer, ExecutorError> {
    let call = AuthorizedCall::for_tests(Place::Container);
    executor.file(&call, FileRequest { root: None, operation }, content.to_vec()).await
}

fn read(path: &str) -> FileOperation {
    FileOperation::Read { path: path.to_owned(), offset: 0, limit: 1024 * 1024 }
}

fn write(path: &str) -> FileOperation {
    FileOperation::Write { path: path.to_owned(), expected: None }
}

fn code<T: std::fmt::Debug>(answer: Result<T, ExecutorError>) -> String {
    match answer {
        Err(ExecutorError::Failed { code, .. }) => code,
        other => panic!("refused: {other:?}"),
    }
}

#[tokio::test]
async fn sp_241_each_access_mounts_what_it_says_and_nothing_else() {
    let Some(engine) = engine().await else { return };
    for (way, runner) in ways() {
        let files = runner.is_some();
        for access in ["none", "ro", "rw"] {
            let setting = Setting::new(engine.clone(), runner.clone());
            std::fs::write(setting.workspace().join("known"), "of the agent").expect("written");
            let executor = setting.executor("agent:main:main", &json!({"workspaceAccess": access}));
            let line = "echo w > /workspace/made && echo made; cat /workspace/known 2>/dev/null && echo; \
                        ls /agent 2>/dev/null; echo x > /agent/made 2>/dev/null && echo agent-written; true";
            let done = run(&executor, shell(line)).await.expect("it runs");
            let mounts = inspect(&executor.sandbox().context.container_name)["HostConfig"]["Binds"].clone();
            let mounts: Vec<String> = serde_json::from_value(mounts).expect("binds");
            let own = executor.sandbox().context.workspace_dir.clone();
            let agent = setting.workspace().display().to_string();
            let (out, want) = match access {
                "none" => ("made\n", vec![format!("{own}:/workspace")]),
                "ro" => ("made\nknown\n", vec![format!("{own}:/workspace"), format!("{agent}:/agent:ro")]),
                _ => ("made\nof the agent\n", vec![format!("{agent}:/workspace")]),
            };
            assert_eq!(done.out, out, "{way} {access}");
            assert_eq!(
                mounts.iter().filter(|m| !m.contains("/.openclaw")).collect::<Vec<_>>(),
                want.iter().collect::<Vec<_>>()
            );
            assert!(
                mounts.iter().filter(|m| m.contains("/.openclaw")).all(|m| m.ends_with(":ro")),
                "{mounts:?}"
            );
            assert_eq!(setting.workspace().join("made").exists(), access == "rw", "{way} {access}");
            let made = std::fs::metadata(format!("{own}/made")).expect("the host sees it");
            assert_ne!(made.uid(), 0, "{way} {access}: never root's");
            assert_eq!(
                std::fs::read_to_string(setting.workspace().join("known")).expect("there"),
                "of the agent"
            );
            if files {
                operate(&executor, write("tool/made"), b"by the tool").await.expect("written");
                assert_eq!(
                    operate(&executor, read("tool/made"), b"").await.expect("read").content,
                    b"by the tool"
                );
                assert_eq!(
                    std::fs::read_to_string(format!("{own}/tool/made")).expect("there"),
                    "by the tool"
                );
                let agents = operate(&executor, read("/agent/known"), b"").await;
                assert_eq!(agents.is_ok(), access == "ro", "{agents:?}");
                assert!(operate(&executor, write("/agent/made"), b"x").await.is_err(), "{access}");
                for out in ["/etc/passwd", "../etc/passwd", "/proc/1/environ", "/workspace/../etc/passwd"] {
                    assert!(operate(&executor, read(out), b"").await.is_err(), "{out}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_workspace_that_is_a_link_or_missing_is_refused() {
    let Some(engine) = engine().await else { return };
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine, runner);
    let executor = setting.executor("agent:main:main", &json!({"workspaceAccess": "rw"}));
    let moved = setting.directory.path().join("elsewhere");
    std::fs::rename(setting.workspace(), &moved).expect("moved");
    assert!(run(&executor, shell("true")).await.is_err(), "missing");
    symlink("/etc", setting.workspace()).expect("a link");
    let refused = run(&executor, shell("ls /workspace")).await.expect_err("refused").to_string();
    assert!(refused.contains("is a link"), "{refused}");
    let own = setting.executor("agent:main:main", &json!({}));
    let root = setting.state().join("sandboxes");
    std::fs::create_dir_all(&root).expect("a root");
    symlink("/etc", &own.sandbox().context.workspace_dir).expect("a link");
    let refused = run(&own, shell("ls /workspace")).await.expect_err("refused").to_string();
    assert!(refused.contains("is a link"), "{refused}");
}

/// The mounts that nobody wrote as `binds` are held to the same rules (SP-230), on both backends: preparing them is one function.
#[tokio::test]
async fn sp_251_a_workspace_that_holds_the_state_directory_is_not_mounted() {
    let Some(engine) = engine().await else { return };
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine, runner);
    for access in ["ro", "rw"] {
        let mut sandbox = setting.sandbox("agent:main:main", &json!({"workspaceAccess": access}));
        sandbox.place.state_dir = setting.workspace().join(".openclaw").display().to_string();
        let name = sandbox.context.container_name.clone();
        let executor = ContainerExecutor::new(Arc::clone(&setting.containers), sandbox);
        let refused = run(&executor, shell("ls -a")).await.expect_err("refused").to_string();
        assert!(refused.contains("holds the state directory"), "{access}: {refused}");
        assert!(!super::setting::exists(&name), "{access}");
    }
}

/// As after the first start by root: nobody but root gets into the workspace, and no container runs as root.
#[tokio::test]
async fn a_workspace_that_is_roots_alone_is_given_away_while_it_is_empty_and_refused_later() {
    let Some(engine) = engine().await else { return };
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine, runner);
    let roots_alone = || {
        std::os::unix::fs::chown(setting.workspace(), Some(0), Some(0)).expect("owner");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(setting.workspace(), mode).expect("mode");
    };
    roots_alone();
    let executor = setting.executor("agent:main:main", &json!({"workspaceAccess": "rw"}));
    let done = run(&executor, shell("echo x > made; id -u")).await.expect("runs");
    assert_eq!((done.out.as_str(), done.exit.code), ("65534\n", 0));
    assert_eq!(std::fs::read_to_string(setting.workspace().join("made")).expect("there"), "x\n");
    roots_alone();
    setting.containers.recreate(vec![executor.sandbox().context.container_name.clone()]).await.expect("gone");
    let refused = run(&executor, shell("true")).await.expect_err("refused").to_string();
    assert!(refused.contains("root's alone") && refused.contains("native"), "{refused}");
    assert_eq!(std::fs::metadata(setting.workspace()).expect("there").uid(), 0, "left as it was");
}

#[tokio::test]
async fn sp_245_errors_of_file_operations_name_no_path_of_the_host() {
    let Some(engine) = engine().await else { return };
    let Some((_, Some(runner))) = ways().into_iter().find(|(_, r)| r.is_some()) else { return };
    let setting = Setting::new(engine, Some(runner));
    let executor = setting.executor("agent:main:main", &json!({}));
    let host = setting.directory.path().display().to_string();
    for operation in [read("no/such"), read("/etc/shadow"), write("/agent/x"), read("../x")] {
        let text = operate(&executor, operation, b"x").await.expect_err("refused").to_string();
        assert!(!text.contains(&host) && !text.contains("sandboxes"), "{text}");
    }
    let done = run(&executor, shell("mount; cat /no-such; pwd; env")).await.expect("runs");
    assert!(!done.err.contains(&host) && !done.out.contains("sandboxes"), "{}", done.out);
}

/// A command in the container swaps a directory for a link and back while the host's side reads and writes through it.
#[tokio::test]
async fn sp_242_swapping_components_in_the_container_opens_no_way_out() {
    let Some(engine) = engine().await else { return };
    let Some((_, Some(runner))) = ways().into_iter().find(|(_, r)| r.is_some()) else { return };
    let rounds = std::env::var("OC_RACE_ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(500);
    let setting = Setting::new(engine, Some(runner));
    std::fs::write(setting.workspace().join("f"), "secret").expect("written");
    let executor = Arc::new(setting.executor("agent:main:main", &json!({"workspaceAccess": "ro"})));
    let swap = "cd /workspace; mkdir -p real; echo inside > real/f; ln -s /agent link; \
                while true; do rm -rf d; mv -T real d; mv -T d real; rm -rf d; mv -T link d; mv -T d link; done 2>/dev/null";
    let call = AuthorizedCall::for_tests(Place::Container);
    let swapping = executor.start(&call, shell(swap)).await.expect("it swaps");
    let stop = AtomicBool::new(false);
    let (mut inside, mut refused) = (0, 0);
    // A busy machine may run the swapping command late.
    let mut round: u64 = 0;
    while round < rounds || ((inside == 0 || refused == 0) && round < rounds * 40) {
        round += 1;
        match operate(&executor, read("d/f"), b"").await {
            Ok(answer) => {
                assert_eq!(
                    String::from_utf8_lossy(&answer.content).trim(),
                    "inside",
                    "read through the link"
                );
                inside += 1;
            }
            Err(ExecutorError::Failed { .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
        if let Ok(_) | Err(ExecutorError::Failed { .. }) = operate(&executor, write("d/new"), b"w").await {
            assert!(!setting.workspace().join("new").exists(), "written through the link");
        }
    }
    stop.store(true, Ordering::SeqCst);
    drop(swapping);
    assert!(inside > 0 && refused > 0, "both states were seen: {inside} inside, {refused} refused");
    let _ = (USER, code::<()> as fn(_) -> _);
}
