//! Names of programs that run whatever they are given.

/// Shells and language runtimes, lower case, without versions.
const INTERPRETERS: [&str; 46] = [
    "ash",
    "awk",
    "bash",
    "bun",
    "busybox",
    "cmd",
    "csh",
    "dash",
    "deno",
    "elvish",
    "expect",
    "fish",
    "gawk",
    "gsed",
    "ipython",
    "jshell",
    "ksh",
    "lua",
    "luajit",
    "mawk",
    "mksh",
    "nawk",
    "node",
    "nodejs",
    "nu",
    "osascript",
    "perl",
    "php",
    "powershell",
    "pwsh",
    "pypy",
    "pypy3",
    "python",
    "python2",
    "python3",
    "rscript",
    "ruby",
    "sed",
    "sh",
    "tclsh",
    "toybox",
    "tsx",
    "wish",
    "xonsh",
    "yash",
    "zsh",
];

/// Runtimes of which a version may follow the name: `python3.11`, `php8.2`, `node-18`.
const VERSIONED: [&str; 8] = ["python", "pypy", "ruby", "perl", "php", "node", "lua", "bash"];

/// Programs that read, write or run more than their name suggests, whatever a profile allows.
const BROAD: [&str; 7] = ["jq", "awk", "gawk", "mawk", "nawk", "sed", "gsed"];

/// Endings that Windows adds to program names.
const ENDINGS: [&str; 4] = [".exe", ".cmd", ".bat", ".com"];

/// The name that counts: last path component, lower case, without a Windows ending.
#[must_use]
pub fn base_name(entry: &str) -> String {
    let name = entry.trim().rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    ENDINGS.iter().find_map(|e| name.strip_suffix(e)).unwrap_or(&name).to_owned()
}

/// Whether a name is that of a shell or an interpreter, with or without a version.
#[must_use]
pub fn is_interpreter(entry: &str) -> bool {
    let name = base_name(entry);
    INTERPRETERS.contains(&name.as_str())
        || VERSIONED.iter().any(|v| {
            name.strip_prefix(v).is_some_and(|rest| {
                let rest = rest.strip_prefix('-').unwrap_or(rest);
                rest.starts_with(|c: char| c.is_ascii_digit())
                    && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
            })
        })
}

/// Whether a program does more than its name suggests, so that no profile makes it safe.
#[must_use]
pub fn is_broad(entry: &str) -> bool {
    BROAD.contains(&base_name(entry).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sp_291_interpreters_are_known_by_base_name_and_version() {
        for name in [
            "python3",
            "python3.11",
            "/usr/bin/Python3.12",
            "node-18",
            "php8.2",
            "ruby3.2",
            "perl5.36.0",
            "BASH.exe",
            "awk",
            "busybox",
            " zsh ",
        ] {
            assert!(is_interpreter(name), "{name}");
        }
        for name in ["python-config", "pythonish", "cut", "wc", "nodemon", "", "python3-config", "shuf", "jq"]
        {
            assert!(!is_interpreter(name), "{name}");
        }
        assert!(is_broad("/usr/bin/jq") && is_broad("gsed") && !is_broad("cut"));
        assert!(INTERPRETERS.is_sorted());
    }
}
