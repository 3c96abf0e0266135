//! File operations beneath the runner's roots.

use std::path::PathBuf;

use super::content::Content;
use crate::protocol::{FileRequest, Reply};
use crate::refusal::Refusal;

/// The roots beneath which files may be touched.
#[derive(Debug)]
pub struct Files {
    #[expect(dead_code, reason = "the operations land next")]
    roots: Vec<PathBuf>,
}

impl Files {
    /// With these roots; the first one is where relative paths start.
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self { roots }
    }

    /// Serves one operation.
    ///
    /// # Errors
    /// See [`Reply::Failed`].
    pub fn serve(&self, request: FileRequest, content: &Content) -> Result<Reply, Refusal> {
        content.ask();
        let _ = content.next().and_then(|_| content.send(&[]));
        Err(Refusal::new("protocol", format!("file operations are not served yet: {request:?}")))
    }
}
