//! WhatsApp's own marks.

use crate::markdown::{Mark, Style};

/// How WhatsApp writes marks. There is nothing to escape: no mark names anybody.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks;

fn sign(mark: Mark) -> char {
    match mark {
        Mark::Bold => '*',
        Mark::Italic => '_',
        Mark::Strike => '~',
    }
}

impl Style for Marks {
    fn text(&self, out: &mut String, text: &str) {
        out.push_str(text);
    }

    fn open(&self, out: &mut String, mark: Mark) {
        out.push(sign(mark));
    }

    fn close(&self, out: &mut String, mark: Mark) {
        out.push(sign(mark));
    }

    fn code(&self, out: &mut String, text: &str) {
        out.push('`');
        out.push_str(text);
        out.push('`');
    }

    fn block(&self, out: &mut String, _language: Option<&str>, text: &str) {
        out.push_str("```");
        out.push_str(text);
        out.push_str("```");
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
