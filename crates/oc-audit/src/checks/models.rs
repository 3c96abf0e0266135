//! Models that are easier to talk into things (audit spec 1.6). Warnings only: nothing is blocked.

use oc_types::Severity;

use crate::model_ids::{self, ModelId};
use crate::{AuditContext, Findings};

/// Most models named in one finding.
const SHOWN: usize = 12;

/// Legacy families, then weaker tiers.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let models = model_ids::collect(ctx.config);
    report(ctx, out, "models.legacy", &models, model_ids::legacy_family);
    report(ctx, out, "models.weak_tier", &models, model_ids::weak_tier);
}

fn report(
    ctx: &AuditContext<'_>,
    out: &mut Findings,
    id: &str,
    models: &[ModelId],
    why: fn(&str) -> Option<&'static str>,
) {
    let mut seen: Vec<&str> = Vec::new();
    let hits: Vec<(&ModelId, &str)> = models
        .iter()
        .filter_map(|m| Some((m, why(&m.id)?)))
        .filter(|(m, _)| {
            let new = !seen.contains(&m.id.as_str());
            seen.push(&m.id);
            new
        })
        .collect();
    if hits.is_empty() {
        return;
    }
    let mut lines: Vec<String> =
        hits.iter().take(SHOWN).map(|(m, why)| format!("`{}`: {} ({why})", m.key, m.id)).collect();
    if hits.len() > SHOWN {
        lines.push(format!("and {} more", hits.len() - SHOWN));
    }
    out.report(id, Severity::Warn)
        .detail(lines.join("; "))
        .keys(hits.iter().take(SHOWN).map(|(m, _)| ctx.key_at(&m.key)));
}
