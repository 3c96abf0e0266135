//! The live probe's result (audit spec 1.12).

use oc_types::Severity;

use crate::{AuditContext, Findings};

/// One finding when the probe failed; a success adds nothing.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let Some(deep) = &ctx.facts.deep else { return };
    let probe = &deep.probe;
    if probe.ok {
        return;
    }
    let url = probe.url.as_deref().unwrap_or("the gateway");
    let why = probe.error.as_deref().unwrap_or("no answer");
    out.report("gateway.probe_failed", Severity::Warn)
        .detail(format!("{url}: {why}."))
        .key(ctx.key(&["gateway", "port"]));
}
