//! The built-in patterns, in order. `(?-u:\b)` is a boundary of ASCII words: a key right after a kanji is still a key.

use PatternKind as K;

/// What a pattern recognises: the name under which a scan reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PatternKind {
    /// `NAME_KEY=value`: a name that ends in a word for a credential.
    Assignment,
    /// `"token": "value"`.
    JsonMember,
    /// `--token value`.
    Flag,
    /// `Authorization: Bearer value`, `Authorization: Basic value`, `Bearer value`.
    Header,
    /// A PEM private key.
    PrivateKey,
    /// A key with the prefix of a model, code or package service.
    ServiceKey,
    /// `digits:letters`, as chat bots have.
    BotToken,
    /// `scheme://user:password@host`.
    UserInfo,
    /// A signed web token.
    WebToken,
}

impl PatternKind {
    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assignment => "assignment",
            Self::JsonMember => "json-member",
            Self::Flag => "flag",
            Self::Header => "header",
            Self::PrivateKey => "private-key",
            Self::ServiceKey => "service-key",
            Self::BotToken => "bot-token",
            Self::UserInfo => "url-user-info",
            Self::WebToken => "web-token",
        }
    }
}

/// A private key, from its first line to its last.
pub(super) const PRIVATE_KEY: &str =
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----";

/// What an assignment holds: the end of its name, and what may follow that.
const ASSIGNED: [&str; 40] = [
    "key=",
    "key:",
    "key ",
    "key\t",
    "key\n",
    "key\r",
    "key\x0b",
    "key\x0c",
    "token=",
    "token:",
    "token ",
    "token\t",
    "token\n",
    "token\r",
    "token\x0b",
    "token\x0c",
    "secret=",
    "secret:",
    "secret ",
    "secret\t",
    "secret\n",
    "secret\r",
    "secret\x0b",
    "secret\x0c",
    "password=",
    "password:",
    "password ",
    "password\t",
    "password\n",
    "password\r",
    "password\x0b",
    "password\x0c",
    "passwd=",
    "passwd:",
    "passwd ",
    "passwd\t",
    "passwd\n",
    "passwd\r",
    "passwd\x0b",
    "passwd\x0c",
];

/// The last digit of a bot's number, and what follows it.
const DIGIT_COLON: [&str; 10] = ["0:", "1:", "2:", "3:", "4:", "5:", "6:", "7:", "8:", "9:"];

/// How the names of members end that hold a credential: before a quote, or a backslash before it.
const MEMBERS: [&str; 26] = [
    "token\"",
    "token\\",
    "password\"",
    "password\\",
    "passwd\"",
    "passwd\\",
    "secret\"",
    "secret\\",
    "apikey\"",
    "apikey\\",
    "api-key\"",
    "api-key\\",
    "api_key\"",
    "api_key\\",
    "accesskey\"",
    "accesskey\\",
    "access-key\"",
    "access-key\\",
    "access_key\"",
    "access_key\\",
    "privatekey\"",
    "privatekey\\",
    "private-key\"",
    "private-key\\",
    "private_key\"",
    "private_key\\",
];

