//! Reads the address of a gateway.

use super::{Credentials, Scheme, Source, Target, TargetError, Trust};

/// Reads a gateway address. Anything that is no address becomes [`Scheme::Invalid`] and is never contacted. User info and query are
/// dropped: credentials have their own flags and keys.
#[must_use]
pub fn parse(url: &str, source: Source) -> Target {
    let invalid =
        || Target { problem: Some(TargetError::NotAnAddress { key: key(source) }), ..blank(source) };
    let Ok(uri) = url.parse::<tokio_tungstenite::tungstenite::http::Uri>() else { return invalid() };
    let (scheme, word, default_port) = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
        Some("ws" | "http") => (Scheme::Plain, "ws", 80),
        Some("wss" | "https") => (Scheme::Tls, "wss", 443),
        _ => return invalid(),
    };
    let Some(host) = uri.host().filter(|h| !h.is_empty()) else { return invalid() };
    let port = uri.port_u16();
    let path = if uri.path().is_empty() { "/" } else { uri.path() };
    let shown_path = if path == "/" { "" } else { path };
    Target {
        scheme,
        host: host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase(),
        port: port.unwrap_or(default_port),
        path: path.to_owned(),
        display: format!("{word}://{host}{}{shown_path}", port.map(|p| format!(":{p}")).unwrap_or_default()),
        ..blank(source)
    }
}

/// The flag or key that holds an address.
pub(super) fn key(source: Source) -> &'static str {
    match source {
        Source::Flag => "--url",
        Source::Remote => "gateway.remote.url",
        Source::Local | Source::LocalAddress => "the address of this machine's gateway",
    }
}

/// No address yet.
pub(super) fn blank(source: Source) -> Target {
    Target {
        scheme: Scheme::Invalid,
        host: String::new(),
        port: 0,
        path: String::new(),
        display: "(not an address)".to_owned(),
        credentials: Credentials::default(),
        explicit: false,
        source,
        trust: Trust::System,
        config: None,
        problem: None,
    }
}
