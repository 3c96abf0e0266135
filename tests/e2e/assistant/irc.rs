//! ngIRCd, and a person with a bare socket.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::chat::{Chat, Peer, free_port, listening, missing};

pub struct Irc {
    port: u16,
    out: TcpStream,
    reader: BufReader<TcpStream>,
    partial: String,
    _peer: Peer,
    _dir: tempfile::TempDir,
}

pub fn start() -> Option<Irc> {
    let there = Command::new("ngircd").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_err() {
        missing("ngircd");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let file = dir.path().join("ngircd.conf");
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    let user = if root { "ServerUID = nobody\nServerGID = nogroup\n" } else { "" };
    let text = format!(
        "[Global]\nName = irc.test.local\nInfo = test\nListen = 127.0.0.1\nPorts = {port}\n{user}[Limits]\nMaxConnectionsIP = 0\n\
         MaxNickLength = 30\nMaxPenaltyTime = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
    );
    std::fs::write(&file, text).unwrap();
    let peer = Peer::start(Command::new("ngircd").args(["-n", "-f"]).arg(&file).stdout(Stdio::null()));
    listening(port);
    let out = TcpStream::connect(("127.0.0.1", port)).unwrap();
    out.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let reader = BufReader::new(out.try_clone().unwrap());
    let mut irc = Irc { port, out, reader, partial: String::new(), _peer: peer, _dir: dir };
    irc.send("NICK alice\r\nUSER alice 0 * :alice");
    Some(irc)
}

impl Irc {
    fn send(&mut self, line: &str) {
        self.out.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    fn line(&mut self) -> Option<String> {
        match self.reader.read_line(&mut self.partial) {
            Ok(0) => panic!("the server closed"),
            Ok(_) => Some(std::mem::take(&mut self.partial).trim().to_owned()),
            // What had come of a line stays.
            Err(_) => None,
        }
    }
}

impl Chat for Irc {
    fn channel(&self) -> &'static str {
        "irc"
    }

    fn section(&self) -> Value {
        json!({ "host": "127.0.0.1", "port": self.port, "tls": false, "nick": "ourbot", "allowFrom": ["boss!~boss@127.0.0.1"] })
    }

    fn greet(&mut self) {
        // Until the bot is there, the server says that nobody has this nick.
        for _ in 0..100 {
            self.send("ISON ourbot");
            for _ in 0..20 {
                match self.line() {
                    Some(line) if line.contains(" 303 ") && line.ends_with("ourbot") => return,
                    Some(line) if line.starts_with("PING") => self.send(&line.replacen("PING", "PONG", 1)),
                    Some(line) if line.contains(" 303 ") => break,
                    Some(_) => {}
                    None => break,
                }
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("the bot did not come");
    }

    fn say(&mut self, text: &str) {
        self.send(&format!("PRIVMSG ourbot :{text}"));
    }

    fn lines(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        while let Some(line) = self.line() {
            if line.starts_with("PING") {
                self.send(&line.replacen("PING", "PONG", 1));
            } else if let Some((_, text)) = line.split_once("PRIVMSG alice :") {
                out.push(text.to_owned());
            }
        }
        out
    }
}
