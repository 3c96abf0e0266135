//! `audit.run`, `audit.fix`, `audit.undo`.

use oc_audit::{AuditContext, Facts, RuleSet, facts, report, workspace};
use oc_config::load::Loaded;
use oc_fs::code_walk::{self, Limits};
use oc_fs::identity_store::IdentityStore;
use oc_fs::{audit_fix, fix_record};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Nothing, invalid, unavailable};
use crate::client::{Asked, target};
use crate::methods::{Call, Outcome, parse};
use crate::probe;
use crate::server::state::now_ms;

/// How the change log names the console.
const BY: &str = "openclaw console: audit.fix";

fn begin(call: &Call, loaded: &Loaded) -> Facts {
    oc_fs::facts::begin(loaded, Some(call.gateway.source.request.cwd.clone()), now_ms())
}

/// What `--deep` adds: the code of plugins and skills, and the gateway, which is this one.
fn deep(loaded: &Loaded) -> facts::Deep {
    let places = &loaded.locations;
    let profile = loaded.environment.text("OPENCLAW_PROFILE");
    let roots = workspace::skill_roots(&loaded.tree, places, profile);
    let extensions = places.state_dir.join("extensions");
    let folders = code_walk::scan_all(&extensions, &roots, Limits::LATEST, true, &mut |_, _| {});
    let target = target::of_configuration(loaded, &Asked::default());
    let identity = IdentityStore::of(&places.state_dir);
    facts::Deep { folders, probe: probe::from_within(&target, Some(&identity)) }
}

/// `audit.run {}`: `{valid, configPath, stateDir, report | issues}`. The report is the one of `openclaw security audit --deep --json`.
pub fn run(call: &Call) -> Outcome {
    let Nothing {} = parse("audit.run", &call.params)?;
    let loaded = call.gateway.source.load();
    let places = &loaded.locations;
    let mut out = json!({
        "valid": loaded.is_valid(),
        "configPath": places.config.to_string_lossy(),
        "stateDir": places.state_dir.to_string_lossy(),
        "undo": fix_record::read(&places.state_dir).ok().map(|r| r.at),
    });
    let (name, value) = if loaded.is_valid() {
        let mut facts = oc_fs::facts::collect(&loaded.tree, begin(call, &loaded), RuleSet::Latest);
        facts.deep = Some(deep(&loaded));
        let report = oc_audit::run(&AuditContext::new(&loaded.tree, &facts, RuleSet::Latest));
        ("report", report::json::value(&report))
    } else {
        ("issues", loaded.issues.iter().map(ToString::to_string).collect())
    };
    if let Some(members) = out.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    Ok(out)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fix {
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
    /// The plan that a person saw; needed to carry it out.
    #[serde(default)]
    plan: Option<String>,
}

/// `audit.fix {dryRun: true}`: `{plan, ...}` with the difference; `audit.fix {plan}` carries out exactly that plan, or nothing.
pub fn fix(call: &Call) -> Outcome {
    let Fix { dry_run, plan } = parse("audit.fix", &call.params)?;
    let loaded = call.gateway.source.load();
    if !loaded.is_valid() {
        return Err(invalid("the configuration is not valid; `openclaw doctor` helps to repair it"));
    }
    let planned = audit_fix::plan(&loaded, begin(call, &loaded), RuleSet::Latest);
    let id = planned.id();
    let report = if dry_run {
        planned.look()
    } else {
        match plan {
            None => return Err(invalid("look at the plan first: audit.fix {dryRun: true} names it")),
            Some(seen) if seen != id => {
                let failure =
                    invalid("what would be changed is not what was shown any more; look at it again");
                return Err(failure.with_details(json!({ "reason": "plan-changed", "plan": id })));
            }
            Some(_) => planned.apply(&loaded.locations.state_dir, BY).map_err(unavailable)?,
        }
    };
    let mut out = report.json(&loaded.locations);
    if let Some(members) = out.as_object_mut() {
        members.insert("plan".to_owned(), Value::String(id));
        members.insert("diff".to_owned(), Value::String(report.diff().to_owned()));
    }
    Ok(out)
}

/// `audit.undo {}`: puts back what the last fix changed.
pub fn undo(call: &Call) -> Outcome {
    let Nothing {} = parse("audit.undo", &call.params)?;
    let record = fix_record::undo(&call.gateway.state_dir).map_err(invalid)?;
    let files: Vec<_> = record.files.iter().map(|f| f.path.to_string_lossy().into_owned()).collect();
    let modes: Vec<_> = record.modes.iter().map(|m| m.path.to_string_lossy().into_owned()).collect();
    Ok(json!({ "fixedAt": record.at, "files": files, "modes": modes }))
}
