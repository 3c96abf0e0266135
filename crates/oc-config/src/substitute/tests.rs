use oc_types::Origin;
use serde_json::json;

use super::*;

fn environment() -> Environment {
    let pairs =
        [("A", "one"), ("B_2", "${A}"), ("_X", "$${A}"), ("EMPTY", ""), ("BLANK", " "), ("lower", "no")];
    Environment::from_process(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())))
}

fn run(value: serde_json::Value) -> (serde_json::Value, Substituted) {
    let mut tree = Node::from_json(&value, &Origin::Default);
    let found = substitute(&mut tree, &environment());
    (tree.to_json(), found)
}

#[test]
fn sp_053_references_are_read_once_and_nothing_else_is() {
    for (text, expected) in [
        ("${A}", "one"),
        ("x${A}y${A}", "xoneyone"),
        ("${B_2}", "${A}"),
        ("${_X}", "$${A}"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$${A}${A}", "${A}one"),
        ("${BLANK}", " "),
        ("$A", "$A"),
        ("${a}", "${a}"),
        ("${lower}", "${lower}"),
        ("$${lower}", "$${lower}"),
        ("${1A}", "${1A}"),
        ("${}", "${}"),
        ("${A", "${A"),
        ("${A B}", "${A B}"),
        ("${A:-x}", "${A:-x}"),
        ("${ A}", "${ A}"),
        ("${${A}}", "${one}"),
        ("$", "$"),
        ("$(id) `id` %A%", "$(id) `id` %A%"),
        ("日${A}本", "日one本"),
    ] {
        let (tree, found) = run(json!({ "k": text }));
        assert_eq!(tree["k"], json!(expected), "{text}");
        assert!(found.issues.is_empty(), "{text}");
    }
}

#[test]
fn sp_053_keys_and_other_values_stay() {
    let (tree, found) = run(json!({ "${A}": [null, 1, true, ["${A}"], { "${A}": "${A}" }] }));
    assert_eq!(tree, json!({ "${A}": [null, 1, true, ["one"], { "${A}": "one" }] }));
    let paths: Vec<String> = found.references.iter().map(|r| r.path.to_string()).collect();
    assert_eq!(paths, ["[\"${A}\"][3][0]", "[\"${A}\"][4][\"${A}\"]"]);
}

#[test]
fn sp_053_unset_and_empty_variables_are_errors_that_name_the_key() {
    let (tree, found) = run(json!({ "gateway": { "auth": { "token": "a ${NOPE} ${EMPTY} ${A}" } } }));
    assert_eq!(
        tree["gateway"]["auth"]["token"],
        json!("a ${NOPE} ${EMPTY} ${A}"),
        "half a value is no value"
    );
    let texts: Vec<String> = found.issues.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "default: gateway.auth.token: the variable NOPE is not set; set NOPE, or write `$${NOPE}` if the text itself is meant",
            "default: gateway.auth.token: the variable EMPTY is empty; set EMPTY, or write `$${EMPTY}` if the text itself is meant",
        ]
    );
}

#[test]
fn sp_016_substituted_text_is_bounded() {
    let environment = Environment::from_process([("BIG".to_owned(), "x".repeat(100_000))]);
    let mut tree = Node::from_json(&json!({ "k": "${BIG}".repeat(1000) }), &Origin::Default);
    let found = substitute(&mut tree, &environment);
    assert_eq!(found.issues.len(), 1);
    assert_eq!(tree.get("k").unwrap().as_str().unwrap().len(), 6000);
}

#[test]
fn sp_054_the_text_as_written_is_remembered() {
    let (_, found) = run(json!({ "a": "Bearer ${A}", "b": "$${A}", "c": "plain" }));
    assert_eq!(found.references.len(), 1);
    assert_eq!(
        (found.references[0].raw.as_str(), found.references[0].names.as_slice()),
        ("Bearer ${A}", &["A".to_owned()][..])
    );
}

#[test]
fn many_missing_variables_are_counted() {
    let (_, found) = run(json!(vec!["${NOPE}"; 1000]));
    assert_eq!(found.issues.len(), 101);
    assert_eq!(found.issues[100].message, "900 more variables are not set");
}
