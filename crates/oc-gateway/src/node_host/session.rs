//! One connection: calls come in, answers and notes go out.

use std::collections::BTreeMap;
use std::sync::Arc;

use oc_config::Loaded;
use oc_fs::identity_store::IdentityStore;
use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::command::{Invoke, Tools, answered};
use super::failure::NodeFailure;
use super::offer::Offer;
use super::{NodeHost, Said, note};
use crate::client::{Client, ClientError, Event, Reason};

/// Most calls at a time.
const MOST: usize = 32;
/// What a message needs around an answer, in bytes.
const FRAME: usize = 256;

/// Serves until the connection ends; then everything ends that it had started.
pub(super) async fn serve(
    host: &NodeHost,
    mut client: Client,
    loaded: &Loaded,
    offer: &Offer,
) -> ClientError {
    let place = client.place().clone();
    let gone = || ClientError::new(Reason::Gone, place.clone());
    let Some(mut events) = client.take_events() else { return gone() };
    let store = IdentityStore::of(&loaded.locations.state_dir);
    let Ok(Some(device)) = store.device() else { return gone() };
    let me = device.device_id;
    host.teller.tell(&Said::Connected {
        url: place.url.clone(),
        node: me.clone(),
        commands: offer.commands(),
    });
    let client = Arc::new(client);
    let (notes, mut noted) = mpsc::channel(note::QUEUE);
    let room = client.hello().max_payload().saturating_sub(FRAME);
    let tools = Tools { host: host.clone(), offer: Arc::new(offer.clone()), notes, room };
    // Dropped with this function: what still runs is ended, and what still waits is denied.
    let mut calls = Calls::default();
    let telling = async {
        while let Some((event, payload)) = noted.recv().await {
            // A note that does not arrive is not sent again: it would come at the wrong time.
            let _ = client.call("node.event", json!({ "event": event, "payload": payload })).await;
        }
    };
    let listening = async {
        while let Some(event) = events.recv().await {
            calls.tidy();
            take(&tools, &client, &me, &event, &mut calls);
        }
    };
    tokio::select! {
        () = listening => {}
        () = telling => {}
    }
    calls.tasks.abort_all();
    while calls.tasks.join_next().await.is_some() {}
    client.end().unwrap_or_else(gone)
}

/// What runs for the gateway, by the id of its call.
#[derive(Default)]
struct Calls {
    tasks: JoinSet<()>,
    by_id: BTreeMap<String, AbortHandle>,
}

impl Calls {
    /// Those that are over leave.
    fn tidy(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        self.by_id.retain(|_, task| !task.is_finished());
    }
}

/// A call that nobody waits for any more.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancel {
    id: String,
    node_id: String,
}

fn take(tools: &Tools, client: &Arc<Client>, me: &str, event: &Event, calls: &mut Calls) {
    match event.name.as_str() {
        "node.invoke.request" => {}
        "node.invoke.cancel" => {
            let cancel = Cancel::deserialize(&event.payload).ok().filter(|c| c.node_id == me);
            // What it had started ends with it, and what it asked is denied.
            if let Some(task) = cancel.and_then(|c| calls.by_id.remove(&c.id)) {
                task.abort();
            }
            return;
        }
        _ => return,
    }
    // What is no call of this node is not answered: there is nobody to answer.
    let Ok(invoke) = Invoke::deserialize(&event.payload) else { return };
    if invoke.node_id != me {
        return;
    }
    let (tools, client) = (tools.clone(), Arc::clone(client));
    let busy = calls.tasks.len() >= MOST;
    let id = invoke.id.clone();
    let task = calls.tasks.spawn(async move {
        let answer = if busy { too_many(&invoke) } else { answered(&tools, &invoke).await };
        let _ = client.call("node.invoke.result", answer).await;
    });
    calls.by_id.insert(id, task);
}

fn too_many(invoke: &Invoke) -> Value {
    let failure = NodeFailure::unavailable("too many calls are running on this node");
    json!({ "id": invoke.id, "nodeId": invoke.node_id, "ok": false, "error": failure.as_json() })
}
