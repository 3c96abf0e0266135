//! What a gateway announces on the local network, heard from another machine: two network namespaces of this test's own, a pair of virtual
//! cables, and a listener that understands no more of multicast DNS than it takes to read a TXT record.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use oc_gateway::discovery::announcement::{Facts, Mode, announcement};
use oc_gateway::discovery::browse::browse;
use oc_gateway::discovery::responder::Responder;

/// How long the listener waits for an announcement.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long silence has to last to count: the first announcements come within a second.
const SILENCE: Duration = Duration::from_secs(4);
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// Says that a test is left out. Where nothing may be skipped (`OC_REQUIRE` has the word), that is a failure.
fn skip(test: &str, word: &str, why: &str) {
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == word);
    assert!(!required, "{test} needs {word}: {why}");
    println!("SKIP {test}: {why}");
}

/// Two namespaces and the cable between them. Removed when dropped.
struct Wire {
    names: [String; 2],
}

impl Wire {
    /// `None`, with the reason printed, where namespaces cannot be made.
    fn new(test: &str) -> Option<Self> {
        let tag = format!("ocmd{}{}", std::process::id(), test.len());
        let wire = Self { names: [format!("{tag}a"), format!("{tag}b")] };
        let [a, b] = &wire.names;
        let (ca, cb) =
            (format!("v{}a", std::process::id() % 100_000), format!("v{}b", std::process::id() % 100_000));
        let steps: Vec<Vec<&str>> = vec![
            vec!["netns", "add", a],
            vec!["netns", "add", b],
            vec!["link", "add", &ca, "netns", a, "type", "veth", "peer", "name", &cb, "netns", b],
            vec!["-n", a, "address", "add", "10.99.7.1/24", "dev", &ca],
            vec!["-n", b, "address", "add", "10.99.7.2/24", "dev", &cb],
            vec!["-n", a, "link", "set", &ca, "up"],
            vec!["-n", b, "link", "set", &cb, "up"],
            vec!["-n", b, "route", "add", "224.0.0.0/4", "dev", &cb],
            vec!["-n", a, "route", "add", "224.0.0.0/4", "dev", &ca],
        ];
        for step in steps {
            let done = Command::new("ip").args(&step).output();
            if !done.as_ref().is_ok_and(|o| o.status.success()) {
                skip(
                    test,
                    "namespaces",
                    &format!("no network namespaces here (`ip {}`: {done:?})", step.join(" ")),
                );
                return None;
            }
        }
        Some(wire)
    }

    /// This test binary, playing a part in one of the namespaces.
    fn play(&self, which: usize, part: &str, environment: &[(&str, &str)]) -> Player {
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.names[which]])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", part, "--include-ignored", "--nocapture"])
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        Player { child, input }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "delete", name]).output();
        }
    }
}

/// A part that is played until its input is closed.
struct Player {
    child: Child,
    input: Option<ChildStdin>,
}

impl Player {
    /// The next line that starts with `word`, the rest of it.
    fn line(&mut self, word: &str) -> String {
        let out = self.child.stdout.as_mut().unwrap();
        let mut line = String::new();
        // One byte at a time: the rest belongs to the next call.
        let mut byte = [0];
        while out.read(&mut byte).unwrap() == 1 {
            if byte[0] != b'\n' {
                line.push(char::from(byte[0]));
                continue;
            }
            // The harness writes the test's name before the first line, without a break.
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
            line.clear();
        }
        panic!("the part ended before it said {word:?}");
    }

    fn end(&mut self) {
        self.input.take();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.input.take();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until_input_ends() {
    let _ = BufReader::new(std::io::stdin()).lines().count();
}

fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().unwrap();
}

#[test]
#[ignore = "not a test: the gateway's part"]
fn part_gateway() {
    let facts = Facts {
        port: 18_789,
        machine: "annas-laptop".into(),
        tls: std::env::var("PART_TLS").ok(),
        canvas_port: Some(18_793),
        tailnet_dns: Some("annas-laptop.tail1.ts.net".into()),
        cli_path: Some("/home/anna/bin/openclaw".into()),
        ..Facts::default()
    };
    let mode = std::env::var("PART_MODE").ok();
    let disabled = std::env::var("OPENCLAW_DISABLE_BONJOUR").ok();
    let said = announcement(Mode::of(mode.as_deref(), disabled.as_deref()), &facts);
    let responder = said.as_ref().map(|said| Responder::start(said).unwrap());
    say("PART ready");
    until_input_ends();
    drop(responder);
}

#[test]
#[ignore = "not a test: the listener's part"]
fn part_listener() {
    let own = Ipv4Addr::new(10, 99, 7, 2);
    let socket = UdpSocket::bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 5353)).unwrap();
    socket.join_multicast_v4(&GROUP, &own).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    say("PART ready");
    let limit = if std::env::var("PART_SILENCE").is_ok() { SILENCE } else { PATIENCE };
    let end = Instant::now() + limit;
    let mut asked = Instant::now() - SILENCE;
    let mut packets = 0;
    while Instant::now() < end {
        if asked.elapsed() > Duration::from_secs(1) {
            asked = Instant::now();
            socket.send_to(&question(), (GROUP, 5353)).unwrap();
        }
        let mut buffer = [0u8; 9000];
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        if from.ip() == own {
            continue;
        }
        packets += 1;
        if let Some(txt) = txt_of(&buffer[..length]) {
            say(&format!("PART txt {}", serde_json::to_string(&txt).unwrap()));
            return;
        }
    }
    say(&format!("PART packets {packets}"));
}

