//! Clients that come and go, hostile ones among them, while the configuration and the secrets change: nothing that was acknowledged is
//! lost, nothing is let in with a secret that is none any more, memory stays flat.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Device, Frame, Place, Socket, write};
use crate::{hostile, load};

/// What is counted.
#[derive(Default)]
struct Counts {
    handshakes: AtomicU64,
    calls: AtomicU64,
    lost: AtomicU64,
    stale: AtomicU64,
    writes: AtomicU64,
    reloads: AtomicU64,
    rotations: AtomicU64,
}

/// The secrets so far, and since when each is none any more.
#[derive(Default)]
struct Secrets(Mutex<Vec<Option<Instant>>>);

impl Secrets {
    fn newest(&self) -> usize {
        self.0.lock().unwrap().len() - 1
    }

    fn is_retired(&self, number: usize, at: Instant) -> bool {
        self.0.lock().unwrap()[number].is_some_and(|since| at > since)
    }
}

fn secret(number: usize) -> String {
    format!("the-secret-number-{number}-of-the-soak")
}

struct Soak {
    port: u16,
    counts: Counts,
    secrets: Secrets,
    over: AtomicBool,
    /// Nodes whose pairing was acknowledged.
    paired: Mutex<Vec<String>>,
}

pub async fn run(program: &str, seconds: u64, clients: usize) -> bool {
    let home = tempfile::tempdir().unwrap();
    configure(home.path(), 0, 0);
    let (mut gateway, port) = start(program, home.path());
    let soak = Arc::new(Soak {
        port,
        counts: Counts::default(),
        secrets: Secrets(Mutex::new(vec![None])),
        over: AtomicBool::new(false),
        paired: Mutex::default(),
    });
    let mut tasks = Vec::new();
    for n in 0..clients {
        let soak = Arc::clone(&soak);
        tasks.push(tokio::spawn(async move { soak.client(n).await }));
    }
    for n in 0..clients / 40 {
        let soak = Arc::clone(&soak);
        tasks.push(tokio::spawn(async move {
            let let_in = hostile::run(soak.port, n * 1000, &soak.over).await;
            soak.counts.stale.fetch_add(let_in, Ordering::SeqCst);
        }));
    }
    let writer = Arc::clone(&soak);
    tasks.push(tokio::spawn(async move { writer.pair_nodes().await }));
    let rotator = Arc::clone(&soak);
    tasks.push(tokio::spawn(async move { rotator.rotate_device().await }));
    let memory = watch(&soak, &mut gateway, home.path(), seconds).await;
    soak.over.store(true, Ordering::SeqCst);
    for task in tasks {
        let _ = tokio::time::timeout(Duration::from_secs(60), task).await;
    }
    let alive = gateway.try_wait().unwrap().is_none();
    let _ = gateway.kill();
    let _ = gateway.wait();
    soak.judge(home.path(), &memory, alive)
}

fn configure(home: &Path, number: usize, change: usize) {
    let state = home.join(".openclaw");
    std::fs::create_dir_all(&state).unwrap();
    let config = json!({
        "gateway": {"mode": "local", "auth": {"mode": "token", "token": secret(number)}, "reload": {"debounceMs": 20}},
        "agents": {"defaults": {"maxConcurrent": 1 + change % 8}},
    });
    write(&state.join("openclaw.json"), &config.to_string());
}

/// Starts the gateway on a free port.
fn start(program: &str, home: &Path) -> (Child, u16) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut child = Command::new(program)
        .args(["--port", &port.to_string()])
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on "), "{line}");
    (child, port)
}

