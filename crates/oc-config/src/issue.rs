//! What is wrong with a configuration.

use oc_text::visible::{LINE_CAP, visible, visible_lines};
use oc_types::{KeyPath, Origin};
use serde::Serialize;

/// One thing that is wrong (or, as a warning, odd) in a configuration: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// The key path concerned; the root for a whole file.
    pub path: KeyPath,
    /// Where that key stands.
    pub origin: Origin,
    /// What is wrong: lower case, no full stop, never a secret value.
    pub message: String,
    /// The nearest valid key (full path), for unknown keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// `openclaw.json:4:7: channels.whatsapp.dmPolciy: unknown key; nearest valid key: channels.whatsapp.dmPolicy`.
///
/// Safe for a terminal (SP-015): keys and file names may hold anything. One line, but for a fix that shows a text to copy (the
/// JSON5 form of YAML), which follows on lines of its own.
impl std::fmt::Display for Issue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", visible(&self.origin.to_string(), PART))?;
        if !self.path.is_root() {
            write!(f, "{}: ", visible(&self.path.to_string(), LINE_CAP))?;
        }
        f.write_str(&visible(&self.message, PART))?;
        if let Some(n) = &self.nearest {
            write!(f, "; nearest valid key: {}", visible(n, LINE_CAP))?;
        }
        match self.fix.as_deref().map(|fix| (fix, fix.split_once(":\n{"))) {
            None => Ok(()),
            Some((_, Some((words, form)))) => {
                write!(f, "; {}:\n{{{}", visible(words, PART), visible_lines(form, FORM))
            }
            Some((fix, None)) => write!(f, "; {}", visible(fix, PART)),
        }
    }
}

impl Issue {
    /// The first line of the text: where, what, and what to do, without a text to copy.
    #[must_use]
    pub fn one_line(&self) -> String {
        self.to_string().lines().next().unwrap_or_default().to_owned()
    }
}

/// Most characters of one part of the line.
const PART: usize = 4 * LINE_CAP;
/// Most characters of a text to copy.
const FORM: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sp_015_whatever_a_key_or_file_is_called_the_text_is_safe_to_show() {
        let evil = "a\u{1b}[2J\nopenclaw.json is valid\u{202e}";
        let issue = Issue {
            path: KeyPath::keys([evil]),
            origin: Origin::file(&std::sync::Arc::from(evil), None),
            message: format!("{evil} is not known"),
            nearest: Some(evil.to_owned()),
            fix: Some(evil.to_owned()),
        };
        let text = issue.to_string();
        assert!(!text.contains(['\u{1b}', '\n', '\u{202e}']), "{text:?}");
        assert_eq!(issue.one_line(), text);
    }

    #[test]
    fn a_text_to_copy_stands_on_its_own_lines() {
        let issue = Issue {
            path: KeyPath::root(),
            origin: Origin::Default,
            message: "it is YAML".to_owned(),
            nearest: None,
            fix: Some("write:\n{\n  a: 1,\n}".to_owned()),
        };
        assert_eq!(issue.to_string(), "default: it is YAML; write:\n{\n  a: 1,\n}");
        assert_eq!(issue.one_line(), "default: it is YAML; write:");
    }
}
