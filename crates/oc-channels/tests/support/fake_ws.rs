//! A small WebSocket server on loopback that fakes of services are made from. The test plays the service.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

const LONG: Duration = Duration::from_secs(20);

/// The server; connections are taken one by one, in order.
pub struct FakeWs {
    listener: Mutex<TcpListener>,
    port: u16,
}

/// One connection of the adapter.
pub struct Link {
    inner: WebSocketStream<TcpStream>,
    /// Path and query that it came with.
    pub target: String,
}

impl FakeWs {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { listener: Mutex::new(listener), port }
    }

    pub fn root(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    pub async fn link(&self) -> Link {
        let taking = async {
            let (stream, _) = self.listener.lock().await.accept().await.unwrap();
            let mut target = String::new();
            #[allow(clippy::result_large_err, reason = "the library's type")]
            let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
                target = request.uri().to_string();
                Ok(response)
            };
            let inner = tokio_tungstenite::accept_hdr_async(stream, note).await.unwrap();
            Link { inner, target }
        };
        tokio::time::timeout(LONG, taking).await.expect("nobody connected")
    }
}

impl Link {
    pub async fn say(&mut self, value: &Value) {
        self.inner.send(Message::text(value.to_string())).await.unwrap();
    }

    /// The next message of the adapter.
    pub async fn hear(&mut self) -> Value {
        let hearing = async {
            loop {
                match self.inner.next().await {
                    Some(Ok(Message::Text(text))) => return serde_json::from_str(text.as_str()).unwrap(),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("instead of a message: {other:?}"),
                }
            }
        };
        tokio::time::timeout(LONG, hearing).await.expect("the adapter said nothing")
    }

    /// The next message of which something holds.
    pub async fn hear_that(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let heard = self.hear().await;
            if holds(&heard) {
                return heard;
            }
        }
    }

    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        let _ = self.inner.close(Some(frame)).await;
        // The close is answered before the stream ends.
        let _ =
            tokio::time::timeout(LONG, async { while let Some(Ok(_)) = self.inner.next().await {} }).await;
    }
}
