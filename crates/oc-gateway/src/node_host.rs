//! This machine as a node of a gateway: it connects, offers a few commands, and decides about each of them itself (gateway 7,
//! exec-approval 12).
//!
//! * [`run`]: connects and serves until it is stopped; tries again with growing pauses.
//! * `system.run` goes through the gate of this machine, with its own configuration, approvals file and queue (`openclaw approvals` here).
//! * `browser.proxy` drives this machine's own Chromium under its own settings, or passes requests on to its control port.
//!
//! Invariant: nothing that comes over the wire is an approval: `approved` and `approvalDecision` are read and change nothing (SP-176).
//! Invariant: only commands that this machine can carry out are offered, and only offered ones are carried out.
//! Invariant: what a connection started or asked ends with it: a node that is cut off runs nothing more for that gateway.

mod approvals;
mod browser;
mod command;
mod failure;
mod note;
mod offer;
mod order_record;
mod own_browser;
mod pause;
mod session;
mod system_run;
#[cfg(test)]
mod tests;
mod watched;
mod which;

use std::fmt;
use std::sync::Arc;

use oc_config::LoadRequest;
use oc_fs::identity_store::IdentityStore;
use serde_json::{Map, Value, json};

use crate::client::{Client, ClientError, DEFAULT_TIMEOUT, Options, Profile, Reason, Target};
use crate::server::snapshot;
use pause::{Pauses, Trouble};

/// What a node host is made from.
#[derive(Clone, Debug)]
pub struct NodeHost {
    /// Where its own configuration comes from; read anew for each connection and each command.
    pub request: LoadRequest,
    /// The gateway.
    pub target: Target,
    /// Its name in lists.
    pub name: String,
    /// Who is told what happens.
    pub teller: Arc<dyn Teller>,
}

/// Who is told what happens on this node.
pub trait Teller: fmt::Debug + Send + Sync {
    /// Something happened. Must not block for long.
    fn tell(&self, said: &Said);
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Connected.
    Connected {
        /// Where.
        url: String,
        /// Under which id.
        node: String,
        /// What is offered.
        commands: Vec<String>,
    },
    /// Somebody has to let this node in first.
    NotPaired {
        /// The request to approve.
        request: Option<String>,
    },
    /// No connection; it is tried again.
    Lost {
        /// Why, for people, several lines.
        why: String,
        /// After so many milliseconds.
        again_ms: u64,
    },
    /// A command waits for a person on this machine.
    Waiting {
        /// The code to approve it with.
        code: String,
        /// The command.
        command: String,
        /// How long, for people.
        left: String,
    },
    /// A command ran, or was refused.
    Over {
        /// The command.
        command: String,
        /// What came of it, one sentence.
        outcome: String,
    },
}

/// Connects, serves, and connects again, until `stop` is done.
///
/// # Errors
/// What no second attempt mends: the target itself, the device identity, another certificate than the pinned one.
pub async fn run(host: &NodeHost, stop: impl Future<Output = ()>) -> Result<(), ClientError> {
    tokio::pin!(stop);
    let mut pauses = Pauses::default();
    loop {
        let ended = tokio::select! {
            ended = once(host, &mut pauses) => ended,
            () = &mut stop => return Ok(()),
        };
        let trouble = Trouble::of(&ended);
        if trouble == Trouble::Hopeless {
            return Err(ended);
        }
        let wait = pauses.next(trouble);
        let again_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        host.teller.tell(&match trouble {
            Trouble::NotPaired => Said::NotPaired { request: request_of(&ended) },
            Trouble::Refused | Trouble::Away | Trouble::Hopeless => {
                Said::Lost { why: ended.lines(), again_ms }
            }
        });
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = &mut stop => return Ok(()),
        }
    }
}

/// One connection from its beginning to its end.
async fn once(host: &NodeHost, pauses: &mut Pauses) -> ClientError {
    let loaded = Arc::new(load(host).await);
    let offer = offer::of(&loaded).await;
    let profile = Profile::node(about(host, &offer));
    let identity = Some(IdentityStore::of(&loaded.locations.state_dir));
    let options = Options { profile, identity, leaves_no_trace: false, timeout: DEFAULT_TIMEOUT };
    match Client::connect(&host.target, &options).await {
        Ok(client) => {
            pauses.connected();
            session::serve(host, client, &loaded, &offer).await
        }
        Err(e) => e,
    }
}

/// This machine's configuration, read off the reactor. What is wrong with it stands in its issues.
async fn load(host: &NodeHost) -> oc_config::Loaded {
    let request = host.request.clone();
    let read = tokio::task::spawn_blocking(move || snapshot::load(&request)).await;
    // A reader that panicked is as good as a file that says nothing: the commands refuse by themselves.
    read.unwrap_or_else(|_| snapshot::load(&host.request))
}

/// What the node says about itself in the handshake.
fn about(host: &NodeHost, offer: &offer::Offer) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("caps".to_owned(), offer.caps().into());
    out.insert("commands".to_owned(), offer.commands().into());
    out.insert("client".to_owned(), json!({ "displayName": host.name }));
    if let Some(path) = offer.path() {
        out.insert("pathEnv".to_owned(), path.into());
    }
    out
}

fn request_of(e: &ClientError) -> Option<String> {
    let Reason::Refused { refusal, .. } = &*e.reason else { return None };
    let id = refusal.details.get("requestId").and_then(Value::as_str)?;
    Some(oc_text::visible(id, 80))
}
