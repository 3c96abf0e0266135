//! From the bytes of a page to text for a model.

use htmd::HtmlToMarkdown;

/// How a page is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Markdown.
    Markdown,
    /// Text without marks and link targets.
    Text,
}

impl Mode {
    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.trim() {
            "markdown" => Some(Self::Markdown),
            "text" => Some(Self::Text),
            _ => None,
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extracted {
    pub title: Option<String>,
    pub text: String,
}

/// Reads a body of a type. What is no text is refused.
pub(super) fn extract(kind: &str, body: &[u8], mode: Mode) -> Result<Extracted, String> {
    let is_html = matches!(kind, "text/html" | "application/xhtml+xml")
        || kind.is_empty() && body.trim_ascii_start().starts_with(b"<");
    let is_text = kind.is_empty()
        || kind.starts_with("text/")
        || matches!(kind, "application/json" | "application/xml" | "application/javascript")
        || kind.ends_with("+json")
        || kind.ends_with("+xml");
    if !is_html && (!is_text || body.iter().take(4096).any(|b| *b == 0)) {
        return Err(format!("{} is no text", if kind.is_empty() { "it" } else { kind }));
    }
    let source = String::from_utf8_lossy(body);
    if !is_html {
        return Ok(Extracted { title: None, text: source.into_owned() });
    }
    let skipped = vec!["script", "style", "noscript", "template", "iframe", "svg", "head", "nav", "form"];
    let converter = HtmlToMarkdown::builder().skip_tags(skipped).build();
    let markdown = converter.convert(&source).map_err(|_| "the page cannot be read".to_owned())?;
    let text = match mode {
        Mode::Markdown => markdown,
        Mode::Text => plain(&markdown),
    };
    Ok(Extracted { title: title(&source), text: text.trim().to_owned() })
}

/// The text of the title element.
fn title(source: &str) -> Option<String> {
    let lower = source.to_ascii_lowercase();
    let start = lower.find("<title").and_then(|at| Some(at + lower.get(at..)?.find('>')? + 1))?;
    let end = start + lower.get(start..)?.find("</title")?;
    let converter = HtmlToMarkdown::new();
    // Entities are read by the same reader as the page.
    let title = converter.convert(source.get(start..end)?).ok()?;
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then_some(title)
}

/// Markdown without its marks: headings, emphasis, link targets.
fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    for line in markdown.lines() {
        let line = line.trim_start_matches(['#', '>']).trim_start();
        let mut rest = line;
        while let Some(open) = rest.find("](") {
            let (before, after) = rest.split_at(open);
            out.push_str(&before.replace(['[', '*'], ""));
            let end = after.find(')').map_or(after.len(), |at| at + 1);
            rest = after.get(end..).unwrap_or_default();
        }
        out.push_str(&rest.replace("**", ""));
        out.push('\n');
    }
    out
}
