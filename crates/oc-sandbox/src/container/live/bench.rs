//! `cargo xtask bench sandbox`: what a call costs in each place, beside the engine's own command line and a bare process, in one run.
//!
//! Not part of the tests. Both sides of a comparison take turns, so that a machine that is busy for a while slows both.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use oc_runner::protocol::{FileOperation, FileRequest, Process, Program, RunRequest, Step, When};
use serde_json::json;

use super::setting::{docker, finish, shell};
use super::{Setting, engine};
use crate::container::workspace;
use crate::executor::Executor;
use crate::gate::AuthorizedCall;
use crate::host::{HostExecutor, Launch};
use crate::native::{NativeExecutor, NativeSandboxes};

/// Goal: a command in a container that runs, as a multiple of `docker exec`.
const WARM_RATIO: f64 = 0.1;
/// Goal: a container made, started and used, as a multiple of `docker run`.
const COLD_RATIO: f64 = 1.0;
/// Goal: a command in a native sandbox that runs, beyond a bare process, in milliseconds.
const NATIVE_MS: f64 = 3.0;

/// What was measured of one thing, in milliseconds.
#[derive(Clone, Debug, Default)]
struct Times(Vec<f64>);

impl Times {
    fn add(&mut self, began: Instant) {
        self.0.push(began.elapsed().as_secs_f64() * 1000.0);
    }

    fn at(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "few"
        )]
        let index = (sorted.len() as f64 * part) as usize;
        sorted[index.min(sorted.len() - 1)]
    }

    fn median(&self) -> f64 {
        self.at(0.5)
    }

    fn row(&self, name: &str) {
        println!("{name:<58} {:>9.2} {:>9.2} {:>6}", self.median(), self.at(0.95), self.0.len());
    }
}

/// `/bin/true`, started without a shell.
fn nothing() -> RunRequest {
    let process = Process {
        executable: "/bin/true".to_owned(),
        identity: None,
        argv: vec!["true".to_owned()],
        environment: Vec::new(),
        redirections: Vec::new(),
    };
    let steps = vec![Step { when: When::Always, commands: vec![process] }];
    RunRequest { program: Program::Analysed { steps }, ..shell("") }
}

async fn run(executor: &dyn Executor, request: RunRequest) {
    let call = AuthorizedCall::for_tests(executor.place());
    let done = finish(executor.start(&call, request).await.expect("it starts")).await.expect("it ends");
    assert_eq!(done.exit.code, 0, "{done:?}");
}

async fn read(executor: &dyn Executor, root: Option<&str>) -> usize {
    let call = AuthorizedCall::for_tests(executor.place());
    let operation = FileOperation::Read { path: "megabyte".to_owned(), offset: 0, limit: 1 << 20 };
    let request = FileRequest { root: root.map(str::to_owned), operation };
    executor.file(&call, request, Vec::new()).await.expect("read").content.len()
}

fn spawned(program: &str, arguments: &[&str]) -> usize {
    let mut command = Command::new(program);
    let done = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().expect(program);
    assert!(done.status.success(), "{program} {arguments:?}");
    done.stdout.len()
}