#[test]
#[ignore = "not a test: the searcher's part"]
fn part_searcher() {
    let found = browse(Duration::from_secs(6)).unwrap();
    say(&format!("PART found {}", serde_json::to_string(&found).unwrap()));
}

/// Who offers the service?
fn question() -> Vec<u8> {
    let mut packet = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in ["_openclaw-gw", "_tcp", "local"] {
        packet.push(u8::try_from(label.len()).unwrap());
        packet.extend(label.bytes());
    }
    packet.extend([0, 0, 12, 0, 1]);
    packet
}

/// The texts of the first TXT record of an answer.
fn txt_of(packet: &[u8]) -> Option<Vec<String>> {
    let number = |at: usize| Some(usize::from(*packet.get(at)?) << 8 | usize::from(*packet.get(at + 1)?));
    let name = |mut at: usize| loop {
        match *packet.get(at)? {
            0 => break Some(at + 1),
            length if length & 0xc0 == 0xc0 => break Some(at + 2),
            length => at += usize::from(length) + 1,
        }
    };
    // Bit 15 of the flags: an answer. Probes are questions with the wanted records behind them.
    if number(2)? & 0x8000 == 0 {
        return None;
    }
    let mut at = 12;
    for _ in 0..number(4)? {
        at = name(at)? + 4;
    }
    for _ in 0..number(6)? + number(8)? + number(10)? {
        at = name(at)?;
        let (kind, length) = (number(at)?, number(at + 8)?);
        let data = packet.get(at + 10..at + 10 + length)?;
        at += 10 + length;
        if kind == 16 {
            let mut texts = Vec::new();
            let mut rest = data;
            while let Some((length, more)) = rest.split_first() {
                let (text, more) = more.split_at_checked(usize::from(*length))?;
                texts.push(String::from_utf8_lossy(text).into_owned());
                rest = more;
            }
            return Some(texts);
        }
    }
    None
}

#[test]
fn sp_352_the_records_on_the_wire_are_those_of_the_table() {
    let Some(wire) = Wire::new("sp_352_the_records_on_the_wire_are_those_of_the_table") else { return };
    let minimal = ["role=gateway", "gatewayPort=18789", "transport=gateway"];
    let pin = "ab".repeat(32);
    let tls = ["gatewayTls=1".to_owned(), format!("gatewayTlsSha256={pin}")];
    let more = [
        "displayName=annas-laptop",
        "lanHost=openclaw.local",
        "canvasPort=18793",
        "tailnetDns=annas-laptop.tail1.ts.net",
        "cliPath=/home/anna/bin/openclaw",
        "sshPort=22",
    ];
    let owned = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let cases: [(Vec<(&str, &str)>, Vec<String>); 4] = [
        (vec![], owned(&minimal)),
        (vec![("PART_MODE", "minimal"), ("PART_TLS", &pin)], [owned(&minimal), tls.to_vec()].concat()),
        (vec![("PART_MODE", "full")], [owned(&minimal), owned(&more)].concat()),
        (
            vec![("PART_MODE", "full"), ("PART_TLS", &pin)],
            [owned(&minimal), tls.to_vec(), owned(&more)].concat(),
        ),
    ];
    for (environment, wanted) in cases {
        let mut listener = wire.play(1, "part_listener", &[]);
        listener.line("PART ready");
        let mut gateway = wire.play(0, "part_gateway", &environment);
        gateway.line("PART ready");
        let heard: Vec<String> = serde_json::from_str(&listener.line("PART txt")).unwrap();
        assert_eq!(heard, wanted, "{environment:?}");
        gateway.end();
    }
}

#[test]
fn off_and_the_environment_switch_send_nothing() {
    let Some(wire) = Wire::new("off_and_the_environment_switch_send_nothing") else { return };
    for environment in
        [vec![("PART_MODE", "off")], vec![("PART_MODE", "full"), ("OPENCLAW_DISABLE_BONJOUR", "1")]]
    {
        let mut gateway = wire.play(0, "part_gateway", &environment);
        gateway.line("PART ready");
        let mut listener = wire.play(1, "part_listener", &[("PART_SILENCE", "1")]);
        listener.line("PART ready");
        assert_eq!(listener.line("PART packets"), "0", "{environment:?}");
        gateway.end();
    }
}

#[test]
fn a_search_finds_the_gateway_and_takes_no_pin_from_it() {
    let Some(wire) = Wire::new("a_search_finds_the_gateway_and_takes_no_pin_from_it") else { return };
    let pin = "ab".repeat(32);
    let mut gateway = wire.play(0, "part_gateway", &[("PART_MODE", "full"), ("PART_TLS", &pin)]);
    gateway.line("PART ready");
    let mut searcher = wire.play(1, "part_searcher", &[]);
    let said = searcher.line("PART found");
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(found[0]["instance"], "annas-laptop (OpenClaw)", "{said}");
    assert_eq!((&found[0]["port"], &found[0]["tls"]), (&serde_json::json!(18_789), &serde_json::json!(true)));
    assert_eq!(found[0]["hints"]["cliPath"], "/home/anna/bin/openclaw");
    assert!(said.contains("10.99.7.1") && !said.contains(&pin), "{said}");
    gateway.end();
}
