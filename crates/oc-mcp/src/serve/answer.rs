//! From an answer of the gate to a reply of the protocol.

use oc_sandbox::gate::{Answer, Content, GateError, Outcome};
use serde_json::json;

use crate::offer::{Reply, text_block};

/// What came of a call. Credentials are masked already.
pub(crate) fn reply(answer: Answer) -> Reply {
    let mut content: Vec<_> = answer
        .result
        .content
        .into_iter()
        .map(|piece| match piece {
            Content::Text { text } => text_block(text),
            Content::Image { data, mime_type } => {
                json!({"type": "image", "data": data, "mimeType": mime_type})
            }
        })
        .collect();
    content.extend(answer.notes.into_iter().map(|note| text_block(format!("[{note}]"))));
    let mut reply = Reply { content, failed: answer.result.outcome == Outcome::Failed, ..Reply::default() };
    reply.meta.insert("openclaw/call".to_owned(), answer.call.into());
    reply.meta.insert("openclaw/place".to_owned(), answer.place.word().into());
    reply
}

/// Why nothing was done, for the model: one sentence. The operator finds the rest in the ledger.
pub(crate) fn refusal(error: &GateError) -> Reply {
    let what = match error {
        GateError::Refused(_) | GateError::NotRecorded(_) => "refused",
        GateError::Place(_) => "failed",
    };
    Reply::failure(format!("{what}: {error}"))
}
