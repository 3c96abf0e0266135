//! The skills as they stand now. A turn takes a snapshot when it starts; the files are watched, so the next turn has what was edited meanwhile.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use oc_extensions::eligibility::{NodeOffer, Standing, World, judge, wanted_bins};
use oc_extensions::snapshot::{Offered, SkillsSnapshot};
use oc_types::{AgentId, Node};

use crate::skill_source::{self, Found, Root, Skills, on_path};

#[cfg(test)]
mod tests;

/// For whom, and with what in force.
pub struct Question<'q> {
    /// The agent.
    pub agent: &'q AgentId,
    /// Its skills folders ([`skill_source::roots`]).
    pub roots: &'q [Root],
    /// The configuration.
    pub config: &'q Node,
    /// The skills that the agent may have; `None`: all.
    pub listed: Option<&'q [String]>,
    /// The search path of this host, taken apart.
    pub path: &'q [PathBuf],
    /// Whether a variable of the environment is set.
    pub variable: &'q dyn Fn(&str) -> bool,
}

impl std::fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question")
            .field("agent", &self.agent)
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

/// The skills of all agents.
#[derive(Default)]
pub struct SkillLibrary {
    inner: Mutex<Inner>,
    version: Arc<Version>,
}

impl std::fmt::Debug for SkillLibrary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SkillLibrary").field("version", &self.version()).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Inner {
    nodes: Vec<NodeOffer>,
    kept: BTreeMap<AgentId, Kept>,
    /// `None`: the system cannot tell of changes, or nobody asked yet.
    watcher: Option<RecommendedWatcher>,
    watched: Vec<PathBuf>,
}

/// What one agent had at a version.
struct Kept {
    version: u64,
    roots: Vec<Root>,
    skills: Arc<Skills>,
    /// What a turn was given, once one asked.
    snapshot: Option<Arc<SkillsSnapshot>>,
}

/// A number that grows with every change, to wait for.
#[derive(Debug, Default)]
struct Version {
    number: Mutex<u64>,
    grown: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Version {
    fn grow(&self) {
        let mut number = lock(&self.number);
        *number = number.saturating_add(1);
        self.grown.notify_all();
    }
}

impl SkillLibrary {
    /// The version. What was taken at another one may be old.
    #[must_use]
    pub fn version(&self) -> u64 {
        *lock(&self.version.number)
    }

    /// Something that decides about skills has changed: the configuration, say.
    pub fn touch(&self) {
        self.version.grow();
    }

    /// Waits until the version is another than `seen`, at most so long. True: it is.
    #[must_use]
    pub fn wait_past(&self, seen: u64, most: Duration) -> bool {
        let deadline = Instant::now() + most;
        let mut number = lock(&self.version.number);
        while *number == seen {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            number =
                self.version.grown.wait_timeout(number, left).map_or_else(|e| e.into_inner().0, |(n, _)| n);
        }
        true
    }

    /// The nodes that are connected and what they have. True: that is something new.
    pub fn set_nodes(&self, mut nodes: Vec<NodeOffer>) -> bool {
        nodes.sort();
        let mut inner = lock(&self.inner);
        if inner.nodes == nodes {
            return false;
        }
        inner.nodes = nodes;
        drop(inner);
        self.version.grow();
        true
    }

    /// The nodes as they were told last.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeOffer> {
        lock(&self.inner).nodes.clone()
    }

