//! Patterns as people write them for upstream (JavaScript), in the words of our linear-time engine.
//!
//! There `\b`, `\w` and `\d` know ASCII only, and a literal backspace is what a `\b` in a JSON text becomes.

/// The pattern for our engine; `None` when it holds what the engine cannot express.
pub(super) fn from_javascript(pattern: &str) -> Option<String> {
    let pattern = pattern.trim();
    if pattern.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut class = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{8}' if !class => out.push_str(r"(?-u:\b)"),
            '\\' => match chars.next()? {
                'b' if class => out.push_str(r"\x08"),
                'b' => out.push_str(r"(?-u:\b)"),
                'w' if class => out.push_str("A-Za-z0-9_"),
                'w' => out.push_str("[A-Za-z0-9_]"),
                'd' if class => out.push_str("0-9"),
                'd' => out.push_str("[0-9]"),
                other => {
                    out.push('\\');
                    out.push(other);
                }
            },
            // JavaScript has no nested classes and no class operations.
            '[' if class => out.push_str(r"\["),
            '&' | '~' | '-' if class && out.ends_with(c) => return None,
            '[' => {
                class = true;
                out.push('[');
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            c => out.push(c),
        }
    }
    Some(out)
}

/// A name: its words with any space between, optionally after `@`, not inside a longer word.
pub(super) fn name_pattern(name: &str) -> String {
    let words: Vec<String> = name.split_whitespace().map(|w| regex::escape(&w.to_lowercase())).collect();
    let ascii_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    // A boundary exists only beside an ASCII word character; a name in another script has none to ask for.
    let edge = |c| if ascii_word(c) { r"(?-u:\b)" } else { "" };
    format!(
        "{}@?{}{}",
        edge(name.trim().chars().next()),
        words.join(r"\s+"),
        edge(name.trim().chars().next_back())
    )
}
