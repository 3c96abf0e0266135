//! A server that does nothing but speak HTTP: what the gateway's figures are held against.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

/// The answer, as long as that of the gateway.
const ANSWER: &str =
    r#"{"ok":false,"error":{"type":"not_found","message":"tool not available: no_such_tool"}}"#;

pub async fn serve(port: u16) -> bool {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    loop {
        let Ok((stream, _)) = listener.accept().await else { return false };
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| async move {
                let body = request.into_body().collect().await.map(|b| b.to_bytes()).unwrap_or_default();
                let _: Result<serde_json::Value, _> = serde_json::from_slice(&body);
                let mut response = Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
                let kind = hyper::header::HeaderValue::from_static("application/json");
                response.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
                Ok::<_, Infallible>(response)
            });
            let builder = hyper::server::conn::http1::Builder::new().timer(TokioTimer::new()).clone();
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
