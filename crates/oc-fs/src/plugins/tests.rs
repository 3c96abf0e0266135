use std::fs;

use oc_types::{Node, Origin};
use serde_json::json;

use super::*;

const GOOD: &str = r#"{"id": "foo", "configSchema": {}, "channels": ["pager"]}"#;

fn put(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn ids(state: &Path, tree: &Node, reading: Reading) -> Vec<(String, bool)> {
    find(state, tree, reading).found.into_iter().map(|p| (p.id, p.problem.is_some())).collect()
}

#[test]
fn plugins_are_known_by_their_manifests() {
    let t = tempfile::tempdir().unwrap();
    let (state, tree) = (t.path(), Node::empty());
    assert_eq!(find(state, &tree, Reading::Product), Plugins::default());
    put(state, "extensions/a/openclaw.plugin.json", GOOD);
    put(state, "extensions/a/index.js", "");
    put(state, "extensions/b/lib.js", "");
    put(state, "extensions/c/index.js", "");
    put(state, "extensions/d/package.json", r#"{"openclaw": {"extensions": ["./x.js"]}}"#);
    put(state, "extensions/d/openclaw.plugin.json", "{ nope");
    put(state, "extensions/e/package.json", r#"{"name": "e"}"#);
    assert_eq!(ids(state, &tree, Reading::Product), [("foo".to_owned(), false)]);
    let era = [("foo".to_owned(), false), ("c".to_owned(), true), ("d".to_owned(), true)];
    assert_eq!(ids(state, &tree, Reading::Era), era);
    assert_eq!(find(state, &tree, Reading::Product).found.remove(0).channels, ["pager"]);
}

#[test]
fn listed_paths_are_a_plugin_or_a_folder_of_plugins() {
    let t = tempfile::tempdir().unwrap();
    let root = t.path();
    put(root, "one/openclaw.plugin.json", r#"{"id": "one", "configSchema": {}}"#);
    put(root, "one/index.ts", "");
    put(root, "many/two/openclaw.plugin.json", r#"{"id": "two", "configSchema": {}}"#);
    put(root, "many/two/index.ts", "");
    let paths = json!([root.join("one"), root.join("many"), root.join("gone"), "relative"]);
    let tree = Node::from_json(&json!({"plugins": {"load": {"paths": paths}}}), &Origin::CommandLine);
    let want = [("one".to_owned(), false), ("two".to_owned(), false)];
    assert_eq!(ids(&root.join("state"), &tree, Reading::Product), want);
}
