//! The changes that flip an answer, smallest first, each tried before it is offered.

use oc_types::{AgentId, Flip, KeyPath, Node, Segment};
use serde_json::{Value as Json, json};

use super::what_if::Edit;
use super::{ALLOWED, Advice, Answer, Question, present};
use crate::inventory::Absence;
use crate::layer::Layer;
use crate::owner_only::{Ownership, is_owner_only};
use crate::sandbox::agent_entry;
use crate::tool_name::canonical;
use crate::tool_policy::list::{List, Standing};
use crate::tool_policy::matcher::{Candidate, Side, Term, entry_matches, expand};
use crate::tool_policy::rule::Rule;
use crate::tool_policy::{CompiledPolicy, Context, ProfileParts, Slot, SlotRule, Stack};

/// Most layers that one offered change touches.
const MAX_STEPS: usize = 5;
/// Most tools written out when a pattern has to be replaced by what it matches.
const MAX_SPELLED: usize = 12;

/// One way to the other verdict.
struct Change {
    edits: Vec<Edit>,
    opens: String,
}

pub(super) fn flips(question: &Question<'_>, answer: &Answer) -> Vec<Flip> {
    if answer.verdict == ALLOWED {
        return Vec::new();
    }
    let name = canonical(question.tool).into_owned();
    let mut found = commands(question, &name);
    for first in changes(question, question.config, &name) {
        if let Some(flip) = follow(question, &name, first) {
            found.push(flip);
        }
    }
    found
}

/// Changes of the question instead of the configuration.
fn commands(question: &Question<'_>, name: &str) -> Vec<Flip> {
    let mut found = Vec::new();
    let context = &question.context;
    if is_owner_only(name) && context.owner != Ownership::Proven {
        let proven = Context { owner: Ownership::Proven, ..*context };
        if allowed(question, question.config, &proven, name) {
            found.push(flip("--owner".to_owned(), "only when the channel proves it"));
        }
    }
    let Ok(key) = crate::session_key::SessionKey::parse(context.session_key.unwrap_or_default()) else {
        return found;
    };
    if key.is_subagent() {
        let agent = key.agent().map_or(AgentId::MAIN, AgentId::as_str);
        let parent = context.spawned_by.map_or_else(|| format!("agent:{agent}:main"), str::to_owned);
        let there = Context { session_key: Some(&parent), spawned_by: None, ..*context };
        if allowed(question, question.config, &there, name) {
            found.push(flip(
                format!("--session {parent}"),
                "call it from the session that spawned the sub-agent",
            ));
        }
    }
    found
}

fn flip(change: String, opens: &str) -> Flip {
    Flip { change, verdict: ALLOWED.to_owned(), opens: opens.to_owned() }
}

/// Follows a change through the layers behind it until the tool is allowed; `None` when that cannot be had.
fn follow(question: &Question<'_>, name: &str, first: Change) -> Option<Flip> {
    let mut config = question.config.clone();
    let mut edits: Vec<Edit> = Vec::new();
    let mut opens: Vec<String> = Vec::new();
    let mut next = first;
    for _ in 0..MAX_STEPS {
        for edit in next.edits {
            config = edit.apply(&config);
            edits.retain(|e| e.key != edit.key);
            edits.push(edit);
        }
        if !next.opens.is_empty() && !opens.contains(&next.opens) {
            opens.push(next.opens);
        }
        if allowed(question, &config, &question.context, name) {
            let change = edits.iter().map(Edit::flag).collect::<Vec<_>>().join(" ");
            return Some(flip(change, &opens.join("; ")));
        }
        next = changes(question, &config, name).into_iter().next()?;
    }
    None
}

/// Whether the tool is there and allowed under a configuration.
fn allowed(question: &Question<'_>, config: &Node, context: &Context<'_>, name: &str) -> bool {
    let policy = CompiledPolicy::compile_quietly(config, question.inventory);
    let Ok(stack) = policy.stack(context) else { return false };
    let asked = Question { config, context: *context, ..question.clone() };
    matches!(present::absent(&asked, &stack, name, Advice::Spared), Ok(None))
        && stack.decide(name).is_allowed()
}

