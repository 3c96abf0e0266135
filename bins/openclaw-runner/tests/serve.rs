//! The runner's program, spoken to over its pipes.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use oc_runner::protocol::frame::{Decoder, Frame, encode, request};
use oc_runner::protocol::{
    Exit, Input, Kind, Process, Program, Redirect, Reply, Request, RunRequest, Step, VERSION, When,
};
use proptest::prelude::*;

struct Session {
    child: Child,
    to: Option<ChildStdin>,
    from: ChildStdout,
    decoder: Decoder,
    next: u32,
    done: HashMap<u32, End>,
    open: HashMap<u32, End>,
}

#[derive(Debug, Default, Clone)]
struct End {
    out: Vec<u8>,
    err: Vec<u8>,
    exit: Option<Exit>,
    failed: Option<(String, String)>,
}

impl End {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

impl Session {
    fn open() -> Self {
        Self::of(Command::new(env!("CARGO_BIN_EXE_openclaw-runner")).arg("serve"))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take(), child.stdout.take().unwrap());
        let mut session = Self {
            child,
            to,
            from,
            decoder: Decoder::default(),
            next: 1,
            done: HashMap::new(),
            open: HashMap::new(),
        };
        session.send(0, &Request::Hello { version: VERSION });
        let ready = session.frame();
        assert_eq!(ready.parse::<Reply>().unwrap(), Reply::Ready { version: VERSION });
        session
    }

    fn send(&mut self, call: u32, body: &Request) {
        self.to.as_mut().unwrap().write_all(&request(call, body).unwrap()).unwrap();
    }

    fn input(&mut self, call: u32, bytes: &[u8]) {
        self.to.as_mut().unwrap().write_all(&encode(Kind::Input, call, bytes).unwrap()).unwrap();
    }

    fn run(&mut self, run: RunRequest) -> u32 {
        let call = self.next;
        self.next += 1;
        self.open.insert(call, End::default());
        self.send(call, &Request::Run(Box::new(run)));
        call
    }

    fn frame(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return frame;
            }
            let mut buffer = vec![0; 65536];
            let n = self.from.read(&mut buffer).unwrap();
            assert!(n > 0, "the runner went away");
            self.decoder.push(&buffer[..n]);
        }
    }

    fn step(&mut self) {
        let frame = self.frame();
        let call = frame.call;
        let end = self.open.get_mut(&call).unwrap_or_else(|| panic!("call {call}: {frame:?}"));
        match frame.kind {
            Kind::Output => end.out.extend(&frame.body),
            Kind::Error => end.err.extend(&frame.body),
            Kind::Reply => match frame.parse::<Reply>().unwrap() {
                Reply::Exited(exit) => end.exit = Some(exit),
                Reply::Failed { code, message } => end.failed = Some((code, message)),
                _ => return,
            },
            _ => panic!("{frame:?}"),
        }
        if frame.kind == Kind::Reply {
            let end = self.open.remove(&call).unwrap();
            self.done.insert(call, end);
        } else {
            self.send(call, &Request::Window { bytes: frame.body.len() as u64 });
        }
    }

    fn wait(&mut self, call: u32) -> End {
        while !self.done.contains_key(&call) {
            self.step();
        }
        self.done.remove(&call).unwrap()
    }

    /// Waits until the call has written `text`.
    fn until(&mut self, call: u32, text: &str) {
        while !self.open[&call].text().contains(text) {
            self.step();
        }
    }

    fn finish(&mut self, run: RunRequest) -> End {
        let call = self.run(run);
        self.wait(call)
    }

    fn sh(&mut self, text: &str) -> End {
        self.finish(shell(text))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.to.take();
        let _ = self.child.wait();
    }
}

fn base(program: Program) -> RunRequest {
    RunRequest {
        program,
        directory: "/".to_owned(),
        directory_identity: None,
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        input: Input::Empty,
        terminal: None,
        timeout_ms: Some(20_000),
        output_limit: 10_000_000,
    }
}

fn shell(text: &str) -> RunRequest {
    base(Program::Shell { shell: "/bin/sh".to_owned(), text: text.to_owned() })
}

fn process(argv: &[&str]) -> Process {
    Process {
        executable: argv[0].to_owned(),
        identity: None,
        argv: argv.iter().map(|a| (*a).to_owned()).collect(),
        environment: Vec::new(),
        redirections: Vec::new(),
    }
}

fn step(when: When, commands: &[&[&str]]) -> Step {
    Step { when, commands: commands.iter().map(|c| process(c)).collect() }
}

fn analysed(steps: Vec<Step>) -> RunRequest {
    base(Program::Analysed { steps })
}

