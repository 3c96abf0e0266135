use std::process::Stdio;
use std::time::{Duration, Instant};

use oc_runner::protocol::frame::{encode, reply};
use oc_runner::protocol::{Exit, Input, Kind, Program, Reply, RunRequest, VERSION};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::Connection;
use crate::executor::{ExecutorError, Order, Output, Place, Running};
use crate::runner_file::runner_file;

async fn open() -> (Connection, Child) {
    let runner = runner_file().unwrap_or_else(|e| panic!("{e}"));
    let mut child = Command::new(runner)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    (Connection::open(Place::Host, from, to).await.unwrap(), child)
}

fn shell(text: &str) -> RunRequest {
    RunRequest {
        program: Program::Shell { shell: "/bin/sh".to_owned(), text: text.to_owned() },
        directory: "/".to_owned(),
        directory_identity: None,
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        input: Input::Empty,
        terminal: None,
        timeout_ms: Some(20_000),
        output_limit: 10_000_000,
    }
}

async fn finish(mut running: Running) -> (String, String, Result<Exit, ExecutorError>) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(piece) = running.output.recv().await {
        match piece {
            Output::Out(bytes) => out.extend(bytes),
            Output::Err(bytes) => err.extend(bytes),
        }
    }
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out), text(err), running.exit.await.unwrap())
}

#[tokio::test]
async fn commands_share_a_connection() {
    let (connection, _child) = open().await;
    let calls: Vec<_> = (0..20)
        .map(|i| connection.start(shell(&format!("sleep 0.1; echo {i}; echo e >&2; exit {i}"))))
        .collect();
    for (i, running) in calls.into_iter().enumerate() {
        let (out, err, exit) = finish(running.unwrap()).await;
        assert_eq!((out, err.as_str()), (format!("{i}\n"), "e\n"));
        assert_eq!(usize::try_from(exit.unwrap().code).unwrap(), i);
    }
}

#[tokio::test]
async fn input_goes_in_and_ends() {
    let (connection, _child) = open().await;
    let mut run = shell("cat | wc -c");
    run.input = Input::Frames;
    let running = connection.start(run).unwrap();
    for _ in 0..20 {
        running.orders.send(Order::Input(vec![b'x'; 50_000])).await.unwrap();
    }
    running.orders.send(Order::EndInput).await.unwrap();
    assert_eq!(finish(running).await.0.trim(), "1000000");
}

#[tokio::test]
async fn a_gigabyte_of_output_is_bounded_and_one_slow_reader_is_alone() {
    let (connection, _child) = open().await;
    let mut run = shell("head -c 1000000000 /dev/zero");
    run.output_limit = 100_000;
    let mut slow = shell("yes");
    slow.output_limit = u64::MAX;
    let slow = connection.start(slow).unwrap();
    let (out, _, exit) = finish(connection.start(run).unwrap()).await;
    assert_eq!((out.len(), exit.unwrap().dropped), (100_000, 999_900_000));
    let (out, ..) = finish(connection.start(shell("echo quick")).unwrap()).await;
    assert_eq!(out, "quick\n");
    drop(slow);
}

#[tokio::test]
async fn sp_250_dropping_a_running_command_ends_its_tree() {
    let (connection, _child) = open().await;
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("alive");
    let text =
        format!("(setsid sh -c 'while :; do touch {0}; sleep 0.05; done' &) ; sleep 60", mark.display());
    let running = connection.start(shell(&text)).unwrap();
    while !mark.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(running);
    let limit = Instant::now() + Duration::from_secs(5);
    loop {
        let _ = std::fs::remove_file(&mark);
        tokio::time::sleep(Duration::from_millis(200)).await;
        if !mark.exists() {
            break;
        }
        assert!(Instant::now() < limit, "it still runs");
    }
}

#[tokio::test]
async fn a_runner_that_goes_away_is_a_typed_end_of_every_call() {
    let (connection, mut child) = open().await;
    let running: Vec<_> = (0..3).map(|_| connection.start(shell("sleep 60")).unwrap()).collect();
    child.kill().await.unwrap();
    for one in running {
        let lost = one.exit.await.unwrap().unwrap_err();
        assert!(matches!(lost, ExecutorError::Lost { place: Place::Host, .. }), "{lost:?}");
    }
    assert!(connection.is_lost());
    assert!(matches!(connection.start(shell("true")), Err(ExecutorError::Lost { .. })));
}

#[tokio::test]
async fn a_runner_that_breaks_the_protocol_is_lost() {
    let too_much = |call| encode(Kind::Output, call, &vec![0; 300_000]).unwrap();
    let wrong = |call| reply(call, &Reply::Ready { version: VERSION }).unwrap();
    let torn = |_| vec![0xff; 64];
    let answers: [&dyn Fn(u32) -> Vec<u8>; 3] = [&too_much, &wrong, &torn];
    for answer in answers {
        let (near, far) = tokio::io::duplex(1 << 20);
        let (from, to) = tokio::io::split(near);
        let (mut hear, mut say) = tokio::io::split(far);
        say.write_all(&reply(0, &Reply::Ready { version: VERSION }).unwrap()).await.unwrap();
        let connection = Connection::open(Place::Native, from, to).await.unwrap();
        let running = connection.start(shell("true")).unwrap();
        let mut buffer = [0; 64];
        hear.read_exact(&mut buffer).await.unwrap();
        say.write_all(&answer(1)).await.unwrap();
        let lost = running.exit.await.unwrap();
        assert!(matches!(lost, Err(ExecutorError::Lost { place: Place::Native, .. })), "{lost:?}");
    }
}

#[tokio::test]
async fn what_is_no_runner_is_unavailable() {
    let mut child = Command::new("/bin/true").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let refused = Connection::open(Place::Container, from, to).await.unwrap_err();
    assert!(matches!(
        refused,
        ExecutorError::Unavailable { place: Place::Container, .. } | ExecutorError::Lost { .. }
    ));
}
