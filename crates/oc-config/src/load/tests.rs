use super::*;
use crate::source::Memory;

pub(super) fn request(variables: &[(&str, &str)]) -> LoadRequest {
    let home = [("HOME", "/h")];
    let pairs = home.iter().chain(variables).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    LoadRequest {
        environment: Environment::from_process(pairs),
        overrides: Overrides::default(),
        cwd: PathBuf::from("/there"),
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

#[test]
fn a_file_that_only_looks_like_the_configuration_is_named() {
    let source = Memory::new().with("/h/.openclaw/openclaw.json5", "{ gateway: { bind: 'lan' } }");
    let loaded = load(&request(&[]), &source);
    assert!(!loaded.exists && loaded.is_valid());
    let told: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["openclaw.json5: /h/.openclaw/openclaw.json5 is not read; move its settings into openclaw.json"]
    );
}

#[test]
fn sp_053_a_missing_variable_is_told_once() {
    let source = Memory::new().with("/h/.openclaw/openclaw.json", "{ gateway: { bind: '${BIND}' } }");
    let loaded = load(&request(&[]), &source);
    assert_eq!(loaded.issues.len(), 1, "{:?}", loaded.issues);
    assert_eq!(loaded.issues[0].path.to_string(), "gateway.bind");
}

#[test]
fn an_overlay_shows_what_an_edit_would_mean() {
    let disk = Memory::new().with("/h/.openclaw/openclaw.json", "{ gateway: { port: 1 } }");
    let path = Path::new("/h/.openclaw/openclaw.json");
    let edited = crate::source::Overlay::new(&disk, path, b"{ gateway: { port: 2 } }");
    let port = |source: &dyn Source| {
        load(&request(&[]), source).tree.path(&["gateway", "port"]).unwrap().as_number()
    };
    assert_eq!((port(&disk), port(&edited)), (Some(1.0), Some(2.0)));
}

/// Remembers every path that is looked at.
struct Watched(Memory, std::cell::RefCell<Vec<PathBuf>>);

impl Source for Watched {
    fn read(&self, path: &Path, role: Role<'_>) -> Result<crate::SourceFile, ReadFailure> {
        self.1.borrow_mut().push(path.to_path_buf());
        self.0.read(path, role)
    }

    fn exists(&self, path: &Path) -> bool {
        self.1.borrow_mut().push(path.to_path_buf());
        self.0.exists(path)
    }
}

#[test]
fn sp_058_nothing_but_the_env_file_is_looked_for_in_the_current_directory() {
    let hostile =
        ["openclaw.json", ".openclaw/openclaw.json", "openclaw.toml", "clawdbot.json", "part.json5"];
    let memory = hostile
        .iter()
        .fold(Memory::new(), |m, f| m.with(format!("/there/{f}"), "{ gateway: { bind: 'lan' } }"));
    let memory = memory.with("/h/.openclaw/openclaw.json", "{ $include: './part.json5' }");
    let source = Watched(memory, std::cell::RefCell::default());
    let loaded = load(&request(&[]), &source);
    let looked: Vec<PathBuf> = source.1.take().into_iter().filter(|p| p.starts_with("/there")).collect();
    assert_eq!(looked, [PathBuf::from("/there/.env")]);
    assert!(loaded.tree.get("gateway").is_none());
}

#[test]
fn sp_060_emptiness_survives_the_load() {
    let text = "{ channels: { telegram: { allowFrom: [], groups: {}, groupAllowFrom: ['1'] } }, messages: { responsePrefix: '' } }";
    let source = Memory::new().with("/h/.openclaw/openclaw.json", text);
    let loaded = load(&request(&[]), &source);
    assert_eq!(loaded.issues, vec![]);
    assert_eq!(loaded.tree.to_json(), json5::from_str::<serde_json::Value>(text).unwrap());
}
