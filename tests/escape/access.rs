//! What is mounted where, what the environment holds, and what is told about the host.

use std::fs;

use serde_json::json;

use crate::host::Host;
use crate::native::{Running, planned};

#[tokio::test]
async fn sp_241_what_each_access_mounts_and_what_the_host_sees() {
    let host = Host::new();
    let workspace = host.root.join("agent");
    fs::create_dir(&workspace).unwrap();
    fs::write(workspace.join("note"), "from the host\n").unwrap();
    let script = "cat note /agent/note 2>/dev/null; echo changed > note; echo new > made; \
                  echo agent > /agent/made 2>/dev/null && echo wrote-agent; touch /elsewhere 2>/dev/null && echo wrote-root; true";
    for (access, sees, shared) in [("none", 0, false), ("ro", 1, false), ("rw", 1, true)] {
        let sandbox = planned(json!({ "workspaceAccess": access }), &workspace, &host.state);
        let work = std::path::PathBuf::from(&sandbox.context.workspace_dir);
        fs::create_dir_all(&work).unwrap();
        let inside = Running::start(&sandbox, &host.home).await;
        let (said, exit) = inside.run(script).await;
        assert_eq!(exit.unwrap().code, 0, "{access}: {said}");
        assert_eq!(said.matches("from the host").count(), sees, "{access}: {said}");
        assert!(!said.contains("wrote-"), "{access}: {said}");
        assert_eq!(fs::read_to_string(work.join("made")).unwrap(), "new\n", "{access}");
        assert_eq!(workspace.join("made").exists(), shared, "{access}");
        let note = fs::read_to_string(workspace.join("note")).unwrap();
        assert_eq!(note, if shared { "changed\n" } else { "from the host\n" }, "{access}");
    }
}

#[tokio::test]
async fn sp_244_only_configured_variables_are_there() {
    let host = Host::new();
    let workspace = host.root.join("agent");
    fs::create_dir(&workspace).unwrap();
    let docker = json!({ "docker": { "env": { "CHOSEN": "yes" } }, "workspaceAccess": "rw" });
    let inside = Running::start(&planned(docker, &workspace, &host.state), &host.home).await;
    let (said, _) = inside.run("env").await;
    let mut names: Vec<&str> = said.lines().filter_map(|l| l.split_once('=')).map(|(n, _)| n).collect();
    names.sort_unstable();
    // The shell itself sets PWD.
    assert_eq!(names, ["CHOSEN", "HOME", "PATH", "PWD"], "{said}");
    assert!(said.contains("HOME=/workspace\n"), "{said}");
}

#[tokio::test]
async fn sp_245_commands_and_errors_name_no_host_path() {
    let host = Host::new();
    let workspace = host.root.join("agent");
    fs::create_dir(&workspace).unwrap();
    let inside =
        Running::start(&planned(json!({ "workspaceAccess": "rw" }), &workspace, &host.state), &host.home)
            .await;
    let script = "pwd; env; id; hostname; cat /etc/passwd /etc/hosts; ls -la / /workspace /tmp; ls /missing; cd /missing; \
                  tr '\\0' ' ' < /proc/1/cmdline; ls -l /proc/1/exe /proc/1/cwd /proc/1/root /proc/self/fd; ps -ef 2>/dev/null; ./none";
    let (said, _) = inside.run(script).await;
    for hidden in [host.root.to_str().unwrap(), env!("CARGO_MANIFEST_DIR"), env!("CARGO_BIN_EXE_openclaw")] {
        assert!(!said.contains(hidden), "{hidden} in: {said}");
    }
}

#[tokio::test]
async fn the_setup_and_every_call_share_one_sandbox_and_sp_250_a_timeout_ends_the_tree() {
    let host = Host::new();
    let workspace = host.root.join("agent");
    fs::create_dir(&workspace).unwrap();
    let inside =
        Running::start(&planned(json!({ "workspaceAccess": "rw" }), &workspace, &host.state), &host.home)
            .await;
    inside.run("echo kept > /tmp/kept").await.1.unwrap();
    assert_eq!(inside.run("cat /tmp/kept").await.0, "kept\n");
    let stubborn = "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM; sleep 61.5' &); sleep 61.5";
    let (_, exit) = inside.run_for(stubborn, std::time::Duration::from_millis(500)).await;
    assert!(exit.unwrap().timed_out);
    // What has ended is seen until its parent looks.
    let look = "for d in /proc/[0-9]*; do read name < $d/comm && [ $name = sleep ] && echo left; done 2>/dev/null; true";
    let mut said = inside.run(look).await.0;
    for _ in 0..40 {
        if said.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        said = inside.run(look).await.0;
    }
    assert_eq!(said, "");
}
