//! The option decoder against the real programs of this machine (SP-161): what takes a value, and what an abbreviation means.
//!
//! Behind every question stands an option that no program has: it complains and ends before it does anything.

use std::process::{Command, Stdio};

use oc_approval::safe_bin::catalogue::{Catalogue, built_in_texts};
use oc_approval::safe_bin::usage::Terminal;
use toml_edit::{DocumentMut, Item};

use crate::line::{judged, plain};

/// What a profile says of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    Attached,
    Denied,
}

/// Options that the installed version of a program lacks and another has.
const OTHER_VERSIONS: [(&str, &str); 6] = [
    ("id", "-Z"),
    ("id", "--context"),
    ("file", "-I"),
    ("wc", "--total"),
    ("wc", "--debug"),
    ("env", "--argv0"),
];

/// Options that end the program before it looks further.
const INFORM: [&str; 2] = ["--help", "--version"];

/// Programs of the GNU family by name, with their options as the profile spells them.
fn programs() -> Vec<(String, Vec<(String, Takes)>)> {
    let mut out = Vec::new();
    for (names, text) in built_in_texts() {
        let document: DocumentMut = text.parse().unwrap();
        let dialect = document.get("dialect").and_then(Item::as_str).unwrap_or("getopt");
        if !["getopt", "getopt-stop", "tar"].contains(&dialect)
            || ["awk", "which", "more"].contains(&names[0])
        {
            continue;
        }
        let mut options = Vec::new();
        let mut add = |names: &str, takes: Takes| {
            options.extend(names.split_whitespace().map(|name| (name.to_owned(), takes)));
        };
        for (key, item) in document.get("options").and_then(Item::as_table).into_iter().flatten() {
            let takes = match key {
                "flags" => Takes::Nothing,
                "attached" => Takes::Attached,
                _ => Takes::Value,
            };
            item.as_array().unwrap().iter().for_each(|names| add(names.as_str().unwrap(), takes));
        }
        for (key, takes) in [("words", Takes::Value), ("denied", Takes::Denied)] {
            let table = document.get(key).and_then(Item::as_table);
            table.into_iter().flatten().for_each(|(names, _)| add(names, takes));
        }
        // Wrappers in shell script (egrep) and programs that are not installed are left out.
        out.push((names[0].to_owned(), options));
    }
    out
}

/// An option that no program has.
const NO_SUCH: &str = "--zz-nothing-has-this";

/// Programs whose refused options change the system itself: those options are not even asked about.
const NEVER_ASKED: [&str; 2] = ["date", "hostname"];

/// What a program says to an option followed by one that it does not have; `None` when it is not installed.
fn complaint(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program)
        .args([argument, NO_SUCH])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn sp_161_options_take_what_the_real_programs_say() {
    let mut wrong = Vec::new();
    for (program, options) in programs() {
        for (name, takes) in options {
            if takes == Takes::Denied
                || INFORM.contains(&name.as_str())
                || OTHER_VERSIONS.contains(&(program.as_str(), name.as_str()))
            {
                continue;
            }
            let Some(alone) = complaint(&program, &name) else { break };
            if alone.is_empty() && takes == Takes::Nothing {
                // It shows its version or its help and ends.
                continue;
            }
            // A value swallows the option that does not exist.
            let swallows = !alone.contains(&format!("unrecognized option '{NO_SUCH}"));
            let with = if name.starts_with("--") { complaint(&program, &format!("{name}=")) } else { None };
            let real = match with {
                _ if alone.contains(&format!("option '{name}'")) => None,
                None if alone.contains("invalid option") => None,
                _ if swallows => Some(Takes::Value),
                Some(with) if with.contains("doesn't allow an argument") => Some(Takes::Nothing),
                Some(_) => Some(Takes::Attached),
                // A letter alone does not say whether it may have a value.
                None => Some(takes).filter(|t| *t != Takes::Value).or(Some(Takes::Nothing)),
            };
            if real != Some(takes) {
                wrong.push(format!("{program} {name}: profile {takes:?}, program {real:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sp_161_abbreviations_mean_what_the_real_programs_say() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (program, options) in programs() {
        let long: Vec<&str> =
            options.iter().map(|(n, _)| n.as_str()).filter(|n| n.starts_with("--")).collect();
        let mut prefixes: Vec<&str> =
            long.iter().flat_map(|name| (3..=name.len()).map(|end| &name[..end])).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        for prefix in prefixes {
            let refused =
                |(name, takes): &(String, Takes)| *takes == Takes::Denied && name.starts_with(prefix);
            if long.contains(&prefix)
                || NEVER_ASKED.contains(&program.as_str()) && options.iter().any(refused)
            {
                continue;
            }
            // With `=` every flag complains by its full name, and an ambiguous or unknown one says so.
            let Some(said) = complaint(&program, &format!("{prefix}=")) else { break };
            compared += 1;
            let words = |last: &[&str]| {
                let mut all = vec![program.as_str(), prefix];
                all.extend(last);
                judged(&plain(&all), &Catalogue::default(), Terminal::Absent)
            };
            let ours = [&[][..], &["1"], &["1", "a"]].iter().any(|rest| words(rest).is_ok());
            let unclear =
                said.contains("' is ambiguous") || said.contains(&format!("unrecognized option '{prefix}"));
            let full = said.split_once("option '--").and_then(|(_, rest)| rest.split(['\'', '=']).next());
            let denied = full.is_some_and(|full| {
                options.iter().any(|(n, t)| n.strip_prefix("--") == Some(full) && *t == Takes::Denied)
            });
            let other_version = OTHER_VERSIONS.iter().any(|(p, n)| *p == program && n.starts_with(prefix));
            if ours && !other_version && (unclear || denied) {
                wrong.push(format!("{program} {prefix}: allowed, but the program says {}", said.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{compared} abbreviations compared");
}
