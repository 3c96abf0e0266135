//! `security` and `mcp`: sections that only this product's reading knows.

use super::kind::*;

/// `security`.
pub(super) const SECURITY: Kind = object(&[key(
    "audit",
    object(&[key(
        "suppressions",
        list(&object(&[
            key("checkId", FILLED).required(),
            key("titleIncludes", TEXT),
            key("detailIncludes", TEXT),
            key("reason", TEXT),
        ])),
    )
    .dangerous(Lowered::Filled)]),
)]);

/// `mcp`. A server's own options are not described: they are the server's.
pub(super) const MCP: Kind = object(&[
    key(
        "servers",
        map(&open(&[
            key("enabled", BOOL),
            key("command", TEXT),
            key("args", TEXTS),
            key("env", TEXT_MAP),
            key("cwd", TEXT),
            key("url", TEXT),
            key("transport", TEXT),
            key("headers", TEXT_MAP),
            key("ask", word(&["off", "always"])),
        ])),
    ),
    key("apps", object(&[key("enabled", BOOL)])),
]);
