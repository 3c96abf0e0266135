//! Commands in a container, through the resident runner and through the engine's own exec: the same outcome both ways.

use std::time::{Duration, Instant};

use oc_runner::protocol::{Input, RunRequest};
use serde_json::json;

use super::setting::{Done, finish, inspect, run, shell, ways};
use super::{Setting, engine};
use crate::executor::{Executor as _, Order, Place};
use crate::gate::AuthorizedCall;

#[tokio::test]
async fn a_command_runs_with_streams_apart_and_its_exit_code() {
    let Some(engine) = engine().await else { return };
    for (way, runner) in ways() {
        let setting = Setting::new(engine.clone(), runner);
        let executor = setting.executor("agent:main:main", &json!({}));
        let done = run(&executor, shell("echo out; echo err >&2; pwd; exit 7")).await.expect("it runs");
        assert_eq!(
            (done.out.as_str(), done.err.as_str(), done.exit.code),
            ("out\n/workspace\n", "err\n", 7),
            "{way}"
        );
        let done = run(&executor, shell("kill -9 $$")).await.expect("it runs");
        assert_eq!(done.exit.code, 137, "{way}");
    }
}

#[tokio::test]
async fn input_arrives_whole_and_ends() {
    let Some(engine) = engine().await else { return };
    for (way, runner) in ways() {
        let setting = Setting::new(engine.clone(), runner);
        let executor = setting.executor("agent:main:main", &json!({}));
        let call = AuthorizedCall::for_tests(Place::Container);
        let request = RunRequest { input: Input::Frames, ..shell("wc -c") };
        let running = executor.start(&call, request).await.expect("it starts");
        let orders = running.orders.clone();
        let sent = tokio::spawn(async move {
            for _ in 0..160 {
                orders.send(Order::Input(vec![b'x'; 32 * 1024])).await.expect("taken");
            }
            orders.send(Order::EndInput).await.expect("taken");
        });
        let done = finish(running).await.expect("it ends");
        sent.await.expect("sent");
        assert_eq!(done.out.trim(), (160 * 32 * 1024).to_string(), "{way}");
    }
}

/// Everything that runs besides what looks.
async fn left_over(executor: &crate::container::ContainerExecutor, name: &str) -> String {
    // Written with a bracket, the pattern does not find its own process.
    let (first, rest) = name.split_at(1);
    let done = run(executor, shell(&format!("ps -o pid,args | grep '[{first}]{rest}'; true"))).await;
    done.expect("it looks").out
}

#[tokio::test]
async fn sp_250_a_timeout_ends_the_whole_tree_and_only_that_tree() {
    let Some(engine) = engine().await else { return };
    for (way, runner) in ways() {
        let setting = Setting::new(engine.clone(), runner);
        let executor = setting.executor("agent:main:main", &json!({}));
        let call = AuthorizedCall::for_tests(Place::Container);
        let other = executor.start(&call, shell("sleep 311; true")).await.expect("it starts");
        let line = "trap '' TERM HUP INT; sleep 322 & (setsid sleep 322 & setsid sleep 322 &); \
                    sh -c 'sleep 322 & exec setsid sh -c \"sleep 322\"' & echo there; sleep 322";
        let began = Instant::now();
        let done =
            run(&executor, RunRequest { timeout_ms: Some(1500), ..shell(line) }).await.expect("it ends");
        assert!(done.exit.timed_out && !done.exit.killed, "{way}: {:?}", done.exit);
        assert_eq!(done.out, "there\n", "{way}: what was said before is kept");
        assert!(began.elapsed() < Duration::from_secs(15), "{way}: {:?}", began.elapsed());
        assert_eq!(left_over(&executor, "sleep 322").await, "", "{way}");
        assert_ne!(left_over(&executor, "sleep 311").await, "", "{way}: another command's tree stays");
        drop(other);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(
            left_over(&executor, "sleep 311").await,
            "",
            "{way}: a call that nobody waits for is ended"
        );
    }
}

#[tokio::test]
async fn an_order_to_kill_ends_the_command() {
    let Some(engine) = engine().await else { return };
    for (way, runner) in ways() {
        let setting = Setting::new(engine.clone(), runner);
        let executor = setting.executor("agent:main:main", &json!({}));
        let call = AuthorizedCall::for_tests(Place::Container);
        let running = executor.start(&call, shell("trap '' TERM; sleep 333")).await.expect("it starts");
        running.orders.send(Order::Kill).await.expect("taken");
        let done = finish(running).await.expect("it ends");
        assert!(done.exit.killed && !done.exit.timed_out, "{way}: {:?}", done.exit);
        assert_eq!(left_over(&executor, "sleep 333").await, "", "{way}");
    }
}

