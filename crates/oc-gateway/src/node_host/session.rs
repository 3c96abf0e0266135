//! One connection: calls come in, answers and notes go out.

use std::sync::Arc;

use oc_config::Loaded;
use oc_fs::identity_store::IdentityStore;
use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::command::{Invoke, Tools, answered};
use super::failure::NodeFailure;
use super::offer::Offer;
use super::{NodeHost, Said, note};
use crate::client::{Client, ClientError, Event, Reason};

/// Most calls at a time.
const MOST: usize = 32;

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
    let tools = Tools { host: host.clone(), offer: Arc::new(offer.clone()), notes };
    // Dropped with this function: what still runs is ended, and what still waits is denied.
    let mut calls: JoinSet<()> = JoinSet::new();
    let telling = async {
        while let Some((event, payload)) = noted.recv().await {
            // A note that does not arrive is not sent again: it would come at the wrong time.
            let _ = client.call("node.event", json!({ "event": event, "payload": payload })).await;
        }
    };
    let listening = async {
        while let Some(event) = events.recv().await {
            while calls.try_join_next().is_some() {}
            take(&tools, &client, &me, &event, &mut calls);
        }
    };
    tokio::select! {
        () = listening => {}
        () = telling => {}
    }
    calls.abort_all();
    while calls.join_next().await.is_some() {}
    client.end().unwrap_or_else(gone)
}

fn take(tools: &Tools, client: &Arc<Client>, me: &str, event: &Event, calls: &mut JoinSet<()>) {
    if event.name != "node.invoke.request" {
        return;
    }
    // What is no call of this node is not answered: there is nobody to answer.
    let Ok(invoke) = Invoke::deserialize(&event.payload) else { return };
    if invoke.node_id != me {
        return;
    }
    let (tools, client) = (tools.clone(), Arc::clone(client));
    let busy = calls.len() >= MOST;
    calls.spawn(async move {
        let answer = if busy { too_many(&invoke) } else { answered(&tools, &invoke).await };
        let _ = client.call("node.invoke.result", answer).await;
    });
}

fn too_many(invoke: &Invoke) -> Value {
    let failure = NodeFailure::unavailable("too many calls are running on this node");
    json!({ "id": invoke.id, "nodeId": invoke.node_id, "ok": false, "error": failure.as_json() })
}
