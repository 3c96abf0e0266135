//! `/exec host= security= ask= node=`: session defaults given inside a message (`exec-directive.jsonl`).

/// The directive found in a text, and the text without it. Values are those of the session's own vocabulary; everything else is listed
/// as invalid and changes nothing (SP-119).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecDirective {
    /// Whether `/exec` was there.
    pub present: bool,
    /// The text without the directive.
    pub cleaned: String,
    /// `sandbox`, `gateway` or `node`.
    pub host: Option<String>,
    /// `deny`, `allowlist` or `full`.
    pub security: Option<String>,
    /// `off`, `on-miss` or `always`.
    pub ask: Option<String>,
    /// Name of a node.
    pub node: Option<String>,
    /// The options whose value is no word of theirs, in order.
    pub invalid: Vec<&'static str>,
}

/// Finds the first `/exec` that stands alone and reads the options after it, up to the first word that is none.
#[must_use]
pub fn exec_directive(text: &str) -> ExecDirective {
    let Some((before, mut rest)) = locate(text) else {
        return ExecDirective { cleaned: text.trim().to_owned(), ..ExecDirective::default() };
    };
    let mut found = ExecDirective { present: true, ..ExecDirective::default() };
    loop {
        let trimmed = rest.trim_start();
        let (word, after) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
        if !found.take(word) {
            break;
        }
        rest = after;
    }
    found.cleaned = before.split_whitespace().chain(rest.split_whitespace()).collect::<Vec<_>>().join(" ");
    found
}

/// The text before and after `/exec` (any case), a following colon removed.
fn locate(text: &str) -> Option<(&str, &str)> {
    // ASCII lower-casing keeps byte offsets.
    let low = text.to_ascii_lowercase();
    for (at, word) in low.match_indices("/exec") {
        let (before, after) = (text.get(..at)?, text.get(at + word.len()..)?);
        let starts = before.chars().next_back().is_none_or(char::is_whitespace);
        let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || c == ':');
        if starts && ends {
            return Some((before, after.strip_prefix(':').unwrap_or(after)));
        }
    }
    None
}

impl ExecDirective {
    /// Takes one `name=value` or `name:value`; `false` when the word is no option.
    fn take(&mut self, word: &str) -> bool {
        let Some((name, value)) = word.split_once(['=', ':']) else { return false };
        let low = value.to_ascii_lowercase();
        let (name, slot, ok): (&'static str, &mut Option<String>, bool) =
            match name.to_ascii_lowercase().as_str() {
                "host" => ("host", &mut self.host, matches!(low.as_str(), "sandbox" | "gateway" | "node")),
                "security" => {
                    ("security", &mut self.security, matches!(low.as_str(), "deny" | "allowlist" | "full"))
                }
                "ask" => ("ask", &mut self.ask, matches!(low.as_str(), "off" | "on-miss" | "always")),
                "node" => ("node", &mut self.node, !value.is_empty()),
                _ => return false,
            };
        if ok {
            *slot = Some(if name == "node" { value.to_owned() } else { low });
        } else {
            self.invalid.push(name);
        }
        true
    }
}
