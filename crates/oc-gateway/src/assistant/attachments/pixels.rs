//! How many pixels a picture claims to have, from its head. Nothing is decoded.

/// Width times height of a picture of that type; `None` when its head does not say.
pub(super) fn count(media_type: &str, bytes: &[u8]) -> Option<u64> {
    let (width, height) = match media_type {
        "image/png" => (big(bytes, 16, 4)?, big(bytes, 20, 4)?),
        "image/gif" => (little(bytes, 6, 2)?, little(bytes, 8, 2)?),
        "image/jpeg" => jpeg(bytes)?,
        "image/webp" => webp(bytes)?,
        _ => return None,
    };
    if width == 0 || height == 0 { None } else { width.checked_mul(height) }
}

fn big(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(length)?)?;
    Some(part.iter().fold(0, |n, b| (n << 8) | u64::from(*b)))
}

fn little(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(length)?)?;
    Some(part.iter().rev().fold(0, |n, b| (n << 8) | u64::from(*b)))
}

/// The first frame header among the segments.
fn jpeg(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut at = 2usize;
    // A file has few segments before its frame.
    for _ in 0..512 {
        while bytes.get(at) == Some(&0xff) && bytes.get(at.checked_add(1)?) == Some(&0xff) {
            at = at.checked_add(1)?;
        }
        if bytes.get(at) != Some(&0xff) {
            return None;
        }
        let marker = *bytes.get(at.checked_add(1)?)?;
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((big(bytes, at.checked_add(7)?, 2)?, big(bytes, at.checked_add(5)?, 2)?));
            }
            0x01 | 0xd0..=0xd8 => at = at.checked_add(2)?,
            0xd9 | 0xda => return None,
            _ => {
                let length = usize::try_from(big(bytes, at.checked_add(2)?, 2)?).ok()?;
                at = at.checked_add(2)?.checked_add(length.max(2))?;
            }
        }
    }
    None
}

fn webp(bytes: &[u8]) -> Option<(u64, u64)> {
    match bytes.get(12..16)? {
        b"VP8X" => Some((little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1)),
        b"VP8 " => Some((little(bytes, 26, 2)? & 0x3fff, little(bytes, 28, 2)? & 0x3fff)),
        b"VP8L" => {
            let packed = little(bytes, 21, 4)?;
            Some(((packed & 0x3fff) + 1, ((packed >> 14) & 0x3fff) + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_each_kind_is_read() {
        let gif = b"GIF89a\x03\x00\x02\x00".to_vec();
        assert_eq!(count("image/gif", &gif), Some(6));
        let jpeg =
            [&b"\xff\xd8\xff\xe0\x00\x04ab"[..], b"\xff\xff\xc2\x00\x11\x08\x00\x05\x00\x07\x03"].concat();
        assert_eq!(count("image/jpeg", &jpeg), Some(35));
        let head = |kind: &[u8; 4], rest: &[u8]| [&b"RIFF\0\0\0\0WEBP"[..], kind, b"\0\0\0\0", rest].concat();
        assert_eq!(count("image/webp", &head(b"VP8X", b"\0\0\0\0\x04\0\0\x02\0\0")), Some(15));
        assert_eq!(count("image/webp", &head(b"VP8 ", b"\0\0\0\x9d\x01\x2a\x04\0\x02\0")), Some(8));
        assert_eq!(count("image/webp", &head(b"VP8L", b"\x2f\x03\x40\0\0")), Some(8));
    }

    #[test]
    fn a_head_that_is_cut_off_says_nothing() {
        for kind in ["image/png", "image/gif", "image/jpeg", "image/webp", "image/svg+xml"] {
            for bytes in
                [&b""[..], b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8X", b"\xff\xd8\xff\xe0\xff\xff"]
            {
                assert_eq!(count(kind, bytes), None, "{kind} {bytes:?}");
            }
        }
    }
}
