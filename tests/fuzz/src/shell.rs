//! What must hold for any command text. Run by the fuzz target, and over the committed corpus by a test of `oc-shell`.

use oc_shell::{MAX_BYTES, MAX_COMMANDS, MAX_WORDS, Piece, read};

/// Never a panic; a read text is inside its limits, and writing it down again in single quotes gives the same words.
pub fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let line = match read(&text) {
        Ok(line) => line,
        Err(unreadable) => {
            assert!(unreadable.at <= text.len());
            return;
        }
    };
    // What is written down again below may be longer than the limit.
    if text.len() * 4 > MAX_BYTES {
        return;
    }
    let commands: Vec<_> = line.steps.iter().flat_map(|s| &s.pipeline.commands).collect();
    assert!((1..=MAX_COMMANDS).contains(&commands.len()));
    assert!(!text.contains(['\n', '\r', '\0']));
    for command in &commands {
        assert!((1..=MAX_WORDS).contains(&command.words.len()));
        assert!(text.get(command.span.clone()).is_some());
        for word in &command.words {
            let written = text.get(word.span.clone()).expect("a place in the text");
            // A word on its own is read as the same word.
            let alone =
                read(&format!("x {written}")).expect("readable in its place, so readable as an operand");
            let again =
                alone.steps.first().and_then(|s| s.pipeline.commands.first()).and_then(|c| c.words.get(1));
            assert_eq!(again.expect("one operand").pieces, word.pieces);
            if let Some(literal) = word.literal() {
                // And so is its text in single quotes.
                let quoted = read(&format!("x '{}'", literal.replace('\'', "'\\''")))
                    .expect("quoted text is readable");
                let again = quoted
                    .steps
                    .first()
                    .and_then(|s| s.pipeline.commands.first())
                    .and_then(|c| c.words.get(1));
                assert_eq!(again.and_then(|w| w.literal()), Some(literal));
            } else {
                assert!(word.pieces.iter().any(|p| !matches!(p, Piece::Literal(_))));
            }
        }
    }
}
