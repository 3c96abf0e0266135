//! `tools` and `approvals`: which tools there are for whom, and where commands run.

use super::kind::{self, *};
use super::{media, shared};

/// The base profiles.
pub(super) const PROFILE: Kind = word(&["minimal", "coding", "messaging", "full"]);

/// Policies by `provider` or `provider/model`.
pub(super) const BY_PROVIDER: Kind = map(&object(&[
    key("allow", TEXTS),
    key("alsoAllow", TEXTS),
    key("deny", TEXTS),
    key("profile", PROFILE),
]));

/// Who may take commands out of the sandbox, by channel.
pub(super) const ELEVATED: Kind = object(&[key("enabled", BOOL), key("allowFrom", map(&ENTRIES))]);

/// How commands run; the same keys globally and per agent.
pub(super) const EXEC: &[Key] = &[
    key("host", either(&[word(&["sandbox", "gateway", "node"]), product_word(&["auto"])])),
    key(
        "security",
        either(&[word(&["deny", "allowlist", "full"]), product_word(&["host", "sandbox", "ask"])]),
    )
    .dangerous(Lowered::Word("full")),
    key("ask", either(&[word(&["off", "on-miss", "always"]), product_word(&["elevated"])])),
    key("node", TEXT),
    key("pathPrepend", TEXTS),
    key("safeBins", TEXTS),
    key("safeBinTrustedDirs", TEXTS).product(),
    key(
        "safeBinProfiles",
        map(&object(&[
            key("minPositional", COUNT),
            key("maxPositional", COUNT),
            key("allowedValueFlags", TEXTS),
            key("deniedFlags", TEXTS),
        ])),
    )
    .product(),
    key("safeBinReads", word(&["non-sensitive", "workspace", "stdin"])).product(),
    key("strictInlineEval", BOOL).product(),
    key("approvalTimeoutMs", integer(1000.0, kind::MOST)).product(),
    key("backgroundMs", POSITIVE),
    key("timeoutSec", POSITIVE),
    key("cleanupMs", POSITIVE),
    key("notifyOnExit", BOOL),
    key(
        "applyPatch",
        object(&[
            key("enabled", BOOL),
            key("allowModels", TEXTS),
            key("workspaceOnly", BOOL).product().dangerous(Lowered::Off),
        ]),
    ),
];

/// Where the file tools may go.
pub(super) const FS: Kind = object(&[key("workspaceOnly", BOOL).dangerous(Lowered::Off)]);

/// Search and fetch.
const WEB: Kind = object(&[
    key(
        "search",
        object(&[
            key("enabled", BOOL),
            key("provider", word(&["brave", "perplexity", "grok"])),
            key("apiKey", SECRET),
            key("maxResults", POSITIVE),
            key("timeoutSeconds", POSITIVE),
            key("cacheTtlMinutes", number(0.0, f64::MAX)),
            key("perplexity", object(&[key("apiKey", SECRET), key("baseUrl", TEXT), key("model", TEXT)])),
            key("grok", object(&[key("apiKey", SECRET), key("model", TEXT), key("inlineCitations", BOOL)])),
        ]),
    ),
    key(
        "fetch",
        object(&[
            key("enabled", BOOL),
            key("maxChars", POSITIVE),
            key("maxCharsCap", POSITIVE),
            key("timeoutSeconds", POSITIVE),
            key("cacheTtlMinutes", number(0.0, f64::MAX)),
            key("maxRedirects", COUNT),
            key("userAgent", TEXT),
        ]),
    ),
]);

/// `tools`.
pub(super) const TOOLS: Kind = object(&[
    key("profile", PROFILE),
    key("allow", TEXTS),
    key("alsoAllow", TEXTS),
    key("deny", TEXTS),
    key("byProvider", BY_PROVIDER),
    key("web", WEB),
    key("media", media::TOOL_MEDIA),
    key("links", media::LINKS),
    key(
        "message",
        object(&[
            key("allowCrossContextSend", BOOL),
            key(
                "crossContext",
                object(&[
                    key("allowWithinProvider", BOOL),
                    key("allowAcrossProviders", BOOL),
                    key("marker", object(&[key("enabled", BOOL), key("prefix", TEXT), key("suffix", TEXT)])),
                ]),
            ),
            key("broadcast", object(&[key("enabled", BOOL)])),
        ]),
    ),
    key("agentToAgent", object(&[key("enabled", BOOL), key("allow", TEXTS)])),
    key("elevated", ELEVATED),
    key("exec", joined(&[EXEC, &[key("approvalRunningNoticeMs", COUNT).product()]])),
    key("fs", FS).product(),
    key("sessions", object(&[key("visibility", word(&["self", "tree", "agent", "all"]))])).product(),
    key("subagents", object(&[key("tools", shared::TOOL_POLICY)])),
    key(
        "subagent",
        object(&[
            key("allow", TEXTS),
            key("deny", TEXTS),
            key("tools", object(&[key("allow", TEXTS), key("deny", TEXTS)])),
        ]),
    )
    .product(),
    key("toolsBySender", shared::SENDER_POLICIES).product(),
    key("sandbox", object(&[key("tools", shared::TOOL_POLICY)])),
]);

/// `approvals`.
pub(super) const APPROVALS: Kind = object(&[key(
    "exec",
    object(&[
        key("enabled", BOOL),
        key("mode", word(&["session", "targets", "both"])),
        key("agentFilter", TEXTS),
        key("sessionFilter", TEXTS),
        key(
            "targets",
            list(&object(&[
                key("channel", FILLED).required(),
                key("to", FILLED).required(),
                key("accountId", TEXT),
                key("threadId", ENTRY),
            ])),
        ),
    ]),
)]);
