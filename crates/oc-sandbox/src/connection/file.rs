//! One file operation on a connection.

use std::time::Duration;

use oc_runner::protocol::{CHUNK, FileOperation, FileRequest, INPUT_WINDOW, Kind, Reply, Request};
use tokio::time::timeout;

use super::{Connection, Link};
use crate::executor::{ExecutorError, FileAnswer};

/// How long one operation may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// Ends the operation when nobody waits for it any more.
struct Guard<'a> {
    link: &'a Link,
    call: u32,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let open = self.link.lock().calls.remove(&self.call).is_some();
        if open {
            let _ = self.link.request(self.call, &Request::Kill);
        }
    }
}

/// Runs the operation.
pub async fn file(
    connection: &Connection,
    request: FileRequest,
    content: Vec<u8>,
) -> Result<FileAnswer, ExecutorError> {
    let limit = match &request.operation {
        FileOperation::Read { limit, .. } => *limit,
        FileOperation::Write { .. }
        | FileOperation::Remove { .. }
        | FileOperation::Rename { .. }
        | FileOperation::MakeDirectory { .. }
        | FileOperation::List { .. }
        | FileOperation::Look { .. } => 0,
    };
    let late = |_| ExecutorError::Failed {
        code: "busy".to_owned(),
        message: format!("the file operation took longer than {} seconds", DEADLINE.as_secs()),
    };
    timeout(DEADLINE, exchange(&connection.link, request, content, limit)).await.map_err(late)?
}

async fn exchange(
    link: &Link,
    request: FileRequest,
    content: Vec<u8>,
    limit: u64,
) -> Result<FileAnswer, ExecutorError> {
    let (call, mut frames) = link.begin()?;
    let guard = Guard { link, call };
    let writes = matches!(request.operation, FileOperation::Write { .. });
    link.request(call, &Request::File(request))?;
    let mut rest = content.as_slice();
    let (mut window, mut ended) = (INPUT_WINDOW, !writes);
    let mut answer = FileAnswer::default();
    loop {
        while writes && !rest.is_empty() && window > 0 {
            let most = usize::try_from(window).unwrap_or(CHUNK).min(CHUNK).min(rest.len());
            let (piece, after) = rest.split_at_checked(most).unwrap_or((rest, &[]));
            window = window.saturating_sub(piece.len() as u64);
            link.data(call, piece);
            rest = after;
        }
        if rest.is_empty() && !ended {
            ended = true;
            link.request(call, &Request::EndInput)?;
        }
        let Some(frame) = frames.recv().await else { return Err(link.lost()) };
        match frame.kind {
            Kind::Output => {
                answer.content.extend_from_slice(&frame.body);
                if answer.content.len() as u64 > limit {
                    link.lose("the runner broke the protocol: more bytes than were asked for".to_owned());
                    return Err(link.lost());
                }
                link.request(call, &Request::Window { bytes: frame.body.len() as u64 })?;
            }
            Kind::Reply => match frame.parse() {
                Ok(Reply::Window { bytes }) => window = window.saturating_add(bytes),
                Ok(Reply::FileDone { size, sha256, entries }) => {
                    link.forget(call);
                    drop(guard);
                    return Ok(FileAnswer { size, sha256, entries, ..answer });
                }
                Ok(Reply::Failed { code, message }) => {
                    link.forget(call);
                    return Err(ExecutorError::Failed { code, message });
                }
                _ => return Err(link.lost()),
            },
            Kind::Request | Kind::Input | Kind::Error => return Err(link.lost()),
        }
    }
}
