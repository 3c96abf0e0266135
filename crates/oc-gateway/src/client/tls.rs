//! TLS of a client: one pinned certificate, or the roots of the system.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failure::Reason;
use super::target::{Pin, Target, Trust};

/// Largest certificate file, in bytes.
const LIMIT: u64 = 256 * 1024;

/// Shakes hands. A pinned certificate is checked before anything of the protocol is sent.
pub(super) async fn connect<S>(target: &Target, stream: S) -> Result<TlsStream<S>, Reason>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let pin = pin(target)?;
    let config = config(pin)?;
    let name = ServerName::try_from(target.host.clone())
        .map_err(|_| Reason::Tls(format!("`{}` is no name that a certificate can carry", target.host)))?;
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.map_err(|e| failed(&e, pin))
}

fn pin(target: &Target) -> Result<Option<Pin>, Reason> {
    match &target.trust {
        Trust::System => Ok(None),
        Trust::Pin(pin) => Ok(Some(*pin)),
        Trust::File(path) => {
            let unusable = |why: String| {
                Reason::Tls(format!("the gateway's certificate {} cannot be used: {why}", path.display()))
            };
            let bytes = oc_fs::bounded_read::bytes(path, LIMIT).map_err(|e| unusable(e.to_string()))?;
            let certificate = CertificateDer::from_pem_slice(&bytes)
                .map_err(|_| unusable("no PEM certificate".to_owned()))?;
            Ok(Some(Pin::of(&certificate)))
        }
    }
}

fn config(pin: Option<Pin>) -> Result<ClientConfig, Reason> {
    // Always explicit: a process-wide default provider may not be set, or be another one.
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| Reason::Tls(e.to_string()))?;
    let config = match pin {
        Some(pin) => builder.dangerous().with_custom_certificate_verifier(Arc::new(Pinned { pin, provider })),
        None => builder.with_root_certificates(system_roots()?),
    };
    Ok(config.with_no_client_auth())
}

fn system_roots() -> Result<RootCertStore, Reason> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Reason::Tls(
            "this system has no root certificates; install them, or pin the gateway's certificate".to_owned(),
        ));
    }
    Ok(roots)
}

fn failed(e: &std::io::Error, pin: Option<Pin>) -> Reason {
    let inner = e.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    if let (Some(Error::InvalidCertificate(CertificateError::Other(other))), Some(pin)) = (inner, pin)
        && let Some(Mismatch(found)) = other.0.downcast_ref::<Mismatch>()
    {
        return Reason::WrongCertificate { expected: pin.to_string(), found: found.to_string() };
    }
    match inner {
        Some(Error::InvalidCertificate(why)) => Reason::Tls(format!(
            "the certificate is not trusted ({why}); pin it with `gateway.remote.tlsFingerprint` or `--tls-fingerprint`"
        )),
        _ => Reason::Tls(e.to_string()),
    }
}

/// Another certificate than the pinned one.
#[derive(Debug, thiserror::Error)]
#[error("its SHA-256 is {0}")]
struct Mismatch(Pin);

/// Trusts one certificate, whatever its names and dates say: the pin was handed over by the gateway's owner.
#[derive(Debug)]
struct Pinned {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = Pin::of(end_entity);
        if found == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        let other = rustls::OtherError(Arc::new(Mismatch(found)));
        Err(Error::InvalidCertificate(CertificateError::Other(other)))
    }

    // The certificate is public: that the other side holds its key is what the handshake's signature shows.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
