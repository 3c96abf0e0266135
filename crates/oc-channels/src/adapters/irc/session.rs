//! A connection: opened, signed in, read until it ends.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::event::Reader;
use super::line::{Lines, write};
use super::link::Link;
use super::{Irc, SERVICE, STEP, now_ms, register};
use crate::adapter::{AdapterFailure, Door, Event};
use crate::adapters::offering::offered_or_lost;

/// Silence after which the server is asked whether it is there.
const QUIET: Duration = Duration::from_secs(120);
/// How long it may take to answer then.
const ANSWER: Duration = Duration::from_secs(60);
/// Events that wait for the door. What comes while they are full is lost: IRC delivers nothing twice.
const EVENTS: usize = 512;
/// Lines that may go out at once, and the pause after each further one: servers end connections that write faster.
const BURST: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

async fn connect(irc: &Irc) -> Result<Box<dyn Connection>, AdapterFailure> {
    let server = &irc.server;
    let tcp = match tokio::time::timeout(STEP, TcpStream::connect((server.host.as_str(), server.port))).await
    {
        Ok(Ok(tcp)) => tcp,
        Ok(Err(e)) => return Err(irc.unavailable(&format!("no connection: {e}"))),
        Err(_) => return Err(irc.unavailable("no connection in time")),
    };
    let Some(config) = &server.tls else { return Ok(Box::new(tcp)) };
    let name = ServerName::try_from(server.host.clone())
        .map_err(|_| irc.unavailable("the host has no name for TLS"))?;
    match tokio::time::timeout(STEP, TlsConnector::from(Arc::clone(config)).connect(name, tcp)).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(e)) => Err(irc.unavailable(&format!("TLS: {e}"))),
        Err(_) => Err(irc.unavailable("TLS was not set up in time")),
    }
}

/// Signs in and out again; gives the nick.
pub(super) async fn test(irc: &Irc) -> Result<String, AdapterFailure> {
    let (reader, mut writer) = tokio::io::split(connect(irc).await?);
    let welcome = register::run(irc, &mut Lines::new(reader), &mut writer).await?;
    let _ = writer.write_all(b"QUIT :\r\n").await;
    let _ = writer.shutdown().await;
    Ok(welcome.nick)
}

/// Takes the link away when the connection ends, however it ends.
struct Linked<'a>(&'a Irc);

impl Drop for Linked<'_> {
    fn drop(&mut self) {
        self.0.set_link(None);
    }
}

/// Runs until the connection ends.
pub(super) async fn run(irc: &Irc, door: &dyn Door) -> AdapterFailure {
    let stream = match connect(irc).await {
        Ok(stream) => stream,
        Err(e) => return e,
    };
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = Lines::new(reader);
    let welcome = match register::run(irc, &mut lines, &mut writer).await {
        Ok(welcome) => welcome,
        Err(e) => return e,
    };
    let (link, out) = Link::new(&welcome.nick, &welcome.room_signs, &welcome.status_signs);
    let link = Arc::new(link);
    irc.set_link(Some(Arc::clone(&link)));
    let _linked = Linked(irc);
    let (events, waiting) = mpsc::channel(EVENTS);
    for room in &irc.rooms {
        link.write(write("JOIN", &[room], None), STEP).await;
    }
    tokio::select! {
        e = reading(irc, &link, &mut lines, events) => e,
        e = writing(irc, &mut writer, out) => e,
        () = offering(irc, door, waiting) => irc.unavailable("nothing is taken in any more"),
    }
}

async fn reading<R: AsyncRead + Unpin>(
    irc: &Irc,
    link: &Link,
    lines: &mut Lines<R>,
    events: mpsc::Sender<Event>,
) -> AdapterFailure {
    let mut reader = Reader::new(irc.channel.clone(), irc.account.clone(), now_ms());
    loop {
        let line = match tokio::time::timeout(QUIET, lines.next()).await {
            Ok(Ok(line)) => line,
            Ok(Err(e)) => return irc.unavailable(&e),
            Err(_) => {
                link.write(write("PING", &[], Some("still-there")), STEP).await;
                match tokio::time::timeout(ANSWER, lines.next()).await {
                    Ok(Ok(line)) => line,
                    Ok(Err(e)) => return irc.unavailable(&e),
                    Err(_) => return irc.unavailable("the server is silent"),
                }
            }
        };
        match line.command.as_str() {
            "PING" => {
                link.write(write("PONG", &[], Some(line.last())), STEP).await;
                continue;
            }
            "ERROR" => return irc.unavailable(&format!("the server ends the connection: {}", line.last())),
            "NICK" if link.is_me(line.nick()) => link.set_nick(line.param(0)),
            "JOIN" if link.is_me(line.nick()) => link.set_mask(line.prefix.len()),
            "403" | "405" | "471" | "473" | "474" | "475" | "476" | "477" => {
                let (room, why) = (irc.scrub(line.param(1)), irc.scrub(line.last()));
                tracing::warn!(
                    service = SERVICE,
                    account = irc.account,
                    room,
                    why,
                    "a channel was not joined"
                );
            }
            _ => {}
        }
        if line.command == "PONG" || line.command.starts_with(|c: char| c.is_ascii_digit()) {
            link.heard(&line);
        } else if let Some(event) = reader.event(&line, link)
            && let Err(mpsc::error::TrySendError::Full(_)) = events.try_send(event)
        {
            tracing::warn!(service = SERVICE, account = irc.account, "a message was lost: too many wait");
        }
    }
}

async fn writing<W: AsyncWrite + Unpin>(
    irc: &Irc,
    out: &mut WriteHalf<W>,
    mut lines: mpsc::Receiver<String>,
) -> AdapterFailure {
    let mut allowance = BURST;
    let mut last = Instant::now();
    while let Some(line) = lines.recv().await {
        let rested = u32::try_from(last.elapsed().as_millis() / PAUSE.as_millis()).unwrap_or(BURST);
        allowance = allowance.saturating_add(rested).min(BURST);
        // An answer to the server's question never waits.
        if !line.starts_with("PONG") {
            if allowance == 0 {
                tokio::time::sleep(PAUSE).await;
            } else {
                allowance -= 1;
            }
            last = Instant::now();
        }
        let bytes = format!("{line}\r\n");
        let written = tokio::time::timeout(STEP, async {
            out.write_all(bytes.as_bytes()).await?;
            out.flush().await
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return irc.unavailable(&format!("the connection broke off: {e}")),
            Err(_) => return irc.unavailable("the server takes nothing"),
        }
    }
    irc.unavailable("the connection was given up")
}

async fn offering(irc: &Irc, door: &dyn Door, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        offered_or_lost(door, event, SERVICE, &irc.account).await;
    }
}
