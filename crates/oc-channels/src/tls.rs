//! How adapters check the certificate of a service: the system's root certificates, provider `ring`, nothing optional.

use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// Why no TLS configuration could be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TlsFailure {
    /// The system has no root certificates.
    #[error("this system has no root certificates; install them (Debian: `ca-certificates`)")]
    NoRoots,
    /// The given authority is no PEM certificate.
    #[error("it holds no PEM certificate")]
    NoCertificate,
    /// The library refused.
    #[error("{0}")]
    Library(String),
}

/// The configuration for every service; the system's certificates are read once.
///
/// # Errors
/// [`TlsFailure::NoRoots`], [`TlsFailure::Library`].
pub fn client_config() -> Result<Arc<ClientConfig>, TlsFailure> {
    static CONFIG: OnceLock<Result<Arc<ClientConfig>, TlsFailure>> = OnceLock::new();
    CONFIG
        .get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TlsFailure::NoRoots);
            }
            build(roots)
        })
        .clone()
}

/// A configuration that trusts the authorities of a PEM text and no others.
///
/// # Errors
/// [`TlsFailure::NoCertificate`], [`TlsFailure::Library`].
pub fn with_authority(pem: &[u8]) -> Result<Arc<ClientConfig>, TlsFailure> {
    let mut roots = RootCertStore::empty();
    let found: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem).flatten().collect();
    roots.add_parsable_certificates(found);
    if roots.is_empty() {
        return Err(TlsFailure::NoCertificate);
    }
    build(roots)
}

fn build(roots: RootCertStore) -> Result<Arc<ClientConfig>, TlsFailure> {
    // Always explicit: a process-wide default provider may not be set, or be another one.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| TlsFailure::Library(e.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
