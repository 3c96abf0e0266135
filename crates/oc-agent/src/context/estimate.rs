//! How long a conversation is: four characters count as a token, a picture as 1200.

use super::CHARS_PER_TOKEN;
use crate::message::{Arguments, Block, Message, ToolDefinition};

/// Characters that a picture counts as.
pub const IMAGE_CHARS: usize = 4_800;
/// Characters that every message costs beside its text.
const FRAME: usize = 16;

/// Characters of a piece.
#[must_use]
pub fn block_chars(block: &Block) -> usize {
    match block {
        Block::Text(text) => text.chars().count(),
        Block::Image { .. } => IMAGE_CHARS,
        Block::Thinking { text, signature } => {
            text.chars().count() + signature.as_ref().map_or(0, String::len)
        }
        Block::ToolCall(call) => {
            let arguments = match &call.arguments {
                Arguments::Object(map) => serde_json::to_string(map).map_or(0, |t| t.chars().count()),
                Arguments::Invalid { text, .. } => text.chars().count(),
            };
            call.name.len() + call.id.len() + arguments
        }
    }
}

/// Characters of a message.
#[must_use]
pub fn message_chars(message: &Message) -> usize {
    let blocks = match message {
        Message::User(blocks) => blocks,
        Message::Assistant(answer) => &answer.blocks,
        Message::ToolResult { content, .. } => content,
    };
    FRAME + blocks.iter().map(block_chars).sum::<usize>()
}

/// Tokens of that many characters.
#[must_use]
pub fn tokens(chars: usize) -> u64 {
    u64::try_from(chars.div_ceil(CHARS_PER_TOKEN)).unwrap_or(u64::MAX)
}

/// Tokens of a whole request.
#[must_use]
pub fn request_tokens<'m>(
    system: &str,
    messages: impl IntoIterator<Item = &'m Message>,
    tools: &[ToolDefinition],
) -> u64 {
    let tool = |t: &ToolDefinition| t.name.len() + t.description.chars().count() + t.schema.to_string().len();
    let chars = system.chars().count()
        + messages.into_iter().map(message_chars).sum::<usize>()
        + tools.iter().map(tool).sum::<usize>();
    tokens(chars)
}
