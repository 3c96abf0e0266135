//! The table of rules. Each matches at most once a file.

use std::sync::LazyLock;

use oc_types::Severity;
use regex::Regex;

/// One rule of the scan.
#[derive(Debug)]
pub struct Rule {
    /// Stable id, used in findings.
    pub id: &'static str,
    /// Severity of a hit.
    pub severity: Severity,
    /// What a hit means, in a few words.
    pub message: &'static str,
    look: fn(&str) -> Option<usize>,
}

impl Rule {
    /// Byte offset of the first match, if the rule matches this file.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<usize> {
        (self.look)(text)
    }
}

/// Every rule, in the order findings list them.
pub static RULES: [Rule; 7] = [
    Rule {
        id: "dangerous-exec",
        severity: Severity::Critical,
        message: "starts other programs",
        look: |t| t.contains("child_process").then(|| first(&EXEC_CALL, t)).flatten(),
    },
    Rule {
        id: "dynamic-code-execution",
        severity: Severity::Critical,
        message: "runs code made at run time",
        look: |t| first(&DYNAMIC_CODE, t),
    },
    Rule {
        id: "crypto-mining",
        severity: Severity::Critical,
        message: "names a coin miner or mining protocol",
        look: |t| first(&MINING, t),
    },
    Rule {
        id: "suspicious-network",
        severity: Severity::Warn,
        message: "opens a web socket to an unusual port",
        look: odd_web_socket,
    },
    Rule {
        id: "potential-exfiltration",
        severity: Severity::Warn,
        message: "reads files and sends data out",
        look: |t| first(&READ_FILE, t).filter(|_| NETWORK_WORD.is_match(t)),
    },
    Rule {
        id: "obfuscated-code",
        severity: Severity::Warn,
        message: "hides text in escapes or base64",
        look: |t| match (first(&HEX_RUN, t), first(&BASE64, t)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        },
    },
    Rule {
        id: "env-harvesting",
        severity: Severity::Critical,
        message: "reads the environment and sends data out",
        look: |t| t.find("process.env").filter(|_| NETWORK_WORD.is_match(t)),
    },
];

/// Ports that a web socket commonly uses.
const USUAL_PORTS: [&str; 5] = ["80", "443", "8080", "8443", "3000"];

#[expect(clippy::expect_used, reason = "the patterns are literals; a test compiles every one")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a literal pattern compiles")
}

// Calls are looked for on one line, so white space inside them excludes line ends. Word boundaries are ASCII, as in JavaScript.
static EXEC_CALL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?-u:\b)(?:exec|execSync|spawn|spawnSync|execFile|execFileSync)[\s&&[^\r\n]]*\(")
});
static DYNAMIC_CODE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?-u:\b)eval[\s&&[^\r\n]]*\(|(?-u:\b)new[\s&&[^\r\n]]+Function[\s&&[^\r\n]]*\(")
});
static MINING: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i-u)stratum\+tcp|stratum\+ssl|coinhive|cryptonight|xmrig"));
static WEB_SOCKET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?-u:\b)new[\s&&[^\r\n]]+WebSocket[\s&&[^\r\n]]*\([\s&&[^\r\n]]*["'`]wss?://[^"'`\r\n:]*:([0-9]+)"#,
    )
});
static READ_FILE: LazyLock<Regex> = LazyLock::new(|| pattern("readFileSync|readFile"));
static NETWORK_WORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?-u:\b)fetch(?-u:\b)|(?-u:\b)post(?-u:\b)|http\.request"));
static HEX_RUN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:\\x[0-9a-fA-F]{2}){6}"));
static BASE64: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?:atob|Buffer\.from)[\s&&[^\r\n]]*\([\s&&[^\r\n]]*["'][A-Za-z0-9+/=]{200,}["']"#)
});

fn first(pattern: &LazyLock<Regex>, text: &str) -> Option<usize> {
    pattern.find(text).map(|m| m.start())
}

fn odd_web_socket(text: &str) -> Option<usize> {
    WEB_SOCKET
        .captures_iter(text)
        .find(|c| c.get(1).is_some_and(|p| !USUAL_PORTS.contains(&p.as_str().trim_start_matches('0'))))
        .and_then(|c| c.get(0))
        .map(|m| m.start())
}
