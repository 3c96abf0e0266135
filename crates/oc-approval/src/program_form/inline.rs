//! Code in arguments: which options of which programs carry it.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Options that carry code or name a program to run.
struct Carries {
    /// Base names, version digits cut off.
    names: &'static [&'static str],
    /// Letters of short options.
    letters: &'static str,
    /// Long options, without dashes.
    long: &'static [&'static str],
    /// Whole words.
    words: &'static [&'static str],
}

const fn carries(
    names: &'static [&'static str],
    letters: &'static str,
    long: &'static [&'static str],
    words: &'static [&'static str],
) -> Carries {
    Carries { names, letters, long, words }
}

/// One row a family of programs.
static TABLE: [Carries; 30] = [
    carries(
        &[
            "sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "yash", "fish", "csh", "tcsh", "elvish", "nu",
            "xonsh",
        ],
        "cC",
        &["command", "init-command", "init-file", "rcfile"],
        &[],
    ),
    carries(&["python", "pypy", "ipython"], "cm", &[], &["-"]),
    carries(
        &["node", "nodejs", "bun", "tsx"],
        "epr",
        &["eval", "print", "require", "import", "loader", "experimental-loader"],
        &["exec", "x", "-"],
    ),
    carries(&["deno"], "", &[], &["eval", "repl", "task", "-"]),
    carries(&["perl"], "eEMmIx", &[], &["-"]),
    carries(&["ruby"], "erI", &[], &["-"]),
    carries(
        &["php"],
        "rRBEfFd",
        &["run", "process-begin", "process-code", "process-end", "process-file", "define"],
        &["-"],
    ),
    carries(&["lua", "luajit", "texlua"], "el", &[], &["-"]),
    carries(&["rscript", "r"], "ef", &["expression", "file"], &[]),
    carries(&["tclsh", "wish", "expect"], "cf", &[], &["-"]),
    carries(&["powershell", "pwsh"], "cCeEfF", &["command", "encodedcommand", "file"], &["-"]),
    carries(&["cmd"], "", &[], &["/c", "/C", "/k", "/K", "/r", "/R"]),
    carries(&["osascript"], "e", &[], &["-"]),
    carries(
        &["awk", "gawk", "mawk", "nawk", "original-awk"],
        "feElWi",
        &["file", "source", "exec", "load", "include"],
        &[],
    ),
    carries(&["find", "gfind"], "", &[], &["-exec", "-execdir", "-ok", "-okdir"]),
    carries(
        &["tar", "gtar", "bsdtar"],
        "IF",
        &[
            "use-compress-program",
            "to-command",
            "checkpoint-action",
            "info-script",
            "new-volume-script",
            "rsh-command",
            "rmt-command",
        ],
        &[],
    ),
    carries(
        &["git"],
        "c",
        &[
            "config-env",
            "exec-path",
            "upload-pack",
            "receive-pack",
            "exec",
            "extcmd",
            "open-files-in-pager",
            "ext-diff",
            "textconv",
        ],
        &["bisect", "filter-branch", "difftool", "mergetool"],
    ),
    carries(&["make", "gmake", "gnumake"], "Ef", &["eval", "file", "makefile"], &[]),
    carries(&["sort"], "", &["compress-program"], &[]),
    carries(&["zip"], "", &["unzip-command"], &["-TT"]),
    carries(&["rsync"], "e", &["rsh", "rsync-path"], &[]),
    carries(&["scp", "sftp"], "oSDF", &[], &[]),
    carries(
        &["vim", "vi", "nvim", "view", "ex", "ed", "emacs", "gvim", "vimdiff"],
        "cSuE",
        &["cmd", "eval", "execute", "load", "funcall"],
        &[],
    ),
    carries(
        &["less", "more", "man", "most"],
        "PkH",
        &["pager", "html", "lesskey-src", "lesskey-content", "lesskey-file"],
        &[],
    ),
    carries(
        &["gdb", "lldb"],
        "xoO",
        &["ex", "eval-command", "command", "init-eval-command", "one-line", "source"],
        &["-ex", "-iex"],
    ),
    carries(
        &["sqlite3", "psql", "mysql"],
        "cefi",
        &["command", "execute", "init", "cmd"],
        &["-cmd", "-init"],
    ),
    carries(&["npm", "pnpm", "yarn", "npx", "uvx", "pipx"], "c", &["call", "package"], &["exec", "x", "dlx"]),
    carries(
        &["go", "cargo", "rustc"],
        "",
        &["config", "toolexec", "exec"],
        &["run", "generate", "-toolexec", "-exec"],
    ),
    carries(
        &[
            "java", "jshell", "groovy", "scala", "kotlin", "swift", "julia", "elixir", "erl", "ghc",
            "runghc", "ocaml", "guile", "sbcl",
        ],
        "e",
        &["eval", "execute"],
        &["-eval", "-"],
    ),
    carries(&["docker", "podman", "kubectl"], "", &[], &["exec", "run"]),
];

