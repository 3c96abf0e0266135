use super::*;
use proptest::prelude::*;

fn names(text: &str) -> Vec<(usize, &'static str)> {
    scan(text).into_iter().map(|h| (h.line, h.pattern)).collect()
}

/// Put together at run time, so that no scanner takes this file for a leak.
fn fake(prefix: &str) -> String {
    format!("{prefix}{}", "0a1B2c3D4e".repeat(3))
}

#[test]
fn credentials_are_found_with_their_line() {
    let key = fake("sk-");
    assert_eq!(names(&format!("# Tools\n\nuse {key} here\n")), [(3, "service-key")]);
    assert_eq!(names(&format!("a\nMAIL_PASSWORD={}\n", "hunter2hunter2")), [(2, "assignment")]);
    assert_eq!(
        names(&format!("-----BEGIN {0} KEY-----\nx\n-----END {0} KEY-----", "PRIVATE")),
        [(1, "private-key")]
    );
    assert_eq!(names(&format!("x\nx\nhttps://me:{}@h/", "s3cr3ts3cr3t")), [(3, "url-user-info")]);
}

#[test]
fn references_examples_and_prose_are_no_credentials() {
    for text in [
        "API_KEY=${OPENAI_API_KEY}",
        "API_KEY=your-key-goes-here-1234",
        "token: <paste it here 123456789>",
        "The key: documentation",
        "password=***",
        "--token $TOKEN",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxx",
        "const token = readToken(1234567);",
    ] {
        assert_eq!(names(text), [], "{text}");
    }
}

#[test]
fn every_pattern_compiles_and_its_shortcut_is_never_wrong() {
    assert!(PATTERNS.iter().all(|p| p.pattern().is_some()));
    let samples = [
        "MY_KEY = 0a1b2c3d",
        "{\"accessToken\": \"0a1b2c3d4e5f6\"}",
        "x --api_key 0a1b2c3d4e",
        "AUTHORIZATION: Bearer abc",
        "bearer 0a1B2c3D4e0a1B2c3D4e",
        "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----",
        "bot123456:0a1B2c3D4e0a1B2c3D4e",
        "a://b:c3d4e5f6g7@h",
        "eyJabcdefgh.abcdefgh.abcdefgh",
        "SK-0a1B2c3D4e GHO_0a1B2c3D4e0a1B2c3D4e xoxb-0a1B2c3D4e npm_0a1B2c3D4e0",
    ];
    for text in samples {
        for p in PATTERNS.iter() {
            let matches = p.pattern().unwrap().is_match(text.as_bytes());
            assert!(!matches || may_hold(p.kind, &text.to_ascii_lowercase()), "{:?} on {text}", p.kind);
        }
        assert!(PATTERNS.iter().any(|p| p.pattern().unwrap().is_match(text.as_bytes())), "{text}");
    }
}

#[test]
fn a_mebibyte_is_scanned_in_linear_time() {
    let start = std::time::Instant::now();
    assert!(scan(&"KEY token --password ".repeat(50_000)).is_empty());
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn sp_280_a_hit_is_a_line_of_the_text_and_a_known_word(text in any::<String>()) {
        let lines = text.matches('\n').count() + 1;
        prop_assert!(scan(&text).iter().all(|h| h.line >= 1 && h.line <= lines && !h.pattern.is_empty()));
    }
}
