//! Programs that start the program named in their arguments.

/// Dispatch wrappers, multi-call programs, watchers and the like; sorted.
const WRAPPERS: [&str; 54] = [
    "arch",
    "at",
    "batch",
    "busybox",
    "catchsegv",
    "chpst",
    "chroot",
    "chrt",
    "command",
    "crontab",
    "dbus-run-session",
    "doas",
    "entr",
    "env",
    "exec",
    "fakeroot",
    "faketime",
    "firejail",
    "flock",
    "ionice",
    "ld.so",
    "linux64",
    "ltrace",
    "nice",
    "nohup",
    "nsenter",
    "numactl",
    "parallel",
    "pkexec",
    "prlimit",
    "proot",
    "run-parts",
    "runuser",
    "script",
    "setarch",
    "setpriv",
    "setsid",
    "softlimit",
    "ssh",
    "start-stop-daemon",
    "stdbuf",
    "strace",
    "su",
    "sudo",
    "systemd-run",
    "taskset",
    "time",
    "timeout",
    "toybox",
    "unbuffer",
    "unshare",
    "valgrind",
    "watch",
    "xargs",
];

/// Whether a base name is that of a wrapper.
#[must_use]
pub fn is_wrapper(name: &str) -> bool {
    WRAPPERS.binary_search(&name).is_ok() || name.starts_with("ld-linux") || name.starts_with("ld-musl")
}

/// What a wrapper starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwrapped {
    /// The command word stands at this place of the argument vector.
    At(usize),
    /// It starts nothing: it was called without a command.
    Nothing,
    /// It cannot be looked through.
    Opaque,
}

/// Looks through a wrapper that has no assignment and no option other than a number (exec-approval 5.3). `argv[0]` is the wrapper.
#[must_use]
pub fn unwrap(name: &str, argv: &[String]) -> Unwrapped {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let word = |at: usize| argv.get(at).map(String::as_str);
    let mut at = 1;
    match name {
        "env" | "nohup" => {}
        "nice" => match word(1) {
            Some("-n") => {
                if !word(2).is_some_and(|n| number(n.trim_start_matches(['-', '+']))) {
                    return Unwrapped::Opaque;
                }
                at = 3;
            }
            Some(option)
                if option.strip_prefix("-n").or_else(|| option.strip_prefix('-')).is_some_and(number) =>
            {
                at = 2;
            }
            _ => {}
        },
        "timeout" => {
            let duration = word(1).map(|d| d.strip_suffix(['s', 'm', 'h', 'd']).unwrap_or(d));
            if !duration.is_some_and(|d| number(&d.replacen('.', "", 1))) {
                return Unwrapped::Opaque;
            }
            at = 2;
        }
        "stdbuf" => {
            while let Some(option) = word(at) {
                let size = ["-i", "-o", "-e"].iter().find_map(|o| option.strip_prefix(o));
                match size {
                    Some(size) if number(size) => at += 1,
                    _ => break,
                }
            }
        }
        _ => return Unwrapped::Opaque,
    }
    match word(at) {
        None if matches!(name, "env" | "nice") && at == 1 => Unwrapped::Nothing,
        None => Unwrapped::Opaque,
        Some(word) if word.starts_with('-') || word.is_empty() || (name == "env" && word.contains('=')) => {
            Unwrapped::Opaque
        }
        Some(_) => Unwrapped::At(at),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::WRAPPERS.is_sorted());
    }
}
