use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

const SAMPLES: &str = include_str!("../../../../fixtures/text/redaction-samples.json");

#[test]
fn recorded_samples() {
    let samples: serde_json::Value = serde_json::from_str(SAMPLES).unwrap();
    let mut wrong = Vec::new();
    for s in samples.as_array().unwrap() {
        // `mode` is the caller's question: with `off` nothing is redacted.
        if s["mode"] == "off" {
            continue;
        }
        let patterns: Vec<String> = s["patterns"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|p| p.as_str().map(str::to_owned))
            .collect();
        let redactor = if patterns.is_empty() { Redactor::standard() } else { Redactor::custom(&patterns).0 };
        let want = s.get("product").unwrap_or(&s["out"]).as_str().unwrap();
        let got = redactor.redact(s["in"].as_str().unwrap());
        if got != want {
            wrong.push(format!("{}: want {want:?} got {got:?}", s["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_default_pattern_compiles() {
    assert!(Redactor::standard().patterns.iter().all(|p| p.regex().is_some()));
    assert_eq!(Redactor::standard().patterns.len(), default_patterns().count());
}

#[test]
fn sp_014_what_the_recorded_patterns_miss() {
    let r = Redactor::standard();
    for (input, want) in [
        ("鍵sk-abcdefghijklmnopqrstuvwx", "鍵sk-abc…uvwx"),
        ("postgres://u:p4ss@db/x", "postgres://u:***@db/x"),
        ("gho_abcdefghijklmnopqrstuvwxyz", "gho_ab…wxyz"),
        ("GET /?token=abcdefghijklmnopqrstuv", "GET /?token=abcdef…stuv"),
        ("id ASIAIOSFODNN7EXAMPLE x", "id ASIAIO…MPLE x"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "aws_secret_access_key = wJalrX…EKEY",
        ),
        (r#"{"access_token":"abc","maxTokens":5}"#, r#"{"access_token":"***","maxTokens":5}"#),
        (r#"{"1":"{\"client_secret\":\"abc\",\"n\":1}"}"#, r#"{"1":"{\"client_secret\":\"***\",\"n\":1}"}"#),
        ("glpat-abcdefghijklmnopqrst", "glpat-…qrst"),
        ("hf_abcdefghijklmnopqrstuv", "hf_abc…stuv"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "eyJhbG…0w5N"),
        ("X-OpenClaw-Token: abcdefghijklmnopqrstuv", "X-OpenClaw-Token: abcdef…stuv"),
    ] {
        assert_eq!(r.redact(input), want, "{input}");
    }
}

#[test]
fn sp_014_text_of_a_mebibyte_is_covered_and_linear() {
    let r = Redactor::standard();
    let secret = "sk-canarycanarycanary1234";
    for filler in ["a", "KEY", "://"] {
        let mut text = filler.repeat(1024 * 1024 / filler.len());
        text.push(' ');
        text.push_str(secret);
        let start = Instant::now();
        let out = r.redact(&text);
        assert!(!out.contains("canarycanary"), "{filler}");
        // Far above the figure of a release build: this only catches an engine that backtracks.
        assert!(start.elapsed() < Duration::from_secs(20), "{filler}: {:?}", start.elapsed());
    }
}

#[test]
fn sp_017_patterns_are_bounded() {
    let (r, dropped) = Redactor::custom(&["(a+)+$".into(), "x{100}{100}{100}".into(), "(?=a)b".into()]);
    assert_eq!(dropped.iter().map(|d| d.index).collect::<Vec<_>>(), [1, 2]);
    let _ = r.redact(&"a".repeat(100_000));
}

#[test]
fn sensitive_names() {
    for yes in
        ["token", "botToken", "gatewayPassword", "clientSecret", "apiKey", "api_key", "API-KEY", "maxTokens"]
    {
        assert!(is_sensitive_name(yes), "{yes}");
    }
    for no in ["name", "key", "keyPath", "apiBaseKey", "pass"] {
        assert!(!is_sensitive_name(no), "{no}");
    }
}

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("TOKEN=".to_owned()),
        Just("\"token\": \"".to_owned()),
        Just("--token ".to_owned()),
        Just("Authorization: Bearer ".to_owned()),
        Just("Authorization: Basic ".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
        Just("-----END PRIVATE KEY-----".to_owned()),
        Just("API_KEY = '".to_owned()),
        Just("\u{212a}EY:\u{a0}".to_owned()),
        Just("pa\u{17f}\u{17f}word=\"".to_owned()),
        Just("sk-".to_owned()),
        Just("mainKey\": \"".to_owned()),
        Just("\"api_key\\\": \\\"".to_owned()),
        Just("\"my-Private-Key\":".to_owned()),
        Just("key\x0b=".to_owned()),
        Just("passwd\t: ".to_owned()),
        Just("bot123456789:".to_owned()),
        Just("1234567:abcdefghijklmnopqrstuvwx".to_owned()),
        Just("https://user:".to_owned()),
        Just("@host/".to_owned()),
        Just("\n".to_owned()),
        Just(" ".to_owned()),
        Just("\"".to_owned()),
        "[A-Za-z0-9_-]{1,40}",
        any::<String>(),
    ]
}

proptest! {
    /// What lets a pass be left out.
    #[test]
    fn each_built_in_pattern_leaves_its_own_output_alone(parts in prop::collection::vec(fragment(), 0..12)) {
        let text = parts.concat();
        for p in Redactor::standard().patterns.iter() {
            if let Some(once) = apply(p, &text) {
                prop_assert_eq!(apply(p, &once), None, "{:?}", p);
            }
        }
    }

    /// What lets the parts of a text be left alone when the whole was looked over.
    #[test]
    fn sp_014_a_whole_that_holds_nothing_has_no_part_that_does(parts in prop::collection::vec(fragment(), 0..12)) {
        let redactor = Redactor::standard();
        if !redactor.may_find(&parts.join("\n")) {
            for part in &parts {
                prop_assert_eq!(&redactor.redact(part), part);
            }
        }
    }

    /// What lets a pattern be left out, and the engine be asked for a match without its groups.
    #[test]
    fn sp_014_what_is_left_out_would_have_found_nothing(parts in prop::collection::vec(fragment(), 0..12)) {
        let text = parts.concat();
        let sight = Sight::of(&text);
        for p in Redactor::standard().patterns.iter() {
            let regex = p.regex().unwrap();
            prop_assert!(p.may_match(&sight) || !regex.is_match(&text), "{:?}", p);
            let mut ours = Vec::new();
            let mut matches = p.matches().unwrap();
            while let Some(found) = matches.next(&text) {
                ours.extend(found);
            }
            let last = |c: regex::Captures<'_>| {
                c.iter().flatten().map(|g| (g.start(), g.end())).filter(|(start, end)| start < end).last()
            };
            let theirs: Vec<_> = regex.captures_iter(&text).filter_map(last).collect();
            prop_assert_eq!(ours, theirs, "{:?}", p);
        }
    }

    #[test]
    fn sp_014_redacting_twice_changes_nothing(parts in prop::collection::vec(fragment(), 0..12)) {
        let text = parts.concat();
        let r = Redactor::standard();
        let once = r.redact(&text);
        prop_assert_eq!(r.redact(&once), once);
    }
}

/// The shortest block there can be: one character between its two lines.
#[test]
fn sp_014_the_shortest_private_key_block_is_masked() {
    let block = ["-----BEGIN ", "PRIVATE KEY-----\n-----END ", "PRIVATE KEY-----"].concat();
    assert!(Redactor::standard().redact(&block) != block, "it was left as it is");
}

/// What upstream masks must not be readable here either: of every recorded sample, no run of six masked characters survives.
#[test]
fn nothing_that_is_masked_upstream_is_readable() {
    let samples: serde_json::Value = serde_json::from_str(SAMPLES).unwrap();
    for s in samples.as_array().unwrap() {
        let (input, out) = (s["in"].as_str().unwrap(), s["out"].as_str().unwrap());
        if s.get("patterns").is_some()
            || s["mode"] == "off"
            || s["id"] == "secret-repeats-in-match"
            || input == out
        {
            continue;
        }
        let shown = Redactor::standard().redact(input);
        let chars: Vec<char> = input.chars().collect();
        for window in chars.windows(6).map(|w| w.iter().collect::<String>()).filter(|w| !out.contains(w)) {
            assert!(!shown.contains(&window), "{}: {window:?} in {shown:?}", s["id"]);
        }
    }
}

#[test]
fn every_built_in_pattern_has_words_that_can_be_found() {
    let (words, finder) = &*pattern::WORDS;
    assert!(words.len() <= pattern::MOST_WORDS && finder.is_some(), "{}", words.len());
    for p in Redactor::standard().patterns.iter() {
        assert!(!p.needs.is_empty() && p.needs.iter().all(|any_of| *any_of != 0), "{p:?}");
    }
}
