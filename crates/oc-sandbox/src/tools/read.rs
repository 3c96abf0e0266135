//! `read`: a window of a text file, or a picture.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oc_runner::protocol::FileOperation;

use super::limit::{FILE_BYTES, IMAGE_BYTES, READ_BYTES, READ_LINES, image_type, window};
use super::path::Purpose;
use super::request::ReadRequest;
use super::{Site, Stopped};
use crate::gate::{Content, Outcome, ToolResult};

pub(super) async fn run(site: &Site<'_>, request: &ReadRequest) -> Result<ToolResult, Stopped> {
    let at = site.view.locate(&request.path, Purpose::Read)?;
    let operation = FileOperation::Read { path: at.path.clone(), offset: 0, limit: FILE_BYTES };
    let answer = site.file(&at, operation, Vec::new()).await?;
    let bytes = answer.content;
    if let Some(mime_type) = image_type(&bytes) {
        return Ok(picture(&at.shown, &bytes, mime_type));
    }
    let size = answer.size.max(bytes.len() as u64);
    let text = String::from_utf8_lossy(&bytes);
    let first = usize::try_from(request.offset).unwrap_or(usize::MAX);
    let wanted = request.limit.map_or(READ_LINES, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let Some(w) = window(&text, first, wanted) else {
        let lines = text.split_inclusive('\n').count();
        return Err(Stopped::Failed(format!("{} has {lines} lines; there is no line {first}", at.shown)));
    };
    let mut shown = w.text.to_owned();
    let more = w.last < w.total;
    if w.last < w.first && w.total > 0 {
        shown = format!(
            "[line {} is longer than the {} KiB that a result holds; take a piece of it with `exec`]",
            w.first,
            READ_BYTES / 1024
        );
    } else if more {
        let break_ = if shown.ends_with('\n') { "" } else { "\n" };
        shown.push_str(&format!(
            "{break_}\n[lines {} to {} of {}; go on with `offset` {}]",
            w.first,
            w.last,
            w.total,
            w.last + 1
        ));
    }
    if size > FILE_BYTES {
        shown
            .push_str(&format!("\n[only the first {} MiB of {size} bytes were looked at]", FILE_BYTES >> 20));
    }
    Ok(ToolResult::text(Outcome::Done, shown)
        .with("path", at.shown)
        .with("size", size)
        .with("lines", w.total)
        .with("from", w.first)
        .with("to", w.last)
        .with("truncated", more || size > FILE_BYTES))
}

fn picture(shown: &str, bytes: &[u8], mime_type: &'static str) -> ToolResult {
    let size = bytes.len();
    if size > IMAGE_BYTES {
        let text = format!(
            "{shown} is a picture ({mime_type}) of {size} bytes, more than the {} MiB that a result holds",
            IMAGE_BYTES >> 20
        );
        return ToolResult::text(Outcome::Failed, text);
    }
    let mut out = ToolResult::text(Outcome::Done, format!("{shown} is a picture ({mime_type})"));
    out.content.push(Content::Image { data: STANDARD.encode(bytes), mime_type });
    out.with("path", shown).with("size", size).with("mimeType", mime_type)
}
