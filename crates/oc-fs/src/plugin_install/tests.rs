use std::io::Write as _;

use oc_config::{Environment, Overrides, Reading};

use super::*;

const CLEAN: &str = "console.log(1)";

struct Here {
    folder: tempfile::TempDir,
}

impl Here {
    fn new(config: &str) -> Self {
        let here = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(here.state()).unwrap();
        fs::write(here.config(), config).unwrap();
        here
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn config(&self) -> PathBuf {
        self.state().join("openclaw.json")
    }

    fn request(&self) -> LoadRequest {
        LoadRequest {
            environment: Environment::default(),
            overrides: Overrides { state_dir: Some(self.state()), config: None },
            cwd: self.folder.path().to_owned(),
            os_home: Some(self.folder.path().to_owned()),
            reading: Reading::Product,
        }
    }

    /// A package as `npm pack` would make it.
    fn package(&self, code: &str, version: &str) -> PathBuf {
        let manifest = r#"{"id": "voice", "configSchema": {}, "tools": ["voice_list"], "mcpServer": {"command": "node", "args": ["./server.js"]}}"#;
        let package = format!(
            r#"{{"name": "voice", "version": "{version}", "scripts": {{"postinstall": "touch ran"}}}}"#
        );
        let mut tar = tar::Builder::new(Vec::new());
        for (name, text) in
            [("openclaw.plugin.json", manifest), ("package.json", &package), ("server.js", code)]
        {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, format!("package/{name}"), text.as_bytes()).unwrap();
        }
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&tar.into_inner().unwrap()).unwrap();
        let path = self.folder.path().join(format!("voice-{version}.tgz"));
        fs::write(&path, gz.finish().unwrap()).unwrap();
        path
    }

    fn install(
        &self,
        path: &Path,
        integrity: Option<&Integrity>,
        replace: bool,
    ) -> Result<Installed, InstallRefused> {
        let origin = Origin::Archive(path.to_string_lossy().into_owned());
        install(&Request {
            load: &self.request(),
            origin: &origin,
            integrity,
            replace,
            dependencies: false,
            npm: None,
            now: Timestamp::UNIX_EPOCH,
        })
    }

    /// Every file below the state directory but locks, the change log and copies of the configuration.
    fn files(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut folders = vec![self.state()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    out.push(path.strip_prefix(self.state()).unwrap().to_string_lossy().into_owned());
                }
            }
        }
        out.retain(|f| f.starts_with("extensions/") || f.contains("staging"));
        out.sort();
        out
    }

    fn tree(&self) -> Value {
        load(&self.request(), &DiskSource).tree.to_json()
    }
}

#[test]
fn a_package_lands_in_its_folder_and_is_not_loaded() {
    let here = Here::new("{ gateway: { mode: 'local' } } // mine");
    let done = here.install(&here.package(CLEAN, "1.0.0"), None, false).unwrap();
    assert_eq!(done.folder, here.state().join("extensions/voice"));
    assert_eq!(
        (done.compared, done.standing.clone(), done.replaced),
        (Compared::FirstUse, Standing::Unlisted, false)
    );
    assert_eq!(done.review.scripts, ["postinstall"]);
    let want = [
        "extensions/voice/openclaw.plugin.json",
        "extensions/voice/package.json",
        "extensions/voice/server.js",
    ];
    assert_eq!(here.files(), want);
    let record = here.tree()["plugins"]["installs"]["voice"].clone();
    assert_eq!((&record["source"], &record["version"]), (&json!("archive"), &json!("1.0.0")));
    assert_eq!(record["integrity"], json!(done.integrity.unwrap().to_string()));
    assert!(fs::read_to_string(here.config()).unwrap().contains("// mine"));
    let again = here.install(&here.package(CLEAN, "1.0.0"), None, false).unwrap_err();
    assert!(matches!(again, InstallRefused::AlreadyThere(_)), "{again}");
    assert_eq!(here.files(), want);
}

#[test]
fn other_bytes_than_expected_are_refused_before_they_are_unpacked() {
    let here = Here::new("{}");
    let good = here.package(CLEAN, "1.0.0");
    let right = package_files::archive(&good).unwrap().1;
    let wrong = Integrity::new([7; 64]);
    assert!(matches!(here.install(&good, Some(&wrong), false), Err(InstallRefused::Integrity { .. })));
    assert_eq!((here.files(), here.tree()), (Vec::<String>::new(), json!({})));
    assert_eq!(here.install(&good, Some(&right), false).unwrap().compared, Compared::Given);
    // The same version with other bytes.
    let bent = here.package("console.log(2)", "1.0.0");
    let refused = here.install(&bent, None, true).unwrap_err();
    assert!(refused.to_string().contains("plugins.installs.voice.integrity"), "{refused}");
    assert_eq!(fs::read_to_string(here.state().join("extensions/voice/server.js")).unwrap(), CLEAN);
    let next = here.install(&here.package("console.log(3)", "1.0.1"), None, true).unwrap();
    assert_eq!((next.compared, next.replaced), (Compared::FirstUse, true));
    assert_eq!(here.tree()["plugins"]["installs"]["voice"]["version"], json!("1.0.1"));
}

#[test]
fn a_failure_leaves_what_was_there() {
    // Named already: it would be loaded at once, so dangerous code does not even come to lie there.
    let here = Here::new("{}");
    here.install(&here.package(CLEAN, "1.0.0"), None, false).unwrap();
    crate::plugin_switch::enable(&here.request(), &PluginId::parse("voice").unwrap(), &[]).unwrap();
    let before = (here.files(), here.tree());
    let bad = here.package("eval(x)", "1.1.0");
    let refused = here.install(&bad, None, true).unwrap_err();
    let InstallRefused::WouldLoad { blockers, .. } = &refused else { panic!("{refused}") };
    assert_eq!(blockers[0].key(), "dynamic-code-execution:server.js");
    assert_eq!((here.files(), here.tree()), before);
    // A record that cannot be written takes the files back.
    fs::write(here.config(), "{ plugins: { installs: { $include: './gone.json' } } }").unwrap();
    assert!(matches!(here.install(&bad, None, true), Err(InstallRefused::Configuration(_))));
    assert_eq!(here.files(), before.0);
    // So does a package that is none.
    let odd = here.folder.path().join("odd.tgz");
    fs::write(&odd, "no archive").unwrap();
    fs::write(here.config(), "{}").unwrap();
    assert!(matches!(here.install(&odd, None, true), Err(InstallRefused::Files(_))));
    assert_eq!(here.files(), before.0);
    assert!(!here.state().join(STAGING).exists());
}

#[test]
fn a_link_in_place_of_the_extensions_is_refused() {
    let here = Here::new("{}");
    let elsewhere = here.folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, here.state().join("extensions")).unwrap();
    let refused = here.install(&here.package(CLEAN, "1.0.0"), None, false).unwrap_err();
    assert!(matches!(refused, InstallRefused::System { .. }), "{refused}");
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
}
