//! Requests for approval in chats other than the one they come from (`approvals.exec.targets`).
//!
//! Only with `approvals.exec.enabled: true` and the mode `targets` or `both`. Who may answer there is decided where every other answer from a
//! chat is: a forwarded prompt gives nobody a right.

use std::sync::Arc;

use oc_approval::life_cycle::Record;
use oc_channels::adapter::Destination;
use oc_channels::inbox::Route;
use oc_policy::inbound::ConversationId;
use oc_types::{AccountId, AgentId, ChannelId, Node};

use super::approvers::pressers;
use super::channel_turns::prompt;
use crate::server::state::Gateway;

/// Most targets.
const MOST: usize = 20;

/// Sends a request to every target, off the caller's way.
pub fn forward(gateway: &Arc<Gateway>, record: &Record) {
    let snapshot = gateway.snapshot();
    let routes = targets(&snapshot.tree, record.request.agent(), record.request.session());
    if routes.is_empty() {
        return;
    }
    let (gateway, record) = (Arc::clone(gateway), record.clone());
    tokio::spawn(async move {
        let Some(channels) = gateway.channels() else {
            tracing::warn!(target: "assistant", "a request for approval is not forwarded: no chat is served");
            return;
        };
        for route in routes {
            let pressers = pressers(&gateway.snapshot().tree, &route.channel, &route.account);
            if let Err(e) = channels.ingress().prompt(&route, &prompt(&record, pressers)).await {
                tracing::warn!(target: "assistant", channel = %route.channel, error = %e, "a request for approval could not be forwarded");
            }
        }
    });
}

/// Where a request of this agent and session is forwarded to. What cannot be read forwards nothing.
#[must_use]
pub fn targets(config: &Node, agent: &str, session: &str) -> Vec<Route> {
    let at = |name: &str| config.path(&["approvals", "exec", name]).filter(|n| !n.is_null());
    if at("enabled").and_then(Node::as_bool) != Some(true) {
        return Vec::new();
    }
    if !matches!(at("mode").and_then(Node::as_str), Some("targets" | "both")) {
        return Vec::new();
    }
    let fits = |name: &str, fit: &dyn Fn(&str) -> bool| match at(name) {
        None => true,
        Some(list) => {
            list.entries().is_some_and(|all| all.is_empty() || all.iter().any(|one| fit(one.trim())))
        }
    };
    let agent = AgentId::normalized(agent);
    let session = session.to_lowercase();
    if !fits("agentFilter", &|one| AgentId::normalized(one) == agent)
        || !fits("sessionFilter", &|one| !one.is_empty() && session.contains(&one.to_lowercase()))
    {
        return Vec::new();
    }
    let all = at("targets").and_then(Node::as_array).unwrap_or_default();
    let mut out: Vec<Route> = all.iter().filter_map(route).collect();
    out.truncate(MOST);
    out
}

fn route(target: &Node) -> Option<Route> {
    let text = |name: &str| {
        target.get(name).and_then(Node::as_entry).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
    };
    let channel = ChannelId::parse(&text("channel")?).ok()?;
    let account = text("accountId").unwrap_or_else(|| AccountId::DEFAULT.to_owned());
    let to = Destination {
        conversation: ConversationId::new(&text("to")?),
        thread: text("threadId"),
        reply_to: None,
    };
    Some(Route { channel, account, to })
}

#[cfg(test)]
mod tests {
    use oc_types::Origin;
    use serde_json::{Value, json};

    use super::*;

    fn reached(exec: Value) -> Vec<String> {
        let config = Node::from_json(&json!({ "approvals": { "exec": exec } }), &Origin::Default);
        let routes = targets(&config, "main", "agent:main:telegram:group:1");
        routes.iter().map(|r| format!("{}/{}/{}", r.channel, r.account, r.to.conversation.as_str())).collect()
    }

    #[test]
    fn requests_go_to_targets_only_when_that_is_switched_on() {
        let targets = json!([{ "channel": "slack", "to": "U1" }, { "channel": "telegram", "to": "42", "accountId": "ops" }]);
        let with = |more: Value| {
            let mut exec = json!({ "targets": targets });
            exec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            reached(exec)
        };
        let both = ["slack/default/U1", "telegram/ops/42"];
        assert_eq!(with(json!({ "enabled": true, "mode": "targets" })), both);
        assert_eq!(with(json!({ "enabled": true, "mode": "both" })), both);
        for off in [
            json!({}),
            json!({ "enabled": true }),
            json!({ "mode": "targets" }),
            json!({ "enabled": true, "mode": "session" }),
            json!({ "enabled": false, "mode": "both" }),
        ] {
            assert!(with(off.clone()).is_empty(), "{off}");
        }
    }

    #[test]
    fn filters_keep_requests_of_others_away() {
        let with = |name: &str, list: Value| {
            reached(json!({ "enabled": true, "mode": "both", name: list, "targets": [{ "channel": "slack", "to": "U1" }] })).len()
        };
        assert_eq!(with("agentFilter", json!(["MAIN"])), 1);
        assert_eq!(with("agentFilter", json!(["work"])), 0);
        assert_eq!(with("sessionFilter", json!(["Telegram:"])), 1);
        assert_eq!(with("sessionFilter", json!(["discord"])), 0);
        assert_eq!(with("sessionFilter", json!({ "a": 1 })), 0);
    }
}
