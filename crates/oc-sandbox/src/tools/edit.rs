//! `edit`: exactly one occurrence of a text becomes another one, in the file that was read and in no later version of it.

use oc_runner::protocol::FileOperation;
use ring::digest;
use thiserror::Error;

use super::limit::FILE_BYTES;
use super::path::Purpose;
use super::request::EditRequest;
use super::{Site, Stopped};
use crate::gate::{Outcome, ToolResult};

/// Why a text was not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// It is not there.
    #[error("`oldText` is not in the file; read it again and give the text as it stands, blanks included")]
    NotFound,
    /// It is there more than once.
    #[error("`oldText` is in the file {0} times; give more of the text around the place that is meant")]
    Ambiguous(usize),
}

/// Replaces the one occurrence. A file with Windows line ends keeps them: a text that is only found with plain ones is looked for again
/// with theirs.
///
/// # Errors
/// See [`EditError`].
pub fn replace_once(text: &str, old: &str, new: &str) -> Result<String, EditError> {
    let crlf = |t: &str| t.replace("\r\n", "\n").replace('\n', "\r\n");
    match occurrences(text, old) {
        1 => Ok(text.replacen(old, new, 1)),
        0 if text.contains("\r\n") => {
            let old = crlf(old);
            match occurrences(text, &old) {
                1 => Ok(text.replacen(&old, &crlf(new), 1)),
                0 => Err(EditError::NotFound),
                n => Err(EditError::Ambiguous(n)),
            }
        }
        0 => Err(EditError::NotFound),
        n => Err(EditError::Ambiguous(n)),
    }
}

/// How often `old` occurs, overlapping occurrences counted: `aa` is twice in `aaa`, so it does not say which one is meant.
fn occurrences(text: &str, old: &str) -> usize {
    let Some(step) = old.chars().next().map(char::len_utf8) else { return 0 };
    let (mut count, mut from) = (0, 0);
    while let Some(at) = text.get(from..).and_then(|t| t.find(old)) {
        count += 1;
        from += at + step;
    }
    count
}

/// A text file as it was read, with the digest that its replacement is bound to.
#[derive(Debug)]
pub(super) struct Original {
    pub text: String,
    pub sha256: String,
}

/// Reads a text file to change it.
pub(super) async fn original(site: &Site<'_>, at: &super::ViewPath) -> Result<Original, Stopped> {
    let operation = FileOperation::Read { path: at.path.clone(), offset: 0, limit: FILE_BYTES };
    let answer = site.file(at, operation, Vec::new()).await?;
    if answer.size > FILE_BYTES {
        return Err(Stopped::Failed(format!("{} is larger than {} MiB", at.shown, FILE_BYTES >> 20)));
    }
    let sha256: String = digest::digest(&digest::SHA256, &answer.content)
        .as_ref()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let text = String::from_utf8(answer.content)
        .map_err(|_| Stopped::Failed(format!("{} is no text (UTF-8); it is left as it is", at.shown)))?;
    Ok(Original { text, sha256 })
}

pub(super) async fn run(site: &Site<'_>, request: &EditRequest) -> Result<ToolResult, Stopped> {
    let at = site.view.locate(&request.path, Purpose::Write)?;
    let original = original(site, &at).await?;
    let changed = replace_once(&original.text, &request.old, &request.new)
        .map_err(|e| Stopped::Failed(format!("{}: {e}", at.shown)))?;
    let before = original.text.lines().zip(changed.lines()).take_while(|(a, b)| a == b).count();
    let operation = FileOperation::Write { path: at.path.clone(), expected: Some(original.sha256) };
    let answer = site.file(&at, operation, changed.into_bytes()).await?;
    let line = before + 1;
    Ok(ToolResult::text(Outcome::Done, format!("{}: replaced one piece, from line {line} on", at.shown))
        .with("path", at.shown)
        .with("firstChangedLine", line)
        .with("sha256", answer.sha256))
}
