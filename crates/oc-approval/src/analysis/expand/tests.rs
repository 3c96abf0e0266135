#![allow(clippy::string_slice, reason = "tests")]

use super::matching::{Part, matches};

fn parts(pattern: &str) -> Vec<Part<'_>> {
    let mut out: Vec<Part<'_>> = Vec::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let length = rest.find(['*', '?', '[']).unwrap_or(rest.len());
        if length > 0 {
            out.push(Part::Literal(&rest[..length]));
            rest = &rest[length..];
            continue;
        }
        rest = &rest[1..];
        match c {
            '*' => out.push(Part::Run),
            '?' => out.push(Part::One),
            _ => {
                let (inside, after) = rest.split_once(']').unwrap();
                out.push(Part::class(inside).unwrap());
                rest = after;
            }
        }
    }
    out
}

fn fits(pattern: &str, name: &str) -> bool {
    let mut left = 10_000;
    matches(&parts(pattern), name, &mut left)
}

#[test]
fn names_that_match_and_names_that_do_not() {
    for (pattern, name) in [
        ("*", "a"),
        ("*", ""),
        ("a*", "a"),
        ("*.log", "x.log"),
        ("*.log", ".log"),
        ("a*b*c", "axxbyyc"),
        ("a*b*c", "abcabc"),
        ("*a?", "xab"),
        ("*a?*a?", "xabyac"),
        ("?", "é"),
        ("a?c", "a日c"),
        ("[a-c]x", "bx"),
        ("[!a-c]x", "dx"),
        ("**x", "yx"),
        ("*aab", "aaaab"),
        ("x*ab*b", "xaabbab"),
    ] {
        assert!(fits(pattern, name), "{pattern} {name}");
    }
    for (pattern, name) in [
        ("a", "b"),
        ("a*", "ba"),
        ("*.log", "x.logs"),
        ("a*b*c", "acb"),
        ("?", ""),
        ("?", "ab"),
        ("[a-c]x", "dx"),
        ("*a?", "xa"),
        ("*aab", "aaaa"),
        ("*.log*.log", "x.log"),
        ("a*a", "a"),
    ] {
        assert!(!fits(pattern, name), "{pattern} {name}");
    }
}

/// The obvious way, which takes as long as it takes.
fn slow(parts: &[Part<'_>], name: &str) -> bool {
    match parts.split_first() {
        None => name.is_empty(),
        Some((Part::Run, rest)) => {
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| slow(rest, &name[at..]))
        }
        Some((Part::Literal(text), rest)) => name.strip_prefix(text).is_some_and(|after| slow(rest, after)),
        Some((Part::One | Part::Class(_), rest)) => name.chars().next().is_some_and(|c| {
            matches(&parts[..1], &c.to_string(), &mut 9) && slow(rest, &name[c.len_utf8()..])
        }),
    }
}

proptest::proptest! {
    #[test]
    fn every_pattern_matches_what_the_obvious_way_matches(
        pattern in "(\\*|\\?|a|b|\\[a\\]|\\[!a\\]){0,8}",
        name in "[abc]{0,9}",
    ) {
        proptest::prop_assert_eq!(fits(&pattern, &name), slow(&parts(&pattern), &name));
    }
}

#[test]
fn comparisons_are_counted_and_limited() {
    let pattern = "*a?".repeat(40);
    let pattern = parts(&pattern);
    let name = "a".repeat(30);
    let mut left = 20;
    assert!(!matches(&pattern, &name, &mut left));
    assert_eq!(left, 0);
}
