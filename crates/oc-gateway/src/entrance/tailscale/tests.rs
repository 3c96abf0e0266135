#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

const PEER: &str = "127.0.0.1";

fn headers() -> Headers<'static> {
    Headers {
        forwarded_for: Some("100.101.102.103"),
        forwarded_proto: Some("https"),
        forwarded_host: Some("box.tail1.ts.net"),
        login: Some("Anna@example.com"),
        name: Some("Anna\u{1b}[1m"),
        picture: None,
    }
}

fn read(peer: &str, headers: Headers<'_>) -> Result<Claim, NoIdentity> {
    claim(Surface::Handshake, true, peer.parse().unwrap(), headers)
}

fn whois(login: &str) -> Result<String, ()> {
    Ok(login.to_owned())
}

#[test]
fn sp_332_everything_has_to_fit() {
    let made = read(PEER, headers()).unwrap();
    assert_eq!(made.address, "100.101.102.103".parse::<IpAddr>().unwrap());
    let who = made.clone().confirm(whois("anna@EXAMPLE.com")).unwrap();
    assert_eq!(who.login, "anna@EXAMPLE.com");
    assert!(!who.name.unwrap().contains('\u{1b}'));
    for (login, why) in [
        ("eve@example.com", NoIdentity::TailscaleUserMismatch),
        ("", NoIdentity::TailscaleWhoisFailed),
        ("tagged-devices", NoIdentity::TailscaleWhoisFailed),
    ] {
        assert_eq!(made.clone().confirm(whois(login)), Err(why), "{login}");
    }
    assert_eq!(made.confirm(Err("no answer")), Err(NoIdentity::TailscaleWhoisFailed));
    let tagged = Headers { login: Some("tagged-devices"), ..headers() };
    assert!(read(PEER, tagged).unwrap().confirm(whois("tagged-devices")).is_err());
}

#[test]
fn sp_332_only_from_loopback_with_the_three_headers() {
    use NoIdentity::{TailscaleProxyMissing as Proxy, TailscaleUserMissing as User};
    let without = |change: fn(&mut Headers<'static>)| {
        let mut h = headers();
        change(&mut h);
        h
    };
    let cases: [(&str, Headers<'static>, NoIdentity); 9] = [
        ("192.0.2.1", headers(), Proxy),
        ("100.101.102.103", headers(), Proxy),
        (PEER, without(|h| h.forwarded_for = None), Proxy),
        (PEER, without(|h| h.forwarded_proto = Some(" ")), Proxy),
        (PEER, without(|h| h.forwarded_host = None), Proxy),
        (PEER, without(|h| h.login = None), User),
        (PEER, without(|h| h.login = Some("")), User),
        // A list was written by somebody in between, whoever comes first in it.
        (PEER, without(|h| h.forwarded_for = Some("100.101.102.103, 10.0.0.1")), Proxy),
        (PEER, without(|h| h.forwarded_for = Some("--socket=/tmp/x")), Proxy),
    ];
    for (peer, headers, why) in cases {
        assert_eq!(read(peer, headers), Err(why), "{peer} {headers:?}");
    }
    assert!(read("::1", headers()).is_ok() && read("::ffff:127.0.0.1", headers()).is_ok());
    for text in ["100.101.102.103:1234", "100.64.0.1%eth0", "0x64.1.1.1", "localhost", "fd7a::1 "] {
        let made = read(PEER, Headers { forwarded_for: Some(text), ..headers() });
        assert_eq!(made.is_ok(), text == "fd7a::1 ", "{text}");
    }
}

#[test]
fn sp_332_identity_counts_for_nothing_on_the_api_or_when_it_is_not_allowed() {
    let peer: IpAddr = PEER.parse().unwrap();
    assert_eq!(claim(Surface::Api, true, peer, headers()), Err(NoIdentity::NotAllowed));
    assert_eq!(claim(Surface::Handshake, false, peer, headers()), Err(NoIdentity::NotAllowed));
}
