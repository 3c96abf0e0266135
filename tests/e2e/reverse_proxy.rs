//! The nginx configurations of the documentation, run: forged headers go in, what arrives behind the proxy is judged.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use oc_gateway::entrance::peer::{Caller, FORWARDING_HEADERS, Forwarding, Head, Own, TrustedProxies, caller};
use oc_gateway::entrance::tailscale::{self, Headers, NoIdentity, Surface};

type Fields = BTreeMap<String, String>;

/// Says that a test is left out. Where nothing may be skipped (`OC_REQUIRE` has the word), that is a failure.
fn skip(test: &str, word: &str, why: &str) {
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == word);
    assert!(!required, "{test} needs {word}: {why}");
    println!("SKIP {test}: {why}");
}

/// nginx with one of the configurations, in front of a server that only notes what arrives.
struct Proxy {
    child: Child,
    port: u16,
    heads: Receiver<Fields>,
    _directory: tempfile::TempDir,
}

impl Proxy {
    /// `None`, with the reason printed, without nginx.
    fn start(test: &str, file: &str) -> Option<Self> {
        if Command::new("nginx").arg("-v").output().is_err() {
            skip(test, "nginx", "nginx is not installed");
            return None;
        }
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/nginx/");
        let text = std::fs::read_to_string(format!("{root}{file}")).unwrap();
        let backend = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server: String = text
            .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port};"))
            .replace("listen 80;", &format!("listen 127.0.0.1:{port};"))
            .replace("127.0.0.1:18789", &backend.local_addr().unwrap().to_string())
            .lines()
            .filter(|l| !l.trim_start().starts_with("ssl_"))
            .map(|l| format!("{l}\n"))
            .collect();
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().display();
        let whole = format!(
            "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n\
             client_body_temp_path {place}/b;\nproxy_temp_path {place}/p;\nfastcgi_temp_path {place}/f;\n\
             uwsgi_temp_path {place}/u;\nscgi_temp_path {place}/s;\n{server}}}\n"
        );
        std::fs::write(directory.path().join("nginx.conf"), whole).unwrap();
        let (say, heads) = channel();
        std::thread::spawn(move || {
            for stream in backend.incoming().flatten() {
                let Some(head) = head(&stream) else { continue };
                let _ =
                    (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                if say.send(head).is_err() {
                    break;
                }
            }
        });
        let mut command = Command::new("nginx");
        command.arg("-p").arg(directory.path()).arg("-c").arg(directory.path().join("nginx.conf"));
        let child = command.stdin(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
        let proxy = Self { child, port, heads, _directory: directory };
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(proxy)
    }

    /// What arrives of a request from 127.0.0.2.
    fn arrives(&self, more: &str) -> Fields {
        let stream = from_second_address(self.port);
        let request = format!("GET / HTTP/1.1\r\nHost: claw.example.com\r\n{more}Connection: close\r\n\r\n");
        (&stream).write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        (&stream).read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        self.heads.recv_timeout(Duration::from_secs(10)).unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A caller whose address is no address of the proxy: 127.0.0.2, which needs no set-up.
fn from_second_address(port: u16) -> TcpStream {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), 0))).unwrap();
    connect(&socket, &SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// The fields of a request's head; one that comes more than once is joined.
fn head(stream: &TcpStream) -> Option<Fields> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut fields = Fields::new();
    for line in BufReader::new(stream).lines().skip(1) {
        let line = line.ok()?;
        if line.is_empty() {
            return Some(fields);
        }
        let (name, value) = line.split_once(':')?;
        let (name, value) = (name.to_lowercase(), value.trim());
        fields.entry(name).and_modify(|v| *v = format!("{v}, {value}")).or_insert_with(|| value.to_owned());
    }
    None
}

fn judged(fields: &Fields, trusted: &[&str]) -> Caller {
    let get = |name: &str| fields.get(name).map(String::as_str);
    let plain = ["x-forwarded-for", "x-real-ip"];
    let other = FORWARDING_HEADERS.iter().any(|h| !plain.contains(h) && fields.contains_key(*h));
    let head = Head {
        host: get("host"),
        forwarded_for: get("x-forwarded-for"),
        real_ip: get("x-real-ip"),
        other_forwarding: if other { Forwarding::Present } else { Forwarding::Absent },
    };
    let (proxies, wrong) = TrustedProxies::read(trusted.iter().copied());
    assert!(wrong.is_empty());
    caller("127.0.0.1".parse().unwrap(), &head, &proxies, &Own::default())
}

const FORGED: &str = "X-Forwarded-For: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\nX-Forwarded-Host: localhost\r\n\
    Tailscale-User-Login: anna@example.com\r\nTailscale-User-Name: Anna\r\n";

#[test]
fn sp_330_the_documented_proxy_hands_on_the_callers_own_address_whatever_it_forges() {
    let test = "sp_330_the_documented_proxy_hands_on_the_callers_own_address_whatever_it_forges";
    let Some(proxy) = Proxy::start(test, "trusted.conf") else { return };
    let caller_itself = Caller::At(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)));
    for more in ["", FORGED] {
        let fields = proxy.arrives(more);
        assert_eq!(fields["x-forwarded-for"], "127.0.0.2", "{fields:?}");
        assert_eq!(judged(&fields, &["127.0.0.1"]), caller_itself, "{fields:?}");
        // Nobody told the gateway about it: safe all the same.
        assert_eq!(judged(&fields, &[]), Caller::At(IpAddr::V4(Ipv4Addr::LOCALHOST)), "{fields:?}");
        for gone in ["forwarded", "tailscale-user-login", "tailscale-user-name"] {
            assert!(!fields.contains_key(gone), "{gone}: {fields:?}");
        }
    }
    let upgrade = proxy.arrives("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    assert_eq!((upgrade["upgrade"].as_str(), upgrade["connection"].as_str()), ("websocket", "upgrade"));
}

#[test]
fn sp_331_a_proxy_that_nobody_trusts_makes_nobody_local_and_names_nobody() {
    let test = "sp_331_a_proxy_that_nobody_trusts_makes_nobody_local_and_names_nobody";
    let Some(proxy) = Proxy::start(test, "untrusted.conf") else { return };
    for more in ["", FORGED] {
        let fields = proxy.arrives(more);
        assert_eq!(judged(&fields, &[]), Caller::At(IpAddr::V4(Ipv4Addr::LOCALHOST)), "{fields:?}");
        // Should somebody list it although it appends: the address from the right counts, not the forged one.
        let second = Caller::At(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)));
        assert_eq!(judged(&fields, &["127.0.0.1"]), second, "{fields:?}");
    }
    // It passes the forged login on; the chain that it appended to is no single address, so the daemon is not even asked.
    let fields = proxy.arrives(FORGED);
    let get = |name: &str| fields.get(name).map(String::as_str);
    let headers = Headers {
        forwarded_for: get("x-forwarded-for"),
        forwarded_proto: get("x-forwarded-proto").or(Some("https")),
        forwarded_host: get("x-forwarded-host"),
        login: get("tailscale-user-login"),
        ..Headers::default()
    };
    assert_eq!(headers.login, Some("anna@example.com"));
    let claim = tailscale::claim(Surface::Handshake, true, "127.0.0.1".parse().unwrap(), headers);
    assert_eq!(claim, Err(NoIdentity::TailscaleProxyMissing));
}
