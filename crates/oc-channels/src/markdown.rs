//! The marks of a model's text - bold, code, links - for services that write them otherwise.
//!
//! [`render`] reads the text once and calls a [`Style`] for each piece; marks come out balanced and properly nested, whatever goes in.
//! What is not understood stays as it was written.

#[cfg(test)]
mod tests;

/// A mark around text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// `**bold**`, `__bold__`, headings.
    Bold,
    /// `*italic*`, `_italic_`.
    Italic,
    /// `~~struck~~`.
    Strike,
}

/// How a service writes marks. Every text passes [`Style::text`], so that one place escapes it.
pub trait Style {
    /// Plain text, to be escaped.
    fn text(&self, out: &mut String, text: &str);
    /// A mark begins.
    fn open(&self, out: &mut String, mark: Mark);
    /// A mark ends.
    fn close(&self, out: &mut String, mark: Mark);
    /// Code within a line.
    fn code(&self, out: &mut String, text: &str);
    /// A block of code, without the line feed at its end.
    fn block(&self, out: &mut String, language: Option<&str>, text: &str);
    /// The end of a line that another one follows.
    fn line_break(&self, out: &mut String) {
        out.push('\n');
    }
    /// A link. The address starts with `https://`, `http://` or `mailto:`.
    fn link(&self, out: &mut String, label: &str, address: &str);
}

/// Renders a text.
#[must_use]
pub fn render(text: &str, style: &dyn Style) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(text.len() / 4));
    let mut lines = text.split('\n').peekable();
    let mut first = true;
    while let Some(line) = lines.next() {
        if !std::mem::take(&mut first) {
            style.line_break(&mut out);
        }
        if let Some((fence, language)) = fence(line) {
            let mut code: Vec<&str> = Vec::new();
            while let Some(next) = lines.peek() {
                let next = *next;
                lines.next();
                if next.trim().starts_with(fence) && next.trim().chars().all(|c| fence.starts_with(c)) {
                    break;
                }
                code.push(next);
            }
            style.block(&mut out, language, &code.join("\n"));
        } else if let Some(heading) = heading(line) {
            style.open(&mut out, Mark::Bold);
            inline(&mut out, heading, style, &[Mark::Bold]);
            style.close(&mut out, Mark::Bold);
        } else {
            inline(&mut out, line, style, &[]);
        }
    }
    out
}

fn fence(line: &str) -> Option<(&'static str, Option<&str>)> {
    let line = line.trim();
    let fence = ["```", "~~~"].into_iter().find(|f| line.starts_with(f))?;
    let rest = line.trim_start_matches(|c| fence.starts_with(c)).trim();
    // A fence with code on its own line is inline code.
    if rest.contains('`') {
        return None;
    }
    let language = rest.split_whitespace().next().filter(|l| {
        l.len() <= 24 && l.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '#' | '_'))
    });
    Some((fence, language))
}

fn heading(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    let text = rest.strip_prefix(' ')?.trim();
    ((1..=6).contains(&level) && !text.is_empty()).then_some(text)
}

const MARKS: [(&str, Mark); 5] =
    [("**", Mark::Bold), ("__", Mark::Bold), ("~~", Mark::Strike), ("*", Mark::Italic), ("_", Mark::Italic)];

/// One line. `within` are the marks around it: none is opened twice, which also bounds the depth.
fn inline(out: &mut String, line: &str, style: &dyn Style, within: &[Mark]) {
    let mut rest = line;
    let mut plain_from = line;
    let mut before: Option<char> = None;
    macro_rules! flush {
        () => {{
            let done = plain_from.len() - rest.len();
            if let Some(text) = plain_from.get(..done).filter(|t| !t.is_empty()) {
                style.text(out, text);
            }
        }};
    }
    'next: while let Some(c) = rest.chars().next() {
        if c == '\\'
            && let Some(escaped) =
                rest.get(1..).and_then(|r| r.chars().next()).filter(char::is_ascii_punctuation)
        {
            flush!();
            plain_from = rest.get(1..).unwrap_or_default();
            rest = plain_from.get(escaped.len_utf8()..).unwrap_or_default();
            before = Some(escaped);
            continue;
        }
        if let Some((body, after)) = code_span(rest) {
            flush!();
            style.code(out, body);
            (rest, plain_from, before) = (after, after, Some('`'));
            continue;
        }
        if let Some((label, address, after)) = link(rest) {
            flush!();
            style.link(out, label, address);
            (rest, plain_from, before) = (after, after, Some(')'));
            continue;
        }
        for (sign, mark) in MARKS {
            if within.contains(&mark) {
                continue;
            }
            if let Some((body, after)) = marked(rest, sign, before) {
                flush!();
                let inner: Vec<Mark> = within.iter().copied().chain([mark]).collect();
                style.open(out, mark);
                inline(out, body, style, &inner);
                style.close(out, mark);
                (rest, plain_from, before) = (after, after, sign.chars().next());
                continue 'next;
            }
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        before = Some(c);
    }
    flush!();
}

