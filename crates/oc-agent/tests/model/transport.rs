//! How requests travel: no redirect, no proxy, TLS that is verified.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use oc_agent::model::FailureClass;
use oc_agent::model::client::Roots;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use crate::scripted_provider::{Reply, ScriptedProvider};
use crate::setting::{KEY, Setting, fake};

#[tokio::test]
async fn sp_353_a_redirect_is_not_followed_with_or_without_a_credential() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = ScriptedProvider::answering(|_| Reply::text("stolen"));
        let target = format!("{}/v1/messages", elsewhere.anthropic_base());
        let provider = ScriptedProvider::answering(move |_| {
            Reply::plain(status, "text/plain", "").and_header("location", &target)
        });
        let failure = Setting::with_fake(&provider, "anthropic-messages", Some(KEY)).ask().await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Other, "{status}");
        assert!(failure.message.contains("not followed"), "{failure}");
        assert!(elsewhere.requests().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn sp_353_no_credential_travels_readable_to_another_machine() {
    // Documentation addresses: nobody is there, and nobody is asked.
    for (key, headers) in [(Some(KEY), json!({})), (None, json!({"x-secret": "1"}))] {
        let provider = ScriptedProvider::replies([]);
        let mut config = fake(&provider, "openai-completions", key);
        config["baseUrl"] = "http://192.0.2.1/v1".into();
        config["headers"] = headers;
        let setting = Setting::new(json!({
            "models": {"providers": {"fake": config}}, "agents": {"defaults": {"model": {"primary": "fake/m"}}},
        }));
        let failure = setting.ask().await.unwrap_err();
        assert_eq!(failure.class, FailureClass::NotConfigured);
        assert!(failure.message.contains("use `https`"), "{failure}");
    }
}

#[tokio::test]
async fn headers_of_the_configuration_are_sent() {
    let provider = ScriptedProvider::answering(|_| Reply::text("ok"));
    let mut config = fake(&provider, "openai-completions", Some(KEY));
    config["headers"] = json!({"X-Team": "one"});
    let setting = Setting::new(json!({
        "models": {"providers": {"fake": config}}, "agents": {"defaults": {"model": {"primary": "fake/m"}}},
    }));
    setting.ask().await.unwrap();
    let requests = provider.requests();
    assert_eq!(requests[0].header("x-team"), Some("one"));
    assert_eq!(requests[0].header("authorization"), Some("Bearer sk-test-key-1"));
    assert!(requests[0].header("user-agent").unwrap().starts_with("openclaw/"));
    assert_eq!(requests[0].header("referer"), None);
}

/// A TLS server that answers one request with a short stream. Gives its port and its certificate.
fn tls_server(name: &str) -> (u16, rustls::pki_types::CertificateDer<'static>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let der = certificate.der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der.clone()], private)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten().take(16) {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
                let mut seen = [0u8; 16 * 1024];
                if tls.read(&mut seen).is_err() {
                    return;
                }
                let events = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"over TLS\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
                let _ = write!(
                    tls,
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}"
                );
                tls.conn.send_close_notify();
                let _ = tls.flush();
            });
        }
    });
    (port, der)
}

#[tokio::test]
async fn certificates_are_verified_by_authority_and_name() {
    let (port, certificate) = tls_server("localhost");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let setting = |host: &str, roots: Roots| {
        Setting::new(json!({
            "models": {"providers": {"fake": {
                "baseUrl": format!("https://{host}:{port}/v1"), "api": "openai-completions", "apiKey": KEY, "models": [],
            }}},
            "agents": {"defaults": {"model": {"primary": "fake/m"}}},
        }))
        .roots(roots)
    };
    let answer = setting("localhost", Roots::These(roots.clone())).ask().await.unwrap();
    assert_eq!(answer.text(), "over TLS");
    for (host, roots) in [("localhost", Roots::System), ("127.0.0.1", Roots::These(roots))] {
        let failure = setting(host, roots).ask().await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Timeout, "{host}");
        assert!(failure.message.contains("TLS: invalid peer certificate"), "{failure}");
    }
}
