//! Permissions and links of the state directory (audit spec 1.8).
//!
//! The era judged a link by its own mode, which on Linux is 0777; the latest rules look at what the link leads to.

use std::path::{Path, PathBuf};

use oc_types::Severity;

use crate::facts::{Kind, PathFact};
use oc_config::location::expand_home;

use crate::{AuditContext, Findings, KeyRef, Wanted, agents};

/// The file of `logging.file`. The default location is not inspected.
fn log_file(ctx: &AuditContext<'_>) -> Option<PathBuf> {
    let text = ctx.text(&["logging", "file"]).map(str::trim).filter(|t| !t.is_empty())?;
    let places = &ctx.facts.places;
    let text = expand_home(text, &places.home).unwrap_or_else(|| text.to_owned());
    Some(ctx.facts.cwd.as_ref().map_or_else(|| PathBuf::from(&text), |cwd| cwd.join(&text)))
}

/// Everything that is looked at.
pub fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    let places = &ctx.facts.places;
    wanted.stat(&places.state_dir);
    wanted.stat(&places.config);
    wanted.stat(&places.credentials);
    for file in &ctx.facts.includes {
        wanted.stat(file);
    }
    if ctx.latest() {
        wanted.list(agents::root(ctx));
    }
    for dir in agents::directories(ctx) {
        wanted.stat(agents::auth_profiles(&dir));
        wanted.stat(agents::session_store(&dir));
    }
    if let Some(file) = log_file(ctx) {
        wanted.stat(file);
    }
}

/// State directory and configuration file, includes, credentials, agents, log file.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    state_dir(ctx, out);
    config_file(ctx, out);
    for file in &ctx.facts.includes {
        let key = include_key(ctx, file);
        Chain::new(ctx, file, "fs.config_include").config_file(out, key);
    }
    let credentials = Chain::new(ctx, &ctx.facts.places.credentials, "fs.credentials_dir");
    if credentials.fact.is_dir() {
        credentials.writable_then_readable(out);
    }
    for dir in agents::directories(ctx) {
        Chain::new(ctx, &agents::auth_profiles(&dir), "fs.auth_profiles").writable_then_readable(out);
        Chain::new(ctx, &agents::session_store(&dir), "fs.sessions_store").readable(out, None);
    }
    if let Some(file) = log_file(ctx) {
        Chain::new(ctx, &file, "fs.log_file").readable(out, Some(ctx.key(&["logging", "file"])));
    }
}

fn state_dir(ctx: &AuditContext<'_>, out: &mut Findings) {
    let chain = Chain::new(ctx, &ctx.facts.places.state_dir, "fs.state_dir");
    chain.symlink(out);
    let Some(mode) = chain.mode else { return };
    if mode & 0o002 != 0 {
        chain.add(out, "perms_world_writable", Severity::Critical, None);
    } else if mode & 0o020 != 0 {
        chain.add(out, "perms_group_writable", Severity::Warn, None);
    } else if mode & 0o044 != 0 {
        chain.add(out, "perms_readable", Severity::Warn, None);
    }
}

fn config_file(ctx: &AuditContext<'_>, out: &mut Findings) {
    let chain = Chain::new(ctx, &ctx.facts.places.config, "fs.config");
    chain.symlink(out);
    chain.config_file(out, None);
}

/// The first key that came out of an included file, so that the finding can point at the `$include`.
fn include_key(ctx: &AuditContext<'_>, file: &Path) -> Option<KeyRef> {
    fn search(node: &oc_types::Node, path: &oc_types::KeyPath, file: &Path) -> Option<KeyRef> {
        if matches!(node.origin, oc_types::Origin::Include { .. })
            && node.origin.file_name().is_some_and(|f| Path::new(&**f) == file)
        {
            return Some(KeyRef { path: path.clone(), origin: node.origin.clone(), unset: false });
        }
        match &node.value {
            oc_types::Value::Object(o) => o.iter().find_map(|(k, v)| search(v, &path.key(k), file)),
            oc_types::Value::Array(a) => {
                a.iter().enumerate().find_map(|(i, v)| search(v, &path.index(i), file))
            }
            _ => None,
        }
    }
    search(ctx.config, &oc_types::KeyPath::root(), file)
}

/// One path and the ids of its findings.
struct Chain {
    fact: PathFact,
    prefix: &'static str,
    /// The bits to judge; `None` when there is nothing to judge.
    mode: Option<u32>,
}

impl Chain {
    fn new(ctx: &AuditContext<'_>, path: &Path, prefix: &'static str) -> Self {
        let fact = ctx.facts.path(path);
        let mode = match &fact.kind {
            Kind::Missing | Kind::Unknown(_) => None,
            Kind::Symlink(target) if ctx.latest() => target.mode,
            Kind::Symlink(_) | Kind::File | Kind::Directory | Kind::Special => Some(fact.mode),
        };
        Self { fact, prefix, mode }
    }

    fn add(&self, out: &mut Findings, what: &str, severity: Severity, key: Option<KeyRef>) {
        let mode = self.mode.unwrap_or(self.fact.mode) & 0o7777;
        let target = match &self.fact.kind {
            Kind::Symlink(t) => match &t.resolved {
                Some(p) => format!(" (a link to {})", p.display()),
                None => " (a link that leads nowhere)".to_owned(),
            },
            _ => String::new(),
        };
        out.report(format!("{}.{what}", self.prefix), severity)
            .detail(format!("{}{target} has mode {mode:04o}.", self.fact.path.display()))
            .keys(key)
            .path(&self.fact.path);
    }

    fn symlink(&self, out: &mut Findings) {
        if let Kind::Symlink(target) = &self.fact.kind {
            let to = target
                .resolved
                .as_ref()
                .map_or_else(|| "nothing that exists".to_owned(), |p| p.display().to_string());
            out.report(format!("{}.symlink", self.prefix), Severity::Warn)
                .detail(format!("{} leads to {to}.", self.fact.path.display()))
                .path(&self.fact.path);
        }
    }

    fn config_file(&self, out: &mut Findings, key: Option<KeyRef>) {
        let Some(mode) = self.mode else { return };
        if mode & 0o022 != 0 {
            self.add(out, "perms_writable", Severity::Critical, key);
        } else if mode & 0o004 != 0 {
            self.add(out, "perms_world_readable", Severity::Critical, key);
        } else if mode & 0o040 != 0 {
            self.add(out, "perms_group_readable", Severity::Warn, key);
        }
    }

    fn writable_then_readable(&self, out: &mut Findings) {
        match self.mode {
            Some(mode) if mode & 0o022 != 0 => self.add(out, "perms_writable", Severity::Critical, None),
            _ => self.readable(out, None),
        }
    }

    fn readable(&self, out: &mut Findings, key: Option<KeyRef>) {
        if self.mode.is_some_and(|mode| mode & 0o044 != 0) {
            self.add(out, "perms_readable", Severity::Warn, key);
        }
    }
}
