use std::os::unix::fs::{MetadataExt, PermissionsExt};

use oc_config::{Environment, Overrides, Reading};
use oc_types::KeyPath;
use serde_json::json;

use super::*;

const TEXT: &str = "{\n  // keep me\n  gateway: { mode: 'local', auth: { mode: 'token', token: '${OC_TOKEN}' } },\n  $include: './more.json5',\n}\n";

struct Home {
    tmp: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { tmp: tempfile::tempdir().unwrap() };
        std::fs::write(home.config(), TEXT).unwrap();
        std::fs::write(
            home.tmp.path().join("more.json5"),
            "{ channels: { telegram: { allowFrom: ['1'] } } }",
        )
        .unwrap();
        home
    }

    fn config(&self) -> PathBuf {
        self.tmp.path().join("openclaw.json")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.config()).unwrap()
    }

    fn request(&self) -> LoadRequest {
        LoadRequest {
            environment: Environment::from_process([("OC_TOKEN".to_owned(), "canary-0123456789".to_owned())]),
            overrides: Overrides { state_dir: Some(self.tmp.path().to_owned()), config: None },
            cwd: self.tmp.path().to_owned(),
            os_home: Some(self.tmp.path().to_owned()),
            reading: Reading::Product,
        }
    }

    fn edit(&self, changes: &[Change]) -> Result<Edited, WriteRefused> {
        edit(&self.request(), changes, WRITER)
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.tmp.path()).unwrap();
        let mut out: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        out.sort();
        out
    }
}

const WRITER: Writer<'_> = Writer { name: "test", force: Force::No, expected: None };

fn set(path: &str, value: serde_json::Value) -> Change {
    Change::Set { path: KeyPath::dotted(path), value }
}

#[test]
fn sp_071_every_write_is_backed_up_and_recorded_without_values() {
    let home = Home::new();
    home.edit(&[set("gateway.bind", json!("lan"))]).unwrap();
    assert_eq!(std::fs::read_to_string(backup::name(&home.config(), 0)).unwrap(), TEXT);
    assert_eq!(home.text(), TEXT.replace("'${OC_TOKEN}' } }", "'${OC_TOKEN}' }, bind: 'lan' }"));
    let log = crate::change_log::read(home.tmp.path()).unwrap();
    assert_eq!(log.records.len(), 1);
    let record = &log.records[0];
    assert_eq!((record.access, record.changes[0].path.as_str()), (Access::Widens, "gateway.bind"));
    assert_eq!(
        (record.before.as_str(), record.after.as_str()),
        (hash(TEXT).as_str(), hash(&home.text()).as_str())
    );
    for file in ["openclaw.json", "openclaw.json.bak", "logs/config-changes.jsonl"] {
        let path = home.tmp.path().join(file);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600, "{file}");
        assert!(!std::fs::read_to_string(&path).unwrap().contains("canary"), "{file}");
    }
    assert_eq!(std::fs::metadata(home.tmp.path().join("logs")).unwrap().mode() & 0o7777, 0o700);
}

#[test]
fn sp_071_an_edit_from_outside_shows_in_the_log() {
    let home = Home::new();
    home.edit(&[set("gateway.port", json!(1234))]).unwrap();
    std::fs::write(home.config(), home.text().replace("1234", "1235")).unwrap();
    home.edit(&[set("gateway.port", json!(1236))]).unwrap();
    let writers: Vec<String> =
        crate::change_log::read(home.tmp.path()).unwrap().records.into_iter().map(|r| r.writer).collect();
    assert_eq!(writers.len(), 3);
    assert_eq!(writers[1], change_log::OUTSIDE);
}

#[test]
fn sp_071_dropping_auth_is_refused_unless_forced() {
    let home = Home::new();
    let unset = [Change::Unset { path: KeyPath::dotted("gateway.auth") }];
    assert!(matches!(home.edit(&unset), Err(WriteRefused::Held(_))));
    assert_eq!(home.text(), TEXT);
    edit(&home.request(), &unset, Writer { force: Force::Yes, ..WRITER }).unwrap();
    assert!(crate::change_log::read(home.tmp.path()).unwrap().records[0].forced);
}

