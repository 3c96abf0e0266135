//! Which models are configured, and what their names give away (audit spec 1.6).

use std::sync::LazyLock;

use oc_types::{AgentId, KeyPath, Node};
use regex::Regex;

use crate::workspace;

/// A configured model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelId {
    /// The id, trimmed.
    pub id: String,
    /// Where it stands.
    pub key: KeyPath,
    /// Whether it is for images.
    pub image: bool,
    /// The agent it belongs to; `None` for the defaults.
    pub agent: Option<AgentId>,
}

/// Every configured model id: defaults, image defaults, agents.
#[must_use]
pub fn collect(config: &Node) -> Vec<ModelId> {
    let mut out = Vec::new();
    let defaults = KeyPath::keys(["agents", "defaults"]);
    for (name, image) in [("model", false), ("imageModel", true)] {
        if let Some(node) = config.path(&["agents", "defaults", name]) {
            of_node(node, &defaults.key(name), image, None, &mut out);
        }
    }
    for agent in workspace::agents(config) {
        if let Some(node) = agent.entry.and_then(|e| e.get("model")) {
            of_node(node, &agent.path.key("model"), false, Some(&agent.id), &mut out);
        }
    }
    out
}

fn of_node(node: &Node, path: &KeyPath, image: bool, agent: Option<&AgentId>, out: &mut Vec<ModelId>) {
    let mut add = |node: Option<&Node>, key: KeyPath| {
        let id = node.and_then(Node::as_str).unwrap_or_default().trim();
        if !id.is_empty() {
            out.push(ModelId { id: id.to_owned(), key, image, agent: agent.cloned() });
        }
    };
    add(Some(node), path.clone());
    add(node.get("primary"), path.key("primary"));
    let fallbacks = path.key("fallbacks");
    for (i, item) in node.get("fallbacks").and_then(Node::as_array).unwrap_or_default().iter().enumerate() {
        add(Some(item), fallbacks.index(i));
    }
}

/// A pattern known at compile time; `None` never happens (a test compiles them all) and would match nothing.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static LEGACY: LazyLock<[(Option<Regex>, &str); 3]> = LazyLock::new(|| {
    [
        (pattern(r"(?i)(?-u:\b)gpt-3\.5(?-u:\b)"), "GPT-3.5 family"),
        (pattern(r"(?i)(?-u:\b)claude-(?:instant|2)(?-u:\b)"), "Claude 2 or Instant family"),
        (pattern(r"(?i)(?-u:\b)gpt-4-(?:0314|0613)(?-u:\b)"), "GPT-4 snapshot of 2023"),
    ]
});
static HAIKU: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?i)(?-u:\b)haiku(?-u:\b)"));
static GPT: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?i)(?-u:\b)gpt-"));
static GPT_5: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?i)(?-u:\b)gpt-5(?:(?-u:\b)|[.-])"));
static CLAUDE: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?i)(?-u:\b)claude-"));
static CLAUDE_45: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)(?-u:\b)claude-[^\s/]*?(?:",
        r"-4-?(?:[5-9]|[1-9][0-9])(?-u:\b)",
        r"|4\.(?:[5-9]|[1-9][0-9])(?-u:\b)",
        r"|-[5-9](?:(?-u:\b)|[.-]))"
    ))
});
static SIZE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(?:^|[^a-z0-9])[a-z]?([0-9]+(?:\.[0-9]+)?)b(?:[^a-z0-9]|$)"));

fn hit(pattern: &LazyLock<Option<Regex>>, id: &str) -> bool {
    pattern.as_ref().is_some_and(|p| p.is_match(id))
}

/// The legacy family a model belongs to.
#[must_use]
pub fn legacy_family(id: &str) -> Option<&'static str> {
    LEGACY.iter().find(|(p, _)| p.as_ref().is_some_and(|p| p.is_match(id))).map(|(_, family)| *family)
}

/// Why a model counts as a weaker tier.
#[must_use]
pub fn weak_tier(id: &str) -> Option<&'static str> {
    if hit(&HAIKU, id) {
        return Some("a small tier");
    }
    if hit(&GPT, id) && !hit(&GPT_5, id) {
        return Some("older than GPT-5");
    }
    if hit(&CLAUDE, id) && !hit(&CLAUDE_45, id) {
        return Some("older than Claude 4.5");
    }
    None
}

/// The largest parameter count named in a model id, in billions: `70b`, `a22b`, `0.5b`; not `8x7b`. A separator belongs to the
/// number before it, as upstream counts: of `7b-405b` only the first number is seen.
#[must_use]
pub fn billions(id: &str) -> Option<f64> {
    let text = id.to_lowercase();
    let numbers = SIZE.as_ref()?.captures_iter(&text).filter_map(|c| c.get(1)?.as_str().parse::<f64>().ok());
    numbers.fold(None, |largest: Option<f64>, n| Some(largest.map_or(n, |l| l.max(n))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_tiers() {
        for id in ["openai/gpt-3.5-turbo", "x/CLAUDE-2.1", "anthropic/claude-instant-1.2", "gpt-4-0613"] {
            assert!(legacy_family(id).is_some(), "{id}");
        }
        for id in ["gpt-4-0125-preview", "claude-20", "agpt-3.5"] {
            assert!(legacy_family(id).is_none(), "{id}");
        }
        for id in ["claude-haiku-4-5", "gpt-4o", "gpt-50", "claude-opus-4-1", "claude-opus-4-20250514"] {
            assert!(weak_tier(id).is_some(), "{id}");
        }
        for id in [
            "gpt-5",
            "gpt-5.2",
            "gpt-5-mini",
            "claude-opus-4-5",
            "claude-opus-4.6",
            "claude-opus-5",
            "claude-sonnet-4-5-20250929",
            "gemini-3",
        ] {
            assert!(weak_tier(id).is_none(), "{id}: {:?}", weak_tier(id));
        }
    }

    #[test]
    fn sizes() {
        for (id, size) in [
            ("ollama/llama-3.1-70b", Some(70.0)),
            ("x/qwen3-235b-a22b", Some(235.0)),
            ("x/m-0.5b", Some(0.5)),
            ("x/mixtral-8x7b", None),
            ("x/phi3b", None),
            ("x/LLAMA-8B-instruct", Some(8.0)),
            ("x/7b-405b", Some(7.0)),
            ("x/opus", None),
        ] {
            assert_eq!(billions(id), size, "{id}");
        }
    }

    #[test]
    fn every_pattern_compiles() {
        assert!(LEGACY.iter().all(|(p, _)| p.is_some()));
        for p in [&HAIKU, &GPT, &GPT_5, &CLAUDE, &CLAUDE_45, &SIZE] {
            assert!(p.is_some());
        }
    }
}
