//! Credentials in files that the model reads: text in, line numbers and pattern names out (seed: secret management).
//!
//! The patterns are those that mask credentials in logs. A hit never carries the value (SP-280). Time is linear in the text.

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use oc_text::redact::{PatternKind, default_patterns};
use regex::bytes::{Captures, Regex, RegexBuilder};

/// Largest file that is scanned, in bytes.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// Most files of one folder that are scanned.
pub const MAX_FILES: usize = 2_000;
/// Most bytes of one folder that are scanned.
pub const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// Folders that are not entered: version control, packages and build output hold copies of other people's text.
pub const SKIPPED_FOLDERS: [&str; 6] = [".git", "node_modules", "target", ".venv", "__pycache__", ".cache"];
/// Most hits kept of one file.
const MAX_HITS: usize = 50;

/// One hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Line, from 1.
    pub line: usize,
    /// Name of the pattern.
    pub pattern: &'static str,
}

/// One pattern, compiled when a text first looks as if it could match: most audits never need any of them.
struct Lazy {
    kind: PatternKind,
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Lazy {
    fn pattern(&self) -> Option<&Regex> {
        // Credentials are ASCII; without Unicode tables a pattern compiles in a fraction of the time.
        let compile = || RegexBuilder::new(self.text).case_insensitive(true).unicode(false).build().ok();
        self.compiled.get_or_init(compile).as_ref()
    }
}

static PATTERNS: LazyLock<Vec<Lazy>> = LazyLock::new(|| {
    default_patterns().map(|(kind, text)| Lazy { kind, text, compiled: OnceLock::new() }).collect()
});

/// Whether a text (lower case) holds what every match of a kind holds. Cheap, and never wrong about "no".
fn may_hold(kind: PatternKind, text: &str) -> bool {
    const NAMES: [&str; 5] = ["key", "token", "secret", "password", "passwd"];
    let any = |words: &[&str]| words.iter().any(|w| text.contains(w));
    match kind {
        PatternKind::Assignment => NAMES.iter().any(|name| {
            text.match_indices(name).any(|(at, w)| {
                let rest = text.get(at + w.len()..).unwrap_or_default();
                rest.trim_start().starts_with(['=', ':'])
            })
        }),
        PatternKind::JsonMember => any(&["key\"", "token\"", "secret\"", "password\"", "passwd\""]),
        PatternKind::Flag => any(&["--api", "--token", "--secret", "--passw"]),
        PatternKind::Header => any(&["bearer", "authorization"]),
        PatternKind::PrivateKey => any(&["private key-----"]),
        PatternKind::ServiceKey => any(&[
            "sk-",
            "ghp_",
            "github_pat_",
            "xox",
            "xapp-",
            "gsk_",
            "aiza",
            "pplx-",
            "npm_",
            "gho_",
            "ghu_",
            "ghr_",
            "ghs_",
            "glpat-",
            "hf_",
        ]),
        PatternKind::BotToken => text.match_indices(':').any(|(at, _)| {
            let before = text.as_bytes().get(..at).unwrap_or_default();
            before.iter().rev().take_while(|b| b.is_ascii_digit()).count() >= 6
        }),
        PatternKind::UserInfo => text.contains("://") && text.contains('@'),
        PatternKind::WebToken => text.contains("eyj"),
    }
}

/// Scans one text. At most one hit a line and pattern; placeholders do not count.
#[must_use]
pub fn scan(text: &str) -> Vec<Hit> {
    let lower = text.to_ascii_lowercase();
    let mut out: Vec<Hit> = Vec::new();
    for lazy in PATTERNS.iter().filter(|p| may_hold(p.kind, &lower)) {
        let Some(pattern) = lazy.pattern() else { continue };
        let (mut at, mut line) = (0_usize, 1_usize);
        for found in pattern.captures_iter(text.as_bytes()) {
            let Some(whole) = found.get(0) else { continue };
            if is_placeholder(lazy.kind, &value(&found)) {
                continue;
            }
            let passed = text.as_bytes().get(at..whole.start()).unwrap_or_default();
            line += passed.iter().filter(|b| **b == b'\n').count();
            at = whole.start();
            let hit = Hit { line, pattern: lazy.kind.as_str() };
            if !out.contains(&hit) && out.len() < MAX_HITS {
                out.push(hit);
            }
        }
    }
    out.sort_by_key(|h| h.line);
    // Two patterns that describe one credential are one piece of news.
    out.dedup_by_key(|h| h.line);
    out
}

/// The last group that took part, else the whole match.
fn value<'t>(found: &Captures<'t>) -> Cow<'t, str> {
    let groups = (1..found.len()).rev().filter_map(|i| found.get(i));
    let bytes = groups.chain(found.get(0)).map(|m| m.as_bytes()).find(|v| !v.is_empty()).unwrap_or_default();
    String::from_utf8_lossy(bytes)
}

/// Whether a value only stands for a credential: a reference, a mask, an example.
fn is_placeholder(kind: PatternKind, value: &str) -> bool {
    if kind == PatternKind::PrivateKey {
        return false;
    }
    let value = value.trim_matches(|c| "\"'`,;.)".contains(c));
    let lower = value.to_lowercase();
    let words = [
        "your",
        "example",
        "placeholder",
        "changeme",
        "change-me",
        "xxxx",
        "...",
        "****",
        "redacted",
        "…",
        "<",
        "${",
        "{{",
    ];
    if words.iter().any(|w| lower.contains(w)) || value.starts_with(['$', '%', '{', '*']) {
        return true;
    }
    match kind {
        // These go by the name beside the value, so the value itself has to look like a credential.
        PatternKind::Assignment | PatternKind::JsonMember | PatternKind::Flag | PatternKind::UserInfo => {
            let digits = value.bytes().any(|b| b.is_ascii_digit());
            let length = value.chars().count();
            length < 8 || (length < 16 && !digits) || value.contains('(')
        }
        PatternKind::Header
        | PatternKind::PrivateKey
        | PatternKind::ServiceKey
        | PatternKind::BotToken
        | PatternKind::WebToken => false,
    }
}

#[cfg(test)]
mod tests;
