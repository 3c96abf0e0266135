//! Plugins: what is installed, who may use its tools, and where it came from (audit spec 2).

use std::path::{Path, PathBuf};

use oc_policy::group;
use oc_policy::tool_name::canonical;
use oc_types::{KeyPath, Node, Severity};

use super::reach::Scope;
use crate::facts::Kind;
use crate::{AuditContext, Findings, Wanted, workspace};

/// A tool that no list names: what gets through here gets through for any plugin.
const UNKNOWN_TOOL: &str = "a-tool-of-some-plugin";

/// One installed extension.
pub(super) struct Extension {
    /// The id its manifest gives, else its folder's name.
    pub(super) id: String,
}

fn root(ctx: &AuditContext<'_>) -> PathBuf {
    ctx.facts.places.state_dir.join("extensions")
}

fn folders(ctx: &AuditContext<'_>) -> Vec<PathBuf> {
    let root = root(ctx);
    let listing = ctx.facts.listing(&root);
    listing
        .into_iter()
        .flat_map(|l| &l.entries)
        .filter(|e| e.kind == Kind::Directory)
        .map(|e| root.join(&e.name))
        .collect()
}

pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    wanted.list(root(ctx));
    for folder in folders(ctx) {
        wanted.text(folder.join("openclaw.plugin.json"), Wanted::SMALL_FILE);
    }
    for record in records(ctx) {
        wanted.text(record.folder.join("package.json"), Wanted::SMALL_FILE);
    }
}

/// What is installed, whether it is switched on or not.
pub(super) fn extensions(ctx: &AuditContext<'_>) -> Vec<Extension> {
    let id = |folder: PathBuf| {
        let manifest = ctx.facts.text(&folder.join("openclaw.plugin.json")).as_str();
        let json = manifest.and_then(|t| serde_json::from_str::<serde_json::Value>(t).ok());
        let named =
            json.as_ref().and_then(|j| j.get("id")?.as_str()).map(str::trim).filter(|i| !i.is_empty());
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        named.map_or(name, str::to_owned)
    };
    folders(ctx).into_iter().map(|f| Extension { id: id(f) }).collect()
}

/// The ids of the extensions that are loaded.
fn enabled(ctx: &AuditContext<'_>) -> Vec<String> {
    let list = |key| ctx.get(&["plugins", key]).and_then(Node::entries).unwrap_or_default();
    let (allow, deny) = (list("allow"), list("deny"));
    let named = |list: &[String], id: &str| list.iter().any(|e| e.trim() == id);
    if ctx.flag(&["plugins", "enabled"]) == Some(false) {
        return Vec::new();
    }
    extensions(ctx)
        .into_iter()
        .map(|e| e.id)
        .filter(|id| {
            (allow.is_empty() || named(&allow, id))
                && !named(&deny, id)
                && ctx.flag(&["plugins", "entries", id, "enabled"]) != Some(false)
        })
        .collect()
}

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    reachable(ctx, out);
    installs(ctx, out);
}

fn reachable(ctx: &AuditContext<'_>, out: &mut Findings) {
    let ids = enabled(ctx);
    if ids.is_empty() {
        return;
    }
    let mut why = Vec::new();
    let mut keys: Vec<KeyPath> = Vec::new();
    for scope in Scope::all(ctx) {
        if scope.denies(group::PLUGINS) {
            continue;
        }
        if scope.offers(UNKNOWN_TOOL) {
            why.push(format!("{} lets unknown tools through (`tools.allow`, `tools.profile`)", scope.name()));
            continue;
        }
        if scope.restricting_profile().is_some() {
            continue;
        }
        let named = scope
            .named()
            .into_iter()
            .find(|(e, _)| e == group::PLUGINS || ids.iter().any(|id| *canonical(id) == *e));
        if let Some((entry, path)) = named {
            why.push(format!("{} names `{entry}` in `{path}`", scope.name()));
            keys.push(path);
        }
    }
    if !why.is_empty() {
        out.report("plugins.tools_reachable_permissive_policy", Severity::Warn)
            .detail(format!("Tools of {} can be used: {}", ids.join(", "), why.join("; ")))
            .keys(keys.iter().map(|p| ctx.key_at(p)))
            .key(ctx.key(&["tools", "allow"]))
            .path(root(ctx));
    }
}

