//! From a target to an open WebSocket.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::failure::{Reason, quoted};
use super::target::{Scheme, Target, is_loopback};
use super::tls;

/// Largest message that is accepted from the gateway, in bytes: a chat history has up to 6 MiB.
const MAX_MESSAGE: usize = 8 * 1024 * 1024;

/// Bytes both ways, encrypted or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// An open WebSocket.
pub(super) type Socket = WebSocketStream<Box<dyn Wire>>;

/// Dials, encrypts, upgrades. A redirect is an error: credentials go to the configured target and nowhere else.
pub(super) async fn open(target: &Target) -> Result<Socket, Reason> {
    let tcp = connect(target).await.map_err(Reason::Unreachable)?;
    // Small frames, each waited for.
    let _ = tcp.set_nodelay(true);
    let (word, wire): (_, Box<dyn Wire>) = match target.scheme {
        Scheme::Tls => ("wss", Box::new(tls::connect(target, tcp).await?)),
        Scheme::Plain | Scheme::Invalid => ("ws", Box::new(tcp)),
    };
    let url = format!("{word}://{}{}", target.authority(), target.path);
    let request = url.into_client_request().map_err(|e| Reason::NoWebSocket(e.to_string()))?;
    let config =
        WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    let (socket, _) = tokio_tungstenite::client_async_with_config(request, wire, Some(config))
        .await
        .map_err(|e| Reason::NoWebSocket(quoted(&e.to_string(), &[])))?;
    Ok(socket)
}

/// A name that means this machine must also resolve to it: what `localhost` resolves to is looked at before a byte is sent.
async fn connect(target: &Target) -> Result<TcpStream, String> {
    let found = tokio::net::lookup_host((target.host.as_str(), target.port))
        .await
        .map_err(|e| format!("cannot look up {}: {e}", target.host))?;
    let mut last = format!("{} has no address", target.host);
    for address in found {
        if target.is_loopback() && !is_loopback(address.ip()) {
            last = format!("{} resolves to {}, which is not this machine", target.host, address.ip());
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(e) => last = format!("cannot connect: {e}"),
        }
    }
    Err(last)
}
