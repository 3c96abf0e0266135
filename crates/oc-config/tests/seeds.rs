//! Every configuration block of the two seed documents loads as it stands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

use oc_config::load::{LoadRequest, Reading, load};
use oc_config::source::Memory;
use oc_config::{Environment, Loaded, Overrides};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/seeds")
}

fn load_as(name: &str, text: &str) -> Loaded {
    let variables = [("HOME", "/h"), ("OPENCLAW_GATEWAY_PASSWORD", "a-long-password-from-the-environment")];
    let request = LoadRequest {
        environment: Environment::from_process(variables.map(|(k, v)| (k.to_owned(), v.to_owned()))),
        overrides: Overrides { state_dir: None, config: Some(PathBuf::from("/h/.openclaw").join(name)) },
        cwd: PathBuf::from("/work"),
        os_home: None,
        reading: Reading::Product,
    };
    load(&request, &Memory::new().with(format!("/h/.openclaw/{name}"), text))
}

fn blocks() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json5"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn every_block_loads_and_validates() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 20);
    for (name, text) in blocks {
        let loaded = load_as(&name, &text);
        assert_eq!(loaded.issues, vec![], "{name}");
        assert!(!loaded.tree.as_object().unwrap().is_empty(), "{name}");
        let read: serde_json::Value = json5::from_str(&text).unwrap();
        let shown = loaded.raw.to_json();
        assert_eq!(shown, read, "{name}");
    }
}

#[test]
fn the_yaml_block_is_answered_with_the_transcription() {
    let yaml = std::fs::read_to_string(folder().join("security-12-reverse-proxy.yaml")).unwrap();
    let transcribed = std::fs::read_to_string(folder().join("security-12-reverse-proxy.json5")).unwrap();
    for name in ["openclaw.yaml", "openclaw.json"] {
        let loaded = load_as(name, &yaml);
        assert_eq!(loaded.issues.len(), 1);
        let fix = loaded.issues[0].fix.clone().unwrap();
        let form: serde_json::Value = json5::from_str(fix.split_once('\n').unwrap().1).unwrap();
        assert_eq!(form, json5::from_str::<serde_json::Value>(&transcribed).unwrap());
        assert!(fix.contains("// プロキシがlocalhostで実行される場合"), "comments stay: {fix}");
    }
}

#[test]
fn the_readme_names_every_file() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for (name, _) in blocks() {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}
