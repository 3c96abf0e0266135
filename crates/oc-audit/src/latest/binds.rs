//! Host folders that a container gets to see (audit spec 2, SP-230).

use std::path::{Path, PathBuf};

use oc_types::{KeyPath, Node, Severity};

use super::resolve;
use crate::{AuditContext, Findings, Wanted, workspace};

/// System paths that no container may see, nor anything above them.
const SYSTEM: [&str; 15] = [
    "/etc",
    "/proc",
    "/sys",
    "/dev",
    "/root",
    "/boot",
    "/run",
    "/var/run",
    "/private/etc",
    "/private/var/run",
    "/private/proc",
    "/private/dev",
    "/private/run",
    "/var/run/docker.sock",
    "/run/docker.sock",
];
/// Folders and files below the home directory that hold credentials.
const HOME: [&str; 8] = [".aws", ".cargo", ".config", ".docker", ".gnupg", ".netrc", ".npm", ".ssh"];
/// What below the state directory holds credentials or decides about access.
const STATE: [&str; 9] = [
    "credentials",
    "agents",
    "identity",
    "devices",
    "nodes",
    "openclaw.json",
    "openclaw.toml",
    "exec-approvals.json",
    ".env",
];

/// One bind as written.
pub(super) struct Bind {
    /// Where it stands.
    pub(super) path: KeyPath,
    /// Its source as written.
    pub(super) source: String,
}

/// Every bind of the defaults and of each agent, where it is written.
pub(super) fn all(config: &Node) -> Vec<Bind> {
    let mut sections = vec![(KeyPath::dotted("agents.defaults"), config.path(&["agents", "defaults"]))];
    sections.extend(
        workspace::agents(config).into_iter().filter(|a| a.entry.is_some()).map(|a| (a.path, a.entry)),
    );
    let mut out = Vec::new();
    for (path, section) in sections {
        for part in ["docker", "browser"] {
            let keys = ["sandbox", part, "binds"];
            let list = section.and_then(|s| s.path(&keys)).and_then(Node::as_array).unwrap_or_default();
            for (i, text) in list.iter().enumerate().filter_map(|(i, n)| Some((i, n.as_str()?))) {
                let source = text.trim().split(':').next().unwrap_or_default().trim().to_owned();
                if !source.is_empty() {
                    out.push(Bind { path: path.join(&KeyPath::keys(keys)).index(i), source });
                }
            }
        }
    }
    out
}

pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    for bind in all(ctx.config) {
        if let Some(source) = absolute(ctx, &bind.source) {
            resolve::want(ctx, &source, wanted);
        }
    }
}

fn absolute(ctx: &AuditContext<'_>, source: &str) -> Option<PathBuf> {
    let path = workspace::expand(source, &ctx.facts.places.home);
    path.is_absolute().then_some(path)
}

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    for bind in all(ctx.config) {
        let Some(source) = absolute(ctx, &bind.source) else {
            out.report("sandbox.bind_mount_non_absolute", Severity::Warn)
                .detail(format!("`{}`: source `{}` is not an absolute path", bind.path, bind.source))
                .key(ctx.key_at(&bind.path));
            continue;
        };
        let written = resolve::normal(&source);
        let real = resolve::real(ctx, &source);
        let hit = blocked(ctx, &written).or_else(|| blocked(ctx, &real));
        if let Some((what, covers)) = hit {
            let link = if real == written { String::new() } else { format!(" (really {})", real.display()) };
            let how = if covers { "contains" } else { "lies in" };
            out.report("sandbox.dangerous_bind_mount", Severity::Critical)
                .detail(format!("`{}`: {}{link} {how} {}", bind.path, bind.source, what.display()))
                .key(ctx.key_at(&bind.path));
        }
    }
}

/// The blocked path that a source lies in, or (`true`) contains.
fn blocked(ctx: &AuditContext<'_>, source: &Path) -> Option<(PathBuf, bool)> {
    let places = &ctx.facts.places;
    let system = SYSTEM.iter().map(PathBuf::from);
    let home = HOME.iter().map(|n| places.home.join(n));
    let state = STATE
        .iter()
        .map(|n| places.state_dir.join(n))
        .chain([places.credentials.clone(), places.config.clone()]);
    let all: Vec<PathBuf> = system.chain(home).chain(state).collect();
    // Being inside one is the plainer news.
    let inside = all.iter().find(|b| source.starts_with(b)).map(|b| (b.clone(), false));
    inside.or_else(|| all.into_iter().find(|b| b.starts_with(source)).map(|b| (b, true)))
}
