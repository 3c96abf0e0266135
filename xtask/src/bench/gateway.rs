//! The gateway beside a bare hyper server and, with `OPENCLAW_PEER`, beside the reference release: start, memory, and what a second of CPU time
//! gets done. The load comes from a process of its own (`crates/oc-gateway/examples/load`).

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::steps::{built, root};

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef"; // pragma: allowlist secret
/// Milliseconds from the start of the process to the greeting.
const HELLO_MS: f64 = 30.0;
const IDLE_KIB: f64 = 16.0 * 1024.0;
const CLIENT_KIB: f64 = 12.0;
/// Times the reference release, per CPU second.
const PEER_FACTOR: f64 = 10.0;
/// Share of what a bare server does per CPU second.
const BARE_SHARE: f64 = 0.6;
/// Refused at the door, as the reference release refuses it.
const DENIED: &str = r#"{"tool":"exec","args":{}}"#;
/// Refused by the policy, with a record in the ledger that is written before the answer.
const RECORDED: &str = r#"{"tool":"no_such_tool","args":{}}"#;
/// Allowed, and carried out.
const ALLOWED: &str = r#"{"tool":"agents_list","args":{}}"#;

/// Arguments of `bench gateway`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Seconds of each kind of load.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Starts.
    #[arg(long, default_value_t = 9)]
    runs: usize,
    /// Turns of the gateway and the bare server.
    #[arg(long, default_value_t = 9)]
    turns: usize,
    /// Idle clients, at the most.
    #[arg(long, default_value_t = 10_000)]
    clients: usize,
}

/// A server that runs, in a home of its own.
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
    _home: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in tree(self.child.id()).into_iter().rev() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        let _ = self.child.wait();
    }
}

/// What was measured of one server.
#[derive(Debug, Default)]
struct Figures {
    hello_ms: f64,
    idle_kib: f64,
    /// More memory for each idle client, by number of clients.
    client_kib: Vec<(usize, f64)>,
    handshakes: f64,
    health: f64,
    denied: f64,
    recorded: f64,
    allowed: f64,
}

/// Builds, measures and prints; false when a promise is broken.
pub fn run(args: &Args) -> Result<bool> {
    build()?;
    let ours = vec![built("release/openclaw-gateway").display().to_string()];
    let command = ours;
    let mut ours = measure(args, &command, &[500, args.clients])?;
    let bare = beside_bare(args, &command)?;
    ours.denied = bare.gateway;
    let peer = std::env::var("OPENCLAW_PEER").ok();
    let peer = match peer {
        Some(peer) => {
            let command = [peer.as_str(), "gateway", "run", "--allow-unconfigured", "--bind", "loopback"];
            Some(measure(args, &command.map(str::to_owned), &[500])?)
        }
        None => None,
    };
    print(&ours, bare.bare, peer.as_ref());
    Ok(promises(&ours, bare.share, peer.as_ref()))
}

/// Builds the gateway and the load generator.
pub(super) fn build() -> Result<()> {
    let what = ["build", "--release", "--locked", "-p", "openclaw-gateway", "-p", "oc-gateway"];
    let which = ["--bin", "openclaw-gateway", "--example", "load"];
    let build = Command::new("cargo").args(what).args(which).current_dir(root()).status()?;
    ensure!(build.success(), "the release build failed");
    Ok(())
}

