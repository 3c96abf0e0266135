//! From a command text to a [`Plan`] (exec-approval 5 to 8): read, expand, resolve, and say of every command what admits it.
//!
//! Nothing is decided here about people: the plan says whether the line is a hit, a miss or refused, and [`crate::decision`] makes a
//! verdict of it. What runs later is the plan, never the text again (SP-145).

mod admit;
mod expand;
pub(crate) mod facts;
mod resolve;
mod segment;

use crate::allowlist::Allowlist;
use crate::environment;
use crate::host_view::{Entry, HostView};
use crate::plan::{Expansion, Miss, Plan, Redirect, Segment};
use crate::protected::{Places, ReadScope, Reads};
use crate::safe_bin::catalogue::{Catalogue, DEFAULT_SAFE_BINS};
use crate::safe_bin::usage::Terminal;
use expand::{Budget, Ground};
use facts::{Facts, join};
use resolve::Search;

/// What is asked: one command line and the host's own environment.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The command line.
    pub text: &'a str,
    /// The working directory, absolute.
    pub directory: &'a str,
    /// `PATH` of the host of execution, as the process will get it; never the request's.
    pub path: Option<&'a str>,
    /// `HOME` of the host of execution.
    pub home: Option<&'a str>,
    /// `env` of the request.
    pub overrides: &'a [(String, String)],
    /// Whether it wants a terminal.
    pub terminal: Terminal,
}

/// What is automatic, compiled once from the configuration and the approvals file of one agent.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Listed names, or exact paths.
    pub safe_bins: Vec<String>,
    /// Directories trusted besides those of the system.
    pub trusted_directories: Vec<String>,
    /// Which uses of listed programs are harmless.
    pub catalogue: Catalogue,
    /// What listed programs may read.
    pub reads: ReadScope,
    /// Allowed programs.
    pub allowlist: Allowlist,
    /// Programs of installed skills with the paths recorded at their installation; empty unless the file lets them run.
    pub skills: Vec<SkillProgram>,
    /// The agent's workspace.
    pub workspace: Option<String>,
    /// The product's state directory; `None` means `.openclaw` in the home.
    pub state_directory: Option<String>,
}

/// A program that an installed skill declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillProgram {
    /// Its name.
    pub name: String,
    /// Where it was found when the skill was installed.
    pub path: String,
}

impl Default for Rules {
    /// The product's defaults: the seed's list, nothing allowed besides.
    fn default() -> Self {
        Self {
            safe_bins: DEFAULT_SAFE_BINS.iter().map(|s| (*s).to_owned()).collect(),
            trusted_directories: Vec::new(),
            catalogue: Catalogue::default(),
            reads: ReadScope::NonSensitive,
            allowlist: Allowlist::default(),
            skills: Vec::new(),
            workspace: None,
            state_directory: None,
        }
    }
}

/// What the parts of one analysis share.
struct Work<'a> {
    request: &'a Request<'a>,
    rules: &'a Rules,
    ground: Ground<'a>,
    search: Search<'a>,
    reads: Reads<'a>,
}

