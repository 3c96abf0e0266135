use proptest::prelude::*;

use super::*;

#[test]
fn sp_015_unseen_characters_are_written_out() {
    for (input, want) in [
        ("plain text, 日本語　ok", "plain text, 日本語　ok"),
        ("a\u{1b}[31mred\u{1b}[0m", "a\\u{1b}[31mred\\u{1b}[0m"),
        ("two\nlines\r\n\tx", "two\\nlines\\r\\n\\tx"),
        ("user\u{202e}gnp.exe", "user\\u{202e}gnp.exe"),
        ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
        ("nbsp\u{a0}x", "nbsp\\u{a0}x"),
        ("tag\u{e0041}", "tag\\u{e0041}"),
        ("bell\u{7}del\u{7f}c1\u{9b}", "bell\\u{7}del\\u{7f}c1\\u{9b}"),
    ] {
        assert_eq!(visible(input, 100), want, "{input:?}");
    }
    assert_eq!(visible_lines("a\r\nb\n", 100), "a\nb\n");
}

#[test]
fn sp_015_length_is_capped() {
    assert_eq!(visible("abcdef", 3), "abc…");
    assert_eq!(visible("abc", 3), "abc");
}

proptest! {
    #[test]
    fn sp_015_output_is_printable_for_every_input(text in any::<String>(), cap in 0usize..200) {
        let out = visible(&text, cap);
        prop_assert!(out.chars().all(|c| is_plain(c) || c == '…'), "{:?}", out);
        prop_assert!(out.chars().count() <= cap * 10 + 1);
    }
}