/// One record of something installed from a package registry.
struct Record<'a> {
    area: &'static str,
    id: &'a str,
    path: KeyPath,
    node: &'a Node,
    folder: PathBuf,
}

fn records<'a>(ctx: &AuditContext<'a>) -> Vec<Record<'a>> {
    let mut out = Vec::new();
    for (area, keys, below) in [
        ("plugins", &["plugins", "installs"][..], "extensions"),
        ("hooks", &["hooks", "internal", "installs"], "hooks"),
    ] {
        let path = KeyPath::keys(keys.iter().copied());
        for (id, node) in ctx.get(keys).and_then(Node::as_object).into_iter().flatten() {
            if node.get("source").and_then(Node::as_str) != Some("npm") {
                continue;
            }
            let places = &ctx.facts.places;
            let folder = node
                .get("installPath")
                .and_then(Node::as_str)
                .map(str::trim)
                .filter(|p| !p.is_empty())
                .map_or_else(
                    || places.state_dir.join(below).join(id),
                    |p| workspace::expand(p, &places.home),
                );
            out.push(Record { area, id, path: path.key(id.as_str()), node, folder });
        }
    }
    out
}

fn installs(ctx: &AuditContext<'_>, out: &mut Findings) {
    let all = records(ctx);
    for area in ["hooks", "plugins"] {
        let records: Vec<&Record<'_>> = all.iter().filter(|r| r.area == area).collect();
        let text = |r: &Record<'_>, key: &str| {
            r.node.get(key).and_then(Node::as_str).map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned)
        };
        let mut report = |what: &str, hits: Vec<(&Record<'_>, String)>| {
            if !hits.is_empty() {
                let lines: Vec<String> =
                    hits.iter().map(|(r, why)| format!("`{}` ({why})", r.path)).collect();
                out.report(format!("{area}.installs_{what}"), Severity::Warn)
                    .detail(lines.join(", "))
                    .keys(hits.iter().map(|(r, _)| ctx.key_at(&r.path)));
            }
        };
        let unpinned = |r: &&Record<'_>| text(r, "spec").is_none_or(|s| !is_pinned(&s));
        report(
            "unpinned_npm_specs",
            records
                .iter()
                .copied()
                .filter(|r| unpinned(r))
                .map(|r| (r, text(r, "spec").unwrap_or_else(|| r.id.to_owned())))
                .collect(),
        );
        report(
            "missing_integrity",
            records
                .iter()
                .copied()
                .filter(|r| text(r, "integrity").is_none())
                .map(|r| (r, "no integrity".to_owned()))
                .collect(),
        );
        let drift = |r: &&Record<'_>| {
            let recorded = text(r, "resolvedVersion").or_else(|| text(r, "version"))?;
            let there = installed_version(ctx, &r.folder)?;
            (recorded != there).then(|| format!("recorded {recorded}, installed {there}"))
        };
        report("version_drift", records.iter().copied().filter_map(|r| Some((r, drift(&r)?))).collect());
    }
}

fn installed_version(ctx: &AuditContext<'_>, folder: &Path) -> Option<String> {
    let text = ctx.facts.text(&folder.join("package.json")).as_str()?;
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(json.get("version")?.as_str()?.trim().to_owned())
}

/// Whether a package spec names one version: `name@1.2.3`, with an optional pre-release or build part.
fn is_pinned(spec: &str) -> bool {
    let scoped = spec.strip_prefix('@').unwrap_or(spec);
    let Some((_, version)) = scoped.rsplit_once('@') else { return false };
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3 && parts.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_one_exact_version_is_pinned() {
        for spec in ["a@1.2.3", "@s/a@0.0.1", "@s/a@1.2.3-beta.1", "a@1.2.3+b"] {
            assert!(super::is_pinned(spec), "{spec}");
        }
        for spec in ["a", "@s/a", "a@latest", "a@^1.2.3", "a@1.2", "a@1.x.0", "a@", ""] {
            assert!(!super::is_pinned(spec), "{spec}");
        }
    }
}