fn promise(held: bool, what: &str, broken: &mut Vec<String>) {
    println!("promise {}: {what}", if held { "held" } else { "BROKEN" });
    if !held {
        broken.push(what.to_owned());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a benchmark: cargo xtask bench sandbox"]
async fn figures() {
    let number =
        |name: &str, usual: usize| std::env::var(name).ok().and_then(|t| t.parse().ok()).unwrap_or(usual);
    let (runs, colds) = (number("OC_BENCH_RUNS", 100), number("OC_BENCH_COLD_RUNS", 15));
    let engine = engine().await.expect("the comparison needs a container engine");
    let runner = crate::runner_file::runner_file().expect("the runner");
    let program = std::env::var("OC_BENCH_OPENCLAW").expect("OC_BENCH_OPENCLAW names the program");
    let setting = Setting::new(engine, Some(runner));
    std::fs::write(setting.workspace().join("megabyte"), vec![b'm'; 1 << 20]).expect("written");
    let access = json!({"workspaceAccess": "rw"});
    println!("{:<58} {:>9} {:>9} {:>6}", "milliseconds", "median", "p95", "runs");
    let mut broken = Vec::new();

    let container = setting.executor("agent:main:main", &access);
    let name = container.sandbox().context.container_name.clone();
    run(&container, nothing()).await;
    let (mut ours, mut theirs) = (Times::default(), Times::default());
    for _ in 0..runs {
        let began = Instant::now();
        run(&container, nothing()).await;
        ours.add(began);
        let began = Instant::now();
        spawned("docker", &["exec", &name, "/bin/true"]);
        theirs.add(began);
    }
    ours.row("container that runs: a command");
    theirs.row("  docker exec");
    let warm = ours.median() / theirs.median();

    let (mut ours, mut theirs) = (Times::default(), Times::default());
    for n in 0..colds {
        setting.containers.recreate(vec![name.clone()]).await.expect("removed");
        let began = Instant::now();
        run(&container, nothing()).await;
        ours.add(began);
        let argv = same_by_hand(&setting, &format!("{name}-run{n}"), &access);
        let began = Instant::now();
        docker(&argv);
        theirs.add(began);
        docker(&["rm", "-f", &format!("{name}-run{n}")].map(str::to_owned));
    }
    ours.row("no container yet: made, started, a command");
    theirs.row("  docker run with the same options");
    let cold = ours.median() / theirs.median();

    let native = NativeExecutor::new(
        Arc::new(NativeSandboxes::new(Path::new(&program))),
        setting.sandbox("agent:main:main", &access),
    );
    run(&native, nothing()).await;
    let host = HostExecutor::new(Launch::runner_file().expect("the runner"));
    run(&host, RunRequest { directory: "/".to_owned(), ..nothing() }).await;
    let (mut inside, mut outside, mut bare) = (Times::default(), Times::default(), Times::default());
    for _ in 0..runs * 2 {
        let began = Instant::now();
        run(&native, nothing()).await;
        inside.add(began);
        let began = Instant::now();
        run(&host, RunRequest { directory: "/".to_owned(), ..nothing() }).await;
        outside.add(began);
        let began = Instant::now();
        spawned("/bin/true", &[]);
        bare.add(began);
    }
    inside.row("native sandbox that runs: a command");
    outside.row("host: a command");
    bare.row("  a bare process");
    let beyond = inside.median() - bare.median();
    let mut first = Times::default();
    for _ in 0..colds {
        let began = Instant::now();
        let fresh = NativeExecutor::new(
            Arc::new(NativeSandboxes::new(Path::new(&program))),
            setting.sandbox("agent:main:main", &access),
        );
        run(&fresh, nothing()).await;
        first.add(began);
    }
    first.row("no native sandbox yet: made, a command");

    let root = setting.workspace().display().to_string();
    let file = setting.workspace().join("megabyte");
    let mut reads: [Times; 5] = Default::default();
    run(&container, nothing()).await;
    for _ in 0..runs {
        let executors: [(&dyn Executor, Option<&str>); 3] =
            [(&container, None), (&native, None), (&host, Some(root.as_str()))];
        for (times, (executor, root)) in reads.iter_mut().zip(executors) {
            let began = Instant::now();
            assert_eq!(read(executor, root).await, 1 << 20);
            times.add(began);
        }
        let began = Instant::now();
        assert_eq!(spawned("docker", &["exec", &name, "cat", "/workspace/megabyte"]), 1 << 20);
        reads[3].add(began);
        let began = Instant::now();
        assert_eq!(std::fs::read(&file).expect("read").len(), 1 << 20);
        reads[4].add(began);
    }
    let names = [
        "1 MB file, container",
        "1 MB file, native sandbox",
        "1 MB file, host",
        "  docker exec cat",
        "  read in this process",
    ];
    for (times, name) in reads.iter().zip(names) {
        times.row(name);
    }

    println!("ratios: warm {warm:.3}x, cold {cold:.2}x, native {beyond:+.2} ms");
    promise(
        warm <= WARM_RATIO,
        &format!("a command in a container that runs within {WARM_RATIO}x `docker exec`"),
        &mut broken,
    );
    promise(cold <= COLD_RATIO, &format!("a first command within {COLD_RATIO}x `docker run`"), &mut broken);
    promise(
        beyond <= NATIVE_MS,
        &format!("a command in a native sandbox within {NATIVE_MS} ms of a bare process"),
        &mut broken,
    );
    // What goes through a runner is slower than a plain read and has to stay far from a process for each file.
    let each = reads[0].median() / reads[3].median();
    promise(each <= 0.25, "1 MB out of a container within 0.25x `docker exec cat`", &mut broken);
    assert!(broken.is_empty(), "{broken:?}");
}

/// `docker run` with the options that our container has, and the engine's init in place of our runner.
fn same_by_hand(setting: &Setting, name: &str, access: &serde_json::Value) -> Vec<String> {
    let sandbox = setting.sandbox("agent:main:main", access);
    let owner = workspace::prepare(&sandbox.plan, &sandbox.context, &sandbox.place).expect("prepared");
    let (command, _) = setting.containers.hardened(&sandbox, owner, None, 5);
    let mut argv = command.argv();
    argv[0] = "run".to_owned();
    let at = argv.iter().position(|a| a == "--name").expect("a name") + 1;
    argv[at] = name.to_owned();
    let image = argv.iter().position(|a| a == crate::container::TINY_IMAGE).expect("an image");
    argv.truncate(image + 1);
    argv.push("/bin/true".to_owned());
    argv
}
