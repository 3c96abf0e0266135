//! `agents`: the agents, their workspaces, models, sandboxes and tools.

use super::kind::*;
use super::memory::MEMORY_SEARCH;
use super::sandbox::SANDBOX;
use super::shared;
use super::tools::{BY_PROVIDER, ELEVATED, EXEC, FS, PROFILE};

/// A model, or a model with fallbacks.
pub(super) const MODEL: Kind = either(&[TEXT, object(&[key("primary", TEXT), key("fallbacks", TEXTS)])]);

/// The default model.
pub(super) const DEFAULT_MODEL: Kind = object(&[key("primary", TEXT), key("fallbacks", TEXTS)]);

/// How much of the tool traffic is shown.
pub(super) const VERBOSE: Kind = word(&["off", "on", "full"]);

/// Whether reasoning is shown.
pub(super) const REASONING: Kind = word(&["off", "on", "stream"]);

/// Hours of the day.
pub(super) const ACTIVE_HOURS: Kind = object(&[key("start", TEXT), key("end", TEXT), key("timezone", TEXT)]);

/// Pauses between messages.
pub(super) const HUMAN_DELAY: Kind =
    object(&[key("mode", word(&["off", "natural", "custom"])), key("minMs", COUNT), key("maxMs", COUNT)]);

/// The regular wake-up.
pub(super) const HEARTBEAT: Kind = object(&[
    key("every", form(Form::Span)),
    key("activeHours", ACTIVE_HOURS),
    key("model", TEXT),
    key("session", TEXT),
    key("includeReasoning", BOOL),
    key("target", TEXT),
    key("to", TEXT),
    key("accountId", TEXT),
    key("prompt", TEXT),
    key("ackMaxChars", COUNT),
]);

/// One command-line model.
pub(super) const CLI_BACKEND: Kind = object(&[
    key("command", TEXT).required(),
    key("args", TEXTS),
    key("output", word(&["json", "text", "jsonl"])),
    key("resumeOutput", word(&["json", "text", "jsonl"])),
    key("input", word(&["arg", "stdin"])),
    key("maxPromptArgChars", POSITIVE),
    key("env", TEXT_MAP),
    key("clearEnv", TEXTS),
    key("modelArg", TEXT),
    key("modelAliases", TEXT_MAP),
    key("sessionArg", TEXT),
    key("sessionArgs", TEXTS),
    key("resumeArgs", TEXTS),
    key("sessionMode", word(&["always", "existing", "none"])),
    key("sessionIdFields", TEXTS),
    key("systemPromptArg", TEXT),
    key("systemPromptMode", word(&["append", "replace"])),
    key("systemPromptWhen", word(&["first", "always", "never"])),
    key("imageArg", TEXT),
    key("imageMode", word(&["repeat", "list"])),
    key("serialize", BOOL),
]);

/// What leaves the context first.
pub(super) const PRUNING: Kind = object(&[
    key("mode", word(&["off", "cache-ttl"])),
    key("ttl", TEXT),
    key("keepLastAssistants", COUNT),
    key("softTrimRatio", SHARE),
    key("hardClearRatio", SHARE),
    key("minPrunableToolChars", COUNT),
    key("tools", object(&[key("allow", TEXTS), key("deny", TEXTS)])),
    key("softTrim", object(&[key("maxChars", COUNT), key("headChars", COUNT), key("tailChars", COUNT)])),
    key("hardClear", object(&[key("enabled", BOOL), key("placeholder", TEXT)])),
]);

/// An agent's tool policy.
pub(super) const AGENT_TOOLS: Kind = object(&[
    key("profile", PROFILE),
    key("allow", TEXTS),
    key("alsoAllow", TEXTS),
    key("deny", TEXTS),
    key("byProvider", BY_PROVIDER),
    key("elevated", ELEVATED),
    key("exec", joined(&[EXEC, &[key("approvalRunningNoticeMs", COUNT)]])),
    key("fs", FS).product(),
    key("toolsBySender", shared::SENDER_POLICIES).product(),
    key("sandbox", object(&[key("tools", shared::TOOL_POLICY)])),
]);

