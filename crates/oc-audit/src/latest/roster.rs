//! Which agent answers when nothing says so (audit spec 2).

use oc_types::{KeyPath, Node, Severity};

use crate::{AuditContext, Findings};

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let list = ctx.get(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
    let chosen = |n: &Node| n.get("default").and_then(Node::as_bool) == Some(true);
    let defaults: Vec<usize> = list.iter().enumerate().filter(|(_, n)| chosen(n)).map(|(i, _)| i).collect();
    if list.len() < 2 || defaults.len() == 1 {
        return;
    }
    let root = KeyPath::dotted("agents.list");
    let mut draft = out
        .report("config.agent_roster.invalid_default_count", Severity::Warn)
        .detail(format!(
            "`agents.list` has {} agents and {} with `default: true`",
            list.len(),
            defaults.len()
        ))
        .key(ctx.key_at(&root));
    for i in defaults {
        draft = draft.key(ctx.key_at(&root.index(i).key("default")));
    }
    drop(draft);
}