/// Processes whose environment holds the mark.
fn marked(mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        if environment.split(|b| *b == 0).any(|v| v == mark.as_bytes()) {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(format!("{:?} {}", entry.file_name(), String::from_utf8_lossy(&line)));
        }
    }
    found
}

fn interrupt_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|l| l.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() & 0b10 != 0
}

fn mark(name: &str) -> (String, String) {
    ("OC_MARK".to_owned(), format!("{name}-{}", std::process::id()))
}

fn assert_gone(mark: &(String, String)) {
    let text = format!("{}={}", mark.0, mark.1);
    // A killed process can be seen until it is reaped.
    let limit = Instant::now() + Duration::from_secs(3);
    while Instant::now() < limit && !marked(&text).is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(marked(&text), Vec::<String>::new());
}

#[test]
fn streams_stay_apart_and_the_code_comes_back() {
    let mut s = Session::open();
    let end = s.sh("echo out; echo err >&2; exit 7");
    assert_eq!((end.text().as_str(), end.err.as_slice()), ("out\n", b"err\n".as_slice()));
    assert_eq!(end.exit, Some(Exit { code: 7, timed_out: false, killed: false, dropped: 0 }));
    assert_eq!(s.sh("kill -TERM $$").exit.unwrap().code, 143);
}

#[test]
fn sp_244_the_environment_is_exactly_what_was_given() {
    let mut s = Session::open();
    let mut run = analysed(vec![step(When::Always, &[&["/usr/bin/env"]])]);
    run.environment = vec![("A".to_owned(), "1 2".to_owned()), ("B".to_owned(), String::new())];
    assert_eq!(s.finish(run).text(), "A=1 2\nB=\n");
}

#[test]
fn pipelines_and_their_conditions_run_without_a_shell() {
    let mut s = Session::open();
    let (ok, no): (&[&str], &[&str]) = (&["/bin/true"], &["/bin/false"]);
    let say = |t: &'static str| -> Vec<&str> { vec!["/bin/echo", t] };
    let (a, b) = (say("a"), say("b"));
    let cases = [
        (vec![step(When::Always, &[ok]), step(When::Succeeded, &[&a])], "a\n", 0),
        (vec![step(When::Always, &[no]), step(When::Succeeded, &[&a])], "", 1),
        (vec![step(When::Always, &[no]), step(When::Succeeded, &[&a]), step(When::Failed, &[&b])], "b\n", 0),
        (vec![step(When::Always, &[ok]), step(When::Failed, &[&a]), step(When::Always, &[&b])], "b\n", 0),
        (vec![step(When::Always, &[&a, &["/usr/bin/tr", "a", "x"], &["/usr/bin/wc", "-c"]])], "2\n", 0),
        (vec![step(When::Always, &[ok, no])], "", 1),
        (vec![step(When::Always, &[no, ok])], "", 0),
    ];
    for (steps, out, code) in cases {
        let end = s.finish(analysed(steps));
        assert_eq!((end.text().as_str(), end.exit.unwrap().code), (out, code));
    }
}

#[test]
fn redirections_apply_in_order() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in"), "from a file").unwrap();
    let mut s = Session::open();
    let mut run = |redirections: Vec<Redirect>, argv: &[&str]| {
        let mut process = process(argv);
        process.redirections = redirections;
        let mut run = analysed(vec![Step { when: When::Always, commands: vec![process] }]);
        run.directory = folder.path().display().to_string();
        let end = s.finish(run);
        (end.text(), String::from_utf8(end.err).unwrap(), end.failed.map(|f| f.0))
    };
    let both = ["/bin/sh", "-c", "echo o; echo e >&2"];
    assert_eq!(run(vec![Redirect::ErrToOut], &both).0, "o\ne\n");
    assert_eq!(
        run(vec![Redirect::OutToNull, Redirect::ErrToOut], &both),
        (String::new(), String::new(), None)
    );
    assert_eq!(run(vec![Redirect::ErrToOut, Redirect::OutToNull], &both).0, "e\n");
    assert_eq!(run(vec![Redirect::OutToErr], &both).1, "o\ne\n");
    assert_eq!(run(vec![Redirect::From("in".to_owned())], &["/bin/cat"]).0, "from a file");
    assert_eq!(run(vec![Redirect::From("none".to_owned())], &["/bin/cat"]).2.unwrap(), "not-found");
}

#[test]
fn input_travels_in_windows_and_ends() {
    let mut s = Session::open();
    let mut run = analysed(vec![step(When::Always, &[&["/usr/bin/wc", "-c"]])]);
    run.input = Input::Frames;
    let call = s.run(run);
    s.input(call, &[b'x'; 30_000]);
    s.send(call, &Request::EndInput);
    assert_eq!(s.wait(call).text().trim(), "30000");
    // Nobody reads it: nothing is held up.
    let mut run = shell("sleep 0.1; echo done");
    run.input = Input::Frames;
    let call = s.run(run);
    s.input(call, &[b'x'; 30_000]);
    assert_eq!(s.wait(call).text(), "done\n");
    assert_eq!(s.sh("cat; echo empty").text(), "empty\n");
}

