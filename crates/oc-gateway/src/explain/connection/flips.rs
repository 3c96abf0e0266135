//! The smallest changes that lead to another verdict.

use oc_types::Flip;

use super::{Asked, ClientIs, DeviceIs};
use crate::entrance::admission::Verdict;
use crate::settings::{AuthKind, Settings};

fn flip(change: &str, verdict: &str, opens: &str) -> Flip {
    Flip { change: change.to_owned(), verdict: verdict.to_owned(), opens: opens.to_owned() }
}

/// Approving is a person's act; the request's id is known once it is made.
const APPROVE: &str = "openclaw devices approve <requestId>";

fn show(kind: AuthKind) -> &'static str {
    match kind {
        AuthKind::Token => "--auth token",
        AuthKind::Password => "--auth password",
    }
}

pub(super) fn of_start(asked: &Asked<'_>, no_credential: bool) -> Vec<Flip> {
    if !no_credential {
        return vec![flip("openclaw doctor", "refuse", "says what keeps the gateway from starting")];
    }
    let after = if asked.question.device == DeviceIs::None { "admit" } else { "pairing-required" };
    let opens = "then the client shows it (`--auth token`); without a device the shared secret suffices, for reading and writing";
    vec![flip("openclaw doctor --generate-gateway-token", after, opens)]
}

pub(super) fn of_request(asked: &Asked<'_>) -> Vec<Flip> {
    let _ = asked;
    vec![flip("--auth token", "admit", "send it as `Authorization: Bearer`, in no address and no cookie")]
}

pub(super) fn of_handshake(asked: &Asked<'_>, settings: &Settings, verdict: &Verdict) -> Vec<Flip> {
    match verdict {
        Verdict::Admit(_) | Verdict::Pair { silent: true, .. } => Vec::new(),
        Verdict::Pair { .. } => {
            vec![flip(APPROVE, "admit", "the device keeps the role and scopes that it asked for")]
        }
        Verdict::Refuse(refusal) => match refusal.cause {
            "control-ui-insecure-auth" => console(settings),
            "origin-mismatch" => vec![flip(
                "open the console at the gateway's own address, or list its origin in gateway.controlUi.allowedOrigins",
                "admit",
                "every page of a listed origin may connect",
            )],
            "device-required" if asked.question.client != ClientIs::Node => {
                vec![flip(
                    show(settings.kind),
                    "admit",
                    "a shared secret without a device gives reading and writing only",
                )]
            }
            "token_missing" | "password_missing" => {
                let after = if asked.question.device == DeviceIs::New { "pairing-required" } else { "admit" };
                vec![flip(show(settings.kind), after, "")]
            }
            "token_mismatch" | "password_mismatch" => vec![flip(
                "give the client the value that the gateway runs with",
                "admit",
                "a changed secret is in force with the reload; gateways of the reference release need a restart for it",
            )],
            _ => Vec::new(),
        },
    }
}

/// A console without a device identity: safe ways first, the break-glass key last.
fn console(settings: &Settings) -> Vec<Flip> {
    let port = settings.port;
    vec![
        flip(
            &format!("ssh -N -L {port}:127.0.0.1:{port} <host>, then open http://localhost:{port}/"),
            "admit",
            "localhost is a secure context, so the browser makes a device identity, and the tunnel's end is this machine",
        ),
        flip(
            "Tailscale Serve: gateway.tailscale.mode \"serve\" with gateway.bind \"loopback\"",
            "pairing-required",
            "HTTPS inside of the tailnet",
        ),
        flip(
            "--set gateway.tls.enabled=true --scheme https --device new",
            "pairing-required",
            "over HTTPS the browser makes a device identity, which a person approves",
        ),
        flip(
            "--set gateway.controlUi.allowInsecureAuth=true",
            "admit",
            "a downgrade: whoever has the secret is in, without pairing; an audit finding",
        ),
    ]
}
