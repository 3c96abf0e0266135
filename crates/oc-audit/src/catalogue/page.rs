//! The catalogue as a reference page and as text.

use oc_types::Severity;

use super::{Check, all};
use crate::text_block::Block;

/// Severities in words: `warn or critical`, or a dash.
fn words(list: &[Severity]) -> String {
    if list.is_empty() {
        return "-".to_owned();
    }
    list.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(" or ")
}

/// `docs/audit-checks.md`.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(
        "# Audit checks\n\n\
         Every check of `openclaw security audit`. This page is made from the catalogue in `crates/oc-audit/src/catalogue`:\n\
         `openclaw security checks --markdown > docs/audit-checks.md`. A test compares the two.\n\n\
         `<name>` in an id stands for any text. `$NAME` is an environment variable, `<state>` the state directory.\n",
    );
    for check in all() {
        out.push_str(&format!("\n## `{}`\n\n{}\n\n", check.id, check.question));
        out.push_str(&format!(
            "- Severity: {} (rules `2026.2`: {})\n",
            words(check.latest),
            words(check.era)
        ));
        out.push_str(&format!("- Finding: {}\n", check.title));
        out.push_str(&format!("- Looks at: {}\n", keys(check)));
        if !check.fix.is_empty() {
            out.push_str(&format!("- What to do: {}\n", check.fix));
        }
        out.push_str(&format!("- Source: {}\n", check.source));
    }
    out
}

fn keys(check: &Check) -> String {
    check.keys.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")
}

/// One block a check, 80 columns.
#[must_use]
pub fn text() -> String {
    let mut out = Block::new(false);
    for check in all() {
        out.item(
            check.id,
            &format!("({})", words(if check.latest.is_empty() { check.era } else { check.latest })),
        );
        out.indented("", check.question);
        if !check.fix.is_empty() {
            out.indented("fix: ", check.fix);
        }
    }
    out.finish()
}