#[test]
fn sp_250_a_timeout_ends_the_whole_tree_however_it_hides() {
    let mut s = Session::open();
    let mark = mark("timeout");
    let mut run = shell(
        "trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM; sleep 60; sleep 61' & (setsid setsid sleep 62 &) ; \
         (sh -c 'while :; do sleep 0.01; done' &) ; nohup sleep 63 >/dev/null 2>&1 & echo up; sleep 64; sleep 65",
    );
    run.environment.push(mark.clone());
    run.timeout_ms = Some(400);
    let start = Instant::now();
    let end = s.finish(run);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(end.text(), "up\n");
    assert!(end.exit.unwrap().timed_out);
    assert_eq!(end.exit.unwrap().code, 137);
    assert_gone(&mark);
}

#[test]
fn sp_250_only_that_tree_ends() {
    let mut s = Session::open();
    let stay = s.run(shell("echo here; sleep 1; echo still here"));
    s.until(stay, "here");
    let go = s.run(shell("echo up; sleep 60"));
    s.until(go, "up");
    s.send(go, &Request::Kill);
    assert!(s.wait(go).exit.unwrap().killed);
    assert_eq!(s.wait(stay).text(), "here\nstill here\n");
}

#[test]
fn sp_250_what_a_command_leaves_behind_ends_with_it() {
    let mut s = Session::open();
    let mark = mark("left");
    let mut run = shell("(setsid sleep 60 &); echo done");
    run.environment.push(mark.clone());
    let end = s.finish(run);
    assert_eq!((end.text().as_str(), end.exit.unwrap().code), ("done\n", 0));
    assert_gone(&mark);
}

#[test]
fn sp_250_processes_that_keep_moving_are_caught() {
    let mut s = Session::open();
    let mark = mark("moving");
    // Each one starts the next and ends: the number that was seen is never the one that lives.
    let mut run =
        shell("hop() { hop & exit; }; for i in 1 2 3 4 5 6 7 8; do (hop &) ; done; echo up; sleep 60");
    run.environment.push(mark.clone());
    let call = s.run(run);
    s.until(call, "up");
    std::thread::sleep(Duration::from_millis(200));
    s.send(call, &Request::Kill);
    assert!(s.wait(call).exit.unwrap().killed);
    assert_gone(&mark);
}

#[test]
fn sp_250_a_command_that_ends_its_supervisor_is_ended_itself() {
    let mut s = Session::open();
    let mark = mark("supervisor");
    let mut run = shell("(setsid sleep 60 &); kill -KILL $PPID; sleep 60");
    run.environment.push(mark.clone());
    let end = s.finish(run);
    assert_eq!(end.failed.unwrap().0, "failed");
    assert_gone(&mark);
    let mut run = shell("(setsid sleep 60 &); kill -STOP $PPID; sleep 60");
    run.environment.push(mark.clone());
    run.timeout_ms = Some(300);
    assert_eq!(s.finish(run).failed.unwrap().0, "failed", "by force, after the grace");
    assert_gone(&mark);
    assert_eq!(s.sh("echo fine").text(), "fine\n");
}

#[test]
fn everything_ends_when_the_executor_goes_away() {
    for how in ["closes", "dies"] {
        let mut s = Session::open();
        let mark = mark(how);
        let mut run = shell("trap '' TERM HUP; (setsid sleep 60 &); echo up; sleep 60");
        run.environment.push(mark.clone());
        run.timeout_ms = None;
        let call = s.run(run);
        s.until(call, "up");
        if how == "dies" {
            // The runner itself is killed, the supervisors are left to notice.
            s.child.kill().unwrap();
        }
        s.to.take();
        s.child.wait().unwrap();
        assert_gone(&mark);
    }
}

#[test]
fn output_beyond_the_limit_is_dropped_and_counted() {
    let mut s = Session::open();
    let mut run = shell("head -c 50000000 /dev/zero; echo end >&2");
    run.output_limit = 1000;
    let end = s.finish(run);
    assert_eq!(end.out.len() + end.err.len(), 1000);
    assert_eq!(end.exit.unwrap().dropped, 50_000_004 - 1000);
}