/// One built-in pattern.
#[derive(Debug)]
pub(super) struct BuiltIn {
    /// What it recognises.
    pub(super) kind: PatternKind,
    /// The pattern.
    pub(super) text: &'static str,
    /// No match is shorter, in bytes.
    pub(super) shortest: usize,
    /// What each match holds, lower case: of each of these lists at least one.
    pub(super) holds: &'static [&'static [&'static str]],
}

const fn of(
    kind: PatternKind,
    text: &'static str,
    shortest: usize,
    holds: &'static [&'static [&'static str]],
) -> BuiltIn {
    BuiltIn { kind, text, shortest, holds }
}

/// The patterns: the sixteen of the logging spec, then what SP-014 adds.
pub fn default_patterns() -> impl Iterator<Item = (PatternKind, &'static str)> {
    BUILT_IN.iter().map(|b| (b.kind, b.text))
}

/// See [`default_patterns`].
pub(super) static BUILT_IN: [BuiltIn; 25] = [
    of(
        K::Assignment,
        r#"(?-u:\b)[A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)(?-u:\b)\s*[=:]\s*["']?([^\s"'\\]+)"#,
        5,
        &[&ASSIGNED],
    ),
    of(
        K::JsonMember,
        r#""(?:apiKey|token|secret|password|passwd|accessToken|refreshToken)"\s*:\s*"([^"]+)""#,
        11,
        &[&["apikey\"", "token\"", "secret\"", "password\"", "passwd\""]],
    ),
    of(
        K::Flag,
        r#"--(?:api[-_]?key|token|secret|password|passwd)\s+["']?([^\s"']+)"#,
        9,
        &[&["--api", "--token", "--secret", "--passw"]],
    ),
    of(
        K::Header,
        r"Authorization\s*[:=]\s*Bearer\s+([A-Za-z0-9._\-+=]+)",
        22,
        &[&["authorization"], &["bearer"]],
    ),
    of(K::Header, r"(?-u:\b)Bearer\s+([A-Za-z0-9._\-+=]{18,})", 25, &[&["bearer"]]),
    of(K::PrivateKey, PRIVATE_KEY, 53, &[&["private key-----"]]),
    of(K::ServiceKey, r"(?-u:\b)(sk-[A-Za-z0-9_-]{8,})(?-u:\b)", 11, &[&["sk-"]]),
    of(K::ServiceKey, r"(?-u:\b)(ghp_[A-Za-z0-9]{20,})(?-u:\b)", 24, &[&["ghp_"]]),
    of(K::ServiceKey, r"(?-u:\b)(github_pat_[A-Za-z0-9_]{20,})(?-u:\b)", 31, &[&["github_pat_"]]),
    of(K::ServiceKey, r"(?-u:\b)(xox[baprs]-[A-Za-z0-9-]{10,})(?-u:\b)", 15, &[&["xox"]]),
    of(K::ServiceKey, r"(?-u:\b)(xapp-[A-Za-z0-9-]{10,})(?-u:\b)", 15, &[&["xapp-"]]),
    of(K::ServiceKey, r"(?-u:\b)(gsk_[A-Za-z0-9_-]{10,})(?-u:\b)", 14, &[&["gsk_"]]),
    of(K::ServiceKey, r"(?-u:\b)(AIza[0-9A-Za-z\-_]{20,})(?-u:\b)", 24, &[&["aiza"]]),
    of(K::ServiceKey, r"(?-u:\b)(pplx-[A-Za-z0-9_-]{10,})(?-u:\b)", 15, &[&["pplx-"]]),
    of(K::ServiceKey, r"(?-u:\b)(npm_[A-Za-z0-9]{10,})(?-u:\b)", 14, &[&["npm_"]]),
    of(K::BotToken, r"(?-u:\b)([0-9]{6,}:[A-Za-z0-9_-]{20,})(?-u:\b)", 27, &[&DIGIT_COLON]),
    // Beyond the sixteen: what their word boundary or list misses.
    of(K::BotToken, r"bot([0-9]{6,}:[A-Za-z0-9_-]{20,})(?-u:\b)", 30, &[&["bot"], &DIGIT_COLON]),
    of(
        K::Header,
        r"Authorization\s*[:=]\s*Basic\s+([A-Za-z0-9+/=_\-]+)",
        21,
        &[&["authorization"], &["basic"]],
    ),
    of(K::UserInfo, r"[a-z][a-z0-9+.-]*://[^\s/@:]*:([^\s/@]+)@", 7, &[&["://"], &["@"]]),
    of(
        K::ServiceKey,
        r"(?-u:\b)(gh[ours]_[A-Za-z0-9]{20,})(?-u:\b)",
        24,
        &[&["gho_", "ghu_", "ghr_", "ghs_"]],
    ),
    of(K::ServiceKey, r"(?-u:\b)(glpat-[A-Za-z0-9_-]{20,})(?-u:\b)", 26, &[&["glpat-"]]),
    of(K::ServiceKey, r"(?-u:\b)(hf_[A-Za-z0-9]{20,})(?-u:\b)", 23, &[&["hf_"]]),
    of(
        K::ServiceKey,
        r"(?-u:\b)((?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16})(?-u:\b)",
        20,
        &[&["akia", "asia", "aroa", "aida"]],
    ),
    // A member of JSON by what its name holds, also inside a text of JSON, where quotes have a backslash.
    of(
        K::JsonMember,
        r#""[A-Za-z0-9_-]*(?:token|password|passwd|secret|api[-_]?key|access[-_]?key|private[-_]?key)\\*"\s*:\s*\\*"([^"\\\s]+)"#,
        10,
        &[&MEMBERS, &["\""]],
    ),
    of(
        K::WebToken,
        r"(?-u:\b)(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})",
        29,
        &[&["eyj"], &["."]],
    ),
];
