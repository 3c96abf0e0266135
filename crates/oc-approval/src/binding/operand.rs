//! The one file that an interpreter or package runner will run, or why it is not known (SP-172).

use crate::binding::{Digest, Unapprovable};
use crate::host_view::{Entry, HostView};
use crate::plan::Segment;
use crate::program_name::{base_name, is_interpreter};

/// Most links that are followed to a script.
const MAX_LINKS: usize = 16;

/// What the content of a run depends on besides the program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Nothing: the program is neither an interpreter nor a runner.
    None,
    /// Nothing: the code stands in the arguments, which are bound.
    Inline,
    /// This file.
    File(Digest),
}

/// How a program takes its script.
struct Runner {
    names: &'static [&'static str],
    /// Options whose next word is code.
    code: &'static [&'static str],
    /// Options that take the next word.
    values: &'static [&'static str],
    /// Options that load more code than the one operand, by their start.
    loads: &'static [&'static str],
    /// Words before the script, such as `run` of `deno run`.
    verbs: &'static [&'static str],
}

const RUNNERS: [Runner; 12] = [
    Runner {
        names: &["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "yash", "csh", "fish"],
        code: &["-c"],
        values: &["-o", "+o", "-O", "+O"],
        loads: &["--rcfile", "--init-file", "-i", "-l", "--login", "-s"],
        verbs: &[],
    },
    Runner {
        names: &["python", "pypy"],
        code: &["-c"],
        values: &["-W", "-X", "--check-hash-based-pycs"],
        loads: &["-m", "-i"],
        verbs: &[],
    },
    Runner {
        names: &["node", "nodejs"],
        code: &["-e", "--eval", "-p", "--print", "-pe"],
        values: &["--conditions", "-C", "--title", "--max-old-space-size"],
        loads: &[
            "-r",
            "--require",
            "--import",
            "--loader",
            "--experimental-loader",
            "--env-file",
            "-i",
            "--test",
            "--watch",
            "--run",
        ],
        verbs: &[],
    },
    Runner {
        names: &["tsx", "ts-node"],
        code: &["-e", "--eval", "-p", "--print"],
        values: &["--tsconfig", "-P", "--project"],
        loads: &["-r", "--require", "--import", "--loader"],
        verbs: &["watch"],
    },
    Runner {
        names: &["deno"],
        code: &[],
        values: &["-c", "--config"],
        loads: &["--preload", "--import-map", "--env-file"],
        verbs: &["run"],
    },
    Runner {
        names: &["bun"],
        code: &["-e", "--eval", "-p", "--print"],
        values: &["--cwd"],
        loads: &["-r", "--preload", "--require", "--import", "-i"],
        verbs: &["run"],
    },
    Runner {
        names: &["perl"],
        code: &["-e", "-E"],
        values: &[],
        loads: &["-I", "-M", "-m", "-x"],
        verbs: &[],
    },
    Runner {
        names: &["ruby"],
        code: &["-e"],
        values: &["-E"],
        loads: &["-I", "-r", "-C", "-S", "-x"],
        verbs: &[],
    },
    Runner {
        names: &["php"],
        code: &["-r", "-R", "-B", "-E"],
        values: &["-d"],
        loads: &["-c", "-S", "-z"],
        verbs: &[],
    },
    Runner { names: &["lua", "luajit"], code: &["-e"], values: &[], loads: &["-l", "-i"], verbs: &[] },
    Runner { names: &["rscript"], code: &["-e"], values: &[], loads: &["--default-packages"], verbs: &[] },
    Runner {
        names: &["pwsh", "powershell"],
        code: &["-Command", "-c", "-EncodedCommand", "-e"],
        values: &["-ExecutionPolicy", "-WorkingDirectory", "-File", "-f"],
        loads: &["-PSConsoleFile", "-ConfigurationName"],
        verbs: &[],
    },
];

/// Programs whose script is a file with a fixed name in the working directory.
const MANIFESTS: [(&str, &[&str]); 6] = [
    ("npm", &["package.json"]),
    ("pnpm", &["package.json"]),
    ("yarn", &["package.json"]),
    ("make", &["GNUmakefile", "makefile", "Makefile"]),
    ("gmake", &["GNUmakefile", "makefile", "Makefile"]),
    ("just", &["justfile", "Justfile"]),
];

/// Programs that fetch what they run, unless it is installed in the working directory.
const FETCHERS: [&str; 7] = ["npx", "pnpx", "bunx", "uvx", "pipx", "corepack", "dlx"];

/// Programs that run another program given in their arguments (exec-approval 5.3).
const WRAPPERS: [&str; 31] = [
    "chroot",
    "chrt",
    "command",
    "doas",
    "env",
    "exec",
    "find",
    "flock",
    "ionice",
    "ltrace",
    "nice",
    "nohup",
    "nsenter",
    "parallel",
    "script",
    "setarch",
    "setsid",
    "stdbuf",
    "strace",
    "su",
    "sudo",
    "systemd-run",
    "taskset",
    "time",
    "timeout",
    "unbuffer",
    "unshare",
    "watch",
    "xargs",
    "xvfb-run",
    "winpty",
];

/// What a segment's run depends on.
///
/// # Errors
/// When it is an interpreter or runner, and no single file can be named and read.
pub fn operand(segment: &Segment, directory: &str, view: &dyn HostView) -> Result<Operand, Unapprovable> {
    let mut names: Vec<String> = segment.argv.first().map(|w| base_name(w)).into_iter().collect();
    // A link `tool -> /usr/bin/python3` runs Python.
    names.extend(segment.executable.as_ref().map(|e| base_name(&e.canonical)));
    let rest = segment.argv.get(1..).unwrap_or_default();
    // busybox, coreutils and the like look at the name they are called by, so both names are tried, the called one first.
    for name in &names {
        if let Some(found) = of_program(name, rest, directory, view) {
            return found;
        }
    }
    Ok(Operand::None)
}

fn of_program(
    name: &str,
    rest: &[String],
    directory: &str,
    view: &dyn HostView,
) -> Option<Result<Operand, Unapprovable>> {
    let refuse = |why: &str| Unapprovable::Operand { program: name.to_owned(), why: why.to_owned() };
    if let Some(runner) = runner(name) {
        return Some(script(runner, rest, directory, view).map_err(|why| refuse(&why)));
    }
    if let Some((_, files)) = MANIFESTS.iter().find(|(n, _)| *n == name) {
        return Some(manifest(rest, files, directory, view).map_err(|why| refuse(&why)));
    }
    if FETCHERS.contains(&name) {
        return Some(installed(rest, directory, view).map_err(|why| refuse(&why)));
    }
    if WRAPPERS.contains(&name) || name == "busybox" || name == "toybox" {
        let inner = rest.iter().enumerate().find_map(|(i, w)| {
            let inner = base_name(w);
            of_program(&inner, rest.get(i + 1..).unwrap_or_default(), directory, view)
        });
        return inner;
    }
    // Interpreters without a row (awk and sed take their program from the arguments or from `-f`).
    if ["awk", "gawk", "mawk", "nawk", "sed", "gsed"].contains(&name) {
        let file = rest.iter().any(|w| w.starts_with("-f") || w.starts_with("--file") || w.starts_with("-i"));
        return file.then(|| Err(refuse("its program may come from a file")));
    }
    is_interpreter(name).then(|| Err(refuse("which file it runs is not known")))
}

fn runner(name: &str) -> Option<&'static Runner> {
    RUNNERS.iter().find(|r| {
        r.names.iter().any(|n| {
            name == *n
                || name.strip_prefix(n).is_some_and(|version| {
                    let version = version.strip_prefix('-').unwrap_or(version);
                    version.starts_with(|c: char| c.is_ascii_digit())
                        && version.chars().all(|c| c.is_ascii_digit() || c == '.')
                })
        })
    })
}

