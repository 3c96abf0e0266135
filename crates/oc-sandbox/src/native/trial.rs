//! Making a sandbox to see whether one can be made.

use std::path::Path;

use oc_confine::inner::CHECK;
use oc_confine::spec::{Limits, NOBODY, Scratch, Spec, VERSION};
use serde::{Deserialize, Serialize};

use super::start::report;
use crate::executor::{ExecutorError, Place};

/// What held in a sandbox that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// The version of Landlock that bound it.
    pub landlock_abi: i32,
    /// What counts its processes: `namespace` (all of them) or `user` (those of its user).
    pub processes_counted_by: String,
}

/// Makes an empty sandbox, with everything that a real one has, and ends it.
///
/// # Errors
/// [`ExecutorError::Unavailable`] with the step that failed.
pub async fn trial(program: &Path) -> Result<Trial, ExecutorError> {
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let spec = Spec {
        version: VERSION,
        user: if user == 0 { NOBODY } else { user },
        group: if user == 0 { NOBODY } else { group },
        mounts: Vec::new(),
        scratch: vec![Scratch { target: "/workspace".to_owned(), size: 1 << 20 }],
        workdir: "/workspace".to_owned(),
        limits: Limits {
            processes: 64,
            memory: None,
            processors: None,
            file_size: 1 << 20,
            open_files: 256,
            named: Vec::new(),
        },
        command: vec![CHECK.to_owned()],
    };
    let line = report(program, &spec).await?;
    serde_json::from_str(&line).map_err(|e| ExecutorError::Unavailable {
        place: Place::Native,
        cause: format!("the set-up answers what is no report ({e})"),
    })
}