fn measure(args: &Args, command: &[String], clients: &[usize]) -> Result<Figures> {
    let mut figures = Figures::default();
    let mut starts = Vec::new();
    let runs = if command.len() > 1 { args.runs.min(3) } else { args.runs };
    for _ in 0..runs {
        let (home, port) = home(&Value::Null)?;
        let port = port.to_string();
        let mut all = vec!["hello", TOKEN, port.as_str()];
        all.extend(command.iter().map(String::as_str));
        all.extend(["--port", port.as_str()]);
        starts.push(load(&all, Some(home.path()))?.0);
    }
    figures.hello_ms = middle(starts);
    let server = start(command)?;
    figures.idle_kib = resident(&server);
    for n in clients {
        let before = resident(&server);
        let mut holding = Command::new(built("release/examples/load"))
            .args(["hold", &server.port.to_string(), TOKEN, &n.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(holding.stdout.take().context("no output")?).read_line(&mut line)?;
        ensure!(line.split(' ').nth(1) == Some("0"), "not all of {n} clients came in: {line}");
        std::thread::sleep(Duration::from_secs(2));
        figures.client_kib.push((*n, (resident(&server) - before) / *n as f64));
        drop(holding.stdin.take());
        holding.wait()?;
    }
    drop(server);
    let server = start(command)?;
    let (port, seconds) = (server.port.to_string(), args.seconds.to_string());
    let plain = |kind| [kind, port.as_str(), TOKEN, seconds.as_str(), "8"];
    let http = |status, body| ["http", &port, TOKEN, &seconds, "8", status, "POST", "/tools/invoke", body];
    figures.handshakes = per_cpu_second(&server, &plain("handshakes"))?;
    figures.health = per_cpu_second(&server, &plain("calls"))?;
    figures.denied = per_cpu_second(&server, &http("404", DENIED))?;
    figures.recorded = per_cpu_second(&server, &http("404", RECORDED))?;
    figures.allowed = per_cpu_second(&server, &http("200", ALLOWED))?;
    Ok(figures)
}

/// Requests per CPU second of the gateway and of a bare server, and the gateway's share of the latter: medians.
struct Beside {
    gateway: f64,
    bare: f64,
    share: f64,
}

/// Measures both in turns: what else runs on the machine changes from second to second, and touches both sides of a turn.
fn beside_bare(args: &Args, command: &[String]) -> Result<Beside> {
    let ours = start(command)?;
    let (home, port) = home(&Value::Null)?;
    let child = Command::new(built("release/examples/load"))
        .args(["bare", &port.to_string()])
        .stdout(Stdio::null())
        .spawn()?;
    let bare = Server { child, port, _home: home };
    ready(port)?;
    let seconds = args.seconds.div_ceil(2).to_string();
    let rate = |server: &Server, status: &str| {
        let port = server.port.to_string();
        let words = ["http", &port, TOKEN, &seconds, "8", status, "POST", "/tools/invoke", DENIED];
        per_cpu_second(server, &words)
    };
    let (mut gateways, mut bares, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.turns.max(1) {
        let (gateway, bare) = (rate(&ours, "404")?, rate(&bare, "200")?);
        gateways.push(gateway);
        bares.push(bare);
        shares.push(gateway / bare);
    }
    Ok(Beside { gateway: middle(gateways), bare: middle(bares), share: middle(shares) })
}

fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A home with a configuration, and a free port.
pub(crate) fn home(more: &Value) -> Result<(tempfile::TempDir, u16)> {
    let home = tempfile::tempdir()?;
    let state = home.path().join(".openclaw");
    std::fs::create_dir_all(&state)?;
    let mut config = serde_json::json!({
        "gateway": {"mode": "local", "auth": {"mode": "token", "token": TOKEN}},
    });
    if let (Some(config), Some(more)) = (config.as_object_mut(), more.as_object()) {
        config.extend(more.clone());
    }
    std::fs::write(state.join("openclaw.json"), config.to_string())?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    Ok((home, port))
}

fn start(command: &[String]) -> Result<Server> {
    start_with(command, &Value::Null)
}

/// Starts a server with more keys in its configuration.
pub(super) fn start_with(command: &[String], more: &Value) -> Result<Server> {
    let (home, port) = home(more)?;
    let (program, rest) = command.split_first().context("no command")?;
    let child = Command::new(program)
        .args(rest)
        .args(["--port", &port.to_string()])
        .env("HOME", home.path())
        // The reference release hears the port here only.
        .env("OPENCLAW_GATEWAY_PORT", port.to_string())
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .env("OPENCLAW_SKIP_CHANNELS", "1")
        .env("OPENCLAW_GATEWAY_TOKEN", TOKEN)
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let server = Server { child, port, _home: home };
    ready(port)?;
    std::thread::sleep(Duration::from_secs(2));
    Ok(server)
}

pub(crate) fn ready(port: u16) -> Result<()> {
    for _ in 0..600 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    anyhow::bail!("nothing listens on port {port}")
}

/// Runs the generator; the first and the last number of its line.
pub(crate) fn load(words: &[&str], home: Option<&Path>) -> Result<(f64, f64)> {
    let mut command = Command::new(built("release/examples/load"));
    if let Some(home) = home {
        command.env("HOME", home).env("OPENCLAW_GATEWAY_TOKEN", TOKEN).current_dir(home);
        command.env("OPENCLAW_DISABLE_BONJOUR", "1").env("OPENCLAW_SKIP_CHANNELS", "1");
        command.env("OPENCLAW_GATEWAY_PORT", words.get(2).copied().unwrap_or_default());
    }
    let out = command.args(words).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&out.stdout);
    ensure!(out.status.success(), "load {} failed: {text}", words.join(" "));
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    Ok((numbers.first().copied().context("no figure")?, numbers.last().copied().unwrap_or(0.0)))
}

fn per_cpu_second(server: &Server, words: &[&str]) -> Result<f64> {
    let before = cpu_seconds(server);
    let (done, _) = load(words, None)?;
    let spent = cpu_seconds(server) - before;
    print!(".");
    std::io::stdout().flush()?;
    Ok(done / spent.max(0.01))
}

/// A process and everything below it.
fn tree(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let below = children.split_whitespace().filter_map(|c| c.parse().ok()).flat_map(tree);
    std::iter::once(pid).chain(below).collect()
}

/// Resident memory, in KiB.
pub(super) fn resident(server: &Server) -> f64 {
    let one = |pid: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0)
    };
    tree(server.child.id()).into_iter().map(one).sum()
}

