//! Source files: sizes, what pure crates may not name, what no file may hold.

use std::path::Path;

use anyhow::Result;

/// One Rust file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path from the project folder.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Longest source file, in lines. Tests and tables are exempt.
const MAX_LINES: usize = 800;

/// Files that are one long table.
const TABLES: [&str; 3] = ["/schema/", "/catalogue/", "/latest/table"];

/// Folder names that say nothing.
const EMPTY_NAMES: [&str; 5] = ["utils.rs", "helpers.rs", "common.rs", "misc.rs", "mod.rs"];

/// Crates that decide over plain data.
const PURE: [&str; 8] = [
    "crates/oc-types/",
    "crates/oc-text/",
    "crates/oc-shell/",
    "crates/oc-config/",
    "crates/oc-policy/",
    "crates/oc-approval/",
    "crates/oc-extensions/",
    "crates/oc-audit/",
];

/// What a pure crate does not name.
const IMPURE: [&str; 11] = [
    "std::fs",
    "std::env::",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process::",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "std::io::stdin",
    "std::os::",
    "tokio::",
];

/// Reads every `.rs` file below `crates`, `bins`, `xtask` and `tests`.
pub fn read_all(root: &Path) -> Result<Vec<Source>> {
    let mut out = Vec::new();
    for top in ["crates", "bins", "xtask", "tests"] {
        walk(root, &root.join(top), &mut out)?;
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

fn walk(root: &Path, folder: &Path, out: &mut Vec<Source>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|n| n != "target") {
                walk(root, &path, out)?;
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            out.push(Source { path: name, text: std::fs::read_to_string(&path)? });
        }
    }
    Ok(())
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.starts_with("tests/")
        || path.contains("/benches/")
}

/// The part of a file before its inline test module.
fn product_part(text: &str) -> &str {
    text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(before, _)| before)
}

/// What is wrong with the sources. `checkout` is the absolute path of the project, which no file may hold.
pub fn check(sources: &[Source], checkout: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for s in sources {
        let lines = s.text.lines().count();
        if lines > MAX_LINES && !is_test(&s.path) && !TABLES.iter().any(|t| s.path.contains(t)) {
            wrong.push(format!("{} has {lines} lines: split it (at most {MAX_LINES})", s.path));
        }
        if EMPTY_NAMES.iter().any(|n| s.path.ends_with(&format!("/{n}"))) {
            wrong.push(format!("{} has a name that says nothing: name it after its noun", s.path));
        }
        if s.text.contains(checkout) {
            wrong.push(format!("{} holds the absolute path of this checkout", s.path));
        }
        let pure =
            PURE.iter().any(|p| s.path.starts_with(p)) && s.path.contains("/src/") && !is_test(&s.path);
        if pure {
            for word in IMPURE {
                let named = product_part(&s.text)
                    .lines()
                    .any(|l| l.contains(word) && !l.trim_start().starts_with("//"));
                if named {
                    wrong.push(format!("{} is in a pure crate and names `{word}`", s.path));
                }
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> Vec<String> {
        check(&[Source { path: path.to_owned(), text: text.to_owned() }], "/somewhere/checkout")
    }

    #[test]
    fn a_pure_crate_does_no_io_outside_its_tests() {
        assert_eq!(one("crates/oc-policy/src/x.rs", "use std::fs;\n").len(), 1);
        assert!(one("crates/oc-policy/src/x/tests.rs", "use std::fs;\n").is_empty());
        assert!(
            one("crates/oc-policy/src/x.rs", "\n#[cfg(test)]\nmod tests {\n use std::fs;\n}\n").is_empty()
        );
        assert!(one("crates/oc-fs/src/x.rs", "use std::fs;\n").is_empty());
    }

    #[test]
    fn long_files_empty_names_and_machine_paths_fail() {
        assert_eq!(one("crates/oc-fs/src/x.rs", &"x\n".repeat(MAX_LINES + 1)).len(), 1);
        assert_eq!(one("crates/oc-fs/src/utils.rs", "").len(), 1);
        assert_eq!(one("crates/oc-fs/src/x.rs", "/somewhere/checkout/y").len(), 1);
    }
}
