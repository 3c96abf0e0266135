#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use oc_fs::pairing_files::PairingFailure;
use serde_json::json;

use super::*;
use crate::authority::Scopes;

const NOW: u64 = 1_700_000_000_000;

fn actor(words: &[&str]) -> Actor {
    Actor { scopes: Scopes::read(words.iter().copied()), device: None }
}

fn kit() -> About {
    About {
        display_name: Some("Kit".into()),
        platform: Some("ios".into()),
        caps: Some(vec!["camera".into()]),
        ..About::default()
    }
}

#[test]
fn the_recorded_conversation_with_upstream_gives_the_same_shapes() {
    let mut all = NodePairing::default();
    let (first, created) = all.request("kit-node", kit(), "r1".into(), NOW).unwrap();
    let shape = json!({"requestId":"r1","nodeId":"kit-node","displayName":"Kit","platform":"ios","caps":["camera"],
        "isRepair":false,"ts":NOW});
    assert_eq!((serde_json::to_value(&first).unwrap(), created), (shape, true));
    let again = all.request("kit-node", About::default(), "r2".into(), NOW + 1).unwrap();
    assert_eq!(again, (first, false), "one request a node, as it was first made");
    let node = all.approve("r1", &actor(&["operator.admin"]), "t1".into(), NOW).unwrap().clone();
    let shape = json!({"nodeId":"kit-node","token":"t1","displayName":"Kit","platform":"ios","caps":["camera"],
        "createdAtMs":NOW,"approvedAtMs":NOW});
    assert_eq!(serde_json::to_value(&node).unwrap(), shape);
    assert!(node.shown().get("token").is_none() && node.shown().get("caps").is_some());
    assert!(!format!("{node:?}").contains("t1"));
    let same = |a: &str, b: &str| a == b;
    assert_eq!(all.verify("kit-node", "t1", same), Some(&node));
    assert_eq!(all.verify("kit-node", "bad", same), None);
    assert_eq!(all.verify("other", "t1", same), None);
    assert_eq!(all.rename("kit-node", " Renamed ").unwrap().about.display_name.as_deref(), Some("Renamed"));
    assert_eq!(all.rename("kit-node", " "), Err(NodePairingError::Name));
    assert_eq!(all.rename("other", "x"), Err(NodePairingError::Unknown));
    let (repair, _) = all.request("kit-node", kit(), "r3".into(), NOW).unwrap();
    assert!(repair.is_repair);
    assert_eq!(all.reject("r3", &actor(&["operator.pairing"])), Ok("kit-node".into()));
    assert!(all.unpair("kit-node") && !all.unpair("kit-node"));
    assert_eq!(all.verify("kit-node", "t1", same), None);
}

#[test]
fn sp_325_a_node_is_paired_by_administrators_only() {
    let mut all = NodePairing::default();
    all.request("n", kit(), "r1".into(), NOW).unwrap();
    let refused = all.approve("r1", &actor(&["operator.pairing"]), "t".into(), NOW).cloned();
    assert_eq!(refused, Err(NodePairingError::Beyond("operator.admin")));
    assert_eq!(
        all.reject("r1", &actor(&["operator.read"])),
        Err(NodePairingError::Beyond("operator.pairing"))
    );
    assert_eq!(all.pending.len(), 1);
}

#[test]
fn node_requests_are_bounded_and_end() {
    let mut all = NodePairing::default();
    for n in 0..MAX_PENDING {
        all.request(&format!("n{n}"), kit(), format!("r{n}"), NOW).unwrap();
    }
    assert_eq!(all.request("one more", kit(), "r".into(), NOW), Err(NodePairingError::Full));
    assert_eq!(all.request("  ", kit(), "r".into(), NOW), Err(NodePairingError::NoId));
    let late = NOW + PENDING_TTL_MS;
    let gone = all.approve("r1", &actor(&["operator.admin"]), "t".into(), late).cloned();
    assert_eq!(gone, Err(NodePairingError::Unknown));
    assert!(all.pending.is_empty());
}

#[test]
fn sp_008_a_node_list_of_another_form_is_an_error_and_a_good_one_keeps_unknown_members() {
    let tmp = tempfile::tempdir().unwrap();
    let store = NodeStore::of(tmp.path());
    store.change(|all, now| all.request("n", kit(), "r1".into(), now).unwrap()).unwrap();
    let text = std::fs::read_to_string(store.files().pending()).unwrap();
    let future = text.replace("\"isRepair\"", "\"future\": {\"a\": 1}, \"isRepair\"");
    std::fs::write(store.files().pending(), future).unwrap();
    store.change(|all, now| all.request("m", kit(), "r2".into(), now).unwrap()).unwrap();
    assert!(std::fs::read_to_string(store.files().pending()).unwrap().contains("\"future\""));
    std::fs::write(store.files().pending(), text.replace("\"r1\": {", "\"r9\": {")).unwrap();
    assert!(matches!(store.read(), Err(PairingFailure::Damaged { .. })));
    assert!(store.change(|_, _| ()).is_err());
}

#[test]
fn nodes_are_taken_out_put_back_and_renewed_together() {
    let mut all = NodePairing::default();
    for n in ["a", "b"] {
        all.request(n, kit(), format!("r-{n}"), NOW).unwrap();
        all.approve(&format!("r-{n}"), &actor(&["operator.admin"]), format!("t-{n}"), NOW).unwrap();
    }
    let before = all.paired.clone();
    assert_eq!(all.unpair_all(), ["a", "b"]);
    assert_eq!(all.put_back(before.clone()), ["a", "b"]);
    assert_eq!(all.put_back(before), Vec::<String>::new());
    assert_eq!(all.renew_all(|| Ok::<_, ()>("new".into())).unwrap(), ["a", "b"]);
    assert!(all.verify("a", "t-a", |x, y| x == y).is_none());
    assert!(all.renew_all(|| Err("no randomness")).is_err());
}
