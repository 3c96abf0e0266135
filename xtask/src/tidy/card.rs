//! The packages of the design card: each is used by code, or its use is still ahead and says by what.

use super::manifest::Manifest;
use super::sources::Source;

/// Package, and what will need it while nothing does yet.
const CARD: [(&str, Option<&str>); 13] = [
    ("tokio", None),
    ("hyper", None),
    ("tokio-tungstenite", None),
    ("serde", None),
    ("toml_edit", None),
    ("json5", None),
    ("clap", None),
    ("thiserror", None),
    ("bollard", None),
    ("globset", Some("the approval allowlist patterns")),
    ("ring", None),
    ("tracing", None),
    ("insta", None),
];

/// Packages of the card that no code uses (or that are used although they are listed as ahead).
pub fn check(manifests: &[Manifest], sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (package, ahead) in CARD {
        let ident = package.replace('-', "_");
        let declared = manifests
            .iter()
            .filter(|m| m.name != "xtask")
            .any(|m| m.dependencies.iter().chain(&m.dev_dependencies).any(|d| d == package));
        let named = sources.iter().any(|s| !s.path.starts_with("xtask/") && mentions(&s.text, &ident));
        match (declared && named, ahead) {
            (false, None) => wrong.push(format!("`{package}` is on the design card, but no code uses it")),
            (true, Some(what)) => {
                wrong.push(format!(
                    "`{package}` is used now: drop its mark \"{what}\" in xtask/src/tidy/card.rs"
                ));
            }
            _ => {}
        }
    }
    wrong
}

fn mentions(text: &str, ident: &str) -> bool {
    [format!("{ident}::"), format!("use {ident};")].iter().any(|needle| text.contains(needle.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_of_the_card_without_code_fails() {
        let needed = CARD.iter().filter(|(_, ahead)| ahead.is_none()).count();
        assert_eq!(check(&[], &[]).len(), needed);
    }

    #[test]
    fn a_mark_must_go_once_the_package_is_used() {
        let all: Vec<_> = CARD.iter().map(|(p, _)| (*p).to_owned()).collect();
        let text = CARD.iter().map(|(p, _)| format!("use {}::x;\n", p.replace('-', "_"))).collect();
        let manifest = Manifest { name: "oc-fs".to_owned(), dependencies: all, ..Manifest::default() };
        let wrong = check(&[manifest], &[Source { path: "crates/oc-fs/src/lib.rs".to_owned(), text }]);
        assert_eq!(wrong.len(), CARD.iter().filter(|(_, ahead)| ahead.is_some()).count());
    }
}