/// The script of an interpreter: the first operand.
fn script(runner: &Runner, rest: &[String], directory: &str, view: &dyn HostView) -> Result<Operand, String> {
    let mut words = rest.iter().map(String::as_str);
    let mut verbs = runner.verbs;
    while let Some(word) = words.next() {
        if word == "--" {
            let file = words.next().ok_or("no script file is named")?;
            return read(file, directory, view).map(Operand::File);
        }
        if let Some(option) = word.strip_prefix(['-', '+']).filter(|o| !o.is_empty()) {
            if runner.code.iter().any(|c| is_option(word, c)) {
                return Ok(Operand::Inline);
            }
            // `-xec`: letters of one bundle, of which `c` starts code.
            let bundle = !option.starts_with('-') && option.chars().all(|c| c.is_ascii_alphabetic());
            let short = |list: &[&str]| {
                list.iter().any(|c| {
                    c.len() == 2 && c.starts_with('-') && c.chars().nth(1).is_some_and(|c| option.contains(c))
                })
            };
            if bundle && short(runner.code) {
                return Ok(Operand::Inline);
            }
            if runner.loads.iter().any(|l| is_option(word, l)) || (bundle && short(runner.loads)) {
                return Err(format!("`{word}` runs more than one script file"));
            }
            if runner.values.contains(&word) && words.next().is_none() {
                return Err(format!("`{word}` lacks its value"));
            }
            continue;
        }
        if verbs.contains(&word) {
            verbs = &[];
            continue;
        }
        return read(word, directory, view).map(Operand::File);
    }
    Err("it reads what it runs from its input".to_owned())
}

