//! Frames on the wire: encoding, and decoding from pieces of any size.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{Kind, MAX_FRAME, Reply, Request};

/// Bytes of kind and call id, which the length counts.
const HEAD: usize = 5;
/// Bytes of the length and the head.
const START: usize = 4 + HEAD;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What the body is.
    pub kind: Kind,
    /// The call.
    pub call: u32,
    /// The body.
    pub body: Vec<u8>,
}

/// Why bytes are not frames. The stream cannot be used any further.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// The length is below the head's or above [`MAX_FRAME`].
    #[error("a frame of {0} bytes; at most {MAX_FRAME} are allowed")]
    Length(u32),
    /// No such kind.
    #[error("a frame of unknown kind {0}")]
    Kind(u8),
    /// A control body that is not what it must be.
    #[error("a control frame that cannot be read: {0}")]
    Body(String),
}

impl Frame {
    /// The body of a control frame.
    ///
    /// # Errors
    /// [`Malformed::Body`].
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        serde_json::from_slice(&self.body).map_err(|e| Malformed::Body(e.to_string()))
    }
}

/// A frame's bytes.
///
/// # Errors
/// [`Malformed::Length`] when the body is too large.
pub fn encode(kind: Kind, call: u32, body: &[u8]) -> Result<Vec<u8>, Malformed> {
    let length = u32::try_from(body.len().saturating_add(HEAD)).unwrap_or(u32::MAX);
    if length > MAX_FRAME {
        return Err(Malformed::Length(length));
    }
    let mut out = Vec::with_capacity(START.saturating_add(body.len()));
    out.extend_from_slice(&length.to_be_bytes());
    out.push(kind.byte());
    out.extend_from_slice(&call.to_be_bytes());
    out.extend_from_slice(body);
    Ok(out)
}

/// A request's frame.
///
/// # Errors
/// [`Malformed::Length`] when it is too large.
pub fn request(call: u32, request: &Request) -> Result<Vec<u8>, Malformed> {
    control(Kind::Request, call, request)
}

/// A reply's frame.
///
/// # Errors
/// [`Malformed::Length`] when it is too large.
pub fn reply(call: u32, reply: &Reply) -> Result<Vec<u8>, Malformed> {
    control(Kind::Reply, call, reply)
}

fn control<T: Serialize>(kind: Kind, call: u32, body: &T) -> Result<Vec<u8>, Malformed> {
    let body = serde_json::to_vec(body).map_err(|e| Malformed::Body(e.to_string()))?;
    encode(kind, call, &body)
}

/// Puts frames together from pieces. It holds at most one unfinished frame beyond what was pushed.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    taken: usize,
}

impl Decoder {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// [`Malformed`]; nothing that follows can be trusted then.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Malformed> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length);
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_FRAME || size < HEAD {
            return Err(Malformed::Length(length));
        }
        let Some(frame) = rest.get(..size) else { return Ok(None) };
        let Some((&kind, frame)) = frame.split_first() else { return Ok(None) };
        let Some((call, body)) = frame.split_first_chunk::<4>() else { return Ok(None) };
        let kind = Kind::of(kind).ok_or(Malformed::Kind(kind))?;
        let frame = Frame { kind, call: u32::from_be_bytes(*call), body: body.to_vec() };
        self.taken = self.taken.saturating_add(size).saturating_add(4);
        Ok(Some(frame))
    }

    /// Whether an unfinished frame is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_whatever_the_pieces() {
        let frames = [
            (Kind::Input, 7, vec![0, 1, 255]),
            (Kind::Request, 0, b"{}".to_vec()),
            (Kind::Error, u32::MAX, Vec::new()),
        ];
        let wire: Vec<u8> = frames.iter().flat_map(|(k, c, b)| encode(*k, *c, b).unwrap()).collect();
        for size in 1..=wire.len() {
            let (mut decoder, mut got) = (Decoder::default(), Vec::new());
            for piece in wire.chunks(size) {
                decoder.push(piece);
                while let Some(f) = decoder.next_frame().unwrap() {
                    got.push((f.kind, f.call, f.body));
                }
            }
            assert_eq!(got, frames);
            assert!(decoder.is_empty());
        }
    }

    #[test]
    fn sizes_and_kinds_beyond_the_limits_are_refused() {
        assert!(encode(Kind::Input, 1, &vec![0; MAX_FRAME as usize]).is_err());
        for wire in [vec![0xff; 16], vec![0, 0, 0, 4, 1, 0, 0, 0], vec![0, 0, 0, 5, 9, 0, 0, 0, 0]] {
            let mut decoder = Decoder::default();
            decoder.push(&wire);
            assert!(decoder.next_frame().is_err(), "{wire:?}");
        }
    }
}
