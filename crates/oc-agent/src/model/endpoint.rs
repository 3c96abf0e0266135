//! Where requests of a provider go.
//!
//! INVARIANT: a credential goes over TLS, or to this machine itself (SP-353).

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use thiserror::Error;

use super::wire::Api;

/// A checked address.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

/// Why an address is not used. Holds nothing of it: it may carry a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EndpointRefused {
    /// No address.
    #[error("it is no address like `https://host/path`")]
    NotAnAddress,
    /// Another scheme.
    #[error("it is neither `https` nor `http`")]
    Scheme,
    /// A user or a password in it.
    #[error("it holds a user or password; put the credential into `apiKey`")]
    Credential,
    /// A question mark or a hash mark in it.
    #[error("it has a part after `?` or `#`; leave that out")]
    Query,
}

impl Endpoint {
    /// Checks `baseUrl` and puts the path of the format behind it.
    ///
    /// # Errors
    /// See [`EndpointRefused`].
    pub fn parse(base: &str, api: Api) -> Result<Self, EndpointRefused> {
        let mut url = Url::parse(base.trim()).map_err(|_| EndpointRefused::NotAnAddress)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointRefused::Scheme);
        }
        if url.host().is_none() {
            return Err(EndpointRefused::NotAnAddress);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointRefused::Credential);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointRefused::Query);
        }
        let base = url.path().trim_end_matches('/');
        let path = match api {
            // People write the address with and without the version.
            Api::AnthropicMessages => format!("{}/v1/messages", base.strip_suffix("/v1").unwrap_or(base)),
            Api::OpenAiCompletions => format!("{base}/chat/completions"),
            Api::OpenAiResponses => format!("{base}/responses"),
        };
        url.set_path(&path);
        Ok(Self { url })
    }

    /// Whether a credential may go there.
    #[must_use]
    pub fn keeps_secrets(&self) -> bool {
        self.url.scheme() == "https" || loopback(&self.url)
    }

    /// Host and port, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Whether it is OpenAI's own.
    #[must_use]
    pub fn is_openai(&self) -> bool {
        self.url.host_str() == Some("api.openai.com")
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.place())
    }
}

/// Whether an address is this machine's own.
fn loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str, api: Api) -> String {
        Endpoint::parse(base, api).unwrap().url.to_string()
    }

    #[test]
    fn the_path_of_the_format_follows_the_base() {
        assert_eq!(
            url("https://api.anthropic.com", Api::AnthropicMessages),
            "https://api.anthropic.com/v1/messages"
        );
        assert_eq!(url("https://a.test/x/v1/", Api::AnthropicMessages), "https://a.test/x/v1/messages");
        assert_eq!(url("https://a.test/v1", Api::OpenAiCompletions), "https://a.test/v1/chat/completions");
        assert_eq!(url(" http://127.0.0.1:8/v1/ ", Api::OpenAiResponses), "http://127.0.0.1:8/v1/responses");
    }

    #[test]
    fn odd_addresses_are_refused() {
        for (base, why) in [
            ("", EndpointRefused::NotAnAddress),
            ("api.test/v1", EndpointRefused::NotAnAddress),
            ("https://", EndpointRefused::NotAnAddress),
            ("file:///etc/passwd", EndpointRefused::Scheme),
            ("ftp://a.test", EndpointRefused::Scheme),
            ("https://key@a.test", EndpointRefused::Credential),
            ("https://u:p@a.test", EndpointRefused::Credential),
            ("https://a.test/?key=1", EndpointRefused::Query),
            ("https://a.test/#x", EndpointRefused::Query),
        ] {
            assert_eq!(Endpoint::parse(base, Api::OpenAiCompletions), Err(why), "{base}");
        }
    }

    #[test]
    fn sp_353_a_credential_goes_over_tls_or_stays_here() {
        let keeps = |base: &str| Endpoint::parse(base, Api::OpenAiCompletions).unwrap().keeps_secrets();
        for base in [
            "https://a.test",
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]:1",
            "http://localhost:1",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(keeps(base), "{base}");
        }
        for base in [
            "http://a.test",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://localhost.evil.test",
            "http://[fe80::1]",
        ] {
            assert!(!keeps(base), "{base}");
        }
    }
}