/// Whether a word is an option as written, with `=value`, or with its value attached.
fn is_option(word: &str, option: &str) -> bool {
    word.strip_prefix(option)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('=') || !option.starts_with("--"))
        && (option.len() == 2 || word == option || word.starts_with(&format!("{option}=")))
}

/// The file with a fixed name; the directory it lies in must not be chosen by an option.
fn manifest(
    rest: &[String],
    files: &[&str],
    directory: &str,
    view: &dyn HostView,
) -> Result<Operand, String> {
    let elsewhere = [
        "-C",
        "-f",
        "-I",
        "--directory",
        "--file",
        "--makefile",
        "--prefix",
        "--dir",
        "--cwd",
        "-w",
        "--workspace",
        "--eval",
        "-E",
        "--justfile",
    ];
    if let Some(word) = rest.iter().find(|w| elsewhere.iter().any(|e| w.starts_with(e))) {
        return Err(format!("`{word}` names another place for what it runs"));
    }
    if let Some(word) = rest.iter().find(|w| ["dlx", "exec", "x", "create", "init"].contains(&w.as_str())) {
        return Err(format!("`{word}` may fetch what it runs"));
    }
    for file in files {
        if !matches!(view.entry(&format!("{directory}/{file}")), Entry::Missing) {
            return read(file, directory, view).map(Operand::File);
        }
    }
    Err(format!("there is no {} in {directory}", files.join(" or ")))
}

/// What a fetching runner runs when it is installed in the working directory.
fn installed(rest: &[String], directory: &str, view: &dyn HostView) -> Result<Operand, String> {
    let first = rest.first().filter(|w| !w.starts_with('-') && !w.contains(['/', '@', ':']));
    let name = first.ok_or("it may fetch what it runs")?;
    read(&format!("node_modules/.bin/{name}"), directory, view)
        .map(Operand::File)
        .map_err(|_| format!("`{name}` is not installed in {directory}, so it would be fetched"))
}

/// The digest of a file named in the arguments.
fn read(word: &str, directory: &str, view: &dyn HostView) -> Result<Digest, String> {
    if word.contains("://") || word == "-" {
        return Err(format!("`{word}` is not a local file"));
    }
    let mut path = if word.starts_with('/') { word.to_owned() } else { format!("{directory}/{word}") };
    for _ in 0..MAX_LINKS {
        match view.entry(&path) {
            Entry::File(_) => {
                let sha256 = view.sha256(&path).ok_or_else(|| format!("{path} cannot be read"))?;
                return Ok(Digest { path, sha256 });
            }
            Entry::Link { target, .. } if target.starts_with('/') => path = target,
            Entry::Link { target, .. } => {
                let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
                path = format!("{parent}/{target}");
            }
            Entry::Missing => return Err(format!("there is no file {path}")),
            Entry::Directory(_) | Entry::Other(_) | Entry::Unknown => {
                return Err(format!("{path} is not a regular file"));
            }
        }
    }
    Err(format!("{path}: too many links"))
}
