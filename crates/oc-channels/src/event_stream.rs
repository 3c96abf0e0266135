//! Server-sent events: bytes as they come, frames as they are complete. Bounded.

/// Largest frame, in bytes.
const MAX_FRAME: usize = 4 * 1024 * 1024;

/// A frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Its event name; empty when it has none.
    pub event: String,
    /// Its data; lines joined by line feeds.
    pub data: String,
}

/// Puts frames together.
#[derive(Debug, Default)]
pub struct Frames {
    line: Vec<u8>,
    frame: Frame,
    has_data: bool,
    skip_feed: bool,
    size: usize,
}

/// A frame is larger than any service sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it sent an event larger than {MAX_FRAME} bytes")]
pub struct FrameTooLarge;

impl Frames {
    /// Takes the next bytes; gives the frames that they complete.
    ///
    /// # Errors
    /// [`FrameTooLarge`]: the stream cannot be read any further.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, FrameTooLarge> {
        let mut out = Vec::new();
        for b in bytes {
            let after_return = std::mem::take(&mut self.skip_feed);
            match b {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.skip_feed = *b == b'\r';
                    out.extend(self.end_of_line());
                }
                b => {
                    self.size = self.size.saturating_add(1);
                    if self.size > MAX_FRAME {
                        return Err(FrameTooLarge);
                    }
                    self.line.push(*b);
                }
            }
        }
        Ok(out)
    }

    fn end_of_line(&mut self) -> Option<Frame> {
        let bytes = std::mem::take(&mut self.line);
        if bytes.is_empty() {
            self.size = 0;
            let frame = std::mem::take(&mut self.frame);
            return std::mem::take(&mut self.has_data).then_some(frame);
        }
        let text = String::from_utf8_lossy(&bytes);
        let (field, value) = text.split_once(':').unwrap_or((&text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.frame.event),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.frame.data.push('\n');
                }
                self.frame.data.push_str(value);
            }
            // Comments, ids, waiting times.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_put_together_however_they_are_cut() {
        let text =
            ":hi\r\n\r\nevent:receive\r\ndata:{\"a\":1}\r\n\r\nid:4\ndata: x\ndata: y\n\ndata:never ended";
        let expected = [
            Frame { event: "receive".to_owned(), data: "{\"a\":1}".to_owned() },
            Frame { event: String::new(), data: "x\ny".to_owned() },
        ];
        for size in 1..text.len() {
            let mut frames = Frames::default();
            let got: Vec<Frame> =
                text.as_bytes().chunks(size).flat_map(|piece| frames.take(piece).unwrap()).collect();
            assert_eq!(got, expected, "pieces of {size}");
        }
    }

    #[test]
    fn a_frame_has_an_end() {
        let mut frames = Frames::default();
        let flood = vec![b'x'; MAX_FRAME];
        assert!(frames.take(&flood).is_ok());
        assert_eq!(frames.take(b"x"), Err(FrameTooLarge));
    }
}
