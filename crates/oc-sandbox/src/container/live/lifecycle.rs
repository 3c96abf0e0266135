//! Containers come, are used again, change, and go.

use std::sync::Arc;

use serde_json::json;

use super::setting::{docker, exists, inspect, run, shell, ways};
use super::{Setting, engine};
use crate::container::{Containers, EngineAddress, EngineError, TINY_IMAGE};
use crate::executor::{ExecutorError, Place};
use crate::registry::Entry;

fn id(name: &str) -> String {
    inspect(name)["Id"].as_str().expect("an id").to_owned()
}

fn cause(result: Result<super::setting::Done, ExecutorError>) -> String {
    match result {
        Err(ExecutorError::Unavailable { place: Place::Container, cause }) => cause,
        other => panic!("refused with its cause: {other:?}"),
    }
}

#[tokio::test]
async fn sp_235_sp_237_a_container_is_used_again_while_it_fits_and_made_anew_before_the_next_command() {
    let Some(engine) = engine().await else { return };
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine.clone(), runner.clone());
    let first = setting.executor("agent:main:main", &json!({}));
    let name = first.sandbox().context.container_name.clone();
    run(&first, shell("echo 1 > /tmp/mark")).await.expect("runs");
    let old = id(&name);
    // Another session of the agent shares it; so does another process with the same state.
    let second = setting.executor("agent:main:telegram:dm:1", &json!({}));
    assert_eq!(run(&second, shell("cat /tmp/mark")).await.expect("runs").out, "1\n");
    let process = Arc::new(Containers::new(engine.clone(), &setting.state(), runner.clone()));
    let third =
        crate::container::ContainerExecutor::new(process, setting.sandbox("agent:main:main", &json!({})));
    assert_eq!(run(&third, shell("cat /tmp/mark")).await.expect("beside the first").out, "1\n");
    assert_eq!(id(&name), old);
    let changed = setting.executor("agent:main:main", &json!({"docker": {"pidsLimit": 99}}));
    assert_eq!(run(&changed, shell("ls /tmp")).await.expect("runs").out, "");
    assert_ne!(id(&name), old);
    assert_eq!(inspect(&name)["HostConfig"]["PidsLimit"], 99);
    let registry = setting.containers.registry().await.expect("readable").0;
    assert_eq!(registry.entries.len(), 1);
    assert_eq!(registry.entries[0].session_key, "agent:main");
}

