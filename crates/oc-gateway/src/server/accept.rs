//! Sockets: taken, limited, and handed to HTTP or to the handshake (SP-338).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use super::handshake::{self, Arrival};
use super::head::Head;
use super::paced::Paced;
use super::slots::Slot;
use super::state::{Gateway, stopping};
use super::tls::Identity;
use crate::http::{self, answer::Payload};

/// Time to send a request's head; also how long an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Time for a TLS handshake.
const TLS_TIME: Duration = Duration::from_secs(10);
/// Largest head of a request, in bytes.
const HEAD_SIZE: usize = 32 * 1024;
/// Pause after the system refused a socket (out of files).
const BREATH: Duration = Duration::from_millis(50);

/// Takes sockets until the gateway ends.
pub async fn accept(gateway: Arc<Gateway>, listener: TcpListener, tls: Option<Identity>) {
    let mut phase = gateway.phase();
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            () = stopping(&mut phase) => return,
        };
        match taken {
            Ok((stream, remote)) => {
                let gateway = Arc::clone(&gateway);
                let tls = tls.clone();
                tokio::spawn(async move { socket(gateway, stream, remote, tls).await });
            }
            Err(e) => {
                tracing::warn!(target: "gateway", error = %e, "a connection could not be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn socket(gateway: Arc<Gateway>, stream: TcpStream, remote: SocketAddr, tls: Option<Identity>) {
    let Some(slot) = gateway.slots.take(remote.ip()).await else {
        tracing::debug!(target: "gateway", %remote, "too many connections without a credential");
        return;
    };
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(gateway, stream, remote, slot).await,
        Some(identity) => {
            let shaken = tokio::time::timeout(TLS_TIME, identity.acceptor.accept(stream)).await;
            if let Ok(Ok(stream)) = shaken {
                serve(gateway, stream, remote, slot).await;
            }
        }
    }
}

/// One connection: HTTP requests, or one upgrade.
async fn serve<S>(gateway: Arc<Gateway>, stream: S, remote: SocketAddr, slot: Slot)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let slot = Arc::new(std::sync::Mutex::new(Some(slot)));
    let mut phase = gateway.phase();
    let service = service_fn({
        let gateway = Arc::clone(&gateway);
        move |request| {
            let gateway = Arc::clone(&gateway);
            let slot = Arc::clone(&slot);
            async move { Ok::<_, std::convert::Infallible>(respond(gateway, request, remote, &slot).await) }
        }
    });
    // At most 100 headers: hyper's own limit. Said here once more, it would cost two allocations a request.
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_SIZE)
        .half_close(false)
        .serve_connection(TokioIo::new(Paced::new(stream)), service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        biased;
        _ = connection.as_mut() => {}
        () = stopping(&mut phase) => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(Duration::from_secs(2), connection).await;
        }
    }
}

type Held = std::sync::Mutex<Option<Slot>>;

fn let_go(slot: &Held) -> Option<Slot> {
    slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
}

async fn respond(
    gateway: Arc<Gateway>,
    mut request: Request<Incoming>,
    remote: SocketAddr,
    slot: &Held,
) -> Response<Payload> {
    // One name, or it is not known what is asked for; HTTP/1.0 has no way out either.
    if request.headers().get_all(hyper::header::HOST).iter().count() != 1 {
        return http::answer::plain(400, "Bad Request").map(Payload::Whole);
    }
    match http::upgrade::asked(request.headers(), request.method(), request.version()) {
        http::upgrade::Asked::No => {
            let answer = http::respond(&gateway, request, remote).await;
            if answer.authenticated {
                drop(let_go(slot));
            }
            answer.response
        }
        http::upgrade::Asked::Refused(response) => response.map(Payload::Whole),
        http::upgrade::Asked::WebSocket { accept } => {
            let head = Head::read(request.headers());
            let Some(slot) = let_go(slot) else {
                return http::answer::plain(409, "Conflict").map(Payload::Whole);
            };
            let upgrading = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                if let Ok(upgraded) = upgrading.await {
                    // Boxed, so that an idle connection is as small as what it keeps.
                    Box::pin(handshake::serve(gateway, upgraded, Arrival { remote, head, slot })).await;
                }
            });
            http::upgrade::switching(&accept).map(Payload::Whole)
        }
    }
}