/// `` `code` ``, also with more backticks.
fn code_span(text: &str) -> Option<(&str, &str)> {
    let after = text.trim_start_matches('`');
    let ticks = text.get(..text.len() - after.len()).filter(|t| !t.is_empty())?;
    let end = after.find(ticks)?;
    let body = after.get(..end)?;
    let rest = after.get(end + ticks.len()..)?;
    (!rest.starts_with('`') && !body.is_empty()).then_some((body.trim_matches(' '), rest))
}

/// `[label](address)`.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find("](")?;
    let label = inner.get(..end).filter(|l| !l.trim().is_empty() && !l.contains('['))?;
    let tail = inner.get(end + 2..)?;
    let mut depth = 0usize;
    let close = tail.char_indices().find_map(|(i, c)| match c {
        '(' => {
            depth += 1;
            None
        }
        ')' if depth == 0 => Some(i),
        ')' => {
            depth -= 1;
            None
        }
        _ => None,
    })?;
    let address = tail.get(..close)?;
    let known = ["https://", "http://", "mailto:"].iter().any(|s| address.starts_with(s));
    let clean = known && !address.chars().any(|c| c.is_whitespace() || c.is_control());
    clean.then_some((label, address, tail.get(close + 1..)?))
}

/// Text between two equal signs, which touch it and stand at the edges of words.
fn marked<'a>(text: &'a str, sign: &str, before: Option<char>) -> Option<(&'a str, &'a str)> {
    let inner = text.strip_prefix(sign)?;
    let letter = sign.chars().next()?;
    if before == Some(letter) || inner.starts_with(|c: char| c.is_whitespace() || c == letter) {
        return None;
    }
    // Inside words (`snake_case`, `2*3*4`) signs are no marks.
    if before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let mut from = 0;
    loop {
        let rest = inner.get(from..)?;
        let found = rest.find(sign)?;
        // Signs within code are code.
        let tick = rest.find('`').filter(|t| *t < found);
        if let Some((_, after)) = tick.and_then(|t| code_span(rest.get(t..)?)) {
            from = inner.len() - after.len();
            continue;
        }
        let at = from + found;
        let (body, after) = (inner.get(..at)?, inner.get(at + sign.len()..)?);
        let touches = body.chars().last().is_some_and(|c| !c.is_whitespace() && c != letter);
        let ends = !after.starts_with(|c: char| c == letter || c.is_alphanumeric());
        if touches && ends {
            return Some((body, after));
        }
        // The whole run of signs is passed, so that `**` is not read as two of `*`.
        let run: usize = after.chars().take_while(|c| *c == letter).map(char::len_utf8).sum();
        from = at + sign.len() + run;
    }
}

/// Text alone: what marks say is dropped, addresses of links follow their labels. For services without marks and as the fallback where
/// marks were refused.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Style for Plain {
    fn text(&self, out: &mut String, text: &str) {
        out.push_str(text);
    }

    fn open(&self, _out: &mut String, _mark: Mark) {}

    fn close(&self, _out: &mut String, _mark: Mark) {}

    fn code(&self, out: &mut String, text: &str) {
        out.push_str(text);
    }

    fn block(&self, out: &mut String, _language: Option<&str>, text: &str) {
        out.push_str(text);
    }

    fn link(&self, out: &mut String, label: &str, address: &str) {
        out.push_str(label);
        if label != address {
            out.push_str(" (");
            out.push_str(address);
            out.push(')');
        }
    }
}

/// HTML as chat services read it: `b`, `i`, `s`, `code`, `pre`, `a`. Everything else is escaped.
#[derive(Clone, Copy, Debug)]
pub struct Html;

impl Style for Html {
    fn text(&self, out: &mut String, text: &str) {
        escape_html(out, text);
    }

    fn open(&self, out: &mut String, mark: Mark) {
        out.push_str(match mark {
            Mark::Bold => "<b>",
            Mark::Italic => "<i>",
            Mark::Strike => "<s>",
        });
    }

    fn close(&self, out: &mut String, mark: Mark) {
        out.push_str(match mark {
            Mark::Bold => "</b>",
            Mark::Italic => "</i>",
            Mark::Strike => "</s>",
        });
    }

    fn code(&self, out: &mut String, text: &str) {
        out.push_str("<code>");
        escape_html(out, text);
        out.push_str("</code>");
    }

    fn block(&self, out: &mut String, language: Option<&str>, text: &str) {
        match language {
            Some(l) => {
                out.push_str("<pre><code class=\"language-");
                escape_html(out, l);
                out.push_str("\">");
                escape_html(out, text);
                out.push_str("</code></pre>");
            }
            None => {
                out.push_str("<pre>");
                escape_html(out, text);
                out.push_str("</pre>");
            }
        }
    }

    fn link(&self, out: &mut String, label: &str, address: &str) {
        out.push_str("<a href=\"");
        escape_html(out, address);
        out.push_str("\">");
        escape_html(out, label);
        out.push_str("</a>");
    }
}

/// Adds a text with `& < > "` written out.
pub fn escape_html(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}
