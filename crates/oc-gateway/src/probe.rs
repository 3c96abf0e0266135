//! The live probe of `openclaw security audit --deep`: does the gateway answer, and how?
//!
//! * [`target`]: where to, and with which credentials (audit spec 1.12).
//! * [`run`]: one WebSocket handshake as client mode `probe` (protocol 3), then `health`, `status`, `system-presence` and
//!   `config.get`; everything within one deadline.
//!
//! Invariant: credentials leave this machine for the configured target only, and never over a plaintext connection to an
//! address that is not loopback (SP-284). Invariant: an outcome never holds a credential, whatever the other side echoes.

mod exchange;
pub mod target;

use std::net::IpAddr;
use std::time::Duration;

use oc_audit::facts::ProbeOutcome;
use tokio::net::TcpStream;

pub use target::{Credentials, Scheme, Target};

/// Deadline of the whole probe unless asked otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shortest deadline.
pub const MIN_TIMEOUT: Duration = Duration::from_millis(250);

/// Probes a gateway on a runtime of its own, for callers without one.
#[must_use]
pub fn run_blocking(target: &Target, timeout: Duration) -> ProbeOutcome {
    match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(runtime) => runtime.block_on(run(target, timeout)),
        Err(e) => failed(target, false, format!("cannot start the probe: {e}")),
    }
}

/// Probes a gateway. Never fails and never takes longer than `timeout` (at least [`MIN_TIMEOUT`]); what went wrong is in the outcome.
pub async fn run(target: &Target, timeout: Duration) -> ProbeOutcome {
    let timeout = timeout.max(MIN_TIMEOUT);
    if let Some(why) = refusal(target) {
        return failed(target, false, why);
    }
    let mut outcome = failed(target, true, String::new());
    let attempt = async {
        match connect(target).await {
            Ok(stream) => exchange::run(target, stream).await,
            Err(why) => exchange::Ending { error: Some(why), close: None },
        }
    };
    match tokio::time::timeout(timeout, attempt).await {
        Ok(ending) => {
            outcome.ok = ending.error.is_none();
            outcome.error = ending.error;
            outcome.close = ending.close;
        }
        Err(_) => outcome.error = Some(format!("no answer within {} ms", timeout.as_millis())),
    }
    outcome
}

/// Why this target is not contacted at all.
fn refusal(target: &Target) -> Option<String> {
    match target.scheme {
        Scheme::Plain if target.is_loopback() => None,
        Scheme::Plain if target.credentials.is_empty() => None,
        Scheme::Plain => Some(format!(
            "not contacted: {} is not this machine and ws:// is not encrypted, so credentials would be readable on the \
             way; use wss:// or run the audit on the gateway's host",
            target.host
        )),
        Scheme::Tls => Some(
            "not contacted: the probe speaks ws:// to this machine only; run the audit on the gateway's host"
                .to_owned(),
        ),
        Scheme::Invalid => {
            Some("not contacted: gateway.remote.url is not a ws:// or wss:// address".to_owned())
        }
    }
}

fn failed(target: &Target, attempted: bool, error: String) -> ProbeOutcome {
    ProbeOutcome { attempted, url: Some(target.display.clone()), ok: false, error: Some(error), close: None }
}

/// Dials the target. A name that means this machine must also resolve to it: what `localhost` resolves to is looked at
/// before a byte is sent.
async fn connect(target: &Target) -> Result<TcpStream, String> {
    let found = tokio::net::lookup_host((target.host.as_str(), target.port))
        .await
        .map_err(|e| format!("cannot look up {}: {e}", target.host))?;
    let mut last = format!("{} has no address", target.host);
    for address in found {
        if target.is_loopback() && !is_loopback(address.ip()) {
            last = format!("{} resolves to {}, which is not this machine", target.host, address.ip());
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(e) => last = format!("cannot connect: {e}"),
        }
    }
    Err(last)
}

/// Whether an address is loopback, IPv4-mapped ones included.
fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
