//! `write`: a whole file; parents are created.

use oc_runner::protocol::FileOperation;

use super::path::Purpose;
use super::request::WriteRequest;
use super::{Site, Stopped};
use crate::gate::{Outcome, ToolResult};

pub(super) async fn run(site: &Site<'_>, request: &WriteRequest) -> Result<ToolResult, Stopped> {
    let at = site.view.locate(&request.path, Purpose::Write)?;
    let operation = FileOperation::Write { path: at.path.clone(), expected: None };
    let answer = site.file(&at, operation, request.content.clone().into_bytes()).await?;
    let bytes = request.content.len();
    Ok(ToolResult::text(Outcome::Done, format!("{}: {bytes} bytes written", at.shown))
        .with("path", at.shown)
        .with("bytes", bytes)
        .with("sha256", answer.sha256))
}