    /// The skills of an agent for the turn that starts now. Touches the disk. What is asked beside the agent and its folders is the same for
    /// the life of a library, but for the configuration: whoever puts another one in force says so with [`SkillLibrary::touch`].
    #[must_use]
    pub fn snapshot(&self, question: &Question<'_>) -> Arc<SkillsSnapshot> {
        let mut inner = lock(&self.inner);
        let nodes = inner.nodes.clone();
        let Some(kept) = self.fresh(&mut inner, question) else {
            return Arc::new(SkillsSnapshot::new(0, Vec::new()));
        };
        let made = || Arc::new(SkillsSnapshot::new(kept.version, offered(&kept.skills, question, &nodes)));
        let snapshot = kept.snapshot.clone().unwrap_or_else(made);
        kept.snapshot = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// The skills of an agent as they lie on the disk, eligible or not. Touches the disk.
    #[must_use]
    pub fn skills(&self, question: &Question<'_>) -> Arc<Skills> {
        let mut inner = lock(&self.inner);
        self.fresh(&mut inner, question).map(|k| Arc::clone(&k.skills)).unwrap_or_default()
    }

    /// The programs that the known skills of all agents ask for: what nodes are asked about.
    #[must_use]
    pub fn wanted_bins(&self) -> Vec<String> {
        let inner = lock(&self.inner);
        let all: Vec<_> = inner.kept.values().flat_map(|k| k.skills.found.iter().map(|f| &f.skill)).collect();
        wanted_bins(all)
    }

    /// The kept entry of the question's agent, read anew when something changed.
    fn fresh<'i>(&self, inner: &'i mut Inner, question: &Question<'_>) -> Option<&'i mut Kept> {
        let watching = watches(question.config);
        let version = self.version();
        let kept = inner.kept.get(question.agent).filter(|k| k.version == version);
        // The watcher may be late or missing; looking is cheap and is never late.
        let changed = kept.is_some_and(|k| watching && skill_source::has_changed(&k.skills.stamp));
        if kept.is_none_or(|k| changed || k.roots != question.roots) {
            // Watched before they are read: what changes in between is a change.
            if watching {
                watch(inner, &self.version, question.roots);
            }
            if changed {
                self.version.grow();
            }
            let version = self.version();
            let skills = Arc::new(skill_source::read(question.roots));
            let kept = Kept { version, roots: question.roots.to_vec(), skills, snapshot: None };
            inner.kept.insert(question.agent.clone(), kept);
        }
        inner.kept.get_mut(question.agent)
    }
}

/// `skills.load.watch`, on unless it is switched off.
fn watches(config: &Node) -> bool {
    config.path(&["skills", "load", "watch"]).and_then(Node::as_bool) != Some(false)
}

/// Watches the folders, or what they would appear in. A watcher that cannot be had leaves the look at every turn's start.
fn watch(inner: &mut Inner, version: &Arc<Version>, roots: &[Root]) {
    if inner.watcher.is_none() {
        let version = Arc::clone(version);
        let told = move |event: notify::Result<notify::Event>| {
            let relevant = event.is_ok_and(|e| !matches!(e.kind, EventKind::Access(_)));
            if relevant {
                version.grow();
            }
        };
        inner.watcher = notify::recommended_watcher(told).ok();
    }
    let Some(watcher) = &mut inner.watcher else { return };
    for root in roots {
        // A folder that was removed and made again is another inode: watched anew each time, which costs nothing.
        if inner.watched.contains(&root.path) {
            let _ = watcher.unwatch(&root.path);
        }
        if watcher.watch(&root.path, RecursiveMode::Recursive).is_ok() {
            if !inner.watched.contains(&root.path) {
                inner.watched.push(root.path.clone());
            }
        } else {
            inner.watched.retain(|p| *p != root.path);
        }
    }
}

/// What is eligible, as the prompt names it.
fn offered(skills: &Skills, question: &Question<'_>, nodes: &[NodeOffer]) -> Vec<Offered> {
    let fits = |(found, standing): (&Found, Standing)| {
        (standing.is_eligible() && !found.skill.hidden_from_model).then(|| Offered {
            name: found.skill.name.to_string(),
            description: found.skill.description.clone(),
            location: found.folder.join("SKILL.md").to_string_lossy().into_owned(),
            node: standing.node,
            primary_env: found.skill.primary_env.clone(),
        })
    };
    standings(skills, question, nodes).into_iter().filter_map(fits).collect()
}

/// How each skill stands for a question.
#[must_use]
pub fn standings<'s>(
    skills: &'s Skills,
    question: &Question<'_>,
    nodes: &[NodeOffer],
) -> Vec<(&'s Found, Standing)> {
    let world = World {
        os: std::env::consts::OS,
        program: &|name| on_path(name, question.path),
        variable: question.variable,
        config: question.config,
        listed: question.listed,
        nodes,
    };
    skills.found.iter().map(|f| (f, judge(&f.skill, &f.scan, &world))).collect()
}