#[tokio::test]
async fn a_container_that_somebody_removed_or_stopped_comes_back() {
    let Some(engine) = engine().await else { return };
    for (way, runner) in ways() {
        let setting = Setting::new(engine.clone(), runner);
        let executor = setting.executor("agent:main:main", &json!({}));
        let name = executor.sandbox().context.container_name.clone();
        run(&executor, shell("true")).await.expect("runs");
        for by_hand in [["rm", "-f"].as_slice(), &["kill"], &["stop", "-t0"], &["restart", "-t0"]] {
            let argv: Vec<String> = by_hand.iter().map(|w| (*w).to_owned()).chain([name.clone()]).collect();
            docker(&argv);
            let done = run(&executor, shell("echo back")).await;
            assert_eq!(
                done.unwrap_or_else(|e| panic!("{way}: {by_hand:?}: {e}")).out,
                "back\n",
                "{way}: {by_hand:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_process_that_was_killed_leaves_a_container_that_the_next_one_uses() {
    let Some(engine) = engine().await else { return };
    let Some((_, Some(runner))) = ways().into_iter().find(|(_, r)| r.is_some()) else { return };
    let setting = Setting::new(engine.clone(), Some(runner.clone()));
    let executor = setting.executor("agent:main:main", &json!({}));
    let name = executor.sandbox().context.container_name.clone();
    run(&executor, shell("true")).await.expect("runs");
    let lock = setting.state().join("sandbox/locks").join(format!("{name}.attached"));
    let left = std::fs::read(&lock).expect("a note");
    assert!(!left.is_empty(), "attached");
    drop(executor);
    let containers = Arc::try_unwrap(setting.containers.clone());
    drop(containers);
    let old = id(&name);
    // As a kill leaves it: the lock is free, the note still there. (The first process still lives here and keeps its lock.)
    let again = Arc::new(Containers::new(engine.clone(), &setting.state(), Some(runner.clone())));
    let second =
        crate::container::ContainerExecutor::new(again, setting.sandbox("agent:main:main", &json!({})));
    assert_eq!(run(&second, shell("echo ok")).await.expect("runs").out, "ok\n");
    assert_eq!(id(&name), old);
}

/// One process after the other, as the command line makes them: a container is not started anew for each, unless the one before went away
/// in the middle of a call.
#[tokio::test]
async fn a_process_that_ends_leaves_the_container_as_it_is_and_one_that_gave_a_call_up_does_not() {
    let Some(engine) = engine().await else { return };
    let Some((_, Some(runner))) = ways().into_iter().find(|(_, r)| r.is_some()) else { return };
    for gives_up in [false, true] {
        let setting = Setting::new(engine.clone(), Some(runner.clone()));
        let process = |engine| {
            let containers = Containers::new(engine, &setting.state(), Some(runner.clone()));
            let sandbox = setting.sandbox("agent:main:main", &json!({}));
            crate::container::ContainerExecutor::new(Arc::new(containers), sandbox)
        };
        let name = setting.sandbox("agent:main:main", &json!({})).context.container_name;
        let started = || inspect(&name)["State"]["StartedAt"].clone();
        std::thread::scope(|threads| {
            let first = threads.spawn(|| {
                // A runtime of its own, which ends with the process: what was to be sent is not sent any more.
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(async {
                    let address =
                        EngineAddress::from_environment(|n| std::env::var(n).ok(), None).expect("an address");
                    let first =
                        process(crate::container::Engine::connect(&address).await.expect("an engine"));
                    run(&first, shell("echo kept > /tmp/kept")).await.expect("runs");
                    if gives_up {
                        let call = crate::gate::AuthorizedCall::for_tests(Place::Container);
                        let line = shell("trap '' TERM; echo there; sleep 344");
                        let mut running =
                            crate::executor::Executor::start(&first, &call, line).await.expect("starts");
                        assert!(running.output.recv().await.is_some());
                    }
                });
            });
            first.join().expect("the first process");
        });
        let before = started();
        let second = process(engine.clone());
        let done =
            run(&second, shell("cat /tmp/kept; ps -o args | grep '[s]leep 344'; true")).await.expect("runs");
        let (want, same) = if gives_up { ("", false) } else { ("kept\n", true) };
        assert_eq!((done.out.as_str(), started() == before), (want, same), "{}", done.err);
    }
}

#[tokio::test]
async fn sp_239_without_engine_image_or_setup_the_call_is_refused_with_the_cause() {
    let nowhere = EngineAddress::Unix("/nonexistent/docker.sock".into());
    let none = crate::container::Engine::connect(&nowhere).await.expect_err("nobody answers");
    assert!(
        matches!(none, EngineError::NoEngine { .. }) && none.to_string().contains("sandbox.backend"),
        "{none}"
    );
    let Some(engine) = engine().await else { return };
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine, runner);
    let missing =
        setting.executor("agent:main:main", &json!({"docker": {"image": "openclaw-no-such-image:x"}}));
    let text = cause(run(&missing, shell("true")).await);
    assert!(text.contains("openclaw-no-such-image:x") && text.contains("sandbox image build"), "{text}");
    let bad = setting.executor("agent:main:main", &json!({"docker": {"setupCommand": "exit 3"}}));
    let text = cause(run(&bad, shell("true")).await);
    assert!(text.contains("setupCommand") && text.contains('3'), "{text}");
    let name = &bad.sandbox().context.container_name;
    assert!(!exists(name) && !exists(&format!("{name}-setup")), "a failed setup leaves no container");
    let host = setting.executor("agent:main:main", &json!({"docker": {"network": "host"}}));
    assert!(cause(run(&host, shell("true")).await).contains("network"));
    let etc = setting.executor("agent:main:main", &json!({"docker": {"binds": ["/etc:/x:ro"]}}));
    assert!(cause(run(&etc, shell("true")).await).contains("/etc"));
}

#[tokio::test]
async fn the_setup_command_runs_once() {
    let Some(engine) = engine().await else { return };
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine, runner);
    let line = "echo \"set up as $(id -u) with $A\" >> /workspace/log";
    let executor =
        setting.executor("agent:main:main", &json!({"docker": {"setupCommand": line, "env": {"A": "a"}}}));
    for _ in 0..3 {
        run(&executor, shell("true")).await.expect("runs");
    }
    docker(&["stop", "-t0", &executor.sandbox().context.container_name].map(str::to_owned));
    let done = run(&executor, shell("cat /workspace/log")).await.expect("runs");
    assert_eq!(done.out.lines().count(), 1, "{}", done.out);
    assert!(done.out.ends_with("with a\n"), "{}", done.out);
}

#[tokio::test]
async fn sessions_and_the_gateway_take_their_containers_along() {
    let Some(engine) = engine().await else { return };
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine, runner);
    let session = |key: &str| setting.executor(key, &json!({"scope": "session"}));
    let (one, two) = (session("agent:main:telegram:group:1"), session("agent:main:telegram:group:2"));
    let agent = setting.executor("agent:main:main", &json!({}));
    for executor in [&one, &two, &agent] {
        run(executor, shell("echo 1 > /tmp/mark")).await.expect("runs");
    }
    let name = |e: &crate::container::ContainerExecutor| e.sandbox().context.container_name.clone();
    let cleaned = setting.containers.end_session("agent:main:telegram:group:1").await.expect("cleaned");
    assert_eq!(cleaned.removed, [name(&one)]);
    assert!(!exists(&name(&one)) && exists(&name(&two)) && exists(&name(&agent)));
    let cleaned = setting.containers.gateway_stops().await.expect("cleaned");
    assert_eq!((cleaned.removed, cleaned.stopped), (vec![name(&two)], vec![name(&agent)]));
    let old = id(&name(&agent));
    assert_eq!(inspect(&old)["State"]["Running"], false);
    run(&agent, shell("true")).await.expect("it is started again");
    assert_eq!(id(&name(&agent)), old, "and is the same one");
    let sandbox = setting.executor("agent:main:main", &json!({"workspaceAccess": "rw"}));
    run(&sandbox, shell("true")).await.expect("runs");
    assert_ne!(id(&name(&agent)), old);
}

