//! TLS: the certificate and its fingerprint (gateway 1). Enabled and not usable means that the gateway does not start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use ring::digest;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

use crate::settings::Tls;

/// Largest certificate or key file, in bytes.
const LARGEST: u64 = 256 * 1024;
/// How long a certificate of our own is valid, in days.
const DAYS: i64 = 3650;

/// What is served with.
#[derive(Clone)]
pub struct Identity {
    /// Takes handshakes.
    pub acceptor: TlsAcceptor,
    /// SHA-256 of the certificate, lower-case hexadecimal: what clients pin.
    pub fingerprint: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// Why TLS is not usable.
#[derive(Debug, Error)]
#[error("gateway.tls: {}: {why}", path.display())]
pub struct TlsFailure {
    /// The file.
    pub path: PathBuf,
    /// What is wrong and what to do.
    pub why: String,
}

/// Reads the certificate, or makes one of our own where none is and that is allowed.
///
/// # Errors
/// See [`TlsFailure`].
pub fn identity(settings: &Tls, state_dir: &Path) -> Result<Identity, TlsFailure> {
    let folder = state_dir.join("gateway").join("tls");
    let cert_path = settings.cert.clone().unwrap_or_else(|| folder.join("gateway-cert.pem"));
    let key_path = settings.key.clone().unwrap_or_else(|| folder.join("gateway-key.pem"));
    let missing =
        |p: &Path| matches!(p.symlink_metadata(), Err(e) if e.kind() == std::io::ErrorKind::NotFound);
    if settings.auto_generate && missing(&cert_path) && missing(&key_path) {
        make(&cert_path, &key_path)?;
    }
    let refuse = |path: &Path, why: String| TlsFailure { path: path.to_owned(), why };
    let read = |path: &Path| {
        let bytes = oc_fs::bounded_read::bytes(path, LARGEST).map_err(|e| refuse(path, e.to_string()))?;
        Ok::<_, TlsFailure>(bytes)
    };
    let cert = read(&cert_path)?;
    let key = oc_fs::owned_file::read(&key_path, LARGEST).map_err(|e| refuse(&key_path, e.to_string()))?;
    let key = key.ok_or_else(|| refuse(&key_path, "it does not exist".to_owned()))?;
    let chain: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(&cert).collect();
    let chain = chain.map_err(|e| refuse(&cert_path, format!("no certificate can be read from it: {e}")))?;
    let Some(first) = chain.first() else {
        return Err(refuse(&cert_path, "there is no certificate in it".to_owned()));
    };
    let fingerprint = HEXLOWER.encode(digest::digest(&digest::SHA256, first).as_ref());
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|e| refuse(&key_path, format!("no private key can be read from it: {e}")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .and_then(|b| b.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| refuse(&cert_path, e.to_string()))?;
    Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint })
}

/// A certificate of our own: `openclaw-gateway`, for ten years.
fn make(cert_path: &Path, key_path: &Path) -> Result<(), TlsFailure> {
    let refuse = |path: &Path, why: String| TlsFailure { path: path.to_owned(), why };
    let made = || -> Result<(String, String), rcgen::Error> {
        let mut params =
            rcgen::CertificateParams::new(vec!["openclaw-gateway".to_owned(), "localhost".to_owned()])?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "openclaw-gateway");
        let now = std::time::SystemTime::now();
        let day = std::time::Duration::from_secs(24 * 3600);
        params.not_before = (now - day).into();
        params.not_after = (now + day * u32::try_from(DAYS).unwrap_or(3650)).into();
        let key = rcgen::KeyPair::generate()?;
        let cert = params.self_signed(&key)?;
        Ok((cert.pem(), key.serialize_pem()))
    };
    let (cert, key) = made().map_err(|e| refuse(cert_path, format!("no certificate could be made: {e}")))?;
    for (path, text) in [(key_path, key), (cert_path, cert)] {
        if let Some(folder) = path.parent() {
            oc_fs::mode::create_directories(folder).map_err(|e| refuse(path, e.to_string()))?;
        }
        oc_fs::atomic::replace(path, text.as_bytes()).map_err(|e| refuse(path, e.to_string()))?;
    }
    Ok(())
}
