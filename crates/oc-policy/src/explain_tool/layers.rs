//! What each layer did to the tool.

use oc_types::{Effect, KeyPath, Node, Origin, TraceStep};

use super::{Answer, Question, unset_step};
use crate::layer::Layer;
use crate::sandbox::is_sandboxed;
use crate::sender::{Matched, SenderKind};
use crate::session_key::SessionKey;
use crate::tool_policy::list::{List, Standing};
use crate::tool_policy::matcher::{Candidate, Side, entry_matches};
use crate::tool_policy::rule::Rule;
use crate::tool_policy::{ProfileParts, Slot, SlotRule, Stack, Warning};

/// Adds a step for every layer, in order; the first that removes the tool decides, unless something before the layers did.
pub(super) fn trace(question: &Question<'_>, stack: &Stack<'_>, name: &str, answer: &mut Answer) {
    let config = question.config;
    let tool = stack.candidate(name);
    for layer in Layer::ALL.into_iter().filter(|l| *l != Layer::OwnerOnly) {
        let mut any = false;
        if layer == Layer::Profile {
            shadowed_profile(question, stack, answer);
        }
        if layer == Layer::Sandbox && stack.runs().is_sandboxed() {
            sandbox_reason(question, answer);
        }
        for slot in stack.slots.iter().filter(|s| s.layer == layer && !s.inherited) {
            any = true;
            slot_steps(config, stack, slot, tool, answer);
        }
        if !any {
            answer.steps.push(absent_layer(question, layer));
        }
    }
    for slot in stack.slots.iter().filter(|s| s.inherited && !s.rule.passes(tool, stack.exec())) {
        let mut mine =
            Answer { steps: Vec::new(), notes: Vec::new(), facts: serde_json::Map::new(), ..inherit(answer) };
        slot_steps(config, stack, slot, tool, &mut mine);
        for mut step in mine.steps {
            step.layer = Layer::Subagent.word().to_owned();
            step.detail = format!("the spawning session lacks it ({}): {}", slot.layer, step.detail);
            if step.effect == Effect::Removes { answer.removed(step) } else { answer.steps.push(step) }
        }
    }
}

fn inherit(answer: &Answer) -> Answer {
    Answer {
        verdict: answer.verdict,
        reason: answer.reason.clone(),
        decided: answer.decided.clone(),
        steps: Vec::new(),
        notes: Vec::new(),
        facts: serde_json::Map::new(),
    }
}

/// The steps of one policy.
fn slot_steps(config: &Node, stack: &Stack<'_>, slot: &Slot<'_>, tool: Candidate<'_>, answer: &mut Answer) {
    let layer = slot.layer.word();
    match slot.rule {
        SlotRule::Profile(parts) => {
            let step = profile_step(layer, parts, tool, stack);
            if step.effect == Effect::Removes { answer.removed(step) } else { answer.steps.push(step) }
        }
        SlotRule::Plain { rule, matched } => {
            let said = matched.map(|m| format!("; the sender was recognised {}", by(m))).unwrap_or_default();
            let denied =
                rule.deny_lists.iter().filter_map(|l| deny_step(config, layer, l, tool, stack, &said));
            let mut removed: Vec<TraceStep> = denied.collect();
            if !rule.admits(tool, stack.exec())
                && let Some(list) = rule.allow_lists.first()
            {
                removed.push(miss_step(config, layer, list, tool, &said));
            }
            let refused = !removed.is_empty();
            if refused {
                let overruled = rule.allow_lists.iter().find_map(|l| allow_hit(layer, l, tool, stack));
                removed.into_iter().for_each(|s| answer.removed(s));
                if let Some(step) = overruled {
                    answer.steps.push(TraceStep { effect: Effect::Inert, ..step });
                }
                return;
            }
            answer.steps.push(keep_step(layer, rule, tool, stack, &said));
        }
    }
}

