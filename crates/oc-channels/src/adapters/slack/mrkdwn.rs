//! Slack's own marks, both ways.

use crate::markdown::{Mark, Style};

/// How Slack writes marks. `& < >` are written out, so that no text can name anybody or call a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mrkdwn;

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
}

/// A text in which nothing is a mark of the service.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text);
    out
}

fn sign(mark: Mark) -> char {
    match mark {
        Mark::Bold => '*',
        Mark::Italic => '_',
        Mark::Strike => '~',
    }
}

impl Style for Mrkdwn {
    fn text(&self, out: &mut String, text: &str) {
        escape(out, text);
    }

    fn open(&self, out: &mut String, mark: Mark) {
        out.push(sign(mark));
    }

    fn close(&self, out: &mut String, mark: Mark) {
        out.push(sign(mark));
    }

    fn code(&self, out: &mut String, text: &str) {
        out.push('`');
        escape(out, text);
        out.push('`');
    }

    fn block(&self, out: &mut String, _language: Option<&str>, text: &str) {
        out.push_str("```\n");
        escape(out, text);
        out.push_str("\n```");
    }

    fn link(&self, out: &mut String, label: &str, address: &str) {
        out.push('<');
        escape(out, &address.replace('|', "%7C"));
        out.push('|');
        escape(out, &label.replace('|', "\u{2502}"));
        out.push('>');
    }
}

/// What stood between `<` and `>` in a message, in words; mentions of people stay as they are.
pub(super) fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, tail) = rest.split_at(start);
        unescape(&mut out, before);
        let inner = tail.get(1..).unwrap_or_default();
        let Some(end) = inner.find('>') else {
            unescape(&mut out, tail);
            return out;
        };
        let (body, after) = inner.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let (target, label) = body.split_once('|').map_or((body, None), |(t, l)| (t, Some(l)));
        match (target.chars().next(), label) {
            (Some('@'), _) => {
                out.push('<');
                out.push_str(target);
                out.push('>');
            }
            (Some('#'), Some(label)) => {
                out.push('#');
                unescape(&mut out, label);
            }
            (Some('!'), label) => {
                out.push('@');
                unescape(&mut out, label.unwrap_or(target).trim_start_matches(['!', '@']));
            }
            (_, Some(label)) if label != target => {
                unescape(&mut out, label);
                out.push_str(" (");
                unescape(&mut out, target);
                out.push(')');
            }
            _ => unescape(&mut out, target),
        }
    }
    unescape(&mut out, rest);
    out
}

fn unescape(out: &mut String, text: &str) {
    // In this order, so that `&amp;lt;` is `&lt;`.
    out.push_str(&text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
}
