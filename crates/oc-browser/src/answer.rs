//! What a call brings: our own words, then what came from a page, in an envelope that says so.

use oc_sandbox::gate::{Content, Outcome, ToolResult};
use oc_text::external::{External, ExternalSource, wrap};

use crate::failure::BrowserFailure;

/// The result of an action.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// Our own words.
    pub said: String,
    /// What came from outside.
    pub page: Option<Page>,
    /// A picture: base64 and its type.
    pub picture: Option<(String, &'static str)>,
    /// Remarks of our own, after it.
    pub notes: Vec<String>,
}

/// Text from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// Where it is.
    pub url: String,
    /// Its title.
    pub title: String,
    /// The text.
    pub text: String,
}

impl Answer {
    /// Only words of our own.
    pub fn said(words: impl Into<String>) -> Self {
        Self { said: words.into(), ..Self::default() }
    }

    /// The result of the tool for what was not done: words of our own, and in an envelope what a page chose.
    pub fn failed(said: String, page: Option<String>) -> ToolResult {
        let page = page.map(|text| Page { text, ..Page::default() });
        let answer = Self { page, ..Self::said(said) };
        match answer.into_result() {
            Ok(result) => ToolResult { outcome: Outcome::Failed, ..result },
            Err(why) => ToolResult::text(Outcome::Failed, why.to_string()),
        }
    }

    /// The result of the tool.
    pub fn into_result(self) -> Result<ToolResult, BrowserFailure> {
        let mut text = self.said;
        if let Some(page) = &self.page {
            let no_id = |_| BrowserFailure::NotReached("the system gives no random numbers".to_owned());
            let id = oc_fs::random::token_hex(8).map_err(no_id)?;
            let (url, title) = (oc_text::visible(&page.url, 500), oc_text::visible(&page.title, 300));
            let external = External {
                source: ExternalSource::Unknown,
                text: &page.text,
                sender: Some(&url),
                subject: Some(&title).filter(|t| !t.is_empty()).map(String::as_str),
            };
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&wrap(&external, id.expose(), true));
        }
        for note in &self.notes {
            text.push_str("\n[");
            text.push_str(note);
            text.push(']');
        }
        let mut result = ToolResult::text(Outcome::Done, text);
        if let Some((data, mime_type)) = self.picture {
            result.content.push(Content::Image { data, mime_type });
        }
        Ok(result)
    }
}
