use serde_json::json;

use super::*;

#[test]
fn sp_071_a_write_that_drops_most_of_the_file_is_held_back() {
    let (big, tree) = ("x".repeat(2000), json!({}));
    assert_eq!(objections((&big, &tree), ("{}", &tree)), [Objection::Shrinks { from: 2000, to: 2 }]);
    assert!(objections((&big, &tree), ("x".repeat(1000).as_str(), &tree)).is_empty());
    assert!(objections(("{ a: 1 }", &tree), ("{}", &tree)).is_empty());
}

#[test]
fn sp_071_removing_mode_or_auth_is_held_back() {
    let before = json!({ "gateway": { "mode": "local", "auth": { "token": "t" }, "port": 1 } });
    for (after, want) in [
        (json!({ "gateway": { "auth": { "token": "u" }, "port": 1 } }), "gateway.mode"),
        (json!({ "gateway": { "mode": "local", "auth": {} } }), "gateway.auth"),
        (json!({ "gateway": { "mode": "local", "auth": null } }), "gateway.auth"),
    ] {
        assert_eq!(
            objections(("", &before), ("", &after)),
            [Objection::Removes(KeyPath::dotted(want))],
            "{after}"
        );
    }
    assert_eq!(objections(("", &before), ("", &json!({}))).len(), 2);
    assert!(objections(("", &json!({})), ("", &json!({}))).is_empty());
}