fn by(matched: Matched) -> String {
    match matched {
        Matched::Anybody => "as anybody (\"*\")".to_owned(),
        Matched::By(kind) => {
            let missed: Vec<&str> =
                [SenderKind::Id, SenderKind::E164, SenderKind::Username, SenderKind::Name]
                    .into_iter()
                    .filter(|k| *k < kind)
                    .map(SenderKind::word)
                    .collect();
            let missed = if missed.is_empty() {
                String::new()
            } else {
                format!(" (no key for {})", missed.join(", "))
            };
            format!("by {}{missed}", kind.word())
        }
    }
}

fn list_step(layer: &str, rule: &str, list: &List, effect: Effect, detail: String) -> TraceStep {
    let builtin = list.standing == Standing::Builtin;
    TraceStep {
        layer: layer.to_owned(),
        rule: rule.to_owned(),
        key_path: (!builtin).then(|| list.place.path()),
        source: list.origin.clone(),
        unset: list.standing == Standing::Default,
        effect,
        detail,
    }
}

/// The same for a list at its default: the position is that of the nearest key that is set.
fn placed(config: &Node, mut step: TraceStep) -> TraceStep {
    if step.unset
        && step.source != Origin::Default
        && let Some(key) = &step.key_path
    {
        step.source = config.nearest(key).0.origin.clone();
    }
    step
}

fn deny_step(
    config: &Node,
    layer: &str,
    list: &List,
    tool: Candidate<'_>,
    stack: &Stack<'_>,
    said: &str,
) -> Option<TraceStep> {
    let rule = match list.standing {
        Standing::Set => "deny list",
        Standing::Default => "default deny list",
        Standing::Builtin => "built-in deny list",
    };
    if list.malformed {
        return Some(list_step(
            layer,
            rule,
            list,
            Effect::Removes,
            "the list cannot be read; everything is refused".to_owned(),
        ));
    }
    let hit = list.entries.iter().find(|e| entry_matches(&e.text, tool, stack.inventory(), Side::Deny))?;
    let detail = match list.standing {
        Standing::Set => format!("entry {:?} at {} matches{said}", &*hit.text, hit.origin),
        Standing::Default | Standing::Builtin => format!("names {:?}{said}", &*hit.text),
    };
    Some(placed(config, list_step(layer, rule, list, Effect::Removes, detail)))
}

fn miss_step(config: &Node, layer: &str, list: &List, tool: Candidate<'_>, said: &str) -> TraceStep {
    let rule = match list.standing {
        Standing::Set => "allow list",
        Standing::Default => "default allow list",
        Standing::Builtin => "built-in allow list",
    };
    let names: Vec<&str> = list.entries.iter().take(12).map(|e| &*e.text).collect();
    let more = if list.entries.len() > 12 { ", ..." } else { "" };
    let detail = format!("does not name {}: {}{more}{said}", tool.name, names.join(", "));
    placed(config, list_step(layer, rule, list, Effect::Removes, detail))
}

fn allow_hit(layer: &str, list: &List, tool: Candidate<'_>, stack: &Stack<'_>) -> Option<TraceStep> {
    let hit = list.entries.iter().find(|e| entry_matches(&e.text, tool, stack.inventory(), Side::Allow))?;
    let detail = format!("entry {:?} at {} names it and is overruled", &*hit.text, hit.origin);
    Some(list_step(layer, "allow list", list, Effect::Inert, detail))
}

