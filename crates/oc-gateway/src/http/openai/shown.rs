//! What of an answer may be shown while the rest is still to come: whole lines, with credentials masked.
//!
//! A line is kept back while a credential could go on in the next one: inside a private key, inside quotation marks, after a name that has
//! no value yet; with patterns of the configuration (`logging.redactPatterns`) all is, until the answer ends. What is shown cannot be taken
//! back.

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
        if whole.is_empty() || self.redactor.may_go_on(whole) {
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
    #[test]
    fn sp_014_a_line_waits_for_the_next_one_where_a_credential_may_go_on() {
        let mark = |word: &str| format!("-----{word} RSA PRIVATE {}-----\n", "KEY");
        let pem = format!("{}AAAACANARYAAAACANARYAAAACANARYAAAA\n{}", mark("BEGIN"), mark("END"));
        for text in [
            "MY_TOKEN\n= supersecretvalue1\nlast\n".to_owned(),
            "my_to\u{212a}en \n\n: supersecretvalue1\nlast\n".to_owned(),
            "{ \"password\"\n: \"canaryvalue22\"\nlast\n".to_owned(),
            "{ \"password\":\n\"canaryvalue22\" }\nlast\n".to_owned(),
            "5\" wide \"password\": \"canary one\ncanary two\"\nlast\n".to_owned(),
            "{\\\"password\\\"\n:\n\\\"canaryvalue22\\\"}\nlast\n".to_owned(),
            format!("5\" -----END\n{pem}last\n"),
            format!("{}more\n{pem}last\n", mark("BEGIN").replace("RSA PRIVATE KEY", "CERTIFICATE")),
            format!("{}-----END CERTIFICATE-----\nAAAACANARY\n{}last\n", mark("BEGIN"), mark("END")),
            format!("{}{}AAAACANARY\n{}last\n", mark("BEGIN").trim_end(), mark("END"), mark("END")),
            "Authorization\n: Bearer canary-canary\nlast\n".to_owned(),
            "Authorization: (Bearer\ncanarycanarycanarycanary\nlast\n".to_owned(),
            "run --password\ncanaryvalue22\nlast\n".to_owned(),
        ] {
            let at_once = Redactor::standard().redact(&text);
            for size in [1, 2, 3, 7, 1000] {
                assert_eq!(streamed(&text, size).concat(), at_once, "{size}: {text}");
            }
            let mut shown = Shown::new(Redactor::standard());
            let lines: Vec<String> = text.split_inclusive('\n').filter_map(|l| shown.more(l)).collect();
            assert_eq!(lines.concat() + &shown.rest().unwrap_or_default(), at_once, "{text}");
            assert!(!at_once.contains("ANARYAAAA") && !at_once.contains("canaryvalue22"), "{at_once}");
        }
    }

    #[test]
    fn sp_014_with_patterns_of_the_configuration_an_answer_is_shown_when_it_is_whole() {
        let (redactor, dropped) = Redactor::custom(&[r"CARD\s+([0-9]{16})".to_owned()]);
        assert!(dropped.is_empty());
        let mut shown = Shown::new(redactor);
        assert_eq!((shown.more("CARD\n"), shown.more("1234567812345678\n")), (None, None));
        let rest = shown.rest().unwrap();
        assert!(rest.starts_with("CARD\n") && !rest.contains("1234567812345678"), "{rest}");
    }
}