/// The first row of every name.
static BY_NAME: LazyLock<HashMap<&'static str, &'static Carries>> = LazyLock::new(|| {
    let mut rows = HashMap::new();
    for row in &TABLE {
        for name in row.names {
            rows.entry(*name).or_insert(row);
        }
    }
    rows
});

/// `python3.11` is `python`.
fn family(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-')
}

/// Programs in whose arguments options may follow operands.
fn permutes(name: &str) -> bool {
    matches!(
        name,
        "find"
            | "gfind"
            | "tar"
            | "gtar"
            | "bsdtar"
            | "git"
            | "make"
            | "gmake"
            | "gnumake"
            | "sort"
            | "zip"
            | "rsync"
            | "scp"
            | "sftp"
            | "vim"
            | "vi"
            | "nvim"
            | "view"
            | "ex"
            | "ed"
            | "emacs"
            | "gvim"
            | "vimdiff"
            | "less"
            | "more"
            | "man"
            | "most"
            | "gdb"
            | "lldb"
            | "sqlite3"
            | "psql"
            | "mysql"
            | "npm"
            | "pnpm"
            | "yarn"
            | "go"
            | "cargo"
            | "docker"
            | "podman"
            | "kubectl"
    )
}

/// Whether code, or the name of a program to run, stands in the arguments.
pub(super) fn has_code(name: &str, arguments: &[String]) -> bool {
    let short = family(name);
    // The program text of awk and sed: the first operand. A profile may prove it harmless; that is asked before.
    if matches!(short, "awk" | "gawk" | "mawk" | "nawk" | "original-awk" | "sed" | "gsed") {
        return !arguments.is_empty()
            && !matches!(arguments.first().map(String::as_str), Some("--version" | "--help"));
    }
    if matches!(short, "make" | "gmake" | "gnumake")
        && arguments.iter().any(|a| !a.starts_with('-') && a.contains('='))
    {
        return true;
    }
    // `npx NAME`, `uvx NAME` run what they fetch.
    if matches!(short, "npx" | "uvx") {
        return !arguments.is_empty();
    }
    let Some(row) = BY_NAME.get(name).or_else(|| BY_NAME.get(short)) else { return false };
    for argument in arguments {
        if row.words.contains(&argument.as_str()) {
            return true;
        }
        if let Some(long) = argument.strip_prefix("--") {
            if long.is_empty() && !permutes(short) {
                return false;
            }
            let long = long.split('=').next().unwrap_or(long).to_ascii_lowercase();
            if !long.is_empty()
                && row.long.iter().any(|l| l.starts_with(long.as_str()) || long.starts_with(l))
            {
                return true;
            }
        } else if let Some(cluster) = argument.strip_prefix('-').filter(|c| !c.is_empty()) {
            let single_dash_long =
                row.long.iter().any(|l| cluster.len() > 1 && l.starts_with(&cluster.to_ascii_lowercase()));
            if single_dash_long || cluster.chars().any(|c| row.letters.contains(c)) {
                return true;
            }
        } else if matches!(short, "tar" | "gtar" | "bsdtar")
            && std::ptr::eq(argument, arguments.first().unwrap_or(argument))
        {
            // The old style: letters without a dash.
            if argument.chars().any(|c| row.letters.contains(c)) {
                return true;
            }
        } else if !permutes(short) && !argument.starts_with(['-', '+']) {
            return false;
        }
    }
    false
}
