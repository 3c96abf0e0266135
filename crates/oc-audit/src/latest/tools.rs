//! Tool lists and profiles that do not say what they seem to (audit spec 2 and 5.1).

use oc_policy::group;
use oc_policy::pattern::Pattern;
use oc_policy::tool_name::{CHANNELS, CORE, MEMORY, WHATSAPP_LOGIN, canonical};
use oc_types::{KeyPath, Node, Severity};

use super::open_doors::list;
use super::reach::Scope;
use crate::{AuditContext, Findings};

/// Most keys that a finding lists.
const LISTED: usize = 12;

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    minimal_overridden(ctx, out);
    unknown_only(ctx, out);
}

fn minimal_overridden(ctx: &AuditContext<'_>, out: &mut Findings) {
    if ctx.text(&["tools", "profile"]) != Some("minimal") {
        return;
    }
    let paths: Vec<KeyPath> = Scope::agents(ctx)
        .iter()
        .filter_map(|s| s.own(&["tools", "profile"]))
        .filter(|(n, _)| n.as_str().is_some_and(|p| p != "minimal"))
        .map(|(_, p)| p)
        .collect();
    if !paths.is_empty() {
        out.report("tools.profile_minimal_overridden", Severity::Warn)
            .detail(format!("`tools.profile` is `minimal`, but {} replaces it", list(&paths, LISTED)))
            .keys(paths.iter().map(|p| ctx.key_at(p)))
            .key(ctx.key(&["tools", "profile"]));
    }
}

fn unknown_only(ctx: &AuditContext<'_>, out: &mut Findings) {
    let plugins: Vec<String> =
        super::plugins::extensions(ctx).into_iter().map(|e| canonical(&e.id).into_owned()).collect();
    for scope in Scope::all(ctx) {
        let found = match scope.agent {
            None => scope.general(&["tools", "allow"]),
            Some(_) => scope.own(&["tools", "allow"]),
        };
        let Some((node, path)) = found else { continue };
        let entries: Vec<String> = node.entries().unwrap_or_default();
        let entries: Vec<_> = entries.iter().map(|e| canonical(e)).filter(|e| !e.is_empty()).collect();
        if entries.is_empty() || entries.iter().any(|e| is_known(e, &plugins)) {
            continue;
        }
        let nearest = node.entries().unwrap_or_default().first().and_then(|e| nearest(e));
        let hint = nearest.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
        out.report("tools.allow_unknown_only", Severity::Warn)
            .detail(format!("`{path}` names nothing that exists, so it blocks every tool{hint}"))
            .key(ctx.key_at(&path));
    }
}

fn known_tools() -> impl Iterator<Item = &'static str> {
    CORE.iter().chain(MEMORY).copied().chain([WHATSAPP_LOGIN])
}

fn is_known(entry: &str, plugins: &[String]) -> bool {
    let pattern = Pattern::new(entry);
    group::members(entry).is_some()
        || entry == group::PLUGINS
        || CHANNELS.contains(&entry)
        // A plugin's tools are not listed anywhere; with plugins installed an unknown name may be one of them.
        || !plugins.is_empty()
        || known_tools().any(|t| pattern.matches(t))
}

fn nearest(entry: &str) -> Option<&'static str> {
    let words: Vec<&'static str> = known_tools().chain(group::GROUPS.iter().map(|(n, _)| *n)).collect();
    let wanted = canonical(entry);
    oc_text::distance::nearest(&wanted, words.iter().copied())
}

/// Whether a scope restricts tools at all.
pub(super) fn is_restricted(scope: &Scope<'_>) -> bool {
    let set = |found: Option<(&Node, KeyPath)>| {
        found.is_some_and(|(n, _)| n.entries().is_some_and(|l| l.iter().any(|e| !e.trim().is_empty())))
    };
    scope.restricting_profile().is_some()
        || ["allow", "deny"]
            .iter()
            .any(|k| set(scope.own(&["tools", k])) || set(scope.general(&["tools", k])))
}
