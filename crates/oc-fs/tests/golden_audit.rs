//! The recorded audit cases, in process, on real trees: what the latest rules say, and the law between the two rule sets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use oc_audit::{AuditContext, Facts, Report, RuleSet, catalogue, latest::law};
use oc_config::{Environment, LoadRequest, Loaded, Overrides, Reading};
use oc_fs::config_source::DiskSource;
use serde_json::Value;

fn cases(folder: &str) -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(folder);
    let mut out: Vec<(String, Value)> = fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .map(|p| {
            let name = p.file_stem().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_str(&fs::read_to_string(p).unwrap()).unwrap())
        })
        .collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(!out.is_empty());
    out
}

/// A case on disk: `home`, `ext`, `cwd` below a temporary directory.
struct Tree {
    _dir: tempfile::TempDir,
    base: PathBuf,
    state: PathBuf,
    env: Vec<(String, String)>,
}

impl Tree {
    fn build(case: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(dir.path()).unwrap();
        for name in ["home", "ext", "cwd"] {
            fs::create_dir(base.join(name)).unwrap();
        }
        let state = base.join(case["state_dir"].as_str().unwrap_or("home/.openclaw"));
        let mut tree = Self { _dir: dir, base, state, env: Vec::new() };
        tree.fill(case);
        let vars = case["env"].as_object().into_iter().flatten();
        tree.env = vars.map(|(k, v)| (k.clone(), tree.text(v.as_str().unwrap()))).collect();
        tree.env.push(("HOME".to_owned(), tree.base.join("home").to_string_lossy().into_owned()));
        tree
    }

    fn path(&self, rel: &str) -> PathBuf {
        match rel.split_once('/') {
            Some(("state", rest)) => self.state.join(rest),
            None if rel == "state" => self.state.clone(),
            _ => self.base.join(rel),
        }
    }

    fn text(&self, text: &str) -> String {
        let show = |p: PathBuf| p.to_string_lossy().into_owned();
        text.replace("{{HOME}}", &show(self.base.join("home")))
            .replace("{{STATE}}", &show(self.state.clone()))
            .replace("{{EXT}}", &show(self.base.join("ext")))
            .replace("{{CWD}}", &show(self.base.join("cwd")))
    }

    fn fill(&self, case: &Value) {
        let mut modes: BTreeMap<PathBuf, u32> = BTreeMap::new();
        let folder = |path: &Path, modes: &mut BTreeMap<PathBuf, u32>| {
            let mut missing = Vec::new();
            let mut at = path;
            while fs::symlink_metadata(at).is_err() {
                missing.push(at.to_owned());
                at = at.parent().unwrap();
            }
            for p in missing.into_iter().rev() {
                fs::create_dir(&p).unwrap();
                modes.insert(p, 0o700);
            }
        };
        let octal =
            |v: &Value, default: u32| v.as_str().map_or(default, |t| u32::from_str_radix(t, 8).unwrap());
        if case["no_state"] != true {
            if let Some(real) = case["state_symlink"].as_str() {
                let real = self.path(real);
                folder(&real, &mut modes);
                modes.insert(real.clone(), octal(&case["state_mode"], 0o700));
                folder(self.state.parent().unwrap(), &mut modes);
                symlink(real, &self.state).unwrap();
            } else {
                folder(&self.state, &mut modes);
                modes.insert(self.state.clone(), octal(&case["state_mode"], 0o700));
            }
        }
        let config = case["configEra"].as_str().or(case["config"].as_str());
        if let Some(config) = config {
            let path = self.path(case["config_path"].as_str().unwrap_or("state/openclaw.json"));
            folder(path.parent().unwrap(), &mut modes);
            let mut target = path.clone();
            if let Some(real) = case["config_symlink"].as_str() {
                target = self.path(real);
                symlink(&target, path).unwrap();
            }
            folder(target.parent().unwrap(), &mut modes);
            fs::write(&target, self.text(config)).unwrap();
            modes.insert(target, octal(&case["config_mode"], 0o600));
        }
        for file in case["files"].as_array().into_iter().flatten() {
            let path = self.path(file["path"].as_str().unwrap());
            folder(path.parent().unwrap(), &mut modes);
            if file["dir"] == true {
                folder(&path, &mut modes);
                modes.insert(path, octal(&file["mode"], 0o700));
            } else if let Some(to) = file["symlink"].as_str() {
                symlink(self.text(to), path).unwrap();
            } else {
                let mut text = self.text(file["content"].as_str().unwrap_or_default());
                let pad = file["pad_to"].as_u64().unwrap_or(0) as usize;
                text.push_str(&"/".repeat(pad.saturating_sub(text.len())));
                fs::write(&path, text).unwrap();
                modes.insert(path, octal(&file["mode"], 0o600));
            }
        }
        // Deepest first, so that a closed folder does not stop its own children.
        for (path, mode) in modes.iter().rev() {
            fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap();
        }
    }