fn keep_step(layer: &str, rule: &Rule, tool: Candidate<'_>, stack: &Stack<'_>, said: &str) -> TraceStep {
    let plain = |key: KeyPath, rule: &str, source: &Origin, detail: String| TraceStep {
        layer: layer.to_owned(),
        rule: rule.to_owned(),
        key_path: Some(key),
        source: source.clone(),
        unset: false,
        effect: Effect::Keeps,
        detail,
    };
    if let Some(list) = rule.allow_lists.first().filter(|_| rule.has_allow()) {
        let hit = rule.allow_lists.iter().flat_map(|l| &l.entries);
        let hit = hit.into_iter().find(|e| entry_matches(&e.text, tool, stack.inventory(), Side::Allow));
        let detail = match hit {
            Some(entry) => format!("entry {:?} names it{said}", &*entry.text),
            None => format!("exec is named, which admits {} too{said}", tool.name),
        };
        return placed_list(list, plain(list.place.path(), "allow list", &list.origin, detail));
    }
    if let Some(list) = &rule.additive {
        let detail = "plugin tools and channels beside a profile: adds to it, restricts nothing".to_owned();
        return plain(list.place.path(), "additive allow list", &list.origin, detail);
    }
    if rule.deny_lists.iter().any(|l| l.standing == Standing::Set) || rule.also.is_some() {
        return plain(rule.place.path(), "policy", &rule.origin, format!("nothing here is against it{said}"));
    }
    TraceStep {
        unset: rule.origin == Origin::Default,
        effect: Effect::Absent,
        ..plain(rule.place.path(), "policy", &rule.origin, format!("no list here restricts it{said}"))
    }
}

fn placed_list(list: &List, step: TraceStep) -> TraceStep {
    TraceStep { unset: list.standing == Standing::Default, ..step }
}

fn profile_step(layer: &str, parts: ProfileParts<'_>, tool: Candidate<'_>, stack: &Stack<'_>) -> TraceStep {
    let profile = parts.profile;
    let passes = SlotRule::Profile(parts).passes(tool, stack.exec());
    let by_profile = parts.rule.passes(tool, stack.exec());
    let detail = match (passes, by_profile, parts.extras) {
        (true, true, _) => format!("profile {} includes {}", profile.word, tool.name),
        (true, false, Some(extras)) => {
            format!(
                "profile {} lacks it, {} adds it ({})",
                profile.word,
                extras.list.place.path(),
                extras.list.origin
            )
        }
        (_, _, extras) => {
            let more =
                extras.map(|e| format!(", and {} does not add it", e.list.place.path())).unwrap_or_default();
            format!("profile {} does not include {}{more}", profile.word, tool.name)
        }
    };
    TraceStep {
        layer: layer.to_owned(),
        rule: format!("profile {}", profile.word),
        key_path: Some(profile.place.path()),
        source: profile.origin.clone(),
        unset: false,
        effect: if passes { Effect::Keeps } else { Effect::Removes },
        detail,
    }
}

/// The global profile that an agent's replaces.
fn shadowed_profile(question: &Question<'_>, stack: &Stack<'_>, answer: &mut Answer) {
    let Some(agent) = stack.policy_agent() else { return };
    let Some(entry) = crate::sandbox::agent_entry(question.config, agent) else { return };
    let (Some(_), Some(global)) =
        (entry.node.path(&["tools", "profile"]), question.config.path(&["tools", "profile"]))
    else {
        return;
    };
    let key = KeyPath::keys(["tools", "profile"]);
    let own = entry.key_path().key("tools").key("profile");
    let detail = format!(
        "{:?} is replaced, not merged, by {own} for agent {agent}",
        global.as_str().unwrap_or_default()
    );
    answer.steps.push(unset_step(
        question.config,
        Layer::Profile.word(),
        "shadowed profile",
        key,
        Effect::Inert,
        detail,
    ));
}

fn sandbox_reason(question: &Question<'_>, answer: &mut Answer) {
    if let Ok(sandboxing) = is_sandboxed(question.config, question.context.session_key) {
        answer.steps.extend(sandboxing.trace);
    }
}

/// A layer that does not apply, and why.
fn absent_layer(question: &Question<'_>, layer: Layer) -> TraceStep {
    let config = question.config;
    let tools = |key: &str| KeyPath::keys(["tools", key]);
    let (key, detail) = match layer {
        Layer::Profile => (tools("profile"), "no profile restricts anything".to_owned()),
        Layer::ProviderProfile | Layer::GlobalProvider => {
            let key = tools("byProvider");
            let detail = provider_detail(question, &key);
            (key, detail)
        }
        Layer::AgentProvider => match agent_map(question) {
            Some(key) => {
                let detail = provider_detail(question, &key);
                (key, detail)
            }
            None => (tools("byProvider"), "the agent has no entry for a model".to_owned()),
        },
        Layer::Agent => {
            (KeyPath::keys(["agents", "list"]), "the agent has no tool policy of its own".to_owned())
        }
        Layer::Group => {
            (KeyPath::keys(["channels"]), "no room policy applies to this session and sender".to_owned())
        }
        Layer::Sandbox => {
            (KeyPath::dotted("agents.defaults.sandbox.mode"), "the session is not sandboxed".to_owned())
        }
        Layer::Subagent => (KeyPath::dotted("tools.subagents"), "this is no sub-agent's session".to_owned()),
        Layer::OwnerOnly | Layer::Global => (KeyPath::keys(["tools"]), "nothing is set".to_owned()),
    };
    unset_step(config, layer.word(), "absent", key, Effect::Absent, detail)
}

