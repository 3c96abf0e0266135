//! Kill -9 at any moment, again and again, over 500 messages: what was acknowledged is answered, and nothing twice.
//!
//! The child is this test binary with a variable set. It plays a whole gateway over a service that lies in files: the service delivers
//! again what was not acknowledged, and remembers what it was sent. The parent kills it after a number of its steps.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

#[path = "conformance/doubles.rs"]
mod doubles;

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use doubles::{FakeApprovals, FakeObserver, FakeSettings, direct, node, quick};
use oc_channels::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
    Taken,
};
use oc_channels::clock::SystemClock;
use oc_channels::inbox::Inbox;
use oc_channels::ingress::{Ingress, Parts};
use oc_channels::rules::Rules;
use oc_channels::turn::{Replies, Reply, StopCause, Turn, TurnOutcome, Turns};
use oc_policy::session_key::SessionKey;
use oc_types::ChannelId;
use serde_json::json;

const MESSAGES: usize = 500;
const PEOPLE: usize = 50;
const DIR: &str = "OC_DRILL_DIR";
const KEYED: &str = "OC_DRILL_KEYED";

/// A step that the parent counts.
fn step() {
    println!("step");
}

/// Appends a line with one write, as a service would store a message: either it has it or it has not.
fn append(path: &Path, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn lines(path: &Path) -> Vec<String> {
    File::open(path).map(|f| BufReader::new(f).lines().map_while(Result::ok).collect()).unwrap_or_default()
}

#[derive(Debug)]
struct FileAdapter {
    channel: ChannelId,
    sent: PathBuf,
    keys: Mutex<HashSet<String>>,
    keyed: bool,
}

impl Adapter for FileAdapter {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }
    fn account(&self) -> &str {
        "default"
    }
    fn features(&self) -> Features {
        Features::default()
    }
    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(async { Ok(SelfIdentity::default()) })
    }
    fn receive<'a>(&'a self, _: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(std::future::pending())
    }
    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        self.send_keyed(to, message, "")
    }
    fn knows_keys(&self) -> bool {
        self.keyed
    }
    fn send_keyed<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
        key: &'a str,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(async move {
            step();
            if !self.keyed || self.keys.lock().unwrap().insert(key.to_owned()) {
                let line = json!({ "key": key, "to": to.conversation.as_str(), "text": message.text });
                append(&self.sent, &line.to_string());
            }
            step();
            Ok(Sent { id: None })
        })
    }
    fn fetch<'a>(&'a self, _: &'a Attachment, _: u64) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// Every seventh message makes the turn run a tool, whose effect lands in a file.
#[derive(Debug)]
struct FileTurns {
    effects: PathBuf,
}

fn acts(text: &str) -> bool {
    text.strip_prefix('m').and_then(|n| n.parse::<usize>().ok()).is_some_and(|n| n % 7 == 0)
}

impl Turns for FileTurns {
    fn run<'a>(&'a self, turn: Turn, out: &'a dyn Replies) -> Pending<'a, TurnOutcome> {
        Box::pin(async move {
            step();
            for m in turn.messages.iter().filter(|m| acts(&m.text)) {
                if out.acting().await.is_err() {
                    return TurnOutcome::Failed { notice: "the journal failed".to_owned() };
                }
                append(&self.effects, &m.text);
                step();
            }
            let texts: Vec<&str> = turn.messages.iter().map(|m| m.text.as_str()).collect();
            TurnOutcome::Answer(Reply::text(format!("echo: {}", texts.join(" | "))))
        })
    }
    fn stop<'a>(&'a self, _: &'a SessionKey, _: StopCause) -> Pending<'a, bool> {
        Box::pin(async { false })
    }
}

/// The child: runs until everything is acknowledged and answered.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let dir = PathBuf::from(dir);
    let keyed = std::env::var(KEYED).is_ok();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let now = jiff::Timestamp::now().as_millisecond();
        let inbox = Inbox::open(&Inbox::path_in(&dir), now).unwrap();
        let config = quick(json!({
            "session": { "dmScope": "per-channel-peer" },
            "channels": { "telegram": { "dmPolicy": "open", "allowFrom": ["*"] } },
        }));
        let ingress = Ingress::new(Parts {
            rules: Rules::new(node(&config)).unwrap(),
            credentials: dir.join("credentials"),
            inbox,
            turns: Arc::new(FileTurns { effects: dir.join("effects") }),
            settings: Arc::new(FakeSettings::default()),
            approvals: Arc::new(FakeApprovals::default()),
            observer: Arc::new(FakeObserver::default()),
            clock: Arc::new(SystemClock),
        });
        let sent = dir.join("sent");
        let keys = lines(&sent).into_iter().map(|l| {
            let v: serde_json::Value = serde_json::from_str(&l).unwrap();
            v["key"].as_str().unwrap().to_owned()
        });
        let keys = Mutex::new(keys.collect());
        let channel = ChannelId::parse("telegram").unwrap();
        let adapter: Arc<dyn Adapter> = Arc::new(FileAdapter { channel, sent, keys, keyed });
        let door = ingress.add(&adapter);
        ingress.recover().await;
        step();
        let acks = dir.join("acks");
        let acked: HashSet<String> = lines(&acks).into_iter().collect();
        let mut tasks = tokio::task::JoinSet::new();
        for n in (0..MESSAGES).filter(|n| !acked.contains(&n.to_string())) {
            let (door, acks) = (Arc::clone(&door), acks.clone());
            tasks.spawn(async move {
                let person = format!("p{}", n % PEOPLE);
                loop {
                    match door.offer(direct("telegram", &n.to_string(), &person, &format!("m{n}"))).await {
                        Taken::Done => break,
                        Taken::Later => tokio::task::yield_now().await,
                    }
                }
                step();
                append(&acks, &n.to_string());
                step();
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        while ingress.inbox().waiting() > 0 {
            ingress.inbox().flush().await.unwrap();
            tokio::task::yield_now().await;
        }
        ingress.inbox().flush().await.unwrap();
    });
    println!("drill-complete");
}