#[test]
fn a_reader_that_stands_still_holds_up_only_its_own_call() {
    let mut s = Session::open();
    let mut flood = analysed(vec![step(When::Always, &[&["/usr/bin/yes"]])]);
    flood.timeout_ms = Some(500);
    flood.output_limit = u64::MAX;
    let start = Instant::now();
    let call = s.next;
    s.next += 1;
    s.send(call, &Request::Run(Box::new(flood)));
    // No window is given back for it.
    let other = s.run(shell("sleep 0.2; echo other"));
    let (mut seen, mut over) = (0, false);
    while !over || !s.done.contains_key(&other) {
        let frame = s.frame();
        if frame.call == call {
            seen += if frame.kind == Kind::Output { frame.body.len() } else { 0 };
            let reply = frame.parse::<Reply>();
            over |= matches!(reply, Ok(Reply::Exited(Exit { timed_out: true, .. })));
        } else if frame.kind == Kind::Reply {
            let end = s.open.remove(&other).unwrap();
            if !matches!(frame.parse(), Ok(Reply::Exited(_))) {
                s.open.insert(other, end);
            } else {
                s.done.insert(other, end);
            }
        }
    }
    assert!(seen <= 256 * 1024, "{seen}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_terminal_is_one() {
    let mut s = Session::open();
    let mut run = shell(
        "tty; stty size; read line; echo \"got $line\"; echo x > /dev/tty; ps -o tpgid= -p $$ >/dev/null",
    );
    run.terminal = Some((91, 17));
    run.input = Input::Frames;
    let call = s.run(run);
    s.until(call, "17 91");
    s.input(call, b"hello\n");
    let end = s.wait(call);
    let text = end.text();
    assert!(
        text.contains("/dev/pts/") && text.contains("got hello") && text.ends_with("x\r\n"),
        "{text:?} {end:?}"
    );
    // The interrupt key reaches the command, and only it.
    let mut run = shell("echo up; sleep 60");
    run.terminal = Some((80, 24));
    run.input = Input::Frames;
    let call = s.run(run);
    s.until(call, "up");
    // The shell is between its echo and its next command for a moment.
    std::thread::sleep(Duration::from_millis(200));
    if interrupt_is_ignored() {
        // Whoever started the tests in the background ignores it for all below.
        s.send(call, &Request::Kill);
    } else {
        s.input(call, &[3]);
        assert_eq!(s.wait(call).exit.unwrap().code, 130);
    }
    // A pipeline on a terminal, without a shell.
    let mut run = analysed(vec![step(When::Always, &[&["/bin/echo", "abc"], &["/usr/bin/tr", "b", "x"]])]);
    run.terminal = Some((80, 24));
    assert_eq!(s.finish(run).text(), "axc\r\n");
    let mut run = analysed(vec![step(When::Always, &[&["/no/such/program"]])]);
    run.terminal = Some((80, 24));
    assert_eq!(s.finish(run).failed.unwrap().0, "not-found");
}

#[test]
fn without_a_terminal_there_is_none_to_open() {
    let mut s = Session::open();
    assert!(s.sh("echo x > /dev/tty").exit.unwrap().code != 0);
}

#[test]
fn what_cannot_start_is_a_typed_answer() {
    let mut s = Session::open();
    let one = |program: &str| analysed(vec![step(When::Always, &[&[program]])]);
    let failed = |end: End| end.failed.unwrap().0;
    assert_eq!(failed(s.finish(one("/no/such/program"))), "not-found");
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "#!/bin/sh\n").unwrap();
    assert_eq!(failed(s.finish(one(plain.to_str().unwrap()))), "denied");
    assert_eq!(failed(s.finish(one("relative"))), "protocol");
    assert_eq!(failed(s.finish(analysed(Vec::new()))), "protocol");
    let mut run = shell("true");
    run.directory = "/no/such/directory".to_owned();
    assert_eq!(failed(s.finish(run)), "not-found");
    assert_eq!(s.sh("echo fine").text(), "fine\n");
}

#[test]
fn many_calls_run_at_a_time() {
    let mut s = Session::open();
    let calls: Vec<u32> = (0..40).map(|i| s.run(shell(&format!("sleep 0.3; echo {i}")))).collect();
    for (i, call) in calls.into_iter().enumerate() {
        assert_eq!(s.wait(call).text(), format!("{i}\n"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn sp_145_a_command_sees_exactly_the_decided_arguments(arguments in prop::collection::vec("[^\0]{0,40}", 1..12)) {
        let mut s = Session::open();
        // The probe prints its own argument vector as the kernel holds it.
        let mut probe = process(&["/bin/cat"]);
        probe.argv = vec!["cat".to_owned(), "/proc/self/cmdline".to_owned(), "--".to_owned()];
        probe.argv.extend(arguments.iter().map(|a| format!("/dev/null/{a}")));
        let wanted: Vec<u8> = probe.argv.iter().flat_map(|a| a.bytes().chain([0])).collect();
        let end = s.finish(analysed(vec![Step { when: When::Always, commands: vec![probe] }]));
        prop_assert_eq!(end.out, wanted);
    }
}
