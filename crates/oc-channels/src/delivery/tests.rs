use std::time::Duration;

use proptest::prelude::*;

use super::chunk::{chunks, units_of};
use super::retry::{Then, after};
use super::*;
use crate::rules::ChunkLimit;

fn limit(chars: usize) -> ChunkLimit {
    ChunkLimit { chars, lines: None, paragraphs: false }
}

#[test]
fn a_text_that_fits_is_one_piece() {
    assert_eq!(chunks("hello\n", &limit(100)), ["hello"]);
    assert_eq!(chunks("  \n ", &limit(100)), Vec::<String>::new());
}

#[test]
fn a_fence_that_is_cut_is_closed_and_opened_again() {
    let code: String = (0..40).map(|i| format!("    line {i}\n")).collect();
    let text = format!("Look:\n```rust\n{code}```\nDone.");
    let pieces = chunks(&text, &limit(200));
    assert!(pieces.len() > 2);
    for piece in &pieces {
        assert!(units_of(piece) <= 200, "{piece}");
        assert_eq!(piece.matches("```").count() % 2, 0, "{piece}");
    }
    assert!(pieces[1].starts_with("```rust\n    line "), "{}", pieces[1]);
    let lines: Vec<&str> =
        pieces.iter().flat_map(|p| p.lines()).filter(|l| l.starts_with("    line")).collect();
    assert_eq!(lines.len(), 40, "no line of the code is lost or doubled");
    assert!(pieces.last().unwrap().ends_with("Done."));
}

#[test]
fn a_grapheme_is_never_cut() {
    let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
    for cluster in [
        family,
        "\u{1f1e9}\u{1f1ea}",
        "e\u{301}\u{323}",
        "\u{1f44d}\u{1f3fd}",
        "\u{915}\u{94d}\u{937}\u{93f}",
        "\u{1100}\u{1161}\u{11a8}",
        "\u{2764}\u{fe0f}",
    ] {
        let text = cluster.repeat(60);
        let pieces = chunks(&text, &limit(64));
        assert!(pieces.len() > 1 && pieces.iter().all(|p| units_of(p) <= 64), "{cluster}");
        if cluster != "\u{915}\u{94d}\u{937}\u{93f}" {
            assert!(pieces.iter().all(|p| p.len() % cluster.len() == 0), "{cluster} was cut: {pieces:?}");
        }
        assert!(pieces.iter().all(|p| !p.starts_with([
            '\u{200d}',
            '\u{301}',
            '\u{94d}',
            '\u{1f3fd}',
            '\u{fe0f}'
        ])));
    }
}

#[test]
fn discord_pieces_have_few_lines_and_paragraphs_can_be_pieces() {
    let text = (0..50).map(|i| i.to_string()).collect::<Vec<_>>().join("\n");
    let pieces = chunks(&text, &ChunkLimit { chars: 2000, lines: Some(17), paragraphs: false });
    assert!(pieces.iter().all(|p| p.lines().count() <= 17), "{pieces:?}");
    assert_eq!(pieces.join("\n"), text);
    let text = "one\ntwo\n\nthree\n\n```\na\n\nb\n```\n\nfour";
    let pieces = chunks(text, &ChunkLimit { chars: 2000, lines: None, paragraphs: true });
    assert_eq!(pieces, ["one\ntwo", "three", "```\na\n\nb\n```\n\nfour"]);
}

#[test]
fn an_endless_answer_ends() {
    let pieces = chunks(&"word ".repeat(100_000), &limit(64));
    assert_eq!(pieces.len(), super::chunk::MOST);
    assert!(pieces.last().unwrap().contains("too long"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn the_pieces_are_the_text_and_each_fits(
        text in "[a-z \\n`\u{1f600}\u{301}\u{200d}#]{0,400}",
        chars in 64usize..200,
        lines in prop::option::of(3usize..20),
        paragraphs: bool,
    ) {
        let pieces = chunks(&text, &ChunkLimit { chars, lines, paragraphs });
        for piece in &pieces {
            prop_assert!(units_of(piece) <= chars, "{} units of {chars}: {piece:?}", units_of(piece));
            if let Some(lines) = lines {
                prop_assert!(piece.lines().count() <= lines.max(3), "{piece:?}");
            }
            prop_assert!(!piece.trim().is_empty());
        }
        if pieces.len() < super::chunk::MOST && !text.contains("```") {
            // Nothing is added outside of fences.
            let strip = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(strip(&pieces.concat()), strip(&text));
        }
    }
}

#[test]
fn marks_go_and_words_stay() {
    assert_eq!(
        plain(
            "# Title\n**bold** _it_ ~~no~~ `code` snake_case [a link](https://example.org/x) [not] (a)\n```rust\nlet a = 1;\n```"
        ),
        "Title\nbold it no code snake_case a link (https://example.org/x) [not] (a)\n\nlet a = 1;\n"
    );
}

#[test]
fn three_attempts_the_services_wish_first_and_marks_go_once() {
    let limited = AdapterFailure::RateLimited { service: "x", after: Duration::from_secs(7) };
    let gone = AdapterFailure::Unavailable { service: "x", why: String::new() };
    let marks = AdapterFailure::Formatting { service: "x", why: String::new() };
    let refused = AdapterFailure::Refused { service: "x", why: String::new() };
    let ms = |n| Then::Again(Duration::from_millis(n));
    assert_eq!(after("telegram", &limited, 1, false, 0.5), ms(7000));
    assert_eq!(after("telegram", &gone, 1, false, 0.5), ms(400));
    assert_eq!(after("telegram", &gone, 2, false, 0.5), ms(800));
    assert_eq!(after("telegram", &gone, 3, false, 0.5), Then::GiveUp);
    assert_eq!(after("slack", &gone, 1, false, 0.0), ms(450));
    assert_eq!(after("slack", &gone, 1, false, 1.0), ms(550));
    assert_eq!(after("discord", &gone, 1, false, 0.5), Then::GiveUp);
    assert_eq!(after("discord", &limited, 2, false, 0.5), ms(7000));
    assert_eq!(after("matrix", &marks, 3, false, 0.5), Then::Plain);
    assert_eq!(after("matrix", &marks, 1, true, 0.5), Then::GiveUp);
    assert_eq!(after("matrix", &refused, 1, false, 0.5), Then::GiveUp);
}
