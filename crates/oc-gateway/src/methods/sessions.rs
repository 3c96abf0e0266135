//! `sessions.*` and `chat.history`: the sessions of every agent, as they lie on the disk (gateway 6, sessions-routing 4 to 6).

mod change;
mod entry;
mod history;
mod listing;
mod message;
mod patch;
mod preview;
mod row;
#[cfg(test)]
mod tests;

pub use change::{compact, delete, reset};
pub use history::history;
pub use listing::{list, resolve};
pub use patch::patch;
pub use preview::preview;

pub(super) use entry::{Listed, all, newest_first};
pub(super) use row::recent;

use oc_fs::session_store::SessionStoreFailure;

use super::params::unavailable;
use crate::protocol::frame::Failure;

impl From<SessionStoreFailure> for Failure {
    fn from(failure: SessionStoreFailure) -> Self {
        unavailable(&failure.to_string())
    }
}
