//! Browsers on other machines (audit spec 1.4).

use oc_types::Severity;

use crate::browser_profiles::{self, Unresolvable, is_loopback};
use crate::{AuditContext, Findings};

/// Settings that cannot be resolved, and remote browsers over plain HTTP.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let profiles = match browser_profiles::resolve(ctx) {
        Ok(profiles) => profiles,
        Err(why) => return unresolvable(ctx, out, &why),
    };
    if !browser_profiles::enabled(ctx) {
        return;
    }
    for profile in &profiles {
        match &profile.endpoint {
            // The era crashed here; saying what is wrong is the one place where its report is deliberately improved.
            Err(why) => unresolvable(ctx, out, why),
            Ok(url) if !url.secure && !is_loopback(&url.host) => {
                out.report("browser.remote_cdp_http", Severity::Warn)
                    .detail(format!(
                        "Profile \"{}\" (`{}`) is driven at http://{}:{}.",
                        profile.name, profile.key, url.host, url.port
                    ))
                    .key(ctx.key_at(&profile.key));
            }
            Ok(_) => {}
        }
    }
}

fn unresolvable(ctx: &AuditContext<'_>, out: &mut Findings, why: &Unresolvable) {
    out.report("browser.control_invalid_config", Severity::Warn)
        .detail(format!("{}.", why.why))
        .key(ctx.key_at(&why.key));
}
