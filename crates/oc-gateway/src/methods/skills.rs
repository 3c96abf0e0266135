//! `skills.status`, `skills.bins`: the skills that lie on the disk, and the programs they need.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use oc_fs::bounded_read;
use oc_fs::code_walk::skill_folders;
use oc_types::{AgentId, Node};
use serde::Deserialize;
use serde_json::{Value, json};

use super::params::{Nothing, invalid, read};
use super::place::Place;
use crate::protocol::frame::Failure;

/// Largest `SKILL.md` that is read, in bytes.
const LIMIT: u64 = 256 * 1024;

/// What a skill says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
struct Skill {
    name: String,
    description: String,
    folder: PathBuf,
    source: &'static str,
    /// The object below `metadata.openclaw`, or `null`.
    metadata: Value,
}

/// Reads the front matter: `name`, `description`, and `metadata` as JSON on one line.
fn front_matter(text: &str) -> Option<(String, String, Value)> {
    let body = text.trim_start_matches('\u{feff}').strip_prefix("---")?;
    let (front, _) = body.split_once("\n---")?;
    let member = |name: &str| {
        let value = front.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))?.trim();
        Some(value.trim_matches(['"', '\'']).to_owned()).filter(|v| !v.is_empty())
    };
    let metadata: Value = member("metadata").and_then(|m| serde_json::from_str(&m).ok()).unwrap_or_default();
    let own = ["openclaw", "clawdbot"].iter().find_map(|k| metadata.get(k)).cloned().unwrap_or_default();
    Some((member("name")?, member("description").unwrap_or_default(), own))
}

fn found(place: &Place, agent: &AgentId) -> Vec<Skill> {
    let extra =
        place.config.path(&["skills", "load", "extraDirs"]).and_then(Node::entries).unwrap_or_default();
    let mut roots = vec![
        (place.workspace(agent).join("skills"), "openclaw-workspace"),
        (place.locations.state_dir.join("skills"), "openclaw-managed"),
    ];
    let extra = extra.iter().map(|d| d.trim()).filter(|d| !d.is_empty());
    roots.extend(extra.map(|d| (oc_audit::workspace::expand(d, &place.locations.home), "openclaw-extra")));
    let mut out: Vec<Skill> = Vec::new();
    for (root, source) in roots {
        for (name, folder) in skill_folders(&root) {
            if out.iter().any(|s| s.name == name) {
                continue;
            }
            let text = bounded_read::text(&folder.join("SKILL.md"), LIMIT).unwrap_or_default();
            let (_, description, metadata) = front_matter(&text).unwrap_or_default();
            out.push(Skill { name, description, folder, source, metadata });
        }
    }
    out
}

/// The texts of a list in the metadata.
fn list(skill: &Skill, keys: &[&str]) -> Vec<String> {
    let value = keys.iter().try_fold(&skill.metadata, |v, k| v.get(k)).and_then(Value::as_array);
    value.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `skills.bins`: the programs that skills need, sorted. For nodes.
///
/// # Errors
/// Parameters that are not right.
pub fn bins(place: &Place, params: Value) -> Result<Value, Failure> {
    read::<Nothing>(params)?;
    let mut all = BTreeSet::new();
    for agent in place.agents() {
        for skill in found(place, &agent) {
            for keys in [["requires", "bins"], ["requires", "anyBins"]] {
                all.extend(list(&skill, &keys).into_iter().map(|b| b.trim().to_owned()));
            }
        }
    }
    all.remove("");
    Ok(json!({ "bins": all }))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Status {
    agent_id: Option<String>,
}

/// `skills.status`: the skills of an agent. `path`: the folders in which programs are looked for (`PATH`, taken apart); `variables`:
/// whether a variable of the environment is set.
///
/// # Errors
/// Parameters that are not right; an agent that is not configured.
pub fn status(
    place: &Place,
    path: &[PathBuf],
    variables: &dyn Fn(&str) -> bool,
    params: Value,
) -> Result<Value, Failure> {
    let wanted: Status = read(params)?;
    let named = wanted.agent_id.as_deref().map(str::trim).filter(|s| !s.is_empty()).map(AgentId::normalized);
    let agent = named.unwrap_or_else(|| place.default_agent());
    if !place.agents().contains(&agent) {
        return Err(invalid(&format!("there is no agent `{agent}`")));
    }
    let skills: Vec<Value> = found(place, &agent).iter().map(|s| row(place, s, path, variables)).collect();
    Ok(json!({
        "workspaceDir": place.shown(&place.workspace(&agent)),
        "managedSkillsDir": place.shown(&place.locations.state_dir.join("skills")),
        "skills": skills,
    }))
}

fn row(place: &Place, skill: &Skill, path: &[PathBuf], variables: &dyn Fn(&str) -> bool) -> Value {
    let disabled = place
        .config
        .path(&["skills", "entries", &skill.name, "enabled"])
        .and_then(Node::as_bool)
        .is_some_and(|on| !on);
    let lists = |of: &dyn Fn(&str) -> Vec<String>| {
        let names = ["bins", "anyBins", "env", "config", "os"];
        names.iter().map(|n| ((*n).to_owned(), json!(of(n)))).collect::<serde_json::Map<_, _>>()
    };
    let needs = |name: &str| match name {
        "os" => list(skill, &["os"]),
        name => list(skill, &["requires", name]),
    };
    let missing = |name: &str| -> Vec<String> {
        let needed = needs(name);
        match name {
            "bins" => needed.into_iter().filter(|b| !program(b, path)).collect(),
            "anyBins" if needed.iter().any(|b| program(b, path)) => Vec::new(),
            "env" => needed.into_iter().filter(|v| !variables(v)).collect(),
            "config" => needed.into_iter().filter(|k| !truthy(&place.config, k)).collect(),
            "os" if needed.is_empty() || needed.iter().any(|o| o == std::env::consts::OS) => Vec::new(),
            _ => needed,
        }
    };
    let missing = lists(&missing);
    let complete = missing.values().all(|v| v.as_array().is_some_and(Vec::is_empty));
    json!({
        "name": skill.name,
        "description": place.redactor.redact(&skill.description),
        "source": skill.source,
        "bundled": false,
        "filePath": place.shown(&skill.folder.join("SKILL.md")),
        "baseDir": place.shown(&skill.folder),
        "skillKey": skill.name,
        "always": skill.metadata.get("always").and_then(Value::as_bool).unwrap_or(false),
        "disabled": disabled,
        "blockedByAllowlist": false,
        "eligible": complete && !disabled,
        "requirements": lists(&needs),
        "missing": missing,
        "configChecks": [],
        "install": [],
    })
}

/// Whether one of the folders has a program of that name. A name with a slash is none.
fn program(name: &str, path: &[PathBuf]) -> bool {
    let plain = !name.is_empty() && Path::new(name).file_name().is_some_and(|n| n == name);
    plain && path.iter().any(|folder| oc_fs::host_view::is_program(&folder.join(name)))
}

fn truthy(config: &Node, key: &str) -> bool {
    let keys: Vec<&str> = key.split('.').collect();
    match config.path(&keys).map(Node::to_json) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(s)) => !s.is_empty(),
        Some(Value::Number(n)) => n.as_f64() != Some(0.0),
        Some(Value::Bool(true) | Value::Array(_) | Value::Object(_)) => true,
    }
}
