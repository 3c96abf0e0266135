//! The live probe of `openclaw security audit --deep`: does the gateway answer, and how?
//!
//! One handshake as client mode `probe`, then `health`, `status`, `system-presence` and `config.get`; everything within one deadline.
//!
//! Invariant: credentials leave this machine for the configured target only, and never over a plaintext connection to an
//! address that is not loopback (SP-284). Invariant: an outcome never holds a credential, whatever the other side echoes.

use std::time::Duration;

use oc_audit::facts::{ProbeClose, ProbeOutcome};
use oc_fs::identity_store::IdentityStore;
use serde_json::json;

use crate::client::{Client, ClientError, Options, Profile, Target};

/// Deadline of the whole probe unless asked otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shortest deadline.
pub const MIN_TIMEOUT: Duration = crate::client::MIN_TIMEOUT;

/// Probes a gateway on a runtime of its own, for callers without one.
#[must_use]
pub fn run_blocking(target: &Target, identity: Option<IdentityStore>, timeout: Duration) -> ProbeOutcome {
    match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(runtime) => runtime.block_on(run(target, identity, timeout)),
        Err(e) => ProbeOutcome {
            attempted: false,
            error: Some(format!("cannot start the probe: {e}")),
            ..blank(target)
        },
    }
}

/// Probes a gateway. Never fails and never takes longer than `timeout` (at least [`MIN_TIMEOUT`]); what went wrong is in the outcome.
///
/// The device identity is shown to a gateway on this machine only: that one pairs it silently, another would have to be asked. Nothing is
/// written here (SP-280).
pub async fn run(target: &Target, identity: Option<IdentityStore>, timeout: Duration) -> ProbeOutcome {
    let timeout = timeout.max(MIN_TIMEOUT);
    let identity = identity.filter(|_| target.is_loopback());
    if let Some(why) = target.refusal(presents(target, identity.as_ref())) {
        return ProbeOutcome { attempted: false, error: Some(why.to_string()), ..blank(target) };
    }
    let options = Options { profile: Profile::probe(), identity, leaves_no_trace: true, timeout };
    match tokio::time::timeout(timeout, questions(target, &options)).await {
        Ok(Ok(())) => ProbeOutcome { ok: true, ..blank(target) },
        Ok(Err(e)) => ProbeOutcome {
            error: Some(e.to_string()),
            close: e.reason.close().map(|c| ProbeClose { code: c.code, reason: c.reason.clone() }),
            ..blank(target)
        },
        Err(_) => ProbeOutcome {
            error: Some(format!("no answer within {} ms", timeout.as_millis())),
            ..blank(target)
        },
    }
}

/// What [`run`] would find, told by the gateway that is asked itself: it is there and answers those four questions, so all that can be
/// wrong is the target. Nothing is sent.
#[must_use]
pub fn from_within(target: &Target, identity: Option<&IdentityStore>) -> ProbeOutcome {
    match target.refusal(presents(target, identity.filter(|_| target.is_loopback()))) {
        Some(why) => ProbeOutcome { attempted: false, error: Some(why.to_string()), ..blank(target) },
        None => ProbeOutcome { ok: true, ..blank(target) },
    }
}

fn presents(target: &Target, identity: Option<&IdentityStore>) -> bool {
    !target.credentials.is_empty() || identity.is_some()
}

async fn questions(target: &Target, options: &Options) -> Result<(), ClientError> {
    let client = Client::connect(target, options).await?;
    let ask = |method| client.call(method, json!({}));
    tokio::try_join!(ask("health"), ask("status"), ask("system-presence"), ask("config.get"))?;
    client.close().await;
    Ok(())
}

fn blank(target: &Target) -> ProbeOutcome {
    ProbeOutcome { attempted: true, url: Some(target.display.clone()), ok: false, error: None, close: None }
}
