//! http and https URLs, read as browsers read them (WHATWG): enough to tell scheme, host and port.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// The parts that matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    /// Whether it is https.
    pub secure: bool,
    /// The host: lower case, an IPv4 address in dotted form, an IPv6 address in brackets.
    pub host: String,
    /// The port, the scheme's own when none is written.
    pub port: u16,
}

/// Why a text is no http or https URL.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoHttpUrl {
    /// There is no scheme, or no host.
    #[error("is not a URL")]
    NotAUrl,
    /// Another scheme.
    #[error("must start with http:// or https://")]
    Scheme,
    /// The host is not one.
    #[error("has no usable host")]
    Host,
    /// The port is not one.
    #[error("has no usable port")]
    Port,
}

impl HttpUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// See [`NoHttpUrl`].
    pub fn parse(text: &str) -> Result<Self, NoHttpUrl> {
        let text: String = text
            .trim_matches(|c: char| c <= ' ')
            .chars()
            .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
            .collect();
        let (scheme, rest) = text.split_once(':').ok_or(NoHttpUrl::NotAUrl)?;
        let mut letters = scheme.chars();
        let well_formed = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
            && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        if !well_formed {
            return Err(NoHttpUrl::NotAUrl);
        }
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(NoHttpUrl::Scheme),
        };
        let rest = rest.trim_start_matches(['/', '\\']);
        let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => {
                let (address, after) = inner.split_once(']').ok_or(NoHttpUrl::Host)?;
                let address: Ipv6Addr = address.parse().map_err(|_| NoHttpUrl::Host)?;
                let port = match after {
                    "" => "",
                    _ => after.strip_prefix(':').ok_or(NoHttpUrl::Host)?,
                };
                (format!("[{address}]"), port)
            }
            None => {
                let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
                (plain_host(host)?, port)
            }
        };
        let port = match port {
            "" if secure => 443,
            "" => 80,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| NoHttpUrl::Port)?
            }
            _ => return Err(NoHttpUrl::Port),
        };
        Ok(Self { secure, host, port })
    }
}

/// Decodes, folds and checks a host that is not in brackets.
fn plain_host(text: &str) -> Result<String, NoHttpUrl> {
    let host = percent_decoded(text).ok_or(NoHttpUrl::Host)?.to_lowercase();
    let forbidden = |c: char| c <= ' ' || c == '\u{7f}' || "#/:<>?@[\\]^|%".contains(c);
    if host.is_empty() || host.chars().any(forbidden) {
        return Err(NoHttpUrl::Host);
    }
    let last = host.strip_suffix('.').unwrap_or(&host).rsplit('.').next().unwrap_or_default();
    let numeric = !last.is_empty()
        && (last.bytes().all(|b| b.is_ascii_digit()) || number(last).is_some_and(|_| last.starts_with("0x")));
    if numeric {
        return Ok(ipv4(host.strip_suffix('.').unwrap_or(&host)).ok_or(NoHttpUrl::Host)?.to_string());
    }
    Ok(host)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        if b != b'%' {
            bytes.push(b);
            continue;
        }
        let hex = |b: u8| char::from(b).to_digit(16);
        let value = hex(rest.next()?)? * 16 + hex(rest.next()?)?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// `0x7f`, `0177`, `127`; an empty part after `0x` is 0.
fn number(text: &str) -> Option<u64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return if hex.is_empty() { Some(0) } else { u64::from_str_radix(hex, 16).ok() };
    }
    match text.strip_prefix('0') {
        Some("") => Some(0),
        Some(octal) => u64::from_str_radix(octal, 8).ok(),
        None => text.parse().ok(),
    }
}

/// One to four numbers; the last one fills what is left.
fn ipv4(host: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    if first.len() > 3 || first.iter().any(|p| *p > 255) {
        return None;
    }
    let room = 8 * (4 - u32::try_from(first.len()).ok()?);
    if *last >= 1_u64 << room {
        return None;
    }
    let head = first.iter().enumerate().map(|(i, p)| p << (8 * (3 - i))).sum::<u64>();
    u32::try_from(head + last).ok().map(Ipv4Addr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_as_browsers_do() {
        let host = |t: &str| HttpUrl::parse(t).map(|u| (u.secure, u.host, u.port));
        assert_eq!(host("http://10.0.0.5:9222"), Ok((false, "10.0.0.5".into(), 9222)));
        assert_eq!(host("HTTPS://Cdp.Example.NET/x?y"), Ok((true, "cdp.example.net".into(), 443)));
        assert_eq!(host("http://user:pw@[::1]:1/"), Ok((false, "[::1]".into(), 1)));
        assert_eq!(host("http://[0:0::0:1]"), Ok((false, "[::1]".into(), 80)));
        for loopback in
            ["http://127.1", "http://0x7f.1", "http://2130706433", "http://0177.0.0.1", "http:127.0.0.1"]
        {
            assert_eq!(host(loopback), Ok((false, "127.0.0.1".into(), 80)), "{loopback}");
        }
        assert_eq!(host("not a url"), Err(NoHttpUrl::NotAUrl));
        assert_eq!(host("ws://10.0.0.5:9222"), Err(NoHttpUrl::Scheme));
        assert_eq!(host("http://"), Err(NoHttpUrl::Host));
        assert_eq!(host("http://a b"), Err(NoHttpUrl::Host));
        assert_eq!(host("http://1.2.3.4.5"), Err(NoHttpUrl::Host));
        assert_eq!(host("http://h:99999"), Err(NoHttpUrl::Port));
    }
}
