//! The address below which a service is reached.

use oc_text::address::is_blocked_host;
use oc_types::KeyPath;
use reqwest::Url;

use crate::adapter::AdapterFailure;

/// Whether a service may be reached without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// On this machine only.
    Loopback,
    /// On this machine and in private networks: for programs that people run at home.
    Private,
}

/// A checked base address: `https`, or `http` where [`PlainHttp`] allows it; no user name, query or fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiRoot(Url);

impl ApiRoot {
    /// Reads the address that stands at `key`.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`]: it is no such address.
    pub fn parse(key: &KeyPath, text: &str, plain: PlainHttp) -> Result<Self, AdapterFailure> {
        let refuse = |why: &str| {
            Err(AdapterFailure::Settings {
                key: key.to_string(),
                why: format!("{why}; write `https://host[:port][/path]`"),
            })
        };
        let Ok(url) = Url::parse(text.trim()) else { return refuse("it is no address") };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("an address holds no user name or password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("a base address has no query and no fragment");
        }
        let Some(host) = url.host_str() else { return refuse("it names no host") };
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" => {
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                let near =
                    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback());
                // A blocked host is one that is not public: loopback, private, link-local, `.local`, `.internal`.
                let private = near || is_blocked_host(bare) || !bare.contains('.');
                match plain {
                    PlainHttp::Loopback if near => Ok(Self(url)),
                    PlainHttp::Private if private => Ok(Self(url)),
                    PlainHttp::Loopback => refuse("plain http goes to this machine only"),
                    PlainHttp::Private => refuse("plain http goes to this machine and private networks only"),
                }
            }
            _ => refuse("only https and http are known"),
        }
    }

    /// The address of a path below the root, with `?query` if any. The parts of the path are encoded already.
    #[must_use]
    pub fn below(&self, path: &str) -> String {
        format!("{}{path}", self.0.as_str().trim_end_matches('/'))
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it is reached without TLS.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether an address has the same scheme, host and port.
    #[must_use]
    pub fn same_origin(&self, other: &Url) -> bool {
        self.0.scheme() == other.scheme()
            && self.0.host_str() == other.host_str()
            && self.0.port_or_known_default() == other.port_or_known_default()
    }
}

impl std::fmt::Debug for ApiRoot {
    /// Scheme, host and port; a path may hold a credential.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ApiRoot({}://{}:{})",
            self.0.scheme(),
            self.host(),
            self.0.port_or_known_default().unwrap_or(0)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str, plain: PlainHttp) -> Result<ApiRoot, AdapterFailure> {
        ApiRoot::parse(&KeyPath::dotted("channels.x.apiRoot"), text, plain)
    }

    #[test]
    fn plain_http_stays_near() {
        for text in
            ["http://127.0.0.1:1/x", "http://localhost:1", "http://[::1]:5", "https://api.example.org/base/"]
        {
            assert!(root(text, PlainHttp::Loopback).is_ok(), "{text}");
        }
        for text in [
            "http://10.0.0.4",
            "http://api.example.org",
            "ftp://x",
            "x",
            "https://a:b@example.org",
            "https://example.org/?x=1",
        ] {
            assert!(root(text, PlainHttp::Loopback).is_err(), "{text}");
        }
        for text in ["http://10.0.0.4", "http://mac-mini.local:1234", "http://signal:8080"] {
            assert!(root(text, PlainHttp::Private).is_ok(), "{text}");
        }
        assert!(root("http://example.org", PlainHttp::Private).is_err());
    }

    #[test]
    fn paths_go_below_the_root() {
        let r = root("https://example.org/base/", PlainHttp::Loopback).unwrap();
        assert_eq!(r.below("/x?y=1"), "https://example.org/base/x?y=1");
        assert_eq!(format!("{r:?}"), "ApiRoot(https://example.org:443)");
    }
}
