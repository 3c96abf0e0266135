//! May this command run without a person; who is asked if not; and what does the answer bind?
//!
//! * [`program_name`]: which program names are shells or interpreters, and which do more than their name says.
//! * [`approvals_file`]: `exec-approvals.json` as data, and the settings in force for an agent.
//! * [`host_view`]: the facts about the host of execution that the analysis asks for.
//! * [`plan`]: the analysed line, the one value that is judged, shown, bound and run.
//! * [`request`], [`binding`]: what a person is asked, and what the answer binds.
//! * [`life_cycle`]: requests from the question to the end of the run; [`approver`]: who may answer; [`prompt`]: how it is shown.
//! * [`node_run`]: calls of `system.run` on a node, and when they may be marked as approved.
//! * [`companion`]: signed messages to the companion app.
//! * [`persist`]: what allow-always stores, and when it is offered.
//! * [`analysis`]: from a text to a plan, with [`allowlist`], [`protected`] paths, [`environment`] rules and [`program_form`].
//! * [`configured`]: what the configuration says about the commands of an agent.
//! * [`decision`]: both vocabularies of the configuration, the session, the call and the file to one verdict.
//! * [`explain`]: what becomes of a line, which rule says so, and what would change it.
//! * [`safe_bin`]: which uses of a listed program are provably read-only.
//!
//! Pure: texts and facts come in, answers go out; nothing is run and nothing is written.
//!
//! Invariant: a file that cannot be read denies; it is never an empty file (exec-approval 4).
//! Invariant: a text that cannot be read completely is never allowed (SP-130).

pub mod allowlist;
pub mod analysis;
pub mod approvals_file;
pub mod approver;
pub mod binding;
pub mod check;
pub mod companion;
pub mod configured;
pub mod decision;
pub mod environment;
pub mod explain;
pub mod host_view;
pub mod life_cycle;
pub mod node_run;
pub mod persist;
pub mod plan;
pub mod program_form;
pub mod program_name;
pub mod prompt;
pub mod protected;
pub mod request;
pub mod safe_bin;
#[cfg(test)]
mod sample;
