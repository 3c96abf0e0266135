//! TLS with a pin, against a fake gateway with a self-signed certificate.

use std::sync::{Arc, Mutex};

use oc_gateway::client::{Asked, Client, Credentials, Pin, Reason, Surroundings, Target, target as targets};
use oc_types::{Node, Origin, Secret};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::fake_gateway::{Script, serve};
use super::{TOKEN, options};

/// A TLS listener that speaks with one certificate. Gives its port, the certificate, and what arrived after each handshake.
async fn listener() -> (u16, Vec<u8>, Arc<Mutex<Vec<Value>>>) {
    let made = rcgen::generate_simple_self_signed(vec!["openclaw-gateway".to_owned()]).unwrap();
    let der = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = tcp.local_addr().unwrap().port();
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let connects = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = tcp.accept().await {
            let (acceptor, connects) = (acceptor.clone(), Arc::clone(&connects));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                if let Ok(ws) = tokio_tungstenite::accept_async(stream).await {
                    let _ = serve(ws, Script::default(), &connects, 1).await;
                }
            });
        }
    });
    (port, der.to_vec(), seen)
}

fn given(port: u16, fingerprint: Option<String>) -> Target {
    let credentials = Credentials { token: Some(Secret::new(TOKEN.to_owned())), password: None };
    let asked =
        Asked { url: Some(format!("wss://127.0.0.1:{port}")), credentials, fingerprint, local: false };
    targets::resolve(&Surroundings::of(&Node::empty()), &asked)
}

#[tokio::test]
async fn sp_353_the_pin_decides_before_anything_is_sent() {
    let home = tempfile::tempdir().unwrap();
    let (port, certificate, seen) = listener().await;
    let pin = Pin::of(&certificate).to_string();
    let colons: Vec<String> =
        pin.as_bytes().chunks(2).map(|c| String::from_utf8_lossy(c).to_uppercase()).collect();
    for text in [pin.clone(), format!("sha256:{pin}"), colons.join(":")] {
        Client::connect(&given(port, Some(text)), &options(home.path())).await.unwrap().close().await;
    }
    assert_eq!(seen.lock().unwrap().len(), 3);
    let wrong = given(port, Some("0".repeat(64)));
    let error = Client::connect(&wrong, &options(home.path())).await.unwrap_err();
    let Reason::WrongCertificate { expected, found } = &*error.reason else { panic!("{error:?}") };
    assert_eq!((expected.as_str(), found.as_str()), (&*"0".repeat(64), pin.as_str()));
    let unpinned = Client::connect(&given(port, None), &options(home.path())).await.unwrap_err();
    assert!(matches!(*unpinned.reason, Reason::Tls(_)), "a self-signed certificate: {unpinned:?}");
    assert_eq!(seen.lock().unwrap().len(), 3, "nothing was sent to either");
}

#[tokio::test]
async fn the_local_gateway_is_trusted_by_its_own_certificate_file() {
    let home = tempfile::tempdir().unwrap();
    let (port, certificate, _) = listener().await;
    let json = json!({"gateway": {"port": port, "auth": {"token": TOKEN}, "tls": {"enabled": true}}});
    let tree = Node::from_json(&json, &Origin::Default);
    let around = Surroundings { state_dir: home.path(), ..Surroundings::of(&tree) };
    let target = targets::resolve(&around, &Asked::default());
    assert_eq!(target.display, format!("wss://127.0.0.1:{port}"));
    let missing = Client::connect(&target, &options(home.path())).await.unwrap_err();
    assert!(missing.to_string().contains("gateway-cert.pem"), "{missing}");
    let folder = home.path().join("gateway/tls");
    std::fs::create_dir_all(&folder).unwrap();
    let body = data_encoding::BASE64.encode(&certificate);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    std::fs::write(folder.join("gateway-cert.pem"), pem).unwrap();
    Client::connect(&target, &options(home.path())).await.unwrap().close().await;
}
