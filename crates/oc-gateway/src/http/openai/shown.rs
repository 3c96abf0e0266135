//! What of an answer may be shown while the rest is still to come: whole lines, with credentials masked.
//!
//! A line is kept back while a credential could go on in the next one: inside a private key, inside quotation marks, after a name that has
//! no value yet. What is shown cannot be taken back.

use oc_text::Redactor;

/// An answer that grows.
#[derive(Debug)]
pub(super) struct Shown {
    redactor: Redactor,
    /// What is not shown yet.
    pending: String,
}

impl Shown {
    /// Nothing yet.
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, pending: String::new() }
    }

    /// Takes a piece; what may be shown now.
    pub(super) fn more(&mut self, piece: &str) -> Option<String> {
        self.pending.push_str(piece);
        if !piece.contains('\n') {
            return None;
        }
        let lines = self.pending.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let (whole, _) = self.pending.split_at_checked(lines)?;
        if whole.is_empty() || goes_on(whole) {
            return None;
        }
        let shown = self.redactor.redact(whole);
        self.pending.drain(..lines);
        Some(shown)
    }

    /// What is left, when nothing more comes.
    pub(super) fn rest(&mut self) -> Option<String> {
        let left = std::mem::take(&mut self.pending);
        (!left.is_empty()).then(|| self.redactor.redact(&left))
    }
}

/// Whether what follows these lines may belong to a credential in them.
fn goes_on(lines: &str) -> bool {
    let count = |what: &str| lines.matches(what).count();
    let last = lines.trim_end();
    let word = last.rsplit(char::is_whitespace).next().unwrap_or_default().to_ascii_lowercase();
    count("-----BEGIN") > count("-----END")
        || count("\"") % 2 == 1
        || last.ends_with([':', '=', '\\'])
        || word.starts_with("--")
        || matches!(word.as_str(), "bearer" | "basic")
        || last.ends_with("-----") && last.rfind("-----END") < last.rfind("-----BEGIN")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of a text that comes in pieces of so many characters.
    fn streamed(text: &str, size: usize) -> Vec<String> {
        let mut shown = Shown::new(Redactor::standard());
        let pieces: Vec<String> =
            text.chars().collect::<Vec<_>>().chunks(size).map(|c| c.iter().collect()).collect();
        let mut out: Vec<String> = pieces.iter().filter_map(|p| shown.more(p)).collect();
        out.extend(shown.rest());
        out
    }

    #[test]
    fn lines_are_shown_as_they_are_whole() {
        let mut shown = Shown::new(Redactor::standard());
        assert_eq!(shown.more("one "), None);
        assert_eq!(shown.more("two\nthree"), Some("one two\n".to_owned()));
        assert_eq!(shown.more(" four"), None);
        assert_eq!(shown.rest(), Some("three four".to_owned()));
        assert_eq!(shown.rest(), None);
    }

    #[test]
    fn sp_014_a_credential_is_masked_however_the_pieces_fall() {
        let key = "sk-canarycanarycanarycanary0001";
        let mark = |word: &str| format!("-----{word} PRIVATE {}-----", "KEY");
        let (begin, end) = (mark("BEGIN"), mark("END"));
        let pem = format!("{begin}\nAAAACANARYAAAACANARYAAAACANARYAAAA\nBBBBCANARYBBBB\n{end}\n");
        for text in [
            format!("first\nthe key is {key}\nlast\n"),
            format!("Authorization: Bearer\n{key}\nlast\n"),
            format!("MY_TOKEN=\n{key}\nlast"),
            format!("run it with --token\n{key}\n"),
            format!("a\n{pem}b\n"),
            "{\n\"password\": \"canary one\ncanary two\"\n}\n".to_owned(),
        ] {
            let at_once = Redactor::standard().redact(&text);
            for size in [1, 2, 3, 7, 1000] {
                assert_eq!(streamed(&text, size).concat(), at_once, "{size}: {text}");
            }
        }
    }
}