    fn load(&self, reading: Reading) -> Loaded {
        let request = LoadRequest {
            environment: Environment::from_process(self.env.iter().cloned()),
            overrides: Overrides { state_dir: None, config: None },
            cwd: self.base.join("cwd"),
            os_home: None,
            reading,
        };
        oc_config::load(&request, &DiskSource)
    }

    /// `None` when the configuration is invalid.
    fn audit(&self, rules: RuleSet, reading: Reading) -> Option<Report> {
        let loaded = self.load(reading);
        if !loaded.is_valid() {
            return None;
        }
        let mut facts = Facts::new(loaded.locations.clone(), loaded.environment.clone());
        facts.cwd = Some(self.base.join("cwd"));
        facts.includes = loaded.files.iter().skip(1).map(|f| f.path.clone()).collect();
        let facts = oc_fs::facts::collect(&loaded.tree, facts, rules);
        Some(oc_audit::run(&AuditContext::new(&loaded.tree, &facts, rules)))
    }
}

fn is_plain(case: &Value) -> bool {
    // Cases with flags need the command; cases of a newer dialect need keys that this product refuses.
    case["args"].as_array().is_none_or(Vec::is_empty)
        && (case.get("configEra").is_some() || case["dialect"] != "2026.9")
}

#[test]
fn the_latest_rules_agree_with_the_recorded_cases() {
    let mut wrong = Vec::new();
    for (name, case) in cases("audit-latest").into_iter().filter(|(_, c)| is_plain(c)) {
        let report = Tree::build(&case).audit(RuleSet::Latest, Reading::Product);
        let only: Vec<&str> =
            case["compareOnly"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        let mut want: Vec<String> = case["expected"]["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|f| format!("{} {}", f["checkId"].as_str().unwrap(), f["severity"].as_str().unwrap()))
            .collect();
        let found = report.iter().flat_map(|r| &r.findings);
        let mut got: Vec<String> = found
            .filter(|f| only.contains(&f.check_id.as_str()))
            .map(|f| format!("{} {}", f.check_id, f.severity))
            .collect();
        want.sort();
        got.sort();
        if report.is_none() || want != got {
            wrong.push(format!("{name}: want {want:?}, got {got:?} (report: {})", report.is_some()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_that_the_era_reports_is_lost() {
    let mut wrong = Vec::new();
    for (name, case) in cases("audit").into_iter().chain(cases("audit-latest")) {
        let tree = Tree::build(&case);
        // The same reading for both: how a file is read is not what the law is about.
        let (Some(era), Some(latest)) =
            (tree.audit(RuleSet::Era, Reading::Era), tree.audit(RuleSet::Latest, Reading::Era))
        else {
            continue;
        };
        let all: Vec<_> =
            latest.findings.iter().chain(latest.suppressed.iter().map(|s| &s.finding)).cloned().collect();
        for finding in law::lost(&era.findings, &all) {
            wrong.push(format!("{name}: {} {}", finding.check_id, finding.severity));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sp_283_every_finding_is_in_the_catalogue_with_its_severity() {
    let mut wrong = Vec::new();
    for (name, case) in cases("audit").into_iter().chain(cases("audit-latest")) {
        let tree = Tree::build(&case);
        for (rules, reading) in [(RuleSet::Era, Reading::Era), (RuleSet::Latest, Reading::Product)] {
            for f in tree.audit(rules, reading).into_iter().flat_map(|r| r.findings) {
                let known = catalogue::find(&f.check_id).is_some_and(|c| match rules {
                    RuleSet::Era => c.era.contains(&f.severity),
                    RuleSet::Latest => c.latest.contains(&f.severity),
                });
                if !known {
                    wrong.push(format!("{name}: {} {} ({rules})", f.check_id, f.severity));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