/// User and system time so far.
fn cpu_seconds(server: &Server) -> f64 {
    let one = |pid: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after = text.rsplit_once(") ").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        let ticks = after.split(' ').skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum::<f64>();
        ticks / 100.0
    };
    tree(server.child.id()).into_iter().map(one).sum()
}

fn print(ours: &Figures, bare: f64, peer: Option<&Figures>) {
    println!("\n{:<34} {:>12} {:>12} {:>12}", "", "gateway", "reference", "bare hyper");
    let row = |what: &str, pick: &dyn Fn(&Figures) -> f64, bare: Option<f64>| {
        let text = |n: Option<f64>| n.map_or_else(|| "-".to_owned(), |n| format!("{n:.1}"));
        println!("{what:<34} {:>12.1} {:>12} {:>12}", pick(ours), text(peer.map(pick)), text(bare));
    };
    row("start to greeting, ms", &|f| f.hello_ms, None);
    row("idle, MiB", &|f| f.idle_kib / 1024.0, None);
    for (at, (n, _)) in ours.client_kib.iter().enumerate() {
        row(
            &format!("{n} idle clients, KiB each"),
            &|f| f.client_kib.get(at).map_or(f64::NAN, |c| c.1),
            None,
        );
    }
    row("handshakes per CPU second", &|f| f.handshakes, None);
    row("`health` per CPU second", &|f| f.health, None);
    row("denied /tools/invoke per CPU second", &|f| f.denied, Some(bare));
    row("denied and recorded per CPU second", &|f| f.recorded, Some(bare));
    row("allowed and carried out, per CPU s", &|f| f.allowed, Some(bare));
    if peer.is_none() {
        println!("(set OPENCLAW_PEER to a command of the reference release to measure it beside)");
    }
}

fn promises(ours: &Figures, share: f64, peer: Option<&Figures>) -> bool {
    let mut all = vec![
        (ours.hello_ms <= HELLO_MS, format!("greeting within {HELLO_MS} ms")),
        (ours.idle_kib <= IDLE_KIB, format!("idle within {} MiB", IDLE_KIB / 1024.0)),
        (share >= BARE_SHARE, format!("denied calls: {BARE_SHARE} of a bare server ({share:.2})")),
    ];
    for (n, each) in &ours.client_kib {
        all.push((*each <= CLIENT_KIB, format!("{n} idle clients within {CLIENT_KIB} KiB each")));
    }
    if let Some(peer) = peer {
        for (what, a, b) in [
            ("handshakes", ours.handshakes, peer.handshakes),
            ("health", ours.health, peer.health),
            ("denied calls", ours.denied, peer.denied),
            ("allowed calls", ours.allowed, peer.allowed),
        ] {
            all.push((
                a >= PEER_FACTOR * b,
                format!("{what}: {PEER_FACTOR}x the reference release ({:.1}x)", a / b),
            ));
        }
    }
    for (held, what) in &all {
        println!("goal {}: {what}", if *held { "held" } else { "MISSED" });
    }
    all.iter().all(|(held, _)| *held)
}
