//! The protected paths, by spelling.

use crate::analysis::facts::{is_normal, is_within, normal};

/// The places of one user that the list depends on. Each may be given in several spellings (with and without links).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The home directory.
    homes: Vec<String>,
    /// The product's state directory.
    states: Vec<String>,
    /// Agent workspaces, which may lie inside the state directory.
    workspaces: Vec<String>,
}

/// Whether a path below the home, by its first names, holds credentials or private data as a whole.
fn is_private(below_home: &str) -> bool {
    let mut names = below_home.split('/');
    match names.next().unwrap_or_default() {
        ".ssh" | ".gnupg" | ".aws" | ".azure" | ".kube" | ".docker" | ".password-store" | ".netrc"
        | ".npmrc" | ".pypirc" | ".git-credentials" | ".pgpass" | ".my.cnf" | ".mozilla" => true,
        ".config" => {
            matches!(names.next(), Some("gcloud" | "gh" | "op" | "google-chrome" | "chromium"))
        }
        "Library" => names.next() == Some("Keychains"),
        _ => false,
    }
}

/// Whether a directory of the home, spelled with its `/`, holds private ones besides others.
fn holds_private(below_home: &str) -> bool {
    matches!(below_home, "/.config" | "/Library")
}

/// Whether a path is or lies in the directory of a process.
fn is_process(path: &str) -> bool {
    path.strip_prefix("/proc/").and_then(|rest| rest.split('/').next()).is_some_and(|name| {
        matches!(name, "self" | "thread-self") || name.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Key files by name, anywhere.
const KEY_NAMES: [&str; 4] = ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];

/// Key files by ending, anywhere.
const KEY_ENDINGS: [&str; 5] = [".pem", ".key", ".p12", ".pfx", ".kdbx"];

/// What `/proc` tells about a process that is secret.
const OF_PROCESS: [&str; 14] = [
    "environ",
    "mem",
    "maps",
    "smaps",
    "pagemap",
    "map_files",
    "fd",
    "fdinfo",
    "root",
    "cwd",
    "cmdline",
    "auxv",
    "stack",
    "syscall",
];

/// Directories that are protected whole, for the question whether a tree holds one.
const WHOLE: [&str; 7] =
    ["/boot", "/dev", "/etc/ssl/private", "/proc", "/root", "/run/secrets", "/sys/kernel/security"];

/// Whether a directory of `/tmp` is one that the product writes its log into: `openclaw`, or `openclaw-UID` where that one is another user's.
/// Seed A counts a wish for the logs among the red flags.
fn is_log_folder(name: &str) -> bool {
    let rest = name.strip_prefix("openclaw");
    rest.is_some_and(|r| {
        r.is_empty() || r.strip_prefix('-').is_some_and(|uid| uid.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Where homes lie.
const HOMES: [&str; 2] = ["/home", "/Users"];

impl Places {
    /// The places in normal form. Paths that are not absolute are left out.
    #[must_use]
    pub fn new(homes: &[String], states: &[String], workspaces: &[String]) -> Self {
        Self::of(homes.to_vec(), states.to_vec(), workspaces.to_vec())
    }

    pub(crate) fn of(homes: Vec<String>, states: Vec<String>, workspaces: Vec<String>) -> Self {
        let tidy = |mut given: Vec<String>| {
            given.retain(|p| p.starts_with('/'));
            for path in given.iter_mut().filter(|p| !is_normal(p)) {
                *path = normal(path);
            }
            given.retain(|p| p != "/");
            given.dedup();
            given
        };
        Self { homes: tidy(homes), states: tidy(states), workspaces: tidy(workspaces) }
    }

    fn is_home(&self, path: &str) -> bool {
        self.homes.iter().any(|home| is_within(path, home))
    }

    /// Why a path is protected; `None` when it is not. The path is absolute and normal.
    #[must_use]
    pub fn protects(&self, path: &str) -> Option<&'static str> {
        self.by_place(path).or_else(|| by_name(path))
    }

    fn by_place(&self, path: &str) -> Option<&'static str> {
        let mut names = path.split('/').skip(1);
        let (first, second) = (names.next().unwrap_or_default(), names.next());
        let by_first = match first {
            "etc" | "proc" | "dev" | "run" | "var" | "boot" | "sys" => {
                system(path, first, second.unwrap_or_default(), names)
            }
            "root" if !self.is_home(path) => Some("the home of root"),
            "tmp" if second.is_some_and(is_log_folder) && !self.is_home(path) && !self.is_workspace(path) => {
                Some("the logs of the product")
            }
            "home" | "Users" if second.is_some() && !self.is_home(path) && !self.is_workspace(path) => {
                Some("another user's home")
            }
            _ => None,
        };
        if by_first.is_some() {
            return by_first;
        }
        for home in &self.homes {
            let Some(rest) = path.strip_prefix(home.as_str()).and_then(|r| r.strip_prefix('/')) else {
                continue;
            };
            if is_private(rest) {
                return Some("credentials or private data in the home");
            }
            let name = rest.rsplit('/').next().unwrap_or(rest);
            if name.ends_with("_history") && (name.starts_with('.') || !rest.contains('/')) {
                return Some("a history of commands");
            }
        }
        if self.states.iter().any(|state| is_within(path, state)) && !self.is_workspace(path) {
            return Some("the state of the product");
        }
        None
    }

    /// Whether a path lies in an agent's workspace: one that is configured, or the state directory's own `workspace*`.
    fn is_workspace(&self, path: &str) -> bool {
        self.workspaces.iter().any(|w| is_within(path, w))
            || self.states.iter().any(|state| {
                path.strip_prefix(state.as_str())
                    .and_then(|rest| rest.strip_prefix("/workspace"))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '-']))
            })
    }

    /// Why a tree as a whole must not be walked: it is or holds a home, the state directory, the root or a protected directory.
    #[must_use]
    pub fn protects_tree(&self, top: &str) -> Option<&'static str> {
        let holds = |inner: &str| is_within(inner, top);
        if holds("/") || HOMES.contains(&top) {
            return Some("everything below the root or all homes");
        }
        if self.homes.iter().any(|h| holds(h)) {
            return Some("the whole home");
        }
        if self.states.iter().any(|s| holds(s)) {
            return Some("the state of the product");
        }
        if WHOLE.iter().any(|w| holds(w)) {
            return Some("a protected directory");
        }
        if self.homes.iter().any(|home| top.strip_prefix(home.as_str()).is_some_and(holds_private)) {
            return Some("credentials or private data in the home");
        }
        if is_process(top) {
            return Some("the inside of a process");
        }
        None
    }
}

