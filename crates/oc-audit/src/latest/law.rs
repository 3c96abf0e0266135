//! The law between the two rule sets: what `2026.2` reports, `latest` reports too, at the same or a higher severity.

use crate::Finding;

/// A finding of the era that the latest rules deliberately judge otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The era's id; a final `*` stands for any ending.
    pub id: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Every deliberate difference. Anything else that is lost is a defect.
pub const DELIBERATE: &[Difference] = &[
    Difference {
        id: "gateway.token_too_short",
        reason: "a blank or placeholder token is reported as a placeholder, which is worse",
    },
    Difference {
        id: "config.secrets.gateway_password_in_config",
        reason: "a password given as a ${VAR} reference is not in the configuration",
    },
    Difference {
        id: "config.secrets.hooks_token_in_config",
        reason: "a token given as a ${VAR} reference is not in the configuration",
    },
    Difference {
        id: "fs.config.perms_*",
        reason: "a link's own 0777 says nothing; the file that it leads to is judged",
    },
    Difference {
        id: "fs.config_include.perms_*",
        reason: "a link's own 0777 says nothing; the file that it leads to is judged",
    },
    Difference {
        id: "fs.state_dir.perms_*",
        reason: "a link's own 0777 says nothing; the directory that it leads to is judged",
    },
    Difference {
        id: "fs.auth_profiles.perms_*",
        reason: "a link's own 0777 says nothing; the file that it leads to is judged",
    },
    Difference {
        id: "fs.sessions_store.perms_*",
        reason: "a link's own 0777 says nothing; the file that it leads to is judged",
    },
    Difference {
        id: "fs.log_file.perms_*",
        reason: "a link's own 0777 says nothing; the file that it leads to is judged",
    },
    Difference {
        id: "channels.*",
        reason: "an account inherits its channel's policies; the era let schema defaults of an account shadow them, \
                 and numbered the free-form warnings by the findings before them",
    },
    Difference {
        id: "models.small_params",
        reason: "an agent whose id has a dot keeps its own sandbox and tools; the era lost them",
    },
];

/// The findings of `era` that are missing from `latest` (or milder there) and in no row of [`DELIBERATE`].
#[must_use]
pub fn lost<'a>(era: &'a [Finding], latest: &[Finding]) -> Vec<&'a Finding> {
    let mut left: Vec<&Finding> = latest.iter().collect();
    let mut out = Vec::new();
    for finding in era {
        let kept = left.iter().position(|f| f.check_id == finding.check_id && f.severity >= finding.severity);
        match kept {
            Some(at) => {
                left.swap_remove(at);
            }
            None if is_deliberate(&finding.check_id) => {}
            None => out.push(finding),
        }
    }
    out
}

fn is_deliberate(id: &str) -> bool {
    DELIBERATE.iter().any(|d| match d.id.strip_suffix('*') {
        Some(start) => id.starts_with(start),
        None => id == d.id,
    })
}