/// `byProvider` of the agent that the session belongs to, set or not.
fn agent_map(question: &Question<'_>) -> Option<KeyPath> {
    let key = SessionKey::parse(question.context.session_key?).ok()?;
    let entry = crate::sandbox::agent_entry(question.config, key.agent()?)?;
    Some(entry.key_path().key("tools").key("byProvider"))
}

/// Why the map of models at `key` restricts nothing here.
fn provider_detail(question: &Question<'_>, key: &KeyPath) -> String {
    let models = crate::tool_policy::model_keys(question.context.provider, question.context.model);
    if models.is_empty() {
        return "no model is given".to_owned();
    }
    let map = question.config.at(key).and_then(Node::as_object);
    let Some(map) = map else { return "there are no entries for single models".to_owned() };
    let set = models.iter().find(|m| map.keys().any(|k| k.trim().to_lowercase() == **m));
    match (set, models.as_slice()) {
        (Some(model), _) => format!("the entry of {model} says nothing of this kind"),
        (None, [one]) => format!("{one} is no key"),
        (None, many) => format!("neither {} is a key", many.join(" nor ")),
    }
}

/// Remarks beside the trace.
pub(super) fn notes(
    question: &Question<'_>,
    stack: &Stack<'_>,
    name: &str,
    warnings: &[Warning],
    answer: &mut Answer,
) {
    let decided = answer.decided.as_ref().and_then(|d| d.key_path.clone());
    if let Some(key) = decided {
        let about = warnings.iter().filter(|w| w.key_path.starts_with(&key));
        answer.notes.extend(about.map(ToString::to_string));
    }
    let mutable = stack.slots.iter().find_map(|s| match s.rule {
        SlotRule::Plain { matched: Some(Matched::By(kind)), rule } if kind.is_mutable() => Some((kind, rule)),
        _ => None,
    });
    if let Some((kind, rule)) = mutable {
        let what = if kind == SenderKind::Username { "user name" } else { "display name" };
        answer.notes.push(format!(
            "{} matches a {what}, which its owner can change: prefer the sender's id",
            rule.place.path()
        ));
    }
    if stack.slots.iter().any(|s| s.layer == Layer::Group && !s.inherited) {
        answer.notes.push("the room's policy holds in that room, not in direct messages".to_owned());
    }
    if let Some(agent) = stack.policy_agent()
        && agent != stack.sandbox_agent()
    {
        answer.notes.push(format!(
            "the key names no agent: tool policies are those of {agent}, sandbox settings those of {}",
            stack.sandbox_agent()
        ));
    }
    if name == "browser" && stack.runs().is_sandboxed() {
        let entry = crate::sandbox::agent_entry(question.config, stack.sandbox_agent());
        let base = entry.map_or_else(|| KeyPath::keys(["agents", "defaults"]), |e| e.key_path());
        let key = base.key("sandbox").key("browser").key("enabled");
        answer.notes.push(format!("permitted is not usable: a sandbox browser also needs {key}"));
    }
    if let Some(parent) = question.context.spawned_by
        && question
            .context
            .session_key
            .and_then(|k| SessionKey::parse(k).ok())
            .is_some_and(|k| k.is_subagent())
    {
        answer.notes.push(format!("a sub-agent never has more than the session that spawned it ({parent})"));
    }
}