/// Paths of the system; `names` are those after the second.
fn system<'a>(
    path: &str,
    first: &str,
    second: &str,
    mut names: impl Iterator<Item = &'a str>,
) -> Option<&'static str> {
    match first {
        "etc" => {
            let third = names.next().unwrap_or_default();
            let secret = ["shadow", "gshadow", "sudoers"].iter().any(|s| second.starts_with(s))
                || (second == "ssh" && third.ends_with("_key"))
                || (second == "ssl" && third == "private");
            secret.then_some("passwords or keys of the system")
        }
        "proc" => {
            if second == "kcore" {
                return Some("memory of the system");
            }
            let mut third = names.next().unwrap_or_default();
            if third == "task" {
                third = names.nth(1).unwrap_or_default();
            }
            OF_PROCESS.contains(&third).then_some("the inside of a process")
        }
        "dev" => {
            let harmless = names.next().is_none() && matches!(second, "null" | "zero" | "stdin");
            (!harmless).then_some("a device or the network")
        }
        "run" => run(path, second),
        "var" if second == "run" => run(path, names.next().unwrap_or_default()),
        "boot" => Some("what starts the system"),
        "sys" if is_within(path, "/sys/kernel/security") => Some("security settings of the kernel"),
        _ => None,
    }
}

fn run(path: &str, second: &str) -> Option<&'static str> {
    (second == "secrets" || path.ends_with(".sock")).then_some("secrets or a socket of a service")
}

/// Files by their name, wherever they lie.
fn by_name(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name == ".env" || (name.starts_with(".env.") && name != ".env.example") {
        return Some("a file of secrets for programs");
    }
    if KEY_NAMES.contains(&name) || KEY_ENDINGS.iter().any(|end| name.ends_with(end)) {
        return Some("a private key or certificate");
    }
    None
}
