//! Questions about decisions, answered over a loaded configuration and the stores beside it: what `openclaw explain` and the console ask.
//!
//! Question it answers: *which rule decides, where does it stand, what would change the answer?* The decisions are those of `oc-policy`,
//! `oc-approval` and `oc-config`; here the facts of this machine are brought to them. Nothing is started, sent or written.
//!
//! * [`tool`], [`command`], [`message`], [`sandbox`], [`connection`], [`config`]: one subject each, as plain data that a command line or a request fills.

pub mod command;
pub mod config;
pub mod connection;
pub mod message;
pub mod sandbox;
mod stores;
pub mod tool;

use oc_config::edit::Change;
use oc_config::load::{LoadRequest, Loaded, load_edited};
use oc_fs::config_source::DiskSource;
use oc_types::{Explanation, KeyPath};
use thiserror::Error;

/// A question that has no answer: malformed, or about something that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unanswerable(String);

impl Unanswerable {
    /// With a sentence that says what to write instead.
    pub fn new(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

/// Loads the configuration as these edits would make it; they are written nowhere.
#[must_use]
pub fn load(request: &LoadRequest, edits: &[Change]) -> Loaded {
    load_edited(request, &DiskSource, edits)
}

/// The answer of an invalid configuration, whatever was asked.
#[must_use]
pub fn refused(loaded: &Loaded, subject: &str) -> Explanation {
    let refused = oc_config::explain::invalid(loaded, &KeyPath::root());
    Explanation { subject: subject.to_owned(), ..refused }
}
