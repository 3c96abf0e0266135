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

/// Programs that start the program they are given, or any other (exec-approval 5.3).
const STARTERS: [&str; 104] = [
    "at",
    "batch",
    "bc",
    "builtin",
    "bwrap",
    "capsh",
    "cargo",
    "choom",
    "chpst",
    "chroot",
    "chrt",
    "command",
    "cpulimit",
    "crontab",
    "curl",
    "dc",
    "dd",
    "doas",
    "docker",
    "dtach",
    "ed",
    "emacs",
    "entr",
    "env",
    "eval",
    "ex",
    "exec",
    "fakeroot",
    "faketime",
    "firejail",
    "flock",
    "gdb",
    "git",
    "gmake",
    "go",
    "ionice",
    "kubectl",
    "ld.so",
    "linux32",
    "linux64",
    "lldb",
    "ltrace",
    "m4",
    "make",
    "mount",
    "nano",
    "nc",
    "ncat",
    "netcat",
    "newgrp",
    "nice",
    "nohup",
    "npm",
    "npx",
    "nsenter",
    "openssl",
    "parallel",
    "pico",
    "pip",
    "pip3",
    "pkexec",
    "pnpm",
    "podman",
    "prlimit",
    "proot",
    "rlwrap",
    "rsync",
    "run-parts",
    "runcon",
    "runuser",
    "scp",
    "screen",
    "script",
    "scriptreplay",
    "setarch",
    "setpriv",
    "setsid",
    "sftp",
    "sg",
    "socat",
    "softlimit",
    "source",
    "ssh",
    "start-stop-daemon",
    "stdbuf",
    "strace",
    "su",
    "sudo",
    "systemd-run",
    "taskset",
    "tee",
    "telnet",
    "time",
    "timeout",
    "tmux",
    "unbuffer",
    "unshare",
    "vi",
    "view",
    "vim",
    "watch",
    "wget",
    "xargs",
    "yarn",
];

/// Endings that Windows adds to program names.
const ENDINGS: [&str; 4] = [".exe", ".cmd", ".bat", ".com"];

/// The name that counts: last path component, lower case, without a Windows ending.
#[must_use]
pub fn base_name(entry: &str) -> String {
    let entry = entry.trim();
    let start = entry.bytes().rposition(|b| matches!(b, b'/' | b'\\')).map_or(0, |at| at + 1);
    let mut name = entry.get(start..).unwrap_or_default().to_lowercase();
    if let Some(rest) = ENDINGS.iter().find_map(|e| name.strip_suffix(e)) {
        name.truncate(rest.len());
    }
    name
}

/// Whether a name is that of a shell or an interpreter, with or without a version.
#[must_use]
pub fn is_interpreter(entry: &str) -> bool {
    is_interpreter_name(&base_name(entry))
}

/// The same, of a name that [`base_name`] gave.
pub(crate) fn is_interpreter_name(name: &str) -> bool {
    INTERPRETERS.binary_search(&name).is_ok()
        || VERSIONED.iter().any(|v| {
            name.strip_prefix(v).is_some_and(|rest| {
                let rest = rest.strip_prefix('-').unwrap_or(rest);
                rest.starts_with(|c: char| c.is_ascii_digit())
                    && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
            })
        })
}

/// Whether a listed name gives no trust whatever profile it has: shells, interpreters and programs that start others (SP-160).
///
/// The built-in profiles of `awk`, `sed` and `env` are the only exceptions, and the caller's business.
#[must_use]
pub fn is_never_safe(entry: &str) -> bool {
    let name = base_name(entry);
    is_interpreter_name(&name) || STARTERS.binary_search(&name.as_str()).is_ok()
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
        assert!(INTERPRETERS.is_sorted() && STARTERS.is_sorted());
    }
}
