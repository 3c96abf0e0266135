//! How far the stream of events was read, kept over a restart.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::SERVICE;
use crate::adapter::AdapterFailure;
use crate::json::Members as _;

/// Largest file, in bytes.
const LIMIT: u64 = 64 * 1024;

/// The file of one account.
#[derive(Debug)]
pub(super) struct Position {
    file: PathBuf,
    home: String,
}

impl Position {
    pub(super) fn new(file: PathBuf, home: &str) -> Self {
        Self { file, home: home.to_owned() }
    }

    /// Where to go on; `None` at the first start, or when the file is of another user or server.
    pub(super) fn load(&self, user: &str) -> Result<Option<String>, AdapterFailure> {
        let unusable = |why: String| AdapterFailure::Settings {
            key: self.file.display().to_string(),
            why: format!("{why}; remove it: messages that came meanwhile are then passed over"),
        };
        let bytes = oc_fs::owned_file::read(&self.file, LIMIT).map_err(|e| unusable(e.to_string()))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let json: Value =
            serde_json::from_slice(&bytes).map_err(|_| unusable("it cannot be read as JSON".to_owned()))?;
        let same = json.text("userId") == Some(user) && json.text("homeserver") == Some(self.home.as_str());
        Ok(json.text("since").filter(|_| same).map(str::to_owned))
    }

    pub(super) fn save(&self, user: &str, since: &str) -> Result<(), AdapterFailure> {
        let failed = |why: String| AdapterFailure::Unavailable {
            service: SERVICE,
            why: format!("{} was not written: {why}", self.file.display()),
        };
        if let Some(folder) = self.file.parent() {
            oc_fs::mode::create_directories(folder).map_err(|e| failed(e.to_string()))?;
        }
        let json = json!({ "version": 1, "homeserver": self.home, "userId": user, "since": since });
        oc_fs::atomic::replace(&self.file, format!("{json:#}\n").as_bytes())
            .map_err(|e| failed(e.to_string()))
    }
}
