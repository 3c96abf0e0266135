//! Signing in: capabilities, password, nick. What was asked to be authenticated is never left unauthenticated.

use data_encoding::BASE64;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::line::{Line, Lines, write};
use super::{Irc, SERVICE, STEP};
use crate::adapter::AdapterFailure;

/// How often another nick is tried.
const NICKS: usize = 4;
/// Longest piece of an `AUTHENTICATE` line, in bytes.
const SASL_PIECE: usize = 400;

/// What the server said of itself.
#[derive(Debug)]
pub(super) struct Welcome {
    pub(super) nick: String,
    pub(super) room_signs: String,
    pub(super) status_signs: String,
}

/// Capabilities that help, when the server has them.
const WISHES: [&str; 2] = ["message-tags", "server-time"];

struct Signing<'a> {
    irc: &'a Irc,
    offered: Vec<String>,
    tried: usize,
    authenticated: bool,
    welcome: Option<Welcome>,
}

/// Signs in; ends with the end of the server's greeting.
pub(super) async fn run<R, W>(irc: &Irc, lines: &mut Lines<R>, out: &mut W) -> Result<Welcome, AdapterFailure>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut signing = Signing { irc, offered: Vec::new(), tried: 0, authenticated: false, welcome: None };
    let mut first = vec![write("CAP", &["LS", "302"], None)];
    if let Some(password) = &irc.password {
        first.push(write("PASS", &[], Some(password.expose())));
    }
    first.push(write("NICK", &[&irc.names.nick], None));
    first.push(write("USER", &[&irc.names.user, "0", "*"], Some(&irc.names.real)));
    put(irc, out, &first).await?;
    loop {
        let line = match tokio::time::timeout(STEP, lines.next()).await {
            Ok(line) => line.map_err(|e| irc.unavailable(&e))?,
            Err(_) => return Err(irc.unavailable("the server does not finish signing in")),
        };
        let answer = signing.heard(&line)?;
        put(irc, out, &answer).await?;
        if matches!(line.command.as_str(), "376" | "422")
            && let Some(welcome) = signing.welcome.take()
        {
            return Ok(welcome);
        }
    }
}

async fn put<W: AsyncWrite + Unpin>(irc: &Irc, out: &mut W, lines: &[String]) -> Result<(), AdapterFailure> {
    for line in lines {
        let bytes = format!("{line}\r\n");
        let written = tokio::time::timeout(STEP, async {
            out.write_all(bytes.as_bytes()).await?;
            out.flush().await
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Err(irc.unavailable(&format!("the connection broke off: {e}"))),
            Err(_) => return Err(irc.unavailable("the server takes nothing")),
        }
    }
    Ok(())
}

impl Signing<'_> {
    /// What is answered to a line.
    fn heard(&mut self, line: &Line) -> Result<Vec<String>, AdapterFailure> {
        let irc = self.irc;
        match line.command.as_str() {
            "PING" => Ok(vec![write("PONG", &[], Some(line.last()))]),
            "CAP" => self.capabilities(line),
            "AUTHENTICATE" => Ok(self.credential()),
            "903" => {
                self.authenticated = true;
                Ok(vec![write("CAP", &["END"], None)])
            }
            "902" | "904" | "905" | "906" | "908" => Err(irc.refused_credential(line.last())),
            "464" => Err(irc.refused_credential(line.last())),
            "465" | "466" => Err(irc.unavailable(&format!("the server bans us: {}", line.last()))),
            "433" | "436" | "437" if self.welcome.is_none() => self.another_nick(),
            "432" => Err(AdapterFailure::Settings {
                key: format!("channels.irc ({})", irc.account),
                why: format!("the server does not take the nick: {}", irc.scrub(line.last())),
            }),
            "001" => {
                // Signed in without the account that was asked for: fail closed.
                if irc.sasl.is_some() && !self.authenticated {
                    return Err(irc.refused_credential("the server does not know SASL"));
                }
                self.welcome = Some(Welcome {
                    nick: line.param(0).to_owned(),
                    room_signs: "#&".to_owned(),
                    status_signs: String::new(),
                });
                Ok(Vec::new())
            }
            "005" => {
                self.features(line);
                Ok(Vec::new())
            }
            // Some servers end the connection without the numeric.
            "ERROR" if irc.password.is_some() && line.last().contains("assword") => {
                Err(irc.refused_credential(line.last()))
            }
            "ERROR" => Err(irc.unavailable(&format!("the server ends the connection: {}", line.last()))),
            _ => Ok(Vec::new()),
        }
    }

    fn capabilities(&mut self, line: &Line) -> Result<Vec<String>, AdapterFailure> {
        match line.param(1).to_ascii_uppercase().as_str() {
            "LS" => {
                let names =
                    line.last().split_whitespace().map(|c| c.split('=').next().unwrap_or(c).to_owned());
                self.offered.extend(names);
                if line.param(2) == "*" {
                    return Ok(Vec::new());
                }
                let has = |name: &str| self.offered.iter().any(|o| o == name);
                let sasl = self.irc.sasl.is_some();
                if sasl && !has("sasl") {
                    return Err(self.irc.refused_credential("the server does not know SASL"));
                }
                let mut wanted: Vec<&str> = WISHES.into_iter().filter(|w| has(w)).collect();
                if sasl {
                    wanted.push("sasl");
                }
                Ok(vec![if wanted.is_empty() {
                    write("CAP", &["END"], None)
                } else {
                    write("CAP", &["REQ"], Some(&wanted.join(" ")))
                }])
            }
            "ACK" if self.irc.sasl.is_some() => Ok(vec![write("AUTHENTICATE", &["PLAIN"], None)]),
            "NAK" if self.irc.sasl.is_some() => Err(self.irc.refused_credential("the server refuses SASL")),
            "ACK" | "NAK" => Ok(vec![write("CAP", &["END"], None)]),
            _ => Ok(Vec::new()),
        }
    }

    fn credential(&self) -> Vec<String> {
        let Some(sasl) = &self.irc.sasl else { return Vec::new() };
        let text = BASE64.encode(format!("\0{}\0{}", sasl.user, sasl.password.expose()).as_bytes());
        let mut out: Vec<String> = text
            .as_bytes()
            .chunks(SASL_PIECE)
            .map(|piece| write("AUTHENTICATE", &[&String::from_utf8_lossy(piece)], None))
            .collect();
        // A last piece of full length is followed by an empty one.
        if text.len().is_multiple_of(SASL_PIECE) {
            out.push(write("AUTHENTICATE", &["+"], None));
        }
        out
    }

    fn another_nick(&mut self) -> Result<Vec<String>, AdapterFailure> {
        self.tried = self.tried.saturating_add(1);
        if self.tried >= NICKS {
            let why = format!("the nick {} and its variants are taken", self.irc.names.nick);
            return Err(AdapterFailure::Conflict { service: SERVICE, why });
        }
        let nick = format!("{}{}", self.irc.names.nick, "_".repeat(self.tried));
        Ok(vec![write("NICK", &[&nick], None)])
    }

    fn features(&mut self, line: &Line) {
        let Some(welcome) = &mut self.welcome else { return };
        for word in &line.params {
            if let Some(signs) = word.strip_prefix("CHANTYPES=").filter(|s| !s.is_empty()) {
                signs.clone_into(&mut welcome.room_signs);
            }
            if let Some(signs) = word.strip_prefix("STATUSMSG=") {
                signs.clone_into(&mut welcome.status_signs);
            }
        }
    }
}
