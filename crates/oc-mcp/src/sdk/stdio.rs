//! One client on a pair of streams: standard input and output of this process, or of a test.

use std::future::Future;
use std::sync::Arc;

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use rmcp::transport::async_rw::AsyncRwTransport;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

use super::offered::Offered;
use crate::limits;
use crate::offer::Offers;

/// Why a client was not served to its end.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotServed {
    /// It did not say who it is as the protocol wants it.
    #[error("the MCP client did not begin as the protocol wants it: {0}")]
    NoHandshake(&'static str),
    /// The task that served it broke off.
    #[error("serving the MCP client broke off")]
    BrokeOff,
}

/// Serves one client until it closes the stream or `stop` ends. Calls that still run then are ended first.
///
/// # Errors
/// See [`NotServed`].
pub async fn serve<O: Offers>(
    offers: Arc<O>,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
    stop: impl Future<Output = ()>,
) -> Result<(), NotServed> {
    let changes = offers.changes();
    let (handler, closer) = Offered::new(offers);
    let transport = AsyncRwTransport::new_server(input, output).with_max_line_length(limits::MESSAGE_BYTES);
    let mut stop = std::pin::pin!(stop);
    let begun = tokio::select! {
        begun = handler.serve(transport) => begun,
        () = &mut stop => return Ok(()),
    };
    let service = begun.map_err(|e| {
        NotServed::NoHandshake(match e {
            ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::TransportError { .. } => {
                "it closed the stream first"
            }
            _ => "it sent something else first",
        })
    })?;
    let ending = service.cancellation_token();
    if let Some(mut changes) = changes {
        let peer = service.peer().clone();
        tokio::spawn(async move {
            while changes.changed().await.is_ok() && peer.notify_tool_list_changed().await.is_ok() {}
        });
    }
    let mut waiting = std::pin::pin!(service.waiting());
    let ended = tokio::select! {
        ended = &mut waiting => ended,
        () = &mut stop => {
            ending.cancel();
            waiting.await
        }
    };
    closer.close().await;
    ended.map(drop).map_err(|_| NotServed::BrokeOff)
}
