//! The top level of the design card, nothing else; and the seven crates.

use std::path::Path;

use anyhow::Result;

/// What may stand at the top level beside dot files.
const TOP_LEVEL: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "crates",
    "bins",
    "xtask",
    "tests",
    "docs",
    "fixtures",
    "deny.toml",
    "rust-toolchain.toml",
    "README.md",
];

/// The crates that carry the product's name for its seven concerns.
const SEVEN: [&str; 7] =
    ["oc-config", "oc-policy", "oc-approval", "oc-audit", "oc-sandbox", "oc-channels", "oc-gateway"];

/// Names at the top level and `crates/<name>` entries, build output left out.
pub fn top_level(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "target" {
            names.push(name);
        }
    }
    for entry in std::fs::read_dir(root.join("crates"))? {
        names.push(format!("crates/{}", entry?.file_name().to_string_lossy()));
    }
    names.sort();
    Ok(names)
}

/// Entries that do not belong, entries that are missing.
pub fn check(names: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for n in names {
        let allowed = n.starts_with('.') || n.starts_with("crates/") || TOP_LEVEL.contains(&n.as_str());
        if !allowed {
            wrong.push(format!(
                "top-level entry `{n}` is not on the design card: move it into one of {TOP_LEVEL:?}"
            ));
        }
    }
    for t in TOP_LEVEL {
        if !names.iter().any(|n| n == t) {
            wrong.push(format!("top-level entry `{t}` is missing"));
        }
    }
    for c in SEVEN {
        if !names.iter().any(|n| n == &format!("crates/{c}")) {
            wrong.push(format!("crate `{c}` is missing: the design names seven ({})", SEVEN.join(", ")));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Vec<String> {
        TOP_LEVEL.iter().map(ToString::to_string).chain(SEVEN.iter().map(|c| format!("crates/{c}"))).collect()
    }

    #[test]
    fn the_card_itself_passes() {
        assert_eq!(check(&complete()), Vec::<String>::new());
    }

    #[test]
    fn another_top_level_entry_fails() {
        let mut names = complete();
        names.push("scripts".to_owned());
        assert_eq!(check(&names).len(), 1);
        names.push(".github".to_owned());
        assert_eq!(check(&names).len(), 1, "dot files are allowed");
    }

    #[test]
    fn each_of_the_seven_crates_is_required() {
        for c in SEVEN {
            let names: Vec<_> = complete().into_iter().filter(|n| n != &format!("crates/{c}")).collect();
            assert_eq!(check(&names).len(), 1, "{c}");
        }
    }
}
