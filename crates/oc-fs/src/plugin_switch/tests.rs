use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use oc_config::{Environment, Overrides, Reading, load};
use oc_extensions::plugin::Standing;
use serde_json::json;

use super::*;
use crate::config_source::DiskSource;
use crate::plugins;

struct Here {
    folder: tempfile::TempDir,
    id: PluginId,
}

impl Here {
    fn new(config: &str, code: &str) -> Self {
        let here = Self { folder: tempfile::tempdir().unwrap(), id: PluginId::parse("voice").unwrap() };
        let plugin = here.plugin();
        fs::create_dir_all(&plugin).unwrap();
        let manifest = json!({
            "id": "voice", "configSchema": {}, "tools": ["voice_list"],
            "mcpServer": {"command": "node", "args": ["./server.js"], "env": ["KEY"]},
        });
        fs::write(plugin.join("openclaw.plugin.json"), manifest.to_string()).unwrap();
        fs::write(plugin.join("server.js"), code).unwrap();
        fs::write(here.folder.path().join("openclaw.json"), config).unwrap();
        here
    }

    fn plugin(&self) -> PathBuf {
        self.folder.path().join("extensions/voice")
    }

    fn request(&self) -> LoadRequest {
        LoadRequest {
            environment: Environment::default(),
            overrides: Overrides { state_dir: Some(self.folder.path().to_owned()), config: None },
            cwd: self.folder.path().to_owned(),
            os_home: Some(self.folder.path().to_owned()),
            reading: Reading::Product,
        }
    }

    fn tree(&self) -> Node {
        load(&self.request(), &DiskSource).tree
    }

    fn plugins(&self) -> Value {
        self.tree().get("plugins").map(Node::to_json).unwrap_or_default()
    }

    fn standing(&self) -> Standing {
        plugins::installed(self.folder.path(), &self.tree()).remove(0).standing
    }
}

#[test]
fn on_off_and_away() {
    let here = Here::new(
        "{ channels: { telegram: { botToken: 'x' }, slack: { enabled: false } }, plugins: { entries: { matrix: { enabled: true } } } }",
        "1",
    );
    assert_eq!(here.standing(), Standing::Unlisted);
    assert_eq!(plugins::processes(here.folder.path(), &here.tree()).len(), 0);
    assert!(enable(&here.request(), &here.id, &[]).unwrap().list_made);
    assert_eq!(
        here.plugins()["allow"],
        json!(["matrix", "telegram", "voice"]),
        "the list takes nothing away"
    );
    assert_eq!(here.standing(), Standing::Loaded);
    let processes = plugins::processes(here.folder.path(), &here.tree());
    assert_eq!(processes[0].args, [here.plugin().join("server.js").to_str().unwrap()]);
    assert_eq!(plugins::declared_tools(here.folder.path(), &here.tree())[0].name, "voice_list");
    enable(&here.request(), &here.id, &[]).unwrap();
    disable(&here.request(), &here.id).unwrap();
    assert_eq!(here.plugins()["allow"], json!(["matrix", "telegram"]));
    assert_eq!(here.plugins()["entries"]["voice"]["enabled"], json!(false));
    assert_eq!(here.standing(), Standing::Off);
    assert_eq!(plugins::declared_tools(here.folder.path(), &here.tree()), []);
    assert!(remove(&here.request(), &here.id).unwrap());
    assert!(!here.plugin().exists());
    assert_eq!(
        here.plugins(),
        json!({"entries": {"matrix": {"enabled": true}}, "allow": ["matrix", "telegram"]})
    );
    for gone in [remove(&here.request(), &here.id).map(|_| ()), disable(&here.request(), &here.id)] {
        assert!(matches!(gone, Err(SwitchRefused::NotThere(..))));
    }
    assert!(matches!(enable(&here.request(), &here.id, &[]), Err(SwitchRefused::NotThere(..))));
}

#[test]
fn dangerous_code_is_accepted_by_name_or_not_at_all() {
    let here = Here::new(
        "{ plugins: { allow: ['matrix'] } }",
        "const c = require('child_process');\nc.exec('id'); eval(x)",
    );
    let refused = enable(&here.request(), &here.id, &[]).unwrap_err();
    let SwitchRefused::Dangerous { blockers, .. } = &refused else { panic!("{refused}") };
    assert_eq!(blockers[0].key(), "dangerous-exec:server.js");
    insta::assert_snapshot!(refused);
    let accept = |all: &[&str]| {
        enable(&here.request(), &here.id, &all.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
    };
    assert!(matches!(accept(&["dangerous-exec:server.js"]), Err(SwitchRefused::Dangerous { .. })));
    for odd in ["dangerous-exec:other.js", "*", "", "dangerous-exec"] {
        assert!(matches!(accept(&[odd]), Err(SwitchRefused::NothingToAccept(_))), "{odd}");
    }
    assert_eq!(here.standing(), Standing::Unlisted);
    let all = ["dangerous-exec:server.js", "dynamic-code-execution:server.js"];
    assert!(!accept(&all).unwrap().list_made);
    assert_eq!(here.plugins()["allow"], json!(["matrix", "voice"]));
    // A scan that did not end is not accepted.
    fs::write(here.plugin().join("big.js"), vec![b'x'; 1024 * 1024 + 1]).unwrap();
    let refused = accept(&[all[0], all[1], "scan-failed:."]).unwrap_err();
    assert!(matches!(refused, SwitchRefused::NothingToAccept(_)), "{refused}");
}

#[test]
fn a_plugin_that_others_can_write_is_not_loaded() {
    let here = Here::new("{ plugins: { allow: ['voice'] } }", "1");
    assert_eq!(here.standing(), Standing::Loaded);
    for path in [here.plugin(), here.plugin().join("openclaw.plugin.json")] {
        let mode = path.metadata().unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(here.standing(), Standing::Broken(_)));
        assert_eq!(plugins::processes(here.folder.path(), &here.tree()).len(), 0);
        assert!(matches!(enable(&here.request(), &here.id, &[]), Err(SwitchRefused::Broken { .. })));
        fs::set_permissions(&path, mode).unwrap();
    }
    let elsewhere = here.folder.path().join("elsewhere");
    fs::rename(here.plugin(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, here.plugin()).unwrap();
    assert!(matches!(here.standing(), Standing::Broken(_)));
}

#[test]
fn a_denied_plugin_stays_off() {
    let here = Here::new("{ plugins: { deny: ['voice'] } }", "1");
    assert!(matches!(enable(&here.request(), &here.id, &[]), Err(SwitchRefused::Denied(_))));
    assert_eq!(here.standing(), Standing::Denied);
}
