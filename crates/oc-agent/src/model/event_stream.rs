//! Server-sent events from bytes, within limits.
//!
//! The reader follows the format's own rules (three kinds of line ends, a byte-order mark, comments, several `data` lines in one event), with
//! one difference: an event whose lines are whole counts although the blank line after it is missing, because some servers leave it out at
//! the end.
//!
//! INVARIANT: however the bytes are cut, the events are the same.

use thiserror::Error;

/// Longest line, in bytes.
pub const MAX_LINE: usize = 1024 * 1024;
/// Longest stream, in bytes.
pub const MAX_STREAM: usize = 16 * 1024 * 1024;
/// Most events of a stream.
pub const MAX_EVENTS: usize = 200_000;

/// A stream that is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StreamLimit {
    /// A line.
    #[error("a line of the answer is longer than {MAX_LINE} bytes")]
    Line,
    /// All of it.
    #[error("the answer is longer than {MAX_STREAM} bytes")]
    Stream,
    /// The number of events.
    #[error("the answer has more than {MAX_EVENTS} events")]
    Events,
}

/// Reads events.
#[derive(Debug, Default)]
pub struct EventReader {
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed after it belongs to it.
    after_return: bool,
    data: Option<String>,
    bytes: usize,
    lines: usize,
    events: usize,
}

impl EventReader {
    /// Takes bytes; the data of each event that became whole goes to `on_event`, whose first error ends the reading.
    ///
    /// # Errors
    /// [`StreamLimit`], and those of `on_event`.
    pub fn push<E: From<StreamLimit>>(
        &mut self,
        bytes: &[u8],
        on_event: &mut dyn FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        for byte in bytes {
            // Counted here and not by the piece: where the bytes are cut changes nothing.
            self.bytes = self.bytes.saturating_add(1);
            if self.bytes > MAX_STREAM {
                return Err(StreamLimit::Stream.into());
            }
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    self.end_of_line(on_event)?;
                }
                other => {
                    self.after_return = false;
                    if self.line.len() >= MAX_LINE {
                        return Err(StreamLimit::Line.into());
                    }
                    self.line.push(*other);
                }
            }
        }
        Ok(())
    }

    /// The stream is over: an event with whole lines counts, half a line does not.
    ///
    /// # Errors
    /// [`StreamLimit`], and those of `on_event`.
    pub fn end<E: From<StreamLimit>>(
        &mut self,
        on_event: &mut dyn FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.line.clear();
        self.dispatch(on_event)
    }

    fn end_of_line<E: From<StreamLimit>>(
        &mut self,
        on_event: &mut dyn FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let line = std::mem::take(&mut self.line);
        self.lines = self.lines.saturating_add(1);
        if line.is_empty() {
            return self.dispatch(on_event);
        }
        let text = String::from_utf8_lossy(&line);
        let text = if self.lines == 1 { text.strip_prefix('\u{feff}').unwrap_or(&text) } else { &text };
        // The names of events say nothing that their data does not say.
        let value = match text.split_once(':') {
            Some(("data", value)) => value.strip_prefix(' ').unwrap_or(value),
            None if text == "data" => "",
            Some(_) | None => return Ok(()),
        };
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        Ok(())
    }

    fn dispatch<E: From<StreamLimit>>(
        &mut self,
        on_event: &mut dyn FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(data) = self.data.take() else { return Ok(()) };
        self.events = self.events.saturating_add(1);
        if self.events > MAX_EVENTS {
            return Err(StreamLimit::Events.into());
        }
        on_event(&data)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<String>, StreamLimit> {
        let mut reader = EventReader::default();
        let mut out = Vec::new();
        let mut take = |data: &str| {
            out.push(data.to_owned());
            Ok(())
        };
        for piece in pieces {
            reader.push(piece, &mut take)?;
        }
        reader.end(&mut take)?;
        Ok(out)
    }

    #[test]
    fn lines_comments_and_fields_are_read_as_the_format_says() {
        let text = "\u{feff}data: a\r\n\r\n: a comment\nevent: x\nid: 1\ndata:b\ndata: c\n\ndata\rdata:  d\r\rdata: e\n";
        assert_eq!(read(&[text.as_bytes()]).unwrap(), ["a", "b\nc", "\n d", "e"]);
        assert_eq!(read(&[b"data: cut of"]).unwrap(), Vec::<String>::new());
        assert_eq!(read(&[b"event: only\n\n\n\n"]).unwrap(), Vec::<String>::new());
        assert_eq!(read(&[b"data: \xff\n\n"]).unwrap(), ["\u{fffd}"]);
    }

    #[test]
    fn a_stream_has_limits() {
        let mut long = b"data: ".to_vec();
        long.resize(MAX_LINE + 1, b'x');
        assert_eq!(read(&[&long]), Err(StreamLimit::Line));
        let comments =
            b": xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(MAX_STREAM / 64 + 1);
        assert_eq!(read(&[&comments]), Err(StreamLimit::Stream));
        assert_eq!(read(&[&b"data:\n\n".repeat(MAX_EVENTS + 1)]), Err(StreamLimit::Events));
        assert_eq!(read(&[&b"data:\n\n".repeat(MAX_EVENTS)]).unwrap().len(), MAX_EVENTS);
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_changes_nothing(
            text in "(data|event|x|:| |\r|\n|\r\n|\u{feff}|ä|\\{\\}){0,60}",
            cuts in proptest::collection::vec(0usize..200, 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            pieces.push(&bytes[from..]);
            prop_assert_eq!(read(&[bytes]), read(&pieces));
        }
    }
}
