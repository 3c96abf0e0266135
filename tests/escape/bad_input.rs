//! What is wrong ends in a cause, and nothing is left behind.

use std::fs;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::host::Host;
use crate::native::{Running, described, planned, spawn};

/// What the outer stage says to some bytes: exit code, output, standard error.
fn said_to(host: &Host, bytes: &[u8]) -> (Option<i32>, Vec<u8>, String) {
    let mut child = spawn(&host.home);
    let _ = child.stdin.take().unwrap().write_all(bytes);
    let output = child.wait_with_output().unwrap();
    (output.status.code(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn sp_239_what_cannot_be_set_up_runs_nothing_and_says_why() {
    let host = Host::new();
    let workspace = host.root.join("agent");
    fs::create_dir(&workspace).unwrap();
    let good = described(&planned(json!({ "workspaceAccess": "rw" }), &workspace, &host.state));
    let link = host.root.join("link");
    std::os::unix::fs::symlink(&workspace, &link).unwrap();
    let file = host.root.join("file");
    fs::write(&file, "").unwrap();
    let with_source = |source: &std::path::Path| {
        let mut spec = good.clone();
        spec.mounts[0].source = source.to_str().unwrap().to_owned();
        spec.to_bytes().unwrap()
    };
    let through = |change: &dyn Fn(&mut oc_confine::spec::Spec)| {
        let mut spec = good.clone();
        change(&mut spec);
        spec.to_bytes().unwrap()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("garbage", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("cut short", good.to_bytes().unwrap()[..20].to_vec()),
        ("huge", vec![0xff; 8]),
        ("no json", [&[0, 0, 0, 4][..], b"nope"].concat()),
        ("a link", with_source(&link)),
        ("through a link", with_source(&link.join("sub"))),
        ("a file", with_source(&file)),
        ("missing", with_source(&host.root.join("missing"))),
        ("over the system", through(&|s| s.mounts[0].target = "/usr/lib".to_owned())),
        ("another version", through(&|s| s.version = 99)),
        ("no user", through(&|s| s.user = u32::MAX)),
    ];
    for (name, bytes) in cases {
        let (code, out, err) = said_to(&host, &bytes);
        assert_eq!(code, Some(125), "{name}: {err}");
        assert!(out.is_empty(), "{name}");
        assert!(err.starts_with("cannot ") && err.lines().count() == 1, "{name}: {err}");
    }
}

/// Numbers of the host's processes that have a mark among their arguments.
fn numbers(mark: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let marked = all.filter(|e| {
        let mut text = Vec::new();
        let read = fs::File::open(e.path().join("cmdline")).and_then(|mut f| f.read_to_end(&mut text));
        read.is_ok() && String::from_utf8_lossy(&text).contains(mark)
    });
    marked.map(|e| e.file_name().into_string().unwrap()).collect()
}

fn marked(mark: &str) -> usize {
    numbers(mark).len()
}

fn gone_in_time(mark: &str) {
    let limit = Instant::now() + Duration::from_secs(15);
    while marked(mark) > 0 {
        assert!(Instant::now() < limit, "{mark} still runs");
        std::thread::sleep(Duration::from_millis(50));
    }
}

async fn appears(mark: &str) {
    let limit = Instant::now() + Duration::from_secs(15);
    while marked(mark) == 0 {
        assert!(Instant::now() < limit, "{mark} did not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn everything_ends_with_the_executor_and_with_the_first_stage() {
    let host = Host::new();
    let workspace = host.root.join("agent");
    fs::create_dir(&workspace).unwrap();
    let sandbox = planned(json!({ "workspaceAccess": "rw" }), &workspace, &host.state);
    // The executor is gone: its end of the streams closes.
    let mut inside = Running::start(&sandbox, &host.home).await;
    let mark = "7101.25";
    let script = format!("trap '' TERM; (setsid sleep {mark} &) ; sleep {mark}");
    let call = inside.connection.start(inside.request(&script, Duration::from_secs(100))).unwrap();
    appears(mark).await;
    drop(call);
    drop(inside.connection);
    tokio::time::sleep(Duration::from_millis(50)).await;
    gone_in_time(mark);
    assert!(inside.child.wait().unwrap().success());
    // The first stage is killed.
    let mut inside = Running::start(&sandbox, &host.home).await;
    let mark = "7102.25";
    let script = format!("trap '' TERM; (setsid sleep {mark} &) ; sleep {mark}");
    let call = inside.connection.start(inside.request(&script, Duration::from_secs(100))).unwrap();
    appears(mark).await;
    inside.child.kill().unwrap();
    inside.child.wait().unwrap();
    gone_in_time(mark);
    assert!(call.exit.await.unwrap().is_err());
    assert!(inside.connection.is_lost());
}

#[tokio::test]
async fn two_of_them_do_not_see_each_other() {
    let host = Host::new();
    let workspace = host.root.join("agent");
    fs::create_dir(&workspace).unwrap();
    let sandbox = planned(json!({ "workspaceAccess": "rw" }), &workspace, &host.state);
    let (one, two) = (Running::start(&sandbox, &host.home).await, Running::start(&sandbox, &host.home).await);
    one.run("echo 1 > /tmp/mine").await.1.unwrap();
    let call = one.connection.start(one.request("sleep 7103.25; true", Duration::from_secs(100))).unwrap();
    appears("7103.25").await;
    // The number that the host knows it by.
    let victim = numbers("7103.25");
    let (said, _) = two
        .run(&format!(
            "cat /tmp/mine; grep -la 710[3] /proc/[0-9]*/cmdline 2>/dev/null && echo SEEN; kill -9 {}; true",
            victim.join(" ")
        ))
        .await;
    assert!(!said.lines().any(|l| l == "1") && !said.contains("SEEN"), "{said}");
    assert_eq!(one.run("cat /tmp/mine").await.0, "1\n");
    let after = numbers("7103.25");
    assert!(victim.iter().all(|number| after.contains(number)), "{victim:?} {after:?}");
    drop(call);
}