/// Ways past whatever stops the tool first under a configuration.
fn changes(question: &Question<'_>, config: &Node, name: &str) -> Vec<Change> {
    let policy = CompiledPolicy::compile_quietly(config, question.inventory);
    let Ok(stack) = policy.stack(&question.context) else { return Vec::new() };
    let asked = Question { config, ..question.clone() };
    match present::absent(&asked, &stack, name, Advice::Spared) {
        Err(_) => return Vec::new(),
        Ok(Some(step)) => return presence_changes(&asked, &stack, name, &step),
        Ok(None) => {}
    }
    let tool = stack.candidate(name);
    let Some(slot) = stack.slots.iter().find(|s| !s.rule.passes(tool, stack.exec())) else {
        return Vec::new();
    };
    match slot.rule {
        SlotRule::Profile(parts) => profile_change(config, &stack, slot, parts, name).into_iter().collect(),
        SlotRule::Plain { rule, .. } if slot.layer == Layer::Sandbox => {
            sandbox_change(config, &stack, rule, tool, question.inventory).into_iter().collect()
        }
        SlotRule::Plain { rule, .. } => plain_changes(&stack, rule, tool),
    }
}

fn presence_changes(
    question: &Question<'_>,
    stack: &Stack<'_>,
    name: &str,
    step: &oc_types::TraceStep,
) -> Vec<Change> {
    let Some(key) = step.key_path.clone() else { return Vec::new() };
    let set = |value: Json, opens: &str| Change {
        edits: vec![Edit { key: key.clone(), value }],
        opens: opens.to_owned(),
    };
    let rule = step.rule.as_str();
    if rule == Absence::WorkspaceReadOnly.word() {
        if matches!(key.segments().last(), Some(Segment::Key(k)) if k == "readOnlyMode") {
            return vec![set(json!(false), "everything that read-only mode withholds")];
        }
        return vec![
            set(json!("none"), "writes stay in the sandbox's own copy"),
            set(json!("rw"), "writes reach the real workspace"),
        ];
    }
    let switches = [Absence::WebSearchOff, Absence::WebFetchOff, Absence::BrowserOff];
    if switches.iter().any(|s| rule == s.word()) {
        return vec![set(json!(true), "")];
    }
    if rule == Absence::MemorySlotNone.word() {
        return vec![set(json!(crate::tool_name::MEMORY_PLUGIN), "")];
    }
    if rule == Absence::OptionalPluginTool.word() {
        let plugin = question.inventory.get(name).and_then(|t| t.owner()).unwrap_or_default();
        let (key, mut words) = match stack.first_allow_list() {
            Some(key) => {
                let words = question.config.at(&key).and_then(Node::entries).unwrap_or_default();
                (key, words)
            }
            None => (KeyPath::dotted("tools.alsoAllow"), Vec::new()),
        };
        let mut with = |word: &str, opens: String| {
            words.push(word.to_owned());
            let change = Change { edits: vec![Edit { key: key.clone(), value: json!(words) }], opens };
            words.pop();
            change
        };
        return vec![
            with(plugin, format!("every optional tool of plugin {plugin}")),
            with(name, String::new()),
        ];
    }
    Vec::new()
}

/// Adds the tool to the profile layer, at the narrowest place that can.
fn profile_change(
    config: &Node,
    stack: &Stack<'_>,
    slot: &Slot<'_>,
    parts: ProfileParts<'_>,
    name: &str,
) -> Option<Change> {
    if slot.inherited {
        return None;
    }
    let agent = stack.policy_agent().and_then(|a| agent_entry(config, a)).map(|e| e.key_path().key("tools"));
    let own = parts.profile.place.path().parent()?;
    let scopes = match slot.layer {
        Layer::Profile => [agent, Some(KeyPath::keys(["tools"]))],
        _ => [Some(own), None],
    };
    // `allow` and `alsoAllow` in one scope are an error.
    let free = |scope: &KeyPath| {
        config.at(&scope.key("allow")).and_then(Node::as_array).is_none_or(<[Node]>::is_empty)
    };
    let scope = scopes.into_iter().flatten().find(free)?;
    let mut words: Vec<String> =
        parts.extras.map(|e| e.list.entries.iter().map(|x| x.text.to_string()).collect()).unwrap_or_default();
    words.push(name.to_owned());
    let opens = if name == "exec" {
        "adds to the profile; apply_patch, where present, comes with it"
    } else {
        "adds to the profile"
    };
    Some(Change {
        edits: vec![Edit { key: scope.key("alsoAllow"), value: json!(words) }],
        opens: opens.to_owned(),
    })
}

/// Ways past one policy: its denies narrowed, its allow list widened by one name.
fn plain_changes(stack: &Stack<'_>, rule: &Rule, tool: Candidate<'_>) -> Vec<Change> {
    let mut edits = Vec::new();
    for list in &rule.deny_lists {
        if list.malformed || !hits(stack, list, tool) {
            continue;
        }
        match without(stack, list, tool) {
            Some(edit) if list.standing == Standing::Set => edits.push(edit),
            _ => return Vec::new(),
        }
    }
    if rule.admits(tool, stack.exec()) {
        return vec![Change { edits, opens: String::new() }];
    }
    edits.extend(with(rule, tool));
    vec![Change { edits, opens: String::new() }]
}