#[tokio::test]
async fn a_gigabyte_of_output_is_cut_and_counted() {
    let Some(engine) = engine().await else { return };
    for (way, runner) in ways() {
        let setting = Setting::new(engine.clone(), runner);
        let executor = setting.executor("agent:main:main", &json!({}));
        // The whole gigabyte the quick way; the engine's own takes most of a minute for it.
        let size: u64 = if way == "runner" { 1 << 30 } else { 1 << 26 };
        let request = RunRequest {
            output_limit: 100_000,
            timeout_ms: Some(120_000),
            ..shell(&format!("head -c {size} /dev/zero"))
        };
        let done = run(&executor, request).await.expect("it ends");
        assert_eq!(done.out.len(), 100_000, "{way}");
        assert_eq!(done.exit.dropped, size - 100_000, "{way}: {:?}", done.exit);
    }
}

#[tokio::test]
async fn a_tree_beyond_the_process_limit_ends_with_its_call() {
    let Some(engine) = engine().await else { return };
    for (way, runner) in ways() {
        let setting = Setting::new(engine.clone(), runner);
        let executor = setting.executor("agent:main:main", &json!({"docker": {"pidsLimit": 64}}));
        // Should the limit not be there, this machine would pay for it: the kernel is asked first, and the tree has an end anyway.
        let limit =
            run(&executor, shell("cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null"))
                .await
                .expect("it runs")
                .out;
        let shown = inspect(&executor.sandbox().context.container_name);
        assert_eq!((limit.as_str(), &shown["HostConfig"]["PidsLimit"]), ("64\n", &json!(64)), "{way}");
        let bomb = shell("for i in $(seq 400); do (sleep 60 & sleep 60 & sleep 60) & done; sleep 60");
        let done = run(&executor, RunRequest { timeout_ms: Some(2000), ..bomb }).await;
        // Some shells give up when they are refused a process, others wait until the timeout ends them.
        let held = |d: &Done| d.exit.timed_out || d.err.contains("can't fork");
        assert!(done.as_ref().is_ok_and(held), "{way}: {done:?}");
        let after = run(&executor, shell("echo alive")).await.expect("the next call works");
        assert_eq!(after.out, "alive\n", "{way}");
    }
}

#[tokio::test]
async fn a_full_memory_file_system_is_the_commands_problem() {
    let Some(engine) = engine().await else { return };
    let (way, runner) = ways().remove(0);
    let setting = Setting::new(engine, runner);
    let executor = setting.executor("agent:main:main", &json!({"docker": {"tmpfs": ["/tmp:size=4m"]}}));
    let done =
        run(&executor, shell("head -c 9000000 /dev/zero > /tmp/x; echo $?; df -k /tmp | tail -1")).await;
    let done = done.expect("it ends");
    assert!(!done.out.starts_with('0') && done.out.contains("100%"), "{way}: {done:?}");
    assert_eq!(run(&executor, shell("rm /tmp/x; echo free")).await.expect("works").out, "free\n");
}

#[tokio::test]
async fn sp_244_nothing_of_the_hosts_environment_crosses() {
    let Some(engine) = engine().await else { return };
    // Of this process: what a test runner sets, and what every shell has.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    for (way, runner) in ways() {
        let setting = Setting::new(engine.clone(), runner);
        let executor = setting.executor("agent:main:main", &json!({"docker": {"env": {"CHOSEN": "a b"}}}));
        let own = RunRequest { environment: vec![("OWN".to_owned(), "1".to_owned())], ..shell("env") };
        let done = run(&executor, own).await.expect("it runs");
        // The shell adds these itself; the engine's exec adds a host name and the mark of the call.
        let by_others = ["PWD", "SHLVL", "_", "OLDPWD", "HOSTNAME", "OPENCLAW_CALL"];
        let mut names: Vec<&str> = done.out.lines().filter_map(|l| l.split('=').next()).collect();
        names.retain(|n| !by_others.contains(n));
        names.sort_unstable();
        assert_eq!(names, ["CHOSEN", "HOME", "OWN", "PATH"], "{way}");
        assert!(
            done.out.contains("HOME=/workspace\n") && done.out.contains("CHOSEN=a b\n"),
            "{way}: {}",
            done.out
        );
        assert!(done.out.contains(&format!("PATH={}\n", crate::docker_args::SANDBOX_PATH)), "{way}");
    }
}