#[tokio::test]
async fn sp_236_a_damaged_registry_is_reported_and_made_anew_from_the_engine() {
    let Some(engine) = engine().await else { return };
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine, runner);
    let executor = setting.executor("agent:main:main", &json!({}));
    run(&executor, shell("true")).await.expect("runs");
    let file = setting.state().join("sandbox/containers.json");
    let before = setting.containers.registry().await.expect("readable").0;
    std::fs::write(&file, "{\"entries\": [{").expect("damaged");
    let (registry, note) = setting.containers.registry().await.expect("made anew");
    assert!(note.expect("a note").contains("containers.json"));
    assert_eq!(registry.entries[0].container_name, before.entries[0].container_name);
    assert_eq!(registry.entries[0].created_at_ms, before.entries[0].created_at_ms);
    assert!(file.with_extension("json.damaged").exists());
    run(&executor, shell("true")).await.expect("the next call works");
    // A registry that knows of a container which is not there any more.
    let stale = Entry {
        container_name: format!("{}x", before.entries[0].container_name),
        ..before.entries[0].clone()
    };
    setting.containers.record(|r| r.put(stale.clone())).await.expect("written");
    let cleaned = setting.containers.recreate(vec![stale.container_name.clone()]).await.expect("cleaned");
    assert!(cleaned.removed.is_empty() && cleaned.failed.is_empty());
    assert_eq!(setting.containers.registry().await.expect("readable").0.owner(&stale.container_name), None);
}

#[tokio::test]
async fn sp_249_decoys_and_neighbours_survive_every_clean_up() {
    let Some(engine) = engine().await else { return };
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine.clone(), runner.clone());
    let neighbour = Setting::new(engine.clone(), runner);
    let executor = setting.executor("agent:main:telegram:group:1", &json!({"scope": "session"}));
    let name = executor.sandbox().context.container_name.clone();
    let theirs = neighbour.executor("agent:main:telegram:group:1", &json!({"scope": "session"}));
    run(&theirs, shell("true")).await.expect("runs");
    let decoy = |name: &str, labels: &[&str]| {
        let labels = labels.iter().flat_map(|l| ["--label", l]);
        // For the removal at the end of the test, which goes by another label than the product's.
        let base = ["create", "--name", name, "--label"].into_iter();
        let argv: Vec<String> = base
            .chain(["oc-test-decoy=1"])
            .chain(labels)
            .chain([TINY_IMAGE, "sleep", "600"])
            .map(str::to_owned)
            .collect();
        docker(&argv);
    };
    let plain = format!("{name}-plain");
    decoy(&plain, &[]);
    decoy(&name, &["openclaw.sandbox=0"]);
    // A foreign container under the session's own name is neither used nor removed.
    let text = cause(run(&executor, shell("true")).await);
    assert!(text.contains(&name) && text.contains("containerPrefix"), "{text}");
    let entry = |container_name: &str| Entry {
        container_name: container_name.to_owned(),
        session_key: "agent:main:telegram:group:1".to_owned(),
        created_at_ms: 0,
        last_used_at_ms: 0,
        image: "x".to_owned(),
        config_hash: None,
    };
    let their_name = theirs.sandbox().context.container_name.clone();
    let all = [name.as_str(), plain.as_str(), their_name.as_str()];
    let fill = || async {
        setting.containers.record(|r| all.iter().for_each(|n| r.put(entry(n)))).await.expect("written");
    };
    fill().await;
    setting.containers.prune(executor.sandbox().prune()).await.expect("pruned");
    fill().await;
    setting.containers.end_session("agent:main:telegram:group:1").await.expect("ended");
    fill().await;
    setting.containers.recreate(all.map(str::to_owned).to_vec()).await.expect("recreated");
    fill().await;
    setting.containers.gateway_stops().await.expect("stopped");
    for name in all {
        assert!(exists(name), "{name}");
    }
    assert_eq!(inspect(&their_name)["State"]["Running"], true, "a neighbour's container runs on");
    docker(&["rm", "-f", &name, &plain].map(str::to_owned));
}

