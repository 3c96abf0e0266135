//! The catalogue: one entry per check. The reference page `docs/audit-checks.md` and `openclaw security checks` are made from it.

mod era;
mod latest;
pub mod page;

use oc_types::Severity;
use serde::Serialize;

/// Where a finding stands in the seed's fix-first order (audit spec 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// 1: rooms or direct messages are open. Lock these first.
    OpenAccess,
    /// 1, second step: what those who get in can do: tool policy, elevated, sandbox.
    ToolPolicy,
    /// 2: the gateway can be reached by others.
    PublicNetwork,
    /// 3: somebody else can drive the browser.
    BrowserControl,
    /// 4: somebody else on this machine can read or change state; secrets lying about.
    Permissions,
    /// 5: plugins and skills.
    Plugins,
    /// 6: the model.
    Models,
    /// Good to know; nothing to fix first.
    Other,
}

/// One check.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// The id; `<name>` stands for any text.
    pub id: &'static str,
    /// Severities it can have under the `2026.2` rules; empty when it is not part of them.
    pub era: &'static [Severity],
    /// Severities it can have under the `latest` rules; empty when it is not part of them.
    pub latest: &'static [Severity],
    /// The title of its finding.
    pub title: &'static str,
    /// The question it answers.
    pub question: &'static str,
    /// The configuration keys it reads, or the files it looks at.
    pub keys: &'static [&'static str],
    /// What to do about it; empty when there is nothing to do.
    pub fix: &'static str,
    /// The seed section, security property or observation behind it.
    pub source: &'static str,
    /// Where it stands in the fix-first order.
    pub priority: Priority,
}

/// `info`.
pub(crate) const INFO: &[Severity] = &[Severity::Info];
/// `warn`.
pub(crate) const WARN: &[Severity] = &[Severity::Warn];
/// `critical`.
pub(crate) const CRITICAL: &[Severity] = &[Severity::Critical];
/// `warn` or `critical`.
pub(crate) const WARN_CRITICAL: &[Severity] = &[Severity::Warn, Severity::Critical];
/// `info` or `warn`.
pub(crate) const INFO_WARN: &[Severity] = &[Severity::Info, Severity::Warn];
/// `info` or `critical`.
pub(crate) const INFO_CRITICAL: &[Severity] = &[Severity::Info, Severity::Critical];
/// Any.
pub(crate) const ANY: &[Severity] = &[Severity::Info, Severity::Warn, Severity::Critical];
/// Not part of the rule set.
pub(crate) const NEVER: &[Severity] = &[];

/// Every check: those of the era, then those of the latest rules only.
pub fn all() -> impl Iterator<Item = &'static Check> {
    era::CHECKS.iter().chain(latest::CHECKS)
}

/// The entry that describes a finding's id; exact ids win over patterns.
#[must_use]
pub fn find(id: &str) -> Option<&'static Check> {
    all().find(|c| c.id == id).or_else(|| all().find(|c| c.id.contains('<') && matches(c.id, id)))
}

/// Whether an id is one that an entry's id stands for.
#[must_use]
pub fn is_example(entry: &str, id: &str) -> bool {
    matches(entry, id)
}

/// Whether an id fits a pattern. `<name>` stands for one or more characters.
fn matches(pattern: &str, id: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('<') else { return pattern == id };
    let Some((_, after)) = rest.split_once('>') else { return pattern == id };
    let Some(tail) = id.strip_prefix(before) else { return false };
    tail.char_indices()
        .skip(1)
        .map(|(i, _)| i)
        .chain([tail.len()])
        .any(|i| i > 0 && tail.get(i..).is_some_and(|t| matches(after, t)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sourced() {
        let mut seen = std::collections::BTreeSet::new();
        for c in all() {
            assert!(seen.insert(c.id), "{} twice", c.id);
            assert!(!c.title.is_empty() && !c.question.is_empty() && !c.source.is_empty(), "{}", c.id);
            assert!(c.question.ends_with('?'), "{}", c.id);
            assert!(!(c.era.is_empty() && c.latest.is_empty()), "{}", c.id);
        }
    }

    #[test]
    fn patterns_match_any_name() {
        assert!(matches("channels.<channel>.dm.open", "channels.nextcloud-talk.dm.open"));
        assert!(matches("channels.<channel>.warning.<n>", "channels.telegram.warning.12"));
        assert!(!matches("channels.<channel>.dm.open", "channels..dm.open"));
        assert!(!matches("channels.<channel>.dm.open", "channels.telegram.dm.open_invalid"));
    }
}
