//! WebSockets to a chat service: one place for TLS, time and size limits, and for where a credential may go.
//!
//! Errors hold no address (it may carry a ticket) and no credential (SP-011).

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use oc_types::Secret;
use reqwest::Url;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::adapter::AdapterFailure;
use crate::http_client::{ApiRoot, belongs, names_user, scrub};
use crate::tls;

/// Largest message, in bytes; the state of a large server is one message.
pub const MESSAGE_LIMIT: usize = 16 * 1024 * 1024;
/// How long connecting, TLS and the upgrade may take together.
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long writing a message may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A text message.
    Text(String),
    /// The service closed the connection, with its code if it gave one.
    Closed(Option<u16>),
}

/// An open WebSocket.
pub struct Socket {
    inner: WebSocketStream<Box<dyn Wire>>,
    service: &'static str,
    hidden: Vec<Secret>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Socket({})", self.service)
    }
}

/// Whether a service's WebSocket may be opened at an address: `wss` at the root's own host, at one of `hosts` or below one; `ws` only at the
/// host of a root that is plain itself.
#[must_use]
pub fn may_open(address: &str, root: &ApiRoot, hosts: &[&str]) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    if names_user(&url) {
        return false;
    }
    let own = url.host_str().is_some_and(|host| !host.is_empty() && host == root.host());
    match url.scheme() {
        "wss" => own || belongs(&url, hosts),
        "ws" => own && root.is_plain(),
        _ => false,
    }
}

impl Socket {
    /// Opens a WebSocket at an address that [`may_open`] lets through. Redirects are not followed.
    ///
    /// # Errors
    /// [`AdapterFailure::Refused`]: the address leads elsewhere; [`AdapterFailure::Unavailable`].
    pub async fn open(
        service: &'static str,
        address: &str,
        root: &ApiRoot,
        hosts: &[&str],
        hidden: Vec<Secret>,
    ) -> Result<Self, AdapterFailure> {
        if !may_open(address, root, hosts) {
            let why = "it names a host for its events that does not belong to it".to_owned();
            return Err(AdapterFailure::Refused { service, why });
        }
        let unavailable = |why: String| AdapterFailure::Unavailable { service, why: scrub(&why, &hidden) };
        let opening = async {
            let url = Url::parse(address).map_err(|_| "it gave no address".to_owned())?;
            let host = url.host_str().unwrap_or_default().to_owned();
            let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let port = url.port_or_known_default().ok_or_else(|| "it gave no port".to_owned())?;
            let tcp =
                TcpStream::connect((bare.as_str(), port)).await.map_err(|e| format!("no connection: {e}"))?;
            // Small frames, each waited for.
            let _ = tcp.set_nodelay(true);
            let wire: Box<dyn Wire> = if url.scheme() == "wss" {
                let config = tls::client_config().map_err(|e| e.to_string())?;
                let name = ServerName::try_from(bare).map_err(|_| "it gave no host name".to_owned())?;
                let tls = TlsConnector::from(config).connect(name, tcp).await;
                Box::new(tls.map_err(|e| format!("no connection: {e}"))?)
            } else {
                Box::new(tcp)
            };
            let request = url.as_str().into_client_request().map_err(|_| "it gave no address".to_owned())?;
            let config = WebSocketConfig::default()
                .max_message_size(Some(MESSAGE_LIMIT))
                .max_frame_size(Some(MESSAGE_LIMIT));
            let upgraded = client_async_with_config(request, wire, Some(config)).await;
            upgraded.map(|(socket, _)| socket).map_err(|e| format!("no WebSocket: {}", reason(&e)))
        };
        match tokio::time::timeout(OPEN_TIMEOUT, opening).await {
            Ok(Ok(inner)) => Ok(Self { inner, service, hidden }),
            Ok(Err(why)) => Err(unavailable(why)),
            Err(_) => Err(unavailable(format!("no answer within {} s", OPEN_TIMEOUT.as_secs()))),
        }
    }

    /// The next message. Nothing of any kind for `idle`, pings included, counts as a loss. May be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// [`AdapterFailure::Unavailable`].
    pub async fn next(&mut self, idle: Duration) -> Result<Frame, AdapterFailure> {
        loop {
            let came = match tokio::time::timeout(idle, self.inner.next()).await {
                Ok(came) => came,
                Err(_) => return Err(self.lost(&format!("nothing came for {} s", idle.as_secs()))),
            };
            match came {
                None => return Ok(Frame::Closed(None)),
                Some(Ok(Message::Text(text))) => return Ok(Frame::Text(text.as_str().to_owned())),
                Some(Ok(Message::Close(frame))) => {
                    return Ok(Frame::Closed(frame.map(|f| u16::from(f.code))));
                }
                // Pings are answered by the library; binary messages are not asked for.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Err(e)) => return Err(self.lost(&reason(&e))),
            }
        }
    }

    /// Sends a text.
    ///
    /// # Errors
    /// [`AdapterFailure::Unavailable`].
    pub async fn send(&mut self, text: String) -> Result<(), AdapterFailure> {
        match tokio::time::timeout(WRITE_TIMEOUT, self.inner.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(self.lost(&reason(&e))),
            Err(_) => Err(self.lost("it does not read")),
        }
    }

    fn lost(&self, why: &str) -> AdapterFailure {
        let why = scrub(&format!("the connection for events was lost: {why}"), &self.hidden);
        AdapterFailure::Unavailable { service: self.service, why }
    }
}

/// What went wrong, without headers or an address.
fn reason(e: &tungstenite::Error) -> String {
    match e {
        tungstenite::Error::Http(answer) => format!("status {}", answer.status().as_u16()),
        tungstenite::Error::Url(_) => "the address is not usable".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use oc_types::KeyPath;

    use super::*;
    use crate::http_client::PlainHttp;

    fn root(text: &str) -> ApiRoot {
        ApiRoot::parse(&KeyPath::dotted("k"), text, PlainHttp::Loopback).unwrap()
    }

    #[test]
    fn a_credential_goes_to_the_service_alone() {
        let https = root("https://discord.com/api");
        for ok in ["wss://gateway.discord.gg/?v=10", "wss://discord.gg", "wss://discord.com/x"] {
            assert!(may_open(ok, &https, &["discord.gg"]), "{ok}");
        }
        for bad in [
            "ws://gateway.discord.gg/",
            "wss://evildiscord.gg/",
            "wss://discord.gg.evil/",
            "wss://u@gateway.discord.gg/",
            "wss://gateway.discord.gg:444/",
            "https://gateway.discord.gg/",
            "wss://127.0.0.1/",
            "",
        ] {
            assert!(!may_open(bad, &https, &["discord.gg"]), "{bad}");
        }
        assert!(!may_open("wss://evil.example./", &https, &["", "discord.gg"]));
        assert!(may_open("ws://127.0.0.1:7/", &root("http://127.0.0.1:9"), &[]));
        assert!(!may_open("ws://127.0.0.1:7/", &https, &[]));
    }
}
