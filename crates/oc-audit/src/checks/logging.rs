//! Redaction in logs (audit spec 1.5).

use oc_types::Severity;

use crate::{AuditContext, Findings};

/// One finding when redaction is switched off.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let keys = ["logging", "redactSensitive"];
    if ctx.text(&keys) == Some("off") {
        out.report("logging.redact_off", Severity::Warn)
            .detail("`logging.redactSensitive` is \"off\": tokens in tool output reach the log file.")
            .key(ctx.key(&keys));
    }
}