fn hits(stack: &Stack<'_>, list: &List, tool: Candidate<'_>) -> bool {
    list.entries.iter().any(|e| entry_matches(&e.text, tool, stack.inventory(), Side::Deny))
}

/// The deny list without whatever matches the tool; a group or pattern gives way to the other tools it matches.
fn without(stack: &Stack<'_>, list: &List, tool: Candidate<'_>) -> Option<Edit> {
    let key = list.place.path();
    if matches!(key.segments().last(), Some(Segment::Key(k)) if k == "readOnlyMode") {
        return Some(Edit { key, value: json!(false) });
    }
    let inventory = stack.inventory();
    let mut words: Vec<String> = Vec::new();
    for entry in &list.entries {
        if !entry_matches(&entry.text, tool, inventory, Side::Deny) {
            words.push(entry.text.to_string());
            continue;
        }
        let mut others: Vec<String> = Vec::new();
        for (id, other) in inventory.names().enumerate() {
            let candidate = Candidate { id: Some(id), name: other };
            if other != tool.name && entry_matches(&entry.text, candidate, inventory, Side::Deny) {
                others.push(other.to_owned());
            }
        }
        // Members of a group that are not there now are kept as words.
        expand(&canonical(&entry.text), inventory, Side::Deny, &mut |term| {
            if let Term::Word(crate::pattern::Pattern::Exact(word)) = term
                && *word != *tool.name
                && !others.iter().any(|o| **o == *word)
            {
                others.push(word.to_string());
            }
        });
        if others.len() > MAX_SPELLED {
            return None;
        }
        words.extend(others);
    }
    let mut seen = std::collections::HashSet::new();
    words.retain(|w| seen.insert(w.clone()));
    Some(Edit { key, value: json!(words) })
}

/// The allow list with the tool: in place of a misspelling of it, or behind the others.
fn with(rule: &Rule, tool: Candidate<'_>) -> Option<Edit> {
    let list = rule.allow_lists.iter().find(|l| l.standing != Standing::Builtin)?;
    let key = list.place.path();
    let near = |text: &str| {
        let word = canonical(text);
        oc_text::distance::nearest(&word, [tool.name]).is_some() && !crate::tool_name::CORE.contains(&&*word)
    };
    if let Some(entry) = list.entries.iter().find(|e| near(&e.text)).filter(|_| !list.malformed) {
        return Some(Edit { key: key.index(entry.index), value: json!(tool.name) });
    }
    let mut words: Vec<String> =
        list.entries.iter().map(|e| e.text.to_string()).filter(|t| !t.trim().is_empty()).collect();
    words.push(tool.name.to_owned());
    Some(Edit { key, value: json!(words) })
}

/// Past the sandbox: one list where one stands against it, else both at the agent's place.
fn sandbox_change(
    config: &Node,
    stack: &Stack<'_>,
    rule: &Rule,
    tool: Candidate<'_>,
    inventory: &crate::inventory::Inventory,
) -> Option<Change> {
    let denied = rule.deny_lists.iter().find(|l| hits(stack, l, tool));
    let missed = !rule.admits(tool, stack.exec());
    let base = agent_entry(config, stack.sandbox_agent())
        .map_or_else(|| KeyPath::keys(["agents", "defaults"]), |e| e.key_path())
        .key("sandbox")
        .key("tools");
    let place = |list: &List, field: &str| match list.standing {
        Standing::Set => list.place.path(),
        Standing::Default | Standing::Builtin => base.key(field),
    };
    let allow = rule.allow_lists.first()?;
    // What the session has now, and the tool.
    let mut now: Vec<String> = inventory
        .names()
        .filter(|n| stack.decide(n).is_allowed() || *n == tool.name)
        .map(str::to_owned)
        .collect();
    now.sort_by_key(|n| *n == tool.name);
    if let (Some(deny), true) = (denied, missed)
        && deny.standing == Standing::Default
        && allow.standing == Standing::Default
    {
        let value = json!({"allow": now, "deny": []});
        let opens =
            "both lists are needed: the default deny list holds beside a configured allow list".to_owned();
        return Some(Change { edits: vec![Edit { key: base, value }], opens });
    }
    let mut edits = Vec::new();
    if let Some(deny) = denied {
        let narrowed = without(stack, deny, tool)?;
        edits.push(Edit { key: place(deny, "deny"), value: narrowed.value });
    }
    if missed {
        let mut words: Vec<String> = allow.entries.iter().map(|e| e.text.to_string()).collect();
        words.push(tool.name.to_owned());
        edits.push(Edit { key: place(allow, "allow"), value: json!(words) });
    }
    Some(Change { edits, opens: String::new() })
}
