//! The built-in patterns, in order. `(?-u:\b)` is a boundary of ASCII words: a key right after a kanji is still a key.

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

/// The patterns: the sixteen of the logging spec, then what SP-014 adds.
#[must_use]
pub fn default_patterns() -> &'static [(PatternKind, &'static str)] {
    use PatternKind as K;
    &[
        (
            K::Assignment,
            r#"(?-u:\b)[A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)(?-u:\b)\s*[=:]\s*["']?([^\s"'\\]+)"#,
        ),
        (
            K::JsonMember,
            r#""(?:apiKey|token|secret|password|passwd|accessToken|refreshToken)"\s*:\s*"([^"]+)""#,
        ),
        (K::Flag, r#"--(?:api[-_]?key|token|secret|password|passwd)\s+["']?([^\s"']+)"#),
        (K::Header, r"Authorization\s*[:=]\s*Bearer\s+([A-Za-z0-9._\-+=]+)"),
        (K::Header, r"(?-u:\b)Bearer\s+([A-Za-z0-9._\-+=]{18,})"),
        (K::PrivateKey, r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----"),
        (K::ServiceKey, r"(?-u:\b)(sk-[A-Za-z0-9_-]{8,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)(ghp_[A-Za-z0-9]{20,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)(github_pat_[A-Za-z0-9_]{20,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)(xox[baprs]-[A-Za-z0-9-]{10,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)(xapp-[A-Za-z0-9-]{10,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)(gsk_[A-Za-z0-9_-]{10,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)(AIza[0-9A-Za-z\-_]{20,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)(pplx-[A-Za-z0-9_-]{10,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)(npm_[A-Za-z0-9]{10,})(?-u:\b)"),
        (K::BotToken, r"(?-u:\b)([0-9]{6,}:[A-Za-z0-9_-]{20,})(?-u:\b)"),
        // Beyond the sixteen: what their word boundary or list misses.
        (K::BotToken, r"bot([0-9]{6,}:[A-Za-z0-9_-]{20,})(?-u:\b)"),
        (K::Header, r"Authorization\s*[:=]\s*Basic\s+([A-Za-z0-9+/=_\-]+)"),
        (K::UserInfo, r"[a-z][a-z0-9+.-]*://[^\s/@:]*:([^\s/@]+)@"),
        (K::ServiceKey, r"(?-u:\b)(gh[ours]_[A-Za-z0-9]{20,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)(glpat-[A-Za-z0-9_-]{20,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)(hf_[A-Za-z0-9]{20,})(?-u:\b)"),
        (K::ServiceKey, r"(?-u:\b)((?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16})(?-u:\b)"),
        // A member of JSON by what its name holds, also inside a text of JSON, where quotes have a backslash.
        (
            K::JsonMember,
            r#""[A-Za-z0-9_-]*(?:token|password|passwd|secret|api[-_]?key|access[-_]?key|private[-_]?key)\\*"\s*:\s*\\*"([^"\\\s]+)"#,
        ),
        (K::WebToken, r"(?-u:\b)(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"),
    ]
}
