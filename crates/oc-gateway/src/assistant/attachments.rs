//! Files that come with a message: pictures are shown to the model, texts are an extract in an envelope, of everything else the model learns that
//! it is there (SP-416, SP-422).
//!
//! What a file is say its first bytes, never its name or the type that the service gives it. Nothing is unpacked, converted or decoded.

mod pixels;

use std::time::Duration;

use data_encoding::BASE64;
use oc_agent::message::Block;
use oc_channels::adapter::{Attachment, MediaKind};
use oc_channels::turn::{Replies, Turn};
use oc_sandbox::tools::image_type;
use oc_text::untrusted::capped;

/// Files of one turn that are fetched.
const FILES: usize = 10;
/// Bytes of all of them.
const BYTES: usize = 24 * 1024 * 1024;
/// Bytes of one picture that is shown: what every provider takes in base64.
const PICTURE: usize = 3_750_000;
/// Pixels of one picture that is shown: what a reader of it has to hold.
const PIXELS: u64 = 40_000_000;
/// Characters of a text that are shown.
const TEXT: usize = 20_000;
/// Characters of a name that are shown.
const NAME: usize = 120;
/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the model is shown of the files of one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Opened {
    /// Pictures.
    pub pictures: Vec<Block>,
    /// Extracts and notes: untrusted, for envelopes.
    pub texts: Vec<String>,
}

/// Opens the files of a turn's messages, message by message, within the limits.
pub async fn open(turn: &Turn, out: &dyn Replies) -> Vec<Opened> {
    let mut budget = Budget { files: FILES, bytes: BYTES };
    let mut all = Vec::new();
    for message in &turn.messages {
        let mut opened = Opened::default();
        for attachment in &message.attachments {
            one(attachment, out, &mut budget, &mut opened).await;
        }
        all.push(opened);
    }
    all
}

#[derive(Debug)]
struct Budget {
    files: usize,
    bytes: usize,
}

async fn one(attachment: &Attachment, out: &dyn Replies, budget: &mut Budget, opened: &mut Opened) {
    // Sound and films are nothing that a model reads here: they are not even fetched.
    let readable = match attachment.kind {
        MediaKind::Image | MediaKind::Document => true,
        MediaKind::Audio | MediaKind::Video => false,
    };
    if !readable {
        return opened.texts.push(note(attachment, "it is sound or a film"));
    }
    if budget.files == 0 || budget.bytes == 0 {
        return opened.texts.push(note(attachment, "there are too many files"));
    }
    budget.files -= 1;
    let bytes = match tokio::time::timeout(PATIENCE, out.fetch(attachment)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(e)) => {
            tracing::info!(target: "assistant", error = %e, "a file of a message was not fetched");
            return opened.texts.push(note(attachment, "it is too large or could not be fetched"));
        }
        Err(_) => return opened.texts.push(note(attachment, "it took too long to fetch")),
    };
    if bytes.len() > budget.bytes {
        budget.bytes = 0;
        return opened.texts.push(note(attachment, "the files are too large together"));
    }
    budget.bytes -= bytes.len();
    match seen(&bytes) {
        Seen::Picture(media_type) => {
            opened.texts.push(format!("a picture follows as a picture: {}", name(attachment)));
            opened
                .pictures
                .push(Block::Image { media_type: media_type.to_owned(), data: BASE64.encode(&bytes) });
        }
        Seen::Text(text) => {
            let whole = text.chars().count();
            let cut = if whole > TEXT {
                format!(", the first {TEXT} of {whole} characters")
            } else {
                String::new()
            };
            opened.texts.push(format!(
                "the text of the file {}{cut}:\n{}",
                name(attachment),
                capped(text, TEXT)
            ));
        }
        Seen::Other(why) => opened.texts.push(note(attachment, why)),
    }
}

/// What the bytes of a file are.
#[derive(Debug, PartialEq, Eq)]
enum Seen<'b> {
    Picture(&'static str),
    Text(&'b str),
    Other(&'static str),
}

fn seen(bytes: &[u8]) -> Seen<'_> {
    if let Some(media_type) = image_type(bytes) {
        return match pixels::count(media_type, bytes) {
            _ if bytes.len() > PICTURE => Seen::Other("it is a picture of more than 3.75 MB"),
            Some(pixels) if pixels <= PIXELS => Seen::Picture(media_type),
            Some(_) => Seen::Other("it is a picture of more than 40 million pixels"),
            None => Seen::Other("it is a picture whose size cannot be read"),
        };
    }
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    match std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) {
        Ok(text) if text.trim().is_empty() => Seen::Other("it is empty"),
        Ok(text) if !text.chars().any(control) => Seen::Text(text),
        Ok(_) | Err(_) => Seen::Other("it is neither a text nor a picture of a known kind"),
    }
}

fn name(attachment: &Attachment) -> String {
    oc_text::visible(attachment.name.as_deref().unwrap_or("without a name"), NAME)
}

fn note(attachment: &Attachment, why: &str) -> String {
    let kind = match attachment.kind {
        MediaKind::Image => "picture",
        MediaKind::Audio => "sound",
        MediaKind::Video => "film",
        MediaKind::Document => "document",
    };
    format!("a file was sent along as {kind} and is not opened, because {why}: {}", name(attachment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        out.extend(width.to_be_bytes());
        out.extend(height.to_be_bytes());
        out.extend([8, 2, 0, 0, 0]);
        out
    }

    #[test]
    fn sp_422_what_a_file_is_say_its_bytes() {
        assert_eq!(seen(&png(10, 10)), Seen::Picture("image/png"));
        assert_eq!(seen("naïve text\n".as_bytes()), Seen::Text("naïve text\n"));
        assert_eq!(seen(b"\xef\xbb\xbfx"), Seen::Text("x"));
        for other in
            [&b"\x7fELF\x02\x01"[..], b"PK\x03\x04", b"%PDF-1.7\n\xe2\xe3", b"a\0b", b"  \n", b"\xff\xfea\0"]
        {
            assert!(matches!(seen(other), Seen::Other(_)), "{other:?}");
        }
    }

    #[test]
    fn sp_422_a_pixel_bomb_is_not_shown() {
        assert!(matches!(seen(&png(50_000, 50_000)), Seen::Other(why) if why.contains("40 million")));
        assert!(matches!(seen(&png(u32::MAX, u32::MAX)), Seen::Other(_)));
        assert!(matches!(seen(b"\x89PNG\r\n\x1a\n"), Seen::Other(why) if why.contains("cannot be read")));
        let mut large = png(10, 10);
        large.resize(PICTURE + 1, 0);
        assert!(matches!(seen(&large), Seen::Other(why) if why.contains("3.75 MB")));
    }
}
