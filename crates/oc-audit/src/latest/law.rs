//! The law between the two rule sets: what `2026.2` reports, `latest` reports too, at the same or a higher severity.

use crate::{Finding, catalogue};

/// A finding of the era that the latest rules deliberately judge otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The era's id, as the catalogue writes it; a final `*` stands for any ending.
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
        id: "channels.<channel>.dm.scope_main_multiuser",
        reason: "an account inherits its channel's policy; the era let the schema's default of an account shadow it",
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
        let kept =
            left.iter().position(|f| same(&f.check_id, &finding.check_id) && f.severity >= finding.severity);
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

/// Whether two ids are the same check. The number of a free-form warning counts the findings before it and says nothing.
fn same(a: &str, b: &str) -> bool {
    let family = |id: &'_ str| id.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    a == b || (a.contains(".warning.") && family(a) == family(b))
}

fn is_deliberate(id: &str) -> bool {
    DELIBERATE.iter().any(|d| match d.id.strip_suffix('*') {
        Some(start) => id.starts_with(start),
        None => catalogue::is_example(d.id, id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_about_a_check_of_the_era() {
        for d in DELIBERATE {
            let known = catalogue::all().any(|c| match d.id.strip_suffix('*') {
                Some(start) => c.id.starts_with(start) && !c.era.is_empty(),
                None => c.id == d.id && !c.era.is_empty(),
            });
            assert!(known && !d.reason.is_empty(), "{}", d.id);
        }
    }
}
