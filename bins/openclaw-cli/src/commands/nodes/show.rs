//! Nodes for people.

use oc_text::visible;
use serde_json::Value;

use crate::sheet::{Sheet, age, joined, list, text};

/// `node.list`.
pub fn status(answer: &Value, now_ms: u64) -> String {
    let nodes = list(answer, "nodes");
    let count =
        |name: &str| nodes.iter().filter(|n| n.get(name).and_then(Value::as_bool) == Some(true)).count();
    let mut sheet = Sheet::new(10);
    sheet.line(&format!(
        "{} known, {} paired, {} connected",
        nodes.len(),
        count("paired"),
        count("connected")
    ));
    for node in nodes {
        one(&mut sheet, node, now_ms);
    }
    sheet.text()
}

/// `node.describe`.
pub fn describe(node: &Value, now_ms: u64) -> String {
    let mut sheet = Sheet::new(10);
    one(&mut sheet, node, now_ms);
    sheet.some("Path", text(node, "pathEnv").map(str::to_owned));
    if let Some(permissions) = node.get("permissions").and_then(Value::as_object) {
        let words: Vec<String> = permissions
            .iter()
            .map(|(name, on)| format!("{name} {}", if on.as_bool() == Some(true) { "yes" } else { "no" }))
            .collect();
        sheet.some("Allowed", Some(words.join(", ")));
    }
    sheet.text()
}

fn one(sheet: &mut Sheet<'_>, node: &Value, now_ms: u64) {
    let is = |name: &str| node.get(name).and_then(Value::as_bool) == Some(true);
    let name = text(node, "displayName").or_else(|| text(node, "nodeId")).unwrap_or("a node without a name");
    let mut standing = vec![if is("connected") { "connected" } else { "not connected" }];
    standing.push(if is("paired") { "paired" } else { "not paired" });
    sheet.heading(&format!("{}: {}", visible(name, 50), standing.join(", ")));
    sheet.some("Node", text(node, "nodeId").map(str::to_owned));
    let parts = ["platform", "deviceFamily", "modelIdentifier", "version", "remoteIp"];
    let from: Vec<&str> = parts.iter().filter_map(|n| text(node, n)).collect();
    sheet.some("From", Some(from.join(", ")));
    sheet.some("Connected", age(node, "connectedAtMs", now_ms).filter(|_| is("connected")));
    sheet.some("Offers", joined(node, "commands"));
    sheet.some("Handles", joined(node, "caps"));
}

/// `node.pair.list`.
pub fn pairing(answer: &Value, now_ms: u64) -> String {
    let (waiting, paired) = (list(answer, "pending"), list(answer, "paired"));
    let mut sheet = Sheet::new(10);
    sheet.line(&format!("{} ask to be paired, {} paired", waiting.len(), paired.len()));
    waiting.iter().for_each(|p| request(&mut sheet, p, now_ms));
    for node in paired {
        let name = text(node, "displayName").or_else(|| text(node, "nodeId")).unwrap_or("?");
        sheet.heading(&format!("Paired: {}", visible(name, 60)));
        sheet.some("Node", text(node, "nodeId").map(str::to_owned));
        sheet.some("Platform", text(node, "platform").map(str::to_owned));
        sheet.some("Since", age(node, "approvedAtMs", now_ms));
    }
    sheet.text()
}

/// The requests of `node.pair.list`.
pub fn pending(requests: &Value, now_ms: u64) -> String {
    let requests = requests.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut sheet = Sheet::new(10);
    if requests.is_empty() {
        sheet.line("No node asks to be paired.");
    }
    requests.iter().for_each(|p| request(&mut sheet, p, now_ms));
    sheet.text()
}

fn request(sheet: &mut Sheet<'_>, request: &Value, now_ms: u64) {
    let name = text(request, "displayName").or_else(|| text(request, "nodeId")).unwrap_or("?");
    sheet.heading(&format!("Asks to be paired: {}", visible(name, 60)));
    sheet.some("Request", text(request, "requestId").map(str::to_owned));
    sheet.some("Node", text(request, "nodeId").map(str::to_owned));
    let from: Vec<&str> = ["platform", "remoteIp"].iter().filter_map(|n| text(request, n)).collect();
    sheet.some("From", Some(from.join(", ")));
    sheet.some("Offers", joined(request, "commands"));
    sheet.some("Asked", age(request, "ts", now_ms));
    if request.get("isRepair").and_then(Value::as_bool) == Some(true) {
        sheet.row("Careful", "this node was paired before");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_people_read() {
        let nodes = json!({"nodes": [
            {"nodeId": "abc", "displayName": "Pi", "platform": "linux", "version": "0.1.0", "remoteIp": "192.0.2.4", "caps": ["system"], "commands": ["system.run", "system.which"], "paired": true, "connected": true, "connectedAtMs": 60_000},
            {"nodeId": "def", "platform": "ios", "paired": false, "connected": false, "commands": []}]});
        let pairs = json!({"pending": [{"requestId": "r-1", "nodeId": "abc", "displayName": "Pi", "platform": "linux", "commands": ["system.run"], "isRepair": true, "ts": 60_000}], "paired": [{"nodeId": "def", "platform": "ios", "approvedAtMs": 60_000}]});
        let one = json!({"nodeId": "abc", "displayName": "Pi", "paired": true, "connected": true, "pathEnv": "/usr/bin:/bin", "permissions": {"camera": true, "location": false}, "commands": ["system.run"]});
        let now = 200_000;
        let all = [
            status(&nodes, now),
            pairing(&pairs, now),
            pending(&pairs["pending"], now),
            pending(&json!([]), now),
            describe(&one, now),
        ];
        insta::assert_snapshot!(all.join("---\n"));
    }
}
