//! What the web console asks beside the protocol's own methods: audit and fixes, reach, explanations, the ledger, people at the channels.
//!
//! Everything here decides nothing of its own: the answers are those of the command line, over the same pieces.

mod audit;
mod explain;
mod ledger;
mod pairing;
mod reach;

pub use audit::{fix, run, undo};
pub use explain::ask;
pub use ledger::list as ledger_list;
pub use pairing::{approve as pairing_approve, list as pairing_list};
pub use reach::matrix;

use serde::Deserialize;

use crate::protocol::frame::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Nothing {}

fn invalid(why: impl std::fmt::Display) -> Failure {
    Failure::new(Code::InvalidRequest, why.to_string())
}

fn unavailable(why: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Unavailable, why.to_string())
}
