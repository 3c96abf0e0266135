//! Which programs the connected nodes have, so that their skills become eligible: asked when a node comes and when the skills change.
//!
//! A node is asked by `system.which`, and only if the operator lets it run commands: a node that may not run what a skill needs is of no use
//! to it. What it answers is believed about itself and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use oc_extensions::eligibility::NodeOffer;
use oc_text::visible;
use serde_json::{Value, json};

use super::nodes::{self, Node, node_id};
use super::state::{Gateway, stopping};
use crate::methods::skills;

/// How often the nodes and the skills are compared with what is known.
const LOOK: Duration = Duration::from_secs(2);
/// How long a node may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Most names of one question; what a node takes.
const MOST: usize = 128;

/// Runs until the gateway ends.
pub async fn run(gateway: Arc<Gateway>) {
    let mut phase = gateway.phase();
    // Per connection: what it was asked for, and what it has of it.
    let mut known: BTreeMap<u64, (Vec<String>, NodeOffer)> = BTreeMap::new();
    loop {
        look(&gateway, &mut known).await;
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = gateway.nodes_changed.notified() => {}
            () = stopping(&mut phase) => return,
        }
    }
}

async fn look(gateway: &Arc<Gateway>, known: &mut BTreeMap<u64, (Vec<String>, NodeOffer)>) {
    let nodes: Vec<Node> = gateway.nodes.all().into_iter().filter(|n| may_be_used(gateway, n)).collect();
    let numbers: BTreeSet<u64> = nodes.iter().map(|n| n.connection.number).collect();
    known.retain(|number, _| numbers.contains(number));
    if !nodes.is_empty() {
        let asker = Arc::clone(gateway);
        let wanted = tokio::task::spawn_blocking(move || {
            let place = asker.snapshot().place();
            skills::wanted(&asker.skills, &place)
        });
        let Ok(wanted) = wanted.await else { return };
        for node in &nodes {
            let number = node.connection.number;
            if known.get(&number).is_none_or(|(asked, _)| *asked != wanted) {
                let bins = ask(gateway, node, &wanted).await;
                known.insert(number, (wanted.clone(), offer(node, bins)));
            }
        }
        // Whoever left while others were asked is of no use any more.
        known.retain(|_, (_, offer)| gateway.nodes.get(&offer.id).is_some());
    }
    gateway.skills.set_nodes(known.values().map(|(_, offer)| offer.clone()).collect());
}

/// Whether commands may be sent to a node now, and it can say what it has.
fn may_be_used(gateway: &Gateway, node: &Node) -> bool {
    let offers = |command: &str| {
        let standing = nodes::standing(gateway, node_id(&node.connection), command);
        standing.is_some_and(|(_, offer)| offer.allowed && offer.declared)
    };
    offers("system.run") && offers("system.which")
}

fn offer(node: &Node, bins: BTreeSet<String>) -> NodeOffer {
    NodeOffer {
        id: node_id(&node.connection).to_owned(),
        name: visible(node.connection.label(), 60),
        platform: visible(&node.connection.client.platform, 60),
        bins,
    }
}

/// Which of these programs a node has. No answer is none.
async fn ask(gateway: &Gateway, node: &Node, wanted: &[String]) -> BTreeSet<String> {
    let mut has = BTreeSet::new();
    for names in wanted.chunks(MOST) {
        let key = uuid::Uuid::new_v4().to_string();
        let params = json!({ "bins": names });
        let time = u64::try_from(ANSWER.as_millis()).unwrap_or(u64::MAX);
        let Some(waiting) = gateway.nodes.call(node, "system.which", Some(&params), time, &key) else {
            return has;
        };
        match tokio::time::timeout(ANSWER, waiting.reply).await {
            Ok(Ok(reply)) if reply.ok => {
                let text = reply.payload_json.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok());
                let payload = reply.payload.or(text).unwrap_or_default();
                let bins = payload.get("bins").and_then(Value::as_object);
                // Only what it was asked for.
                has.extend(names.iter().filter(|n| bins.is_some_and(|b| b.contains_key(*n))).cloned());
            }
            Ok(_) => return has,
            Err(_) => {
                gateway.nodes.give_up(&waiting.id);
                return has;
            }
        }
    }
    has
}