/// Analyses a command line. Asks the host about files; starts and changes nothing.
#[must_use]
pub fn analyse(request: &Request<'_>, rules: &Rules, view: &dyn HostView) -> Plan {
    let mut plan = Plan {
        text: request.text.to_owned(),
        directory: request.directory.to_owned(),
        overrides: request.overrides.to_vec(),
        segments: Vec::new(),
        miss: None,
        expansion: Expansion::None,
    };
    let line = match oc_shell::read(request.text) {
        Ok(line) => Some(line),
        Err(unread) => {
            plan.miss = Some(Miss::new(unread.reason.word(), format!("at byte {}", unread.at)));
            if unread.reason.is_malformed() {
                return plan;
            }
            None
        }
    };
    match environment::overrides(request.overrides) {
        Ok(sorted) => plan.overrides = sorted,
        Err(miss) => plan.miss = Some(miss),
    }
    let facts = Facts::new(view);
    match directory(request.directory, &facts) {
        Ok(canonical) => plan.directory = canonical,
        Err(miss) => plan.miss = Some(miss),
    }
    let Some(line) = line.filter(|_| plan.standing() != crate::plan::Standing::Refused) else { return plan };

    let directory = plan.directory.clone();
    facts.start_from(&directory);
    let places = places(request, rules, &facts);
    let work = Work {
        request,
        rules,
        ground: Ground {
            facts: &facts,
            places: &places,
            directory: &directory,
            home: request.home,
            budget: Budget::new(),
        },
        search: Search { facts: &facts, directory: &directory, path: request.path },
        reads: Reads {
            facts: &facts,
            places: &places,
            scope: rules.reads,
            directory: &directory,
            workspace: rules.workspace.as_deref(),
        },
    };
    plan.segments.reserve_exact(line.steps.iter().map(|s| s.pipeline.commands.len()).sum());
    for step in &line.steps {
        for (position, command) in step.pipeline.commands.iter().enumerate() {
            let (segment, expansion) = work.segment(command, step.connector, position);
            if expansion == Expansion::Expanded {
                plan.expansion = expansion;
            }
            if plan.miss.is_none() {
                plan.miss.clone_from(&segment.miss);
            }
            plan.segments.push(segment);
        }
    }
    if facts.is_exhausted() {
        plan.miss = Some(Miss::new("too-long", "more files have to be looked at than for one line"));
    }
    plan
}

/// The working directory without links.
fn directory(given: &str, facts: &Facts<'_>) -> Result<String, Miss> {
    if !given.starts_with('/') || given.contains('\0') {
        return Err(Miss::new("no-directory", "the working directory is no absolute path"));
    }
    let end = facts.end(given);
    match end.entry {
        Entry::Directory(_) => Ok(end.path),
        _ => Err(Miss::new("no-directory", format!("{given} is no directory"))),
    }
}

/// The places that protected paths depend on, by their spelling and by where they lead.
fn places(request: &Request<'_>, rules: &Rules, facts: &Facts<'_>) -> Places {
    let both = |path: &str| [path.to_owned(), facts.end(path).path];
    let absolute = |path: &&str| path.starts_with('/');
    let homes: Vec<String> = request.home.filter(absolute).into_iter().flat_map(both).collect();
    let state = match &rules.state_directory {
        Some(state) => Some(state.clone()),
        None => request.home.map(|home| join(home, ".openclaw")),
    };
    let states: Vec<String> = state.as_deref().filter(absolute).into_iter().flat_map(both).collect();
    let workspaces: Vec<String> =
        rules.workspace.as_deref().filter(absolute).into_iter().flat_map(both).collect();
    Places::of(homes, states, workspaces)
}

impl Plan {
    /// The plan with the digest of every program that the user who runs it, or anybody else, could replace. To be taken before a plan is
    /// bound to an approval or kept (exec-approval 6).
    #[must_use]
    pub fn with_digests(mut self, view: &dyn HostView) -> Self {
        for segment in &mut self.segments {
            let inner = segment.inner.iter_mut().filter_map(|i| i.executable.as_mut());
            for executable in segment.executable.iter_mut().chain(inner) {
                executable.identity.sha256 = facts::digest(view, executable);
            }
        }
        self
    }
}

impl Segment {
    /// The argument vector that is started: as analysed, with the command word of what a wrapper starts replaced by its path, so that the
    /// wrapper looks nothing up again.
    #[must_use]
    pub fn started_argv(&self) -> Vec<String> {
        let mut argv = self.argv.clone();
        for inner in &self.inner {
            if let (Some(word), Some(executable)) = (argv.get_mut(inner.at), &inner.executable) {
                word.clone_from(&executable.path);
            }
        }
        argv
    }

    /// Whether it reads from what stands before it.
    #[must_use]
    pub fn is_fed(&self) -> bool {
        self.position > 0 || self.redirections.iter().any(|r| matches!(r, Redirect::From(_)))
    }
}

#[cfg(test)]
mod tests;
