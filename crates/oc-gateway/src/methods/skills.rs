//! `skills.status`, `skills.bins`: the skills that lie on the disk, how they stand, and the programs they need.

use std::path::PathBuf;
use std::sync::Arc;

use oc_extensions::eligibility::{NodeOffer, Standing, wanted_bins};
use oc_extensions::skill::Requirements;
use oc_extensions::snapshot::SkillsSnapshot;
use oc_fs::skill_library::{Question, SkillLibrary, standings};
use oc_fs::skill_source::{Found, Skills, roots};
use oc_policy::sandbox::agent_entry;
use oc_types::{AgentId, Node};
use serde::Deserialize;
use serde_json::{Value, json};

use super::params::{Nothing, invalid, read};
use super::place::Place;
use crate::protocol::frame::Failure;

/// What this host has for skills.
pub struct Host<'h> {
    /// The search path, taken apart.
    pub path: &'h [PathBuf],
    /// Whether a variable of the environment is set.
    pub variable: &'h dyn Fn(&str) -> bool,
}

impl std::fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The skills that an agent may have: its own list, else the default one; `None`: all.
#[must_use]
pub fn listed(config: &Node, agent: &AgentId) -> Option<Vec<String>> {
    let own = agent_entry(config, agent).and_then(|e| e.node.get("skills"));
    let shared = config.path(&["agents", "defaults", "skills"]);
    own.or(shared).filter(|l| !l.is_null()).map(|l| l.entries().unwrap_or_default())
}

fn ask<T>(place: &Place, agent: &AgentId, host: &Host<'_>, f: impl FnOnce(&Question<'_>) -> T) -> T {
    let roots = roots(&place.config, &place.locations, &place.workspace(agent));
    let listed = listed(&place.config, agent);
    f(&Question {
        agent,
        roots: &roots,
        config: &place.config,
        listed: listed.as_deref(),
        path: host.path,
        variable: host.variable,
    })
}

/// The skills of an agent for a turn that starts now. Touches the disk.
#[must_use]
pub fn snapshot(
    library: &SkillLibrary,
    place: &Place,
    agent: &AgentId,
    host: &Host<'_>,
) -> Arc<SkillsSnapshot> {
    ask(place, agent, host, |q| library.snapshot(q))
}

/// The programs that the skills of all agents need, sorted. Touches the disk.
#[must_use]
pub fn wanted(library: &SkillLibrary, place: &Place) -> Vec<String> {
    let host = Host { path: &[], variable: &|_| false };
    let all: Vec<Arc<Skills>> =
        place.agents().iter().map(|agent| ask(place, agent, &host, |q| library.skills(q))).collect();
    wanted_bins(all.iter().flat_map(|s| s.found.iter().map(|f| &f.skill)))
}

/// `skills.bins`: the programs that skills need, sorted. For nodes.
///
/// # Errors
/// Parameters that are not right.
pub fn bins(library: &SkillLibrary, place: &Place, params: Value) -> Result<Value, Failure> {
    read::<Nothing>(params)?;
    Ok(json!({ "bins": wanted(library, place) }))
}

/// Parameters of `skills.status`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Status {
    agent_id: Option<String>,
}

/// `skills.status`: the skills of an agent, what each lacks on this host, and the node that has it.
///
/// # Errors
/// Parameters that are not right; an agent that is not configured.
pub fn status(
    library: &SkillLibrary,
    place: &Place,
    host: &Host<'_>,
    params: Value,
) -> Result<Value, Failure> {
    let wanted: Status = read(params)?;
    let named = wanted.agent_id.as_deref().map(str::trim).filter(|s| !s.is_empty()).map(AgentId::normalized);
    let agent = named.unwrap_or_else(|| place.default_agent());
    if !place.agents().contains(&agent) {
        return Err(invalid(&format!("there is no agent `{agent}`")));
    }
    let nodes = library.nodes();
    let (rows, problems) = ask(place, &agent, host, |q| {
        let skills = library.skills(q);
        let rows: Vec<Value> =
            standings(&skills, q, &nodes).iter().map(|(found, s)| row(place, found, s)).collect();
        let problem = |p: &oc_fs::skill_source::Problem| json!({ "baseDir": place.shown(&p.folder), "why": place.redactor.redact(&p.why) });
        (rows, skills.problems.iter().map(problem).collect::<Vec<_>>())
    });
    let node = |n: &NodeOffer| json!({ "nodeId": n.id, "displayName": n.name, "platform": n.platform, "bins": n.bins });
    Ok(json!({
        "workspaceDir": place.shown(&place.workspace(&agent)),
        "managedSkillsDir": place.shown(&place.locations.state_dir.join("skills")),
        "skills": rows,
        "problems": problems,
        "nodes": nodes.iter().map(node).collect::<Vec<_>>(),
        "version": library.version(),
    }))
}

fn row(place: &Place, found: &Found, standing: &Standing) -> Value {
    let skill = &found.skill;
    json!({
        "name": skill.name.as_str(),
        "description": place.redactor.redact(&skill.description),
        "source": found.place.word(),
        "bundled": false,
        "filePath": place.shown(&found.folder.join("SKILL.md")),
        "baseDir": place.shown(&found.folder),
        "skillKey": skill.key,
        "always": skill.always,
        "disabled": standing.disabled,
        "blockedByAllowlist": standing.unlisted,
        "blockedByScan": standing.blocked,
        "eligible": standing.is_eligible(),
        "node": standing.node,
        "requirements": lists(&skill.requires),
        "missing": lists(&standing.missing),
        "configChecks": [],
        "install": [],
    })
}

fn lists(of: &Requirements) -> Value {
    json!({ "bins": of.bins, "anyBins": of.any_bins, "env": of.env, "config": of.config, "os": of.os })
}