/// One agent.
pub(super) const AGENT: Kind = object(&[
    key("id", TEXT).required(),
    key("default", BOOL),
    key("name", TEXT),
    key("workspace", TEXT),
    key("agentDir", TEXT),
    key("model", MODEL),
    key("skills", TEXTS),
    key("memorySearch", MEMORY_SEARCH),
    key("humanDelay", HUMAN_DELAY),
    key("heartbeat", HEARTBEAT),
    key(
        "identity",
        object(&[key("name", TEXT), key("theme", TEXT), key("emoji", TEXT), key("avatar", TEXT)]),
    ),
    key("groupChat", object(&[key("mentionPatterns", TEXTS), key("historyLimit", POSITIVE)])),
    key("subagents", object(&[key("allowAgents", TEXTS), key("model", MODEL), key("thinking", TEXT)])),
    key("readOnlyMode", BOOL).product(),
    key("verboseDefault", VERBOSE).product(),
    key("reasoningDefault", REASONING).product(),
    key("sandbox", SANDBOX),
    key("tools", AGENT_TOOLS),
]);

/// What holds for every agent.
pub(super) const DEFAULTS: Kind = object(&[
    key("model", DEFAULT_MODEL),
    key("imageModel", DEFAULT_MODEL),
    key("models", map(&object(&[key("alias", TEXT), key("params", OPEN), key("streaming", BOOL)]))),
    key("workspace", TEXT),
    key("repoRoot", TEXT),
    key("skipBootstrap", BOOL),
    key("bootstrapMaxChars", POSITIVE),
    key("userTimezone", TEXT),
    key("timeFormat", word(&["auto", "12", "24"])),
    key("envelopeTimezone", TEXT),
    key("envelopeTimestamp", word(&["on", "off"])),
    key("envelopeElapsed", word(&["on", "off"])),
    key("contextTokens", POSITIVE),
    key("cliBackends", map(&CLI_BACKEND)),
    key("memorySearch", MEMORY_SEARCH),
    key("contextPruning", PRUNING),
    key(
        "compaction",
        object(&[
            key("mode", word(&["default", "safeguard"])),
            key("reserveTokensFloor", COUNT),
            key("maxHistoryShare", number(0.1, 0.9)),
            key(
                "memoryFlush",
                object(&[
                    key("enabled", BOOL),
                    key("softThresholdTokens", COUNT),
                    key("prompt", TEXT),
                    key("systemPrompt", TEXT),
                ]),
            ),
        ]),
    ),
    key("thinkingDefault", word(&["off", "minimal", "low", "medium", "high", "xhigh"])),
    key("verboseDefault", VERBOSE),
    key("elevatedDefault", word(&["off", "on", "ask", "full"])),
    key("blockStreamingDefault", word(&["off", "on"])),
    key("blockStreamingBreak", word(&["text_end", "message_end"])),
    key("blockStreamingChunk", shared::CHUNK),
    key("blockStreamingCoalesce", shared::COALESCE),
    key("humanDelay", HUMAN_DELAY),
    key("timeoutSeconds", POSITIVE),
    key("mediaMaxMb", ABOVE_ZERO),
    key("typingIntervalSeconds", POSITIVE),
    key("typingMode", word(&["never", "instant", "thinking", "message"])),
    key("heartbeat", HEARTBEAT),
    key("maxConcurrent", POSITIVE),
    key(
        "subagents",
        object(&[
            key("maxConcurrent", POSITIVE),
            key("archiveAfterMinutes", POSITIVE),
            key("model", MODEL),
            key("thinking", TEXT),
        ]),
    ),
    key("readOnlyMode", BOOL).product(),
    key("skills", TEXTS).product(),
    key("reasoningDefault", REASONING).product(),
    key("sandbox", SANDBOX),
]);

/// `agents`.
pub(super) const AGENTS: Kind = object(&[key("defaults", DEFAULTS), key("list", list(&AGENT))]);