#[test]
fn sp_063_a_failure_leaves_every_byte() {
    let home = Home::new();
    let both = [set("channels.telegram.allowFrom", json!(["1", "2"])), set("gateway.port", json!(1234))];
    let more = home.tmp.path().join("more.json5");
    let include = std::fs::read_to_string(&more).unwrap();
    for step in atomic::WriteStep::ALL.into_iter().take(6) {
        for nth in 0..2 {
            let count = std::cell::Cell::new(0);
            let failed = edit_with(&home.request(), &both, WRITER, &|s| {
                if s == step {
                    count.set(count.get() + 1);
                    if count.get() == nth + 1 {
                        return Err(std::io::Error::new(std::io::ErrorKind::StorageFull, "no space"));
                    }
                }
                Ok(())
            });
            assert!(matches!(failed, Err(WriteRefused::Write(_))), "{step:?} {nth}");
            assert_eq!(home.text(), TEXT);
            assert_eq!(std::fs::read_to_string(&more).unwrap(), include);
        }
    }
    assert!(!home.tmp.path().join("logs").exists());
    home.edit(&both).unwrap();
    assert!(std::fs::read_to_string(&more).unwrap().contains("['1', '2']"));
    assert!(!home.names().iter().any(|n| n.contains(".tmp")), "{:?}", home.names());
}

#[test]
fn sp_063_a_concurrent_edit_is_detected() {
    let home = Home::new();
    let stale = hash("something else");
    let writer = Writer { expected: Some(&stale), ..WRITER };
    assert!(matches!(
        edit(&home.request(), &[set("gateway.port", json!(1))], writer),
        Err(WriteRefused::Changed(_))
    ));
    // An editor that saves between reading and replacing: the last check sees it.
    let file = EditedFile {
        path: home.config(),
        format: oc_config::Format::Json5,
        before: "older".to_owned(),
        after: String::new(),
    };
    assert!(!unchanged(&file));
}

#[test]
fn sp_008_a_file_that_cannot_be_read_is_not_replaced() {
    let home = Home::new();
    for bad in ["{ gateway: ", "", "[]", "{ $include: './absent.json5' }"] {
        std::fs::write(home.config(), bad).unwrap();
        assert!(home.edit(&[set("gateway.port", json!(1))]).is_err(), "{bad:?}");
        assert_eq!(home.text(), bad);
    }
}

#[test]
fn a_change_that_changes_nothing_writes_nothing() {
    let home = Home::new();
    std::fs::set_permissions(home.config(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let edited = home.edit(&[set("gateway.mode", json!("local"))]).unwrap();
    assert!(edited.plan.is_empty());
    assert_eq!(home.names(), [".openclaw.json.flock", "more.json5", "openclaw.json"]);
}

#[test]
fn a_new_configuration_is_created_owner_only() {
    let tmp = tempfile::tempdir().unwrap();
    let state = tmp.path().join("state");
    let mut request = Home::new().request();
    request.overrides.state_dir = Some(state.clone());
    edit(&request, &[set("gateway.mode", json!("local"))], WRITER).unwrap();
    let meta = std::fs::metadata(state.join("openclaw.json")).unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o600);
    assert_eq!(std::fs::metadata(&state).unwrap().mode() & 0o7777, 0o700);
}

#[test]
fn sp_006_a_linked_configuration_is_replaced_by_a_file_and_backed_up() {
    let home = Home::new();
    let target = home.tmp.path().join("dotfiles.json");
    std::fs::rename(home.config(), &target).unwrap();
    std::os::unix::fs::symlink(&target, home.config()).unwrap();
    std::fs::write(backup::name(&home.config(), 0), "older").unwrap();
    home.edit(&[set("gateway.port", json!(1234))]).unwrap();
    assert!(std::fs::symlink_metadata(home.config()).unwrap().is_file());
    assert_eq!(std::fs::read_to_string(&target).unwrap(), TEXT);
    assert_eq!(std::fs::read_to_string(backup::name(&home.config(), 0)).unwrap(), TEXT);
    assert_eq!(std::fs::read_to_string(backup::name(&home.config(), 1)).unwrap(), "older");
}
