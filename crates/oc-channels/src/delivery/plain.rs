//! A text without its Markdown marks, for a service that did not take them.

/// Removes marks for bold, italics, strike-through, code, headings and links; the address of a link stays in parentheses.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, line) in text.lines().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            continue;
        }
        let body = match trimmed.trim_start_matches('#') {
            rest if rest.len() < trimmed.len() && rest.starts_with(' ') => rest.trim_start(),
            _ => line,
        };
        inline(body, &mut out);
    }
    out
}

fn inline(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some((label, address, after)) = link(rest) {
            out.push_str(label);
            out.push_str(&format!(" ({address})"));
            rest = after;
            continue;
        }
        let width = c.len_utf8();
        match c {
            '*' | '`' | '~' => {}
            // Inside of words an underscore is a letter.
            '_' if !joins_words(out, rest) => {}
            c => out.push(c),
        }
        rest = rest.get(width..).unwrap_or_default();
    }
}

fn joins_words(before: &str, rest: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    word(before.chars().next_back()) && word(rest.chars().nth(1))
}

/// `[label](address)` at the beginning of a text.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (label, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (address, after) = rest.split_once(')')?;
    (!label.contains(['[', ']']) && !address.contains(char::is_whitespace)).then_some((label, address, after))
}
