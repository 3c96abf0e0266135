use serde_json::json;

use super::*;

fn tree(nodes: Value) -> Vec<AxNode> {
    serde_json::from_value(nodes).unwrap()
}

fn page() -> Vec<AxNode> {
    tree(json!([
        {"nodeId": "1", "role": {"value": "RootWebArea"}, "name": {"value": "Title"}, "childIds": ["2", "3", "8"]},
        {"nodeId": "2", "parentId": "1", "role": {"value": "heading"}, "name": {"value": "Head"}, "childIds": ["4"],
         "properties": [{"name": "level", "value": {"value": 1}}]},
        {"nodeId": "4", "parentId": "2", "role": {"value": "StaticText"}, "name": {"value": "Head"}},
        {"nodeId": "3", "parentId": "1", "ignored": true, "role": {"value": "none"}, "childIds": ["5", "6"]},
        {"nodeId": "5", "parentId": "3", "role": {"value": "link"}, "name": {"value": "Next\npage"}, "backendDOMNodeId": 51,
         "properties": [{"name": "url", "value": {"value": "http://a/"}}, {"name": "focusable", "value": {"value": true}}]},
        {"nodeId": "6", "parentId": "3", "role": {"value": "textbox"}, "name": {"value": "Name"}, "value": {"value": "Ann"},
         "backendDOMNodeId": 61, "properties": [{"name": "required", "value": {"value": true}}, {"name": "invalid", "value": {"value": "false"}}]},
        {"nodeId": "8", "parentId": "1", "role": {"value": "StaticText"}, "name": {"value": "plain\u{202e} text"}},
    ]))
}

#[test]
fn a_page_is_an_outline_with_references() {
    let got = outline(&page(), Wish { characters: 10_000, active_only: false });
    assert_eq!(
        got.text,
        "- heading \"Head\" [level=1]\n\
         - link \"Next\\npage\" -> http://a/ [ref=e1]\n\
         - textbox \"Name\" = \"Ann\" [required=true] [ref=e2]\n\
         - plain\\u{202e} text\n"
    );
    assert_eq!(got.refs, BTreeMap::from([("e1".to_owned(), 51), ("e2".to_owned(), 61)]));
    assert!(!got.cut);
    let got = outline(&page(), Wish { characters: 10_000, active_only: true });
    assert_eq!(got.text.lines().count(), 2);
}

#[test]
fn an_outline_ends_at_its_size_and_at_a_circle() {
    let got = outline(&page(), Wish { characters: 60, active_only: false });
    assert!(got.cut && got.text.chars().count() <= 60, "{got:?}");
    let circle = tree(json!([
        {"nodeId": "1", "role": {"value": "RootWebArea"}, "childIds": ["2"]},
        {"nodeId": "2", "parentId": "1", "role": {"value": "button"}, "name": {"value": "x"}, "childIds": ["1", "2"], "backendDOMNodeId": 1},
    ]));
    assert_eq!(
        outline(&circle, Wish { characters: 1000, active_only: false }).text,
        "- button \"x\" [ref=e1]\n"
    );
    assert_eq!(outline(&[], Wish { characters: 1000, active_only: false }), Outline::default());
}
