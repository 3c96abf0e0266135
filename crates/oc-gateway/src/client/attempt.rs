//! One or two handshakes: with the stored device token of this gateway, then with the shared secret.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oc_fs::identity_store::{IdentityStore, StoredToken};
use oc_types::Secret;

use super::MIN_TIMEOUT;
use super::dial::{self, Socket};
use super::failure::Reason;
use super::handshake::{self, Hello, Issued, Shown};
use super::identity::Identity;
use super::options::Options;
use super::target::{Credentials, Target};

/// The device of this run.
struct Device<'a> {
    store: &'a IdentityStore,
    identity: Identity,
    token: Option<StoredToken>,
}

/// Connects. Gives the socket, what the gateway said, and what must never be quoted.
pub(super) async fn run(target: &Target, options: &Options) -> Result<(Socket, Hello, Vec<Secret>), Reason> {
    let presents = !target.credentials.is_empty() || options.identity.is_some();
    if let Some(refusal) = target.refusal(presents) {
        return Err(Reason::Target(refusal));
    }
    let device = match &options.identity {
        Some(store) if options.leaves_no_trace => passing(target, store)?,
        Some(store) => Some(device(target, options, store)?),
        None => None,
    };
    let token = device.as_ref().and_then(|d| d.token.as_ref());
    let masks: Vec<Secret> =
        [&target.credentials.token, &target.credentials.password, &token.map(|t| t.token.clone())]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
    let try_with = |credentials| once(target, options, device.as_ref(), credentials, &masks);
    let first = match token {
        Some(token) => Credentials { token: Some(token.token.clone()), password: None },
        None => target.credentials.clone(),
    };
    let outcome = match (try_with(first).await, token, &device) {
        (Err(reason), Some(token), Some(device)) if stale(&reason) => {
            device.store.forget_token(device.identity.id(), token)?;
            if target.credentials.is_empty() {
                Err(reason)
            } else {
                try_with(target.credentials.clone()).await
            }
        }
        (outcome, _, _) => outcome,
    };
    let (socket, hello, issued) = outcome?;
    if let (Some(issued), Some(device), false) = (issued, &device, options.leaves_no_trace) {
        keep(target, device, issued)?;
    }
    Ok((socket, hello, masks))
}

/// The device and its token for this gateway. A token goes back to the gateway that gave it and nowhere else; one that another program
/// stored came from a gateway on this machine. Where the command line gives credentials, only those are used.
fn device<'a>(target: &Target, options: &Options, store: &'a IdentityStore) -> Result<Device<'a>, Reason> {
    let identity = Identity::of(store, now_ms())?;
    let wanted = &options.profile;
    let token = store.token(identity.id(), wanted.role.word())?.filter(|t| {
        let from_here = match &t.gateway {
            Some(gateway) => *gateway == target.gateway(),
            None => target.is_loopback(),
        };
        let enough = wanted.scopes.iter().all(|s| t.scopes.contains(s));
        from_here && enough && !target.explicit
    });
    Ok(Device { store, identity, token })
}

/// The device of a visit that leaves nothing behind here; none without a stored identity and a credential.
fn passing<'a>(target: &Target, store: &'a IdentityStore) -> Result<Option<Device<'a>>, Reason> {
    let stored = Identity::stored(store)?;
    let credential = [&target.credentials.token, &target.credentials.password].into_iter().flatten().next();
    let identity = stored.or_else(|| credential.and_then(Identity::derived));
    Ok(identity.map(|identity| Device { store, identity, token: None }))
}

/// Whether a refusal may be about the device token.
fn stale(reason: &Reason) -> bool {
    let Reason::Refused { refusal, .. } = reason else { return false };
    refusal.code == "INVALID_REQUEST" && refusal.details.get("expectedProtocol").is_none()
}

fn keep(target: &Target, device: &Device<'_>, issued: Issued) -> Result<(), Reason> {
    let known = device.token.as_ref().is_some_and(|t| {
        t.token.expose() == issued.token.expose() && t.role == issued.role && t.gateway.is_some()
    });
    if known {
        return Ok(());
    }
    let Issued { token, role, scopes } = issued;
    let stored =
        StoredToken { token, role, scopes, updated_at_ms: now_ms(), gateway: Some(target.gateway()) };
    Ok(device.store.keep_token(device.identity.id(), &stored)?)
}

async fn once(
    target: &Target,
    options: &Options,
    device: Option<&Device<'_>>,
    credentials: Credentials,
    masks: &[Secret],
) -> Result<(Socket, Hello, Option<Issued>), Reason> {
    let timeout: Duration = options.timeout.max(MIN_TIMEOUT);
    let attempt = async {
        let mut socket = dial::open(target).await?;
        let shown = Shown {
            profile: &options.profile,
            identity: device.map(|d| &d.identity),
            credentials: &credentials,
            now_ms: now_ms(),
        };
        let (hello, issued) = handshake::run(&mut socket, &shown, masks).await?;
        Ok((socket, hello, issued))
    };
    match tokio::time::timeout(timeout, attempt).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Reason::Timeout {
            what: "connect".to_owned(),
            waited_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        }),
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
