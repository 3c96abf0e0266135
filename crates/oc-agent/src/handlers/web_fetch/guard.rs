//! Where a page may come from: decided on the URL, on every address of its host, and again on every redirect (SP-010).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use oc_text::address::{Host, classify_address, is_blocked_host};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Which hosts and addresses may be reached.
pub trait Destinations: fmt::Debug + Send + Sync {
    /// Whether a host may be asked for at all, by its name or literal address.
    fn permits_host(&self, host: &str) -> bool;
    /// Whether an address may be connected to.
    fn permits_address(&self, address: IpAddr) -> bool;
}

/// The public internet, and nothing of this machine or of private networks.
#[derive(Clone, Copy, Debug)]
pub struct PublicOnly;

impl Destinations for PublicOnly {
    fn permits_host(&self, host: &str) -> bool {
        !is_blocked_host(host)
    }

    fn permits_address(&self, address: IpAddr) -> bool {
        classify_address(address).is_public()
    }
}

/// A destination that may not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is no public address of the internet")]
pub struct Blocked {
    /// The host.
    host: String,
}

/// What can be said about a URL without looking anything up.
pub(super) fn shape(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err("`url` must begin with http:// or https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("`url` must hold no user name and no password".to_owned());
    }
    url.host_str().map(drop).ok_or_else(|| "`url` names no host".to_owned())
}

/// Whether a URL may be asked for. A name's addresses are looked at when it is resolved.
pub(super) fn check(url: &Url, destinations: &dyn Destinations) -> Result<(), String> {
    shape(url)?;
    let host = url.host_str().unwrap_or_default();
    let permitted = destinations.permits_host(host)
        && match Host::parse(host) {
            // A literal address is never resolved: this is its only look.
            Some(Host::Address(address)) => destinations.permits_address(address),
            Some(Host::Name(_)) => true,
            None => false,
        };
    permitted.then_some(()).ok_or_else(|| Blocked { host: oc_text::visible(host, 200) }.to_string())
}

/// A resolver whose addresses are all permitted, or there are none.
#[derive(Clone, Debug)]
pub(super) struct Guarded(Arc<dyn Destinations>);

impl Guarded {
    pub(super) fn new(destinations: Arc<dyn Destinations>) -> Self {
        Self(destinations)
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let destinations = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            if found.is_empty() || !found.iter().all(|a| destinations.permits_address(a.ip())) {
                return Err(Box::new(Blocked { host: oc_text::visible(&host, 200) }) as _);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
