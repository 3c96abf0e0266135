//! `agents.defaults.sandbox` and `agents.list[].sandbox`: where tools run when they do not run on the host.

use super::kind::*;
use super::shared;

/// The container.
pub(super) const DOCKER: Kind = object(&[
    key("image", TEXT),
    key("containerPrefix", TEXT),
    key("workdir", TEXT),
    key("readOnlyRoot", BOOL),
    key("tmpfs", TEXTS),
    key("network", TEXT),
    key("user", TEXT),
    key("capDrop", TEXTS),
    key("env", TEXT_MAP),
    key("setupCommand", TEXT),
    key("pidsLimit", POSITIVE),
    key("memory", ENTRY),
    key("memorySwap", ENTRY),
    key("cpus", ABOVE_ZERO),
    key("ulimits", map(&either(&[TEXT, NUMBER, object(&[key("soft", COUNT), key("hard", COUNT)])]))),
    key("seccompProfile", TEXT),
    key("apparmorProfile", TEXT),
    key("dns", TEXTS),
    key("extraHosts", TEXTS),
    key("binds", TEXTS),
    key("dangerouslyAllowReservedContainerTargets", BOOL).product().dangerous(Lowered::On),
    key("dangerouslyAllowExternalBindSources", BOOL).product().dangerous(Lowered::On),
    key("dangerouslyAllowContainerNamespaceJoin", BOOL).product().dangerous(Lowered::On),
]);

/// The browser container.
pub(super) const SANDBOX_BROWSER: Kind = object(&[
    key("enabled", BOOL),
    key("image", TEXT),
    key("containerPrefix", TEXT),
    key("cdpPort", Kind::Port),
    key("vncPort", Kind::Port),
    key("noVncPort", Kind::Port),
    key("headless", BOOL),
    key("enableNoVnc", BOOL),
    key("allowHostControl", BOOL),
    key("cdpSourceRange", TEXT).product(),
    key("autoStart", BOOL),
    key("autoStartTimeoutMs", POSITIVE),
]);

/// The sandbox.
pub(super) const SANDBOX: Kind = object(&[
    key("mode", word(&["off", "non-main", "all"])),
    key("workspaceAccess", word(&["none", "ro", "rw"])),
    key("sessionToolsVisibility", word(&["spawned", "all"])),
    key("backend", word(&["auto", "container", "native"])).product(),
    key("tools", shared::TOOL_POLICY).product(),
    key("browserAllowHostControl", BOOL).product(),
    key("scope", word(&["session", "agent", "shared"])),
    key("perSession", BOOL),
    key("workspaceRoot", TEXT),
    key("docker", DOCKER),
    key("browser", SANDBOX_BROWSER),
    key("prune", object(&[key("idleHours", COUNT), key("maxAgeDays", COUNT)])),
]);
