use super::*;
use crate::source::Memory;

pub(super) fn request(variables: &[(&str, &str)]) -> LoadRequest {
    let home = [("HOME", "/h")];
    let pairs = home.iter().chain(variables).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    LoadRequest {
        environment: Environment::from_process(pairs),
        overrides: Overrides::default(),
        cwd: PathBuf::from("/work"),
        os_home: None,
        reading: Reading::Product,
    }
}

fn origin(loaded: &Loaded, path: &str) -> String {
    loaded.tree.at(&KeyPath::parse(path).unwrap()).unwrap().origin.to_string()
}

#[test]
fn uq_30_values_name_the_place_they_come_from() {
    let root = "{\n  gateway: {\n    mode: \"local\", port: 18789,\n    auth: { mode: \"token\", token: \"${OPENCLAW_GATEWAY_TOKEN}\" },\n  },\n  channels: { $include: \"./channels.json5\" },\n}\n";
    let included = "{\n  telegram: { dmPolicy: \"allowlist\", allowFrom: [\"111\"] },\n}\n";
    let source = Memory::new()
        .with("/h/.openclaw/openclaw.json", root)
        .with("/h/.openclaw/channels.json5", included)
        .with("/h/.openclaw/.env", "OPENCLAW_GATEWAY_TOKEN=abc\n");
    let loaded = load(&request(&[]), &source);
    assert_eq!(loaded.issues, vec![]);
    assert_eq!(origin(&loaded, "gateway.port"), "openclaw.json:3:20");
    assert_eq!(
        origin(&loaded, "channels.telegram.dmPolicy"),
        "channels.json5:2:15 (included at openclaw.json:6:15)"
    );
    assert_eq!(
        origin(&loaded, "gateway.auth.token"),
        "openclaw.json:4:28 -> environment OPENCLAW_GATEWAY_TOKEN (/h/.openclaw/.env:1)"
    );
    assert_eq!(loaded.references.len(), 1);
    assert_eq!(loaded.references[0].raw, "${OPENCLAW_GATEWAY_TOKEN}");
    assert_eq!(loaded.files.len(), 2);
}

#[test]
fn a_missing_file_is_an_empty_valid_configuration() {
    let loaded = load(&request(&[]), &Memory::new());
    assert!(loaded.is_valid() && !loaded.exists);
    assert_eq!(loaded.tree, Node::empty());
    assert_eq!(loaded.locations.config, Path::new("/h/.openclaw/openclaw.json"));
}