/// Starts the child and kills it after so many steps; `true`: it finished before.
fn run(dir: &Path, keyed: bool, kill_after: Option<usize>) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    if keyed {
        command.env(KEYED, "1");
    }
    let mut child = command.spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut steps = 0;
    let mut finished = false;
    for line in out.lines().map_while(Result::ok) {
        finished |= line.contains("drill-complete");
        steps += line.matches("step").count();
        if kill_after.is_some_and(|n| steps >= n) && !finished {
            child.kill().unwrap();
            break;
        }
    }
    let status = child.wait().unwrap();
    assert!(finished || kill_after.is_some(), "the child ended with {status}");
    finished
}

/// A cheap generator, so that a failure can be repeated.
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

fn drill(keyed: bool, kills: usize, mut seed: u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut killed = 0;
    for _ in 0..kills {
        let after = 1 + usize::try_from(next(&mut seed) % 90).unwrap();
        if run(dir.path(), keyed, Some(after)) {
            break;
        }
        killed += 1;
    }
    if killed == kills {
        run(dir.path(), keyed, None);
    }
    let mut echoed: HashMap<usize, usize> = HashMap::new();
    let (mut told, mut in_doubt) = (HashMap::<usize, usize>::new(), 0);
    for line in lines(&dir.path().join("sent")) {
        let v: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = v["text"].as_str().unwrap();
        let number = |t: &str| t.trim().strip_prefix('m').and_then(|n| n.parse::<usize>().ok()).unwrap();
        if let Some(list) = text.strip_prefix("echo: ") {
            for m in list.split(" | ") {
                *echoed.entry(number(m)).or_default() += 1;
                assert_eq!(v["to"], format!("p{}", number(m) % PEOPLE), "it went to somebody else");
            }
        } else if text.starts_with("I was restarted while I worked") {
            let m = text.split('"').nth(1).unwrap();
            *told.entry(number(m)).or_default() += 1;
        } else {
            assert!(text.starts_with("I was restarted while I sent"), "{text}");
            in_doubt += 1;
        }
    }
    let mut effects: HashMap<String, usize> = HashMap::new();
    for line in lines(&dir.path().join("effects")) {
        *effects.entry(line).or_default() += 1;
    }
    assert!(effects.values().all(|n| *n == 1), "a tool ran twice: {effects:?}");
    assert!(echoed.values().chain(told.values()).all(|n| *n == 1), "something was said twice");
    // A turn over several messages names the newest when it was interrupted, so its others count as told with it.
    let silent: Vec<usize> =
        (0..MESSAGES).filter(|n| !echoed.contains_key(n) && !told.contains_key(n)).collect();
    let excused = told.len() + in_doubt;
    println!(
        "keyed {keyed}: {killed} kills, {} echoed, {} told, {in_doubt} in doubt, {} with another",
        echoed.len(),
        told.len(),
        silent.len()
    );
    assert!(silent.is_empty() || excused > 0, "not answered: {silent:?}");
    for n in silent {
        let mates = (0..MESSAGES).filter(|m| m % PEOPLE == n % PEOPLE);
        let covered = in_doubt > 0 || mates.into_iter().any(|m| told.contains_key(&m));
        assert!(covered, "message {n} was never answered");
    }
    assert!(killed >= kills.min(10), "only {killed} kills");
}

fn kills() -> usize {
    std::env::var("OC_DRILL_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(25)
}

#[test]
fn sp_006_five_hundred_messages_survive_kills_at_any_step_and_each_is_answered_once() {
    drill(true, kills(), 0x9e37_79b9_7f4a_7c15);
}

#[test]
fn sp_006_without_keys_nothing_is_said_twice_and_doubt_is_told() {
    drill(false, kills(), 0xd1b5_4a32_d192_ed03);
}
