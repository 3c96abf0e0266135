//! `access.pairing.*`: people who asked a channel to be let in.

use oc_channels::pairing_store::{ChannelPairing, ChannelPairingFailure};
use oc_types::AccountId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Nothing, invalid, unavailable};
use crate::methods::{Call, Outcome, parse};
use crate::server::state::now_ms;

fn now() -> i64 {
    i64::try_from(now_ms()).unwrap_or(i64::MAX)
}

/// `access.pairing.list {}`: `{channels[{channel, account, requests[{id, code, createdAtMs, lastSeenAtMs, meta}], approved[], error?}]}`.
/// A store that cannot be read is named in `error` and opens nothing.
pub fn list(call: &Call) -> Outcome {
    let Nothing {} = parse("access.pairing.list", &call.params)?;
    let snapshot = call.gateway.snapshot();
    let channels: Vec<Value> = ChannelPairing::configured(&snapshot.loaded).iter().map(one).collect();
    Ok(json!({ "channels": channels }))
}

fn one(store: &ChannelPairing) -> Value {
    let read = store.waiting(now()).and_then(|waiting| Ok((waiting, store.approved()?)));
    let (requests, approved, error) = match read {
        Ok((waiting, approved)) => (waiting, approved, None),
        Err(why) => (Vec::new(), Vec::new(), Some(why.to_string())),
    };
    let requests: Vec<Value> = requests
        .iter()
        .map(|r| {
            let meta: serde_json::Map<String, Value> =
                r.meta.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
            json!({
                "id": r.id,
                "code": r.code,
                "createdAtMs": r.created_ms,
                "lastSeenAtMs": r.last_seen_ms,
                "meta": meta,
            })
        })
        .collect();
    json!({
        "channel": store.channel,
        "account": store.account,
        "requests": requests,
        "approved": approved,
        "error": error,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Approve {
    channel: String,
    #[serde(default)]
    account: Option<String>,
    code: String,
}

/// `access.pairing.approve {channel, account?, code}`: `{channel, account, id}`.
pub fn approve(call: &Call) -> Outcome {
    let Approve { channel, account, code } = parse("access.pairing.approve", &call.params)?;
    let snapshot = call.gateway.snapshot();
    let account = account.as_deref().unwrap_or(AccountId::DEFAULT);
    let store =
        ChannelPairing::of(&snapshot.loaded.locations.credentials, &channel, account).map_err(invalid)?;
    let id = store.approve(&code, now()).map_err(|why| match why {
        ChannelPairingFailure::Channel(_) | ChannelPairingFailure::NoSuchCode { .. } => invalid(why),
        ChannelPairingFailure::Damaged { .. }
        | ChannelPairingFailure::Random(_)
        | ChannelPairingFailure::Lock(_)
        | ChannelPairingFailure::Directory { .. }
        | ChannelPairingFailure::Write(_) => unavailable(why),
    })?;
    Ok(json!({ "channel": store.channel, "account": store.account, "id": id }))
}
