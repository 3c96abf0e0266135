//! Who a caller is by the word of Tailscale Serve (gateway 2, SP-332): decided over plain data.
//!
//! A claim is read from the request ([`claim`]); the local daemon says whose address that is ([`crate::tailnet`]); both together make an
//! identity ([`Claim::confirm`]). Whatever is missing or does not fit, the caller has to show the shared secret like everybody else.
//!
//! Invariant: a header alone proves nothing.

use std::net::IpAddr;

use serde::Serialize;

#[cfg(test)]
mod tests;

/// What the caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// The WebSocket's handshake, or a page of the console.
    Handshake,
    /// Any other request over HTTP: identity counts for nothing there.
    Api,
}

/// The headers of a request, as received; one that came more than once is joined by `, `.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `X-Forwarded-For`.
    pub forwarded_for: Option<&'a str>,
    /// `X-Forwarded-Proto`.
    pub forwarded_proto: Option<&'a str>,
    /// `X-Forwarded-Host`.
    pub forwarded_host: Option<&'a str>,
    /// `Tailscale-User-Login`.
    pub login: Option<&'a str>,
    /// `Tailscale-User-Name`.
    pub name: Option<&'a str>,
    /// `Tailscale-User-Profile-Pic`.
    pub picture: Option<&'a str>,
}

/// What a request says of its caller. Unproven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The caller's address in the tailnet: what the daemon is asked about.
    pub address: IpAddr,
    login: String,
    name: Option<String>,
    picture: Option<String>,
}

/// A person of the tailnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The login, as the daemon has it.
    pub login: String,
    /// For lists; made safe to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A picture's address; made safe to show, and fetched by nobody here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// Why there is no identity: for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoIdentity {
    /// It is not allowed, or counts for nothing on this surface.
    NotAllowed,
    /// No login is named.
    TailscaleUserMissing,
    /// The request did not come through Tailscale Serve on this machine.
    TailscaleProxyMissing,
    /// The daemon does not know the address, or does not answer.
    TailscaleWhoisFailed,
    /// The address is somebody else's.
    TailscaleUserMismatch,
}

impl NoIdentity {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotAllowed => "unauthorized",
            Self::TailscaleUserMissing => "tailscale_user_missing",
            Self::TailscaleProxyMissing => "tailscale_proxy_missing",
            Self::TailscaleWhoisFailed => "tailscale_whois_failed",
            Self::TailscaleUserMismatch => "tailscale_user_mismatch",
        }
    }
}

/// Longest name that is shown, in characters.
const SHOWN: usize = 120;
/// Longest login that is taken, in bytes.
const MAX_LOGIN: usize = 320;
/// What the daemon says of machines that belong to nobody: no person.
const TAGGED: &str = "tagged-devices";

/// Reads the claim of a request. `allowed` is `gateway.auth.allowTailscale`, `peer` the socket's address.
///
/// # Errors
/// [`NoIdentity`].
pub fn claim(
    surface: Surface,
    allowed: bool,
    peer: IpAddr,
    headers: Headers<'_>,
) -> Result<Claim, NoIdentity> {
    if !allowed || surface == Surface::Api {
        return Err(NoIdentity::NotAllowed);
    }
    let said = |text: Option<&str>| text.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let login = said(headers.login).filter(|l| l.len() <= MAX_LOGIN);
    let login = login.ok_or(NoIdentity::TailscaleUserMissing)?;
    let through = peer.to_canonical().is_loopback()
        && said(headers.forwarded_proto).is_some()
        && said(headers.forwarded_host).is_some();
    // One address and nothing else: Serve sets it anew, so a list was written by somebody in between. What is handed to the daemon's
    // command is the address as it was understood, never the text.
    let address = said(headers.forwarded_for).filter(|_| through).and_then(|t| t.parse::<IpAddr>().ok());
    let address = address.ok_or(NoIdentity::TailscaleProxyMissing)?.to_canonical();
    let shown = |text: Option<&str>| said(text).map(|t| oc_text::visible(&t, SHOWN));
    Ok(Claim { address, login, name: shown(headers.name), picture: shown(headers.picture) })
}

impl Claim {
    /// Holds the claim against what the daemon says whose address it is.
    ///
    /// # Errors
    /// [`NoIdentity`].
    pub fn confirm<E>(self, whois: Result<String, E>) -> Result<Identity, NoIdentity> {
        let login = whois.map_err(|_| NoIdentity::TailscaleWhoisFailed)?;
        if login.trim().is_empty() || login.eq_ignore_ascii_case(TAGGED) {
            return Err(NoIdentity::TailscaleWhoisFailed);
        }
        if login.trim().to_lowercase() != self.login.to_lowercase() {
            return Err(NoIdentity::TailscaleUserMismatch);
        }
        Ok(Identity { login: login.trim().to_owned(), name: self.name, picture: self.picture })
    }
}