/// Resident memory of a process, in KiB.
fn resident(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Changes the configuration and the secret while the others go on; the memory of the gateway, second by second.
async fn watch(soak: &Soak, gateway: &mut Child, home: &Path, seconds: u64) -> Vec<u64> {
    let mut memory = Vec::new();
    let begun = Instant::now();
    for second in 1.. {
        if begun.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        memory.push(resident(gateway.id()));
        let number = soak.secrets.newest();
        match second % 10 {
            2 | 4 | 7 => {
                configure(home, number, second);
                soak.counts.reloads.fetch_add(1, Ordering::SeqCst);
            }
            5 => {
                // A mistake, and its correction.
                write(&home.join(".openclaw/openclaw.json"), "{ gateway: { mode: ");
                tokio::time::sleep(Duration::from_millis(200)).await;
                configure(home, number, second);
                soak.counts.reloads.fetch_add(2, Ordering::SeqCst);
            }
            9 => {
                soak.secrets.0.lock().unwrap().push(None);
                configure(home, number + 1, second);
                // The swap is over when the new secret opens the door.
                while load::enter(soak.port, &secret(number + 1)).await.is_none() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                soak.secrets.0.lock().unwrap()[number] = Some(Instant::now());
                soak.counts.rotations.fetch_add(1, Ordering::SeqCst);
            }
            _ => {}
        }
    }
    memory
}

impl Soak {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::SeqCst)
    }

    fn add(&self, count: &AtomicU64) {
        count.fetch_add(1, Ordering::SeqCst);
    }

    /// Comes, asks a few things, goes, comes again.
    async fn client(&self, n: usize) {
        let mut turn = n;
        // Not all at once.
        tokio::time::sleep(Duration::from_millis(u64::try_from(n % 100 * 80).unwrap())).await;
        while self.goes_on() {
            turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = self.secrets.newest();
            let begun = Instant::now();
            let Some(mut socket) = load::enter(self.port, &secret(number)).await else {
                tokio::time::sleep(Duration::from_millis(500)).await;
                continue;
            };
            self.add(&self.counts.handshakes);
            if self.secrets.is_retired(number, begun) {
                self.add(&self.counts.stale);
            }
            for call in 0..3 + turn % 4 {
                let pause = Duration::from_millis(u64::try_from(2000 + turn % 5000).unwrap());
                if !self.goes_on()
                    || !self.quiet(&mut socket, pause).await
                    || !self.call(&mut socket, number, call).await
                {
                    break;
                }
            }
            // Some say goodbye, some do not.
            if !turn.is_multiple_of(3) {
                socket.close().await;
            }
        }
    }

    /// Listens for a while. False: the connection ended.
    async fn quiet(&self, socket: &mut Socket, pause: Duration) -> bool {
        let all = async { while let Frame::Json(_) = socket.next().await {} };
        tokio::time::timeout(pause, all).await.is_err()
    }

    /// One call. A request is answered, or its connection ends with the reason that its secret changed. False: the connection ended.
    async fn call(&self, socket: &mut Socket, number: usize, call: usize) -> bool {
        let (id, sent) = (format!("q{call}"), Instant::now());
        let method = if call.is_multiple_of(2) { "health" } else { "wake" };
        let params = if call.is_multiple_of(2) { json!({}) } else { json!({"text": "soak", "mode": "now"}) };
        socket
            .send_text(&json!({"type": "req", "id": id, "method": method, "params": params}).to_string())
            .await;
        let all = async {
            loop {
                match socket.next().await {
                    Frame::Json(frame) if frame["id"] == id.as_str() => return Ok(frame),
                    Frame::Json(_) => {}
                    Frame::Closed(code, reason) => return Err((code, reason)),
                }
            }
        };
        match tokio::time::timeout(Duration::from_secs(60), all).await {
            Ok(Ok(frame)) => {
                if frame["ok"] == true && self.secrets.is_retired(number, sent) {
                    self.add(&self.counts.stale);
                }
                if frame["ok"] != true {
                    self.add(&self.counts.lost);
                }
                self.add(&self.counts.calls);
                true
            }
            // Its secret changed; a reset may overtake the reason.
            Ok(Err((code, reason))) => {
                let rotated = reason.contains("credential changed") || number != self.secrets.newest();
                if !rotated && self.goes_on() {
                    eprintln!("closed with {code} {reason} while a call ran");
                    self.add(&self.counts.lost);
                }
                false
            }
            Err(_) => {
                eprintln!("no answer");
                self.add(&self.counts.lost);
                false
            }
        }
    }

    /// A client that administers; its device is paired by the shared secret of the moment.
    async fn admin(&self, seed: u8) -> Option<Socket> {
        let (socket, answer) = self.knock(seed, "operator.admin", &secret(self.secrets.newest())).await?;
        (answer["ok"] == true).then_some(socket)
    }

    /// One attempt to come in as a device; `None`: the socket ended before the answer.
    async fn knock(&self, seed: u8, scope: &'static str, token: &str) -> Option<(Socket, Value)> {
        let (place, token) = (Place { port: self.port }, token.to_owned());
        // A task of its own: the tests' client gives up loudly.
        let knocking =
            tokio::spawn(
                async move { place.knock(&Device::new(seed), "operator", &[scope], &token, &[]).await },
            );
        knocking.await.ok()
    }

    /// Pairs nodes, one after the other, and remembers those whose pairing was acknowledged.
    async fn pair_nodes(&self) {
        let mut n = 0_u64;
        while self.goes_on() {
            let Some(mut socket) = self.admin(7).await else { continue };
            while self.goes_on() {
                n += 1;
                let node = format!("node-{n}");
                let asked = self.ask(&mut socket, "node.pair.request", json!({"nodeId": node})).await;
                let Some(asked) = asked else { break };
                let request = asked["payload"]["request"]["requestId"].clone();
                let approve = json!({"requestId": request});
                let Some(done) = self.ask(&mut socket, "node.pair.approve", approve).await else { break };
                if done["ok"] == true {
                    self.paired.lock().unwrap().push(node);
                    self.add(&self.counts.writes);
                } else {
                    eprintln!("{done}");
                }
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
        }
    }

    /// Makes a device's token anew, again and again, and tries the one before.
    async fn rotate_device(&self) {
        let id = Device::new(8).id;
        while self.goes_on() {
            let Some(mut admin) = self.admin(9).await else { continue };
            let token = secret(self.secrets.newest());
            let Some((_, answer)) = self.knock(8, "operator.read", &token).await else { continue };
            let Some(mut old) = answer["payload"]["auth"]["deviceToken"].as_str().map(str::to_owned) else {
                continue;
            };
            while self.goes_on() {
                let rotate = json!({"deviceId": id, "role": "operator"});
                let Some(rotated) = self.ask(&mut admin, "device.token.rotate", rotate).await else { break };
                let Some(new) = rotated["payload"]["token"].as_str().map(str::to_owned) else { break };
                if let Some((_, answer)) = self.knock(8, "operator.read", &old).await
                    && answer["ok"] == true
                {
                    eprintln!("a device's old token was taken");
                    self.add(&self.counts.stale);
                }
                if let Some((_, answer)) = self.knock(8, "operator.read", &new).await
                    && answer["ok"] != true
                    && answer["error"]["code"] != "UNAVAILABLE"
                {
                    eprintln!("a device's new token was refused: {answer}");
                    self.add(&self.counts.lost);
                }
                self.add(&self.counts.rotations);
                old = new;
                tokio::time::sleep(Duration::from_millis(700)).await;
            }
        }
    }

    async fn ask(&self, socket: &mut Socket, method: &str, params: Value) -> Option<Value> {
        let id = format!("{method}-{}", crate::support::now_ms());
        socket
            .send_text(&json!({"type": "req", "id": id, "method": method, "params": params}).to_string())
            .await;
        let all = async {
            loop {
                match socket.next().await {
                    Frame::Json(frame) if frame["id"] == id.as_str() => return Some(frame),
                    Frame::Json(_) => {}
                    Frame::Closed(..) => return None,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), all).await.ok().flatten()
    }

    fn judge(&self, home: &Path, memory: &[u64], alive: bool) -> bool {
        let of = |count: &AtomicU64| count.load(Ordering::SeqCst);
        let kept = std::fs::read_to_string(home.join(".openclaw/nodes/paired.json")).unwrap_or_default();
        let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
        let paired = self.paired.lock().unwrap();
        let missing = paired.iter().filter(|n| kept.get(n.as_str()).is_none()).count();
        let c = &self.counts;
        println!(
            "handshakes {} calls {} writes {} reloads {} rotations {} lost {} missing {missing} stale {}",
            of(&c.handshakes),
            of(&c.calls),
            of(&c.writes),
            of(&c.reloads),
            of(&c.rotations),
            of(&c.lost),
            of(&c.stale)
        );
        // The first third warms up; then the middle of one part against the middle of the last.
        let middle = |part: &[u64]| {
            let mut part = part.to_vec();
            part.sort_unstable();
            part.get(part.len() / 2).copied().unwrap_or(0)
        };
        let third = memory.len() / 3;
        let (early, late) = (middle(&memory[third..2 * third]), middle(&memory[2 * third..]));
        println!("memory {} KiB, later {} KiB, most {} KiB", early, late, memory.iter().max().unwrap_or(&0));
        let flat = late <= early + early / 8 + 4096;
        let done = of(&c.writes) > 0 && of(&c.rotations) > 0 && of(&c.calls) > 0;
        alive && flat && done && missing == 0 && of(&c.lost) == 0 && of(&c.stale) == 0
    }
}
