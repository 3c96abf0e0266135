//! The stage before the layers: is the tool offered at all.

use oc_types::{Effect, KeyPath, Origin, TraceStep};

use super::{Advice, Answer, Question, unset_step};
use crate::inventory::{Absence, Presence, ReadOnlyFiles};
use crate::sandbox::{WorkspaceAccess, is_sandboxed, workspace_access};
use crate::tool_policy::{Refusal, Stack};

const STAGE: &str = "inventory";

/// The step that says why the tool is absent; `None` when it is there.
pub(super) fn absent(
    question: &Question<'_>,
    stack: &Stack<'_>,
    name: &str,
    advice: Advice,
) -> Result<Option<TraceStep>, Refusal> {
    let config = question.config;
    let Some(tool) = question.inventory.get(name) else {
        let nearest = (advice == Advice::Given)
            .then(|| crate::tool_policy::nearest_tool(question.inventory, name))
            .flatten();
        let hint = nearest.map(|n| format!("; the nearest known name is {n}")).unwrap_or_default();
        let detail = format!("nothing here offers a tool called {name}{hint}");
        let step = TraceStep {
            layer: STAGE.to_owned(),
            rule: Absence::Unknown.word().to_owned(),
            key_path: None,
            source: Origin::Builtin,
            unset: false,
            effect: Effect::Removes,
            detail,
        };
        return Ok(Some(step));
    };
    let access = workspace_access(config, stack.sandbox_agent())?;
    let read_only = stack.runs().is_sandboxed() && access.value == WorkspaceAccess::Ro;
    let presence = Presence {
        provider: question.context.provider,
        model: question.context.model,
        model_sees_images: question.model_sees_images,
        read_only: if read_only { ReadOnlyFiles::Yes } else { ReadOnlyFiles::No },
    };
    let step = |why: Absence, key: KeyPath, detail: &str| {
        unset_step(config, STAGE, why.word(), key, Effect::Removes, detail.to_owned())
    };
    // Gates that depend on the model are asked only when the question names one.
    let why = presence.absence(config, tool).filter(|why| match why {
        Absence::ApplyPatchGate | Absence::NoImageModel => question.context.model.is_some(),
        _ => true,
    });
    if let Some(why) = why {
        let detail = match why {
            Absence::WorkspaceReadOnly => {
                "the session is sandboxed and workspaceAccess is \"ro\": write, edit and apply_patch are withdrawn, \
                 and no allow list brings them back"
            }
            Absence::ApplyPatchGate => {
                "needs tools.exec.applyPatch.enabled, a model of openai or openai-codex, and that model in allowModels \
                 when the list is not empty"
            }
            Absence::WebSearchOff | Absence::WebFetchOff | Absence::BrowserOff => "switched off",
            Absence::NoImageModel => "no image-capable model is configured",
            Absence::MemorySlotNone => "the memory plugin's slot is empty",
            Absence::Unknown | Absence::OptionalPluginTool => "not offered",
        };
        let access_key = || {
            access.key.clone().unwrap_or_else(|| KeyPath::dotted("agents.defaults.sandbox.workspaceAccess"))
        };
        return Ok(Some(step(why, why.key().unwrap_or_else(access_key), detail)));
    }
    if tool.is_optional() && !stack.is_named(name, tool) {
        let plugin = tool.owner().unwrap_or_default();
        let detail = format!(
            "optional tool of plugin {plugin}: some allow list has to name {name}, {plugin} or group:plugins literally; \
             \"*\" and other patterns do not switch it on"
        );
        let key = stack.first_allow_list().unwrap_or_else(|| KeyPath::dotted("tools.allow"));
        return Ok(Some(step(Absence::OptionalPluginTool, key, &detail)));
    }
    Ok(None)
}

/// The step of a tool that is there.
pub(super) fn there(question: &Question<'_>, name: &str) -> TraceStep {
    let owner = question.inventory.get(name).and_then(|t| t.owner());
    TraceStep {
        layer: STAGE.to_owned(),
        rule: "present".to_owned(),
        key_path: None,
        source: Origin::Builtin,
        unset: false,
        effect: Effect::Keeps,
        detail: match owner {
            Some(plugin) => format!("offered by plugin {plugin}"),
            None => "one of the product's own tools".to_owned(),
        },
    }
}

/// What else explains an absence: for a read-only workspace, why the session is sandboxed.
pub(super) fn aftermath(question: &Question<'_>, stack: &Stack<'_>, name: &str, answer: &mut Answer) {
    if answer.reason != Absence::WorkspaceReadOnly.word() {
        return;
    }
    if let Ok(sandboxing) = is_sandboxed(question.config, question.context.session_key) {
        // The sandbox layer may have shown it already.
        let told = |steps: &[TraceStep]| steps.iter().any(|s| s.layer == "mode");
        if !told(&answer.steps) {
            answer.steps.extend(sandboxing.trace);
        }
    }
    let allowed = stack.decide(name).is_allowed();
    if allowed {
        answer.notes.push(format!(
            "the layers would let {name} pass; they are not asked about a tool that is not there"
        ));
    }
}
