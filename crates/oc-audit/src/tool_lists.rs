//! One `{allow, deny}` pair, as far as the audit needs it: does it let a tool through?
//!
//! The full chain with its layers is `oc-policy`'s; this is the single question that the era's checks ask of one layer.

use oc_policy::group;
use oc_policy::pattern::Pattern;
use oc_policy::tool_name::canonical;
use oc_types::Node;

/// A pair of lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolLists {
    /// `None` or empty: everything that is not denied.
    allow: Vec<Pattern>,
    deny: Vec<Pattern>,
}

impl ToolLists {
    /// From texts.
    #[must_use]
    pub fn new(allow: Option<&[String]>, deny: &[String]) -> Self {
        Self { allow: patterns(allow.unwrap_or_default()), deny: patterns(deny) }
    }

    /// From an object with `allow`, `alsoAllow` and `deny`. `alsoAllow` without a restricting `allow` restricts nothing.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        let list = |key: &str| node.get(key).and_then(Node::entries).unwrap_or_default();
        let (mut allow, also) = (list("allow"), list("alsoAllow"));
        if !allow.is_empty() {
            allow.extend(also);
        }
        Self::new(Some(&allow), &list("deny"))
    }

    /// Whether a tool (canonical name) passes.
    #[must_use]
    pub fn permits(&self, tool: &str) -> bool {
        let named = |list: &[Pattern], tool: &str| list.iter().any(|p| p.matches(tool));
        if named(&self.deny, tool) {
            return false;
        }
        self.allow.is_empty()
            || named(&self.allow, tool)
            || (tool == "apply_patch" && named(&self.allow, "exec"))
    }
}

fn patterns(entries: &[String]) -> Vec<Pattern> {
    let mut out = Vec::new();
    for entry in entries {
        let name = canonical(entry);
        if name.is_empty() {
            continue;
        }
        match group::members(&name) {
            Some(tools) => out.extend(tools.iter().map(|t| Pattern::new(t))),
            None => out.push(Pattern::new(&name)),
        }
    }
    out
}
