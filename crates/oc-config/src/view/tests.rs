use std::path::Path;

use oc_types::Origin;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::document::{Format, Frame, parse};

const CANARY: &str = "canary-7f3a9c51e2";

fn text() -> String {
    format!(
        "{{\n  gateway: {{ auth: {{ token: '{CANARY}-a', password: \"{CANARY}-b\" }} }}, // was {CANARY}-a\n  channels: {{\n    telegram: {{ botToken: '{CANARY}-c', accounts: {{ x: {{ botToken: '{CANARY}-d' }} }} }},\n  }},\n  models: {{ providers: {{ p: {{ apiKey: {{ file: '/run/{CANARY}-e' }}, maxTokens: 4096 }} }} }},\n  browser: {{ cdpUrl: 'https://u:{CANARY}-f@host/' }},\n}}\n"
    )
}

#[test]
fn sp_064_every_view_hides_the_same_leaves() {
    let raw = text();
    let file = Path::new("openclaw.json");
    let node = parse(&Frame::root("openclaw.json"), raw.as_bytes(), Format::Json5).unwrap().node;
    let tree = node.to_json();
    let shown = redacted(&KeyPath::root(), &tree);
    let shown_text = redacted_text(file, &raw, Format::Json5).unwrap();
    let reread =
        parse(&Frame::root("openclaw.json"), shown_text.as_bytes(), Format::Json5).unwrap().node.to_json();
    assert_eq!(reread, shown);
    assert_eq!(redacted_node(&KeyPath::root(), &node), shown);
    for view in [shown.to_string(), shown_text.clone()] {
        assert!(!view.contains("canary"), "{view}");
    }
    assert_eq!(shown["models"]["providers"]["p"]["maxTokens"], 4096);
    assert_eq!(shown_text.lines().count(), raw.lines().count());
    insta::assert_snapshot!(shown_text);
}

#[test]
fn sp_064_toml_text_hides_the_same_leaves() {
    let raw = format!(
        "# {CANARY}\n[gateway.auth]\ntoken = \"{CANARY}\" # x\n[[channels.list]]\nbotToken = '{CANARY}'\nn = 1\n"
    );
    let out = redacted_text(Path::new("c.toml"), &raw, Format::Toml).unwrap();
    assert!(!out.contains("canary"), "{out}");
    assert!(out.contains("n = 1") && out.contains("# x"));
}

#[test]
fn sp_064_text_that_cannot_be_read_is_not_shown() {
    assert_eq!(redacted_text(Path::new("c.json"), "{ token: 'x", Format::Json5), None);
}

#[test]
fn sp_064_restoring_a_view_gives_back_what_was_stored() {
    let node = parse(&Frame::root("c"), text().as_bytes(), Format::Json5).unwrap().node;
    let tree = node.to_json();
    let shown = redacted(&KeyPath::root(), &tree);
    assert_eq!(restore(&KeyPath::root(), &shown, &tree).unwrap(), tree);
    let nowhere = restore(&KeyPath::dotted("hooks.token"), &json!(SENTINEL), &tree);
    assert_eq!(nowhere, Err(KeyPath::dotted("hooks.token")));
}

fn tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i32>().prop_map(|n| json!(n)),
        "[a-z:/@-]{0,30}".prop_map(|s| json!(s)),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let key = prop_oneof!["[a-z]{1,5}", Just("token".to_owned()), Just("apiKey".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|a| json!(a)),
            prop::collection::btree_map(key, inner, 0..5).prop_map(|o| json!(o)),
        ]
    })
}

proptest! {
    #[test]
    fn sp_064_for_all_trees_restore_undoes_redacted(tree in tree()) {
        let shown = redacted(&KeyPath::root(), &tree);
        prop_assert_eq!(restore(&KeyPath::root(), &shown, &tree).unwrap(), tree.clone());
        prop_assert_eq!(redacted(&KeyPath::root(), &shown), shown.clone());
        let node = Node::from_json(&tree, &Origin::Default);
        prop_assert_eq!(redacted_node(&KeyPath::root(), &node), shown);
    }
}
