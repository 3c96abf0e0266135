//! One path pattern.

/// A pattern over whole absolute paths: `*` is a run without `/`, `**` a run with `/`, `?` one character other than `/`; everything else
/// is itself. Case counts, except where file systems ignore it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    One,
    Run,
    DeepRun,
}

/// Whether file names that differ in case only are one file (exec-approval 4.1).
const IGNORES_CASE: bool = cfg!(any(target_os = "macos", target_os = "windows"));

fn folded(c: char) -> char {
    if IGNORES_CASE { c.to_lowercase().next().unwrap_or(c) } else { c }
}

impl PathPattern {
    /// Compiles a pattern; `None` when it is a bare name, or starts with `~` and there is no home.
    #[must_use]
    pub fn compile(pattern: &str, home: Option<&str>) -> Option<Self> {
        if !pattern.contains(['/', '\\', '~']) {
            return None;
        }
        let mut tokens = Vec::with_capacity(pattern.len());
        let rest = match pattern.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                tokens.extend(home?.trim_end_matches('/').chars().map(|c| Token::Char(folded(c))));
                rest
            }
            _ => pattern,
        };
        let mut chars = rest.chars().peekable();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '*' if chars.next_if_eq(&'*').is_some() => {
                    while chars.next_if_eq(&'*').is_some() {}
                    Token::DeepRun
                }
                '*' => Token::Run,
                '?' => Token::One,
                c => Token::Char(folded(c)),
            });
        }
        Some(Self { tokens })
    }

    /// Whether it has a wildcard.
    #[must_use]
    pub fn is_wild(&self) -> bool {
        self.tokens.iter().any(|t| !matches!(t, Token::Char(_)))
    }

    /// Whether a program is admitted: a literal pattern names the path as found or where it leads; one with wildcards must match both,
    /// so that a link in an allowed directory leads nowhere else (SP-154).
    #[must_use]
    pub fn admits(&self, found: &str, canonical: &str) -> bool {
        if self.is_wild() {
            self.matches(found) && self.matches(canonical)
        } else {
            self.matches(found) || self.matches(canonical)
        }
    }

    /// Whether one path matches, whole.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let literal = self.tokens.iter().take_while(|t| matches!(t, Token::Char(_))).count();
        let mut characters = path.chars();
        let starts = self.tokens.iter().take(literal).all(
            |t| matches!((t, characters.next()), (Token::Char(wanted), Some(c)) if *wanted == folded(c)),
        );
        let rest = self.tokens.get(literal..).unwrap_or_default();
        starts
            && if rest.is_empty() { characters.as_str().is_empty() } else { wild(rest, characters.as_str()) }
    }
}

/// Whether a text matches what a pattern has from its first wildcard on; linear in the product of both lengths.
fn wild(tokens: &[Token], text: &str) -> bool {
    let mut reached = vec![false; tokens.len() + 1];
    let mut next = reached.clone();
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    open(tokens, &mut reached);
    for c in text.chars() {
        next.fill(false);
        for (at, token) in tokens.iter().enumerate() {
            if !reached.get(at).copied().unwrap_or(false) {
                continue;
            }
            let to = match token {
                Token::Char(wanted) => (*wanted == folded(c)).then_some(at + 1),
                Token::One => (c != '/').then_some(at + 1),
                Token::Run => (c != '/').then_some(at),
                Token::DeepRun => Some(at),
            };
            if let Some(slot) = to.and_then(|i| next.get_mut(i)) {
                *slot = true;
            }
        }
        open(tokens, &mut next);
        std::mem::swap(&mut reached, &mut next);
    }
    reached.last().copied().unwrap_or(false)
}

/// A run may be empty.
fn open(tokens: &[Token], reached: &mut [bool]) {
    for (at, token) in tokens.iter().enumerate() {
        if matches!(token, Token::Run | Token::DeepRun)
            && reached.get(at).copied().unwrap_or(false)
            && let Some(next) = reached.get_mut(at + 1)
        {
            *next = true;
        }
    }
}