/// What a process that was killed in the middle of its work left: a container with our labels that no registry knows.
#[tokio::test]
async fn sp_236_what_a_killed_process_left_goes_by_the_prune_rule() {
    let Some(engine) = engine().await else { return };
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine, runner);
    let executor = setting.executor("agent:main:main", &json!({"prune": {"idleHours": 1, "maxAgeDays": 0}}));
    run(&executor, shell("true")).await.expect("runs");
    let name = executor.sandbox().context.container_name.clone();
    let hours_ago = |hours: u64| crate::container::containers::now_ms() - hours * 3_600_000;
    let left = |suffix: &str, owner: &str, created_ms: u64| {
        let left = format!("{name}{suffix}");
        let label = |text: String| ["--label".to_owned(), text];
        let argv = ["create", "--name", left.as_str()].map(str::to_owned).into_iter();
        let argv: Vec<String> = argv
            .chain(label("oc-test-decoy=1".to_owned()))
            .chain(label("openclaw.sandbox=1".to_owned()))
            .chain(label(format!("openclaw.owner={owner}")))
            .chain(label(format!("openclaw.createdAtMs={created_ms}")))
            .chain([TINY_IMAGE, "sleep", "600"].map(str::to_owned))
            .collect();
        docker(&argv);
        left
    };
    let owner = setting.containers.owner().to_owned();
    let old = [left("-setup", &owner, hours_ago(2)), left("-copy", &owner, hours_ago(3))];
    let fresh = left("-fresh", &owner, hours_ago(0));
    let theirs = left("-theirs", "somebody-else", hours_ago(99));
    let cleaned = setting.containers.prune(executor.sandbox().prune()).await.expect("pruned");
    let mut removed = cleaned.removed.clone();
    removed.sort();
    let mut want = old.to_vec();
    want.sort();
    assert_eq!((removed, cleaned.failed), (want, Vec::new()));
    assert!(old.iter().all(|n| !exists(n)) && exists(&fresh) && exists(&theirs) && exists(&name));
    docker(&["rm", "-f", &theirs].map(str::to_owned));
}

/// Two processes with one state directory, and one of another installation, begin at the same moment.
#[tokio::test]
async fn sp_237_two_gateways_at_once_share_their_own_container_and_leave_the_others_alone() {
    let Some(engine) = engine().await else { return };
    for (way, runner) in ways() {
        let setting = Setting::new(engine.clone(), runner.clone());
        let neighbour = Setting::new(engine.clone(), runner.clone());
        let second = Arc::new(Containers::new(engine.clone(), &setting.state(), runner));
        let sandbox = || {
            setting.sandbox(
                "agent:main:main",
                &json!({"docker": {"setupCommand": "echo x >> /workspace/setups"}}),
            )
        };
        let mut all = tokio::task::JoinSet::new();
        for n in 0..8 {
            let containers = Arc::clone(if n % 2 == 0 { &setting.containers } else { &second });
            let executor = crate::container::ContainerExecutor::new(containers, sandbox());
            all.spawn(async move { run(&executor, shell(&format!("echo {n}"))).await.expect("runs").out });
        }
        let theirs = neighbour.executor("agent:main:main", &json!({}));
        run(&theirs, shell("true")).await.expect("runs");
        let mut said = all.join_all().await;
        said.sort();
        assert_eq!(said.concat(), "0\n1\n2\n3\n4\n5\n6\n7\n", "{way}");
        let own = std::fs::read_to_string(format!("{}/setups", sandbox().context.workspace_dir));
        assert_eq!(own.expect("set up"), "x\n", "{way}: made once");
        assert_eq!(setting.containers.ours().await.expect("listed").len(), 1, "{way}");
        assert_eq!(neighbour.containers.ours().await.expect("listed").len(), 1, "{way}");
    }
}
