//! How much of a file or an output a result holds (agent-runtime 3, limits).

/// Most lines of a file in one result.
pub const READ_LINES: usize = 2000;
/// Most bytes of a file in one result.
pub const READ_BYTES: usize = 50 * 1024;
/// Largest file that the file tools look into, in bytes.
pub const FILE_BYTES: u64 = 32 * 1024 * 1024;
/// Bytes of output that a command's result holds.
pub const OUTPUT_BYTES: u64 = 200_000;
/// Largest picture in a result, in bytes.
pub const IMAGE_BYTES: usize = 5 * 1024 * 1024;

/// A piece of a text that fits: from line `first` (counted from 1), at most `wanted` lines, within the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window<'t> {
    /// The lines, with their ends.
    pub text: &'t str,
    /// First line of it, from 1.
    pub first: usize,
    /// Last line of it; `first - 1` when not even one fits.
    pub last: usize,
    /// Lines of the whole text.
    pub total: usize,
}

/// Cuts the window. `None` when the text has no line `first`.
#[must_use]
pub fn window(text: &str, first: usize, wanted: usize) -> Option<Window<'_>> {
    let first = first.max(1);
    let total = text.split_inclusive('\n').count();
    if first > total.max(1) {
        return None;
    }
    let start: usize = text.split_inclusive('\n').take(first - 1).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let (mut bytes, mut lines) = (0, 0);
    for line in rest.split_inclusive('\n').take(wanted.min(READ_LINES)) {
        // A line's own end is not counted: a file of exactly the limit fits.
        if bytes + line.trim_end_matches('\n').len() > READ_BYTES {
            break;
        }
        bytes += line.len();
        lines += 1;
    }
    Some(Window { text: rest.get(..bytes).unwrap_or_default(), first, last: first + lines - 1, total })
}

/// The type of a picture, by its first bytes.
#[must_use]
pub fn image_type(bytes: &[u8]) -> Option<&'static str> {
    let starts = |prefix: &[u8]| bytes.starts_with(prefix);
    if starts(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if starts(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if starts(b"GIF87a") || starts(b"GIF89a") {
        Some("image/gif")
    } else if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}
