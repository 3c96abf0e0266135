//! What must hold for anything that reaches the gateway's port before a credential is looked at. Run by the fuzz target, and over the
//! committed corpus by a test of `oc-gateway`.

use std::net::IpAddr;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use oc_gateway::entrance::origin::{self, Client, OriginRule};
use oc_gateway::entrance::peer::{Caller, Own, TrustedProxies};
use oc_gateway::http::{auth, route, upgrade};
use oc_gateway::protocol::connect::Connect;
use oc_gateway::protocol::frame::{self, NotARequest, close_reason};
use oc_gateway::server::head::Head;

/// A frame, a head, a path and an origin, all from one text.
pub fn wire(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    frame_of(&text);
    path_of(text.lines().next().unwrap_or_default());
    head_of(data);
}

fn frame_of(text: &str) {
    match frame::read(text) {
        Ok(request) => {
            assert!(!request.id.is_empty() && request.id.len() <= 256);
            assert!(!request.method.is_empty() && request.method.len() <= 256);
            if let Ok((connect, _)) = Connect::read(request.params) {
                // The only version there is lies between the two.
                assert!(connect.min_protocol <= 3 && 3 <= connect.max_protocol);
                assert!(!format!("{:?}", connect.auth).contains("token"), "it shows what it was given");
            }
        }
        Err(NotARequest::Shape { id, .. }) => assert!(id.chars().count() <= 256),
        Err(NotARequest::NotJson) => assert!(serde_json::from_str::<serde_json::Value>(text).is_err()),
    }
    let reason = close_reason(text);
    assert!(reason.len() <= 120 && text.starts_with(reason));
}

fn path_of(path: &str) {
    let Ok(canonical) = route::canonical(path) else { return };
    assert!(canonical.starts_with('/') && !canonical.contains("//") && !canonical.contains('\\'));
    assert!(canonical.split('/').all(|s| s != "." && s != ".."));
    assert!(!canonical.chars().any(char::is_control));
    // Decoded once: what is left has no second reading that leads elsewhere.
    if !path.contains('%') {
        assert_eq!(canonical, path);
    }
}

/// Lines `name: value`, as a head has them.
fn head_of(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|b| *b == b'\n').take(64) {
        let Some(at) = line.iter().position(|b| *b == b':') else { continue };
        let (name, value) = (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default());
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value.trim_ascii()))
        {
            headers.append(name, value);
        }
    }
    let head = Head::read(&headers);
    let own = Own { tailnet: vec!["100.64.0.1".parse().expect("an address")] };
    let (nobody, _) = TrustedProxies::read([]);
    let (proxies, _) = TrustedProxies::read(["127.0.0.0/8", "::1", "192.0.2.0/24"]);
    let forwarded = head.forwarded_for.is_some() || head.real_ip.is_some() || head.other_forwarding;
    for remote in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.1", "100.64.0.1", "203.0.113.9"] {
        let remote: IpAddr = remote.parse().expect("an address");
        for list in [&nobody, &proxies] {
            let caller = head.caller(remote, list, &own);
            // No header makes anybody local; a forwarding one makes everybody not.
            if forwarded
                || !(remote.to_canonical().is_loopback() || own.tailnet.contains(&remote))
                || head.host.is_none()
            {
                assert!(!caller.is_local_direct(), "{head:?}");
            }
        }
        // Headers of a peer that nobody trusts name nobody else.
        match head.caller(remote, &nobody, &own) {
            Caller::LocalDirect(a) | Caller::At(a) => assert_eq!(a, remote.to_canonical()),
            Caller::Unknown => panic!("{head:?}"),
        }
    }
    let rule = OriginRule::default();
    let named = |o: &str| {
        o.contains("localhost")
            || o.contains("127.")
            || o.contains("::1")
            || o.contains(".ts.net")
            || o.contains("::ffff")
    };
    for client in [Client::Page, Client::Program] {
        if origin::may_connect(client, head.origin.as_deref(), head.host.as_deref(), &rule) {
            let known = head.origin.as_deref().is_none_or(|o| named(&o.to_ascii_lowercase()));
            assert!(known, "{head:?}");
        }
    }
    let _ = auth::bearer(&headers);
    let _ = upgrade::asked(&headers, &hyper::Method::GET, hyper::Version::HTTP_11);
}
