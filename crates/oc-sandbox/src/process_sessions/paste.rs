//! Text as a terminal's paste.

const BEGIN: &str = "\u{1b}[200~";
const END: &str = "\u{1b}[201~";

/// The bytes of a paste. Bracketed, the program knows that nobody typed it; the text cannot end the bracket by itself.
#[must_use]
pub fn paste(text: &str, bracketed: bool) -> Vec<u8> {
    if !bracketed {
        return text.as_bytes().to_vec();
    }
    let mut inner = text.to_owned();
    // What is left after one removal may form another marker.
    while inner.contains(BEGIN) || inner.contains(END) {
        inner = inner.replace(BEGIN, "").replace(END, "");
    }
    format!("{BEGIN}{inner}{END}").into_bytes()
}
