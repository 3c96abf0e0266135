//! A directory with known files and programs that write down how they were started.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names of the programs; those with `no` fail.
const PROGRAMS: [&str; 5] = ["aa", "bb", "ls", "no1", "x.y"];
/// Variables that a record shows.
const SHOWN: [&str; 5] = ["A", "B_1", "LC_ALL", "TZ", "_Z"];
const FILES: [&str; 14] = [
    "a.txt",
    "b.txt",
    ".hid",
    ".env",
    "ab",
    "a1",
    "a b",
    "-n",
    "[b]",
    "st*r",
    "sub/x.txt",
    "sub/y.txt",
    "sub/.z",
    "c{d",
];

/// One worker's files.
pub struct World {
    root: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let world = Self { root };
        let own = std::env::current_exe().unwrap();
        for directory in ["bin", "work/sub", "home/bin"] {
            fs::create_dir_all(world.path(directory)).unwrap();
        }
        for program in PROGRAMS {
            symlink(&own, world.path("bin").join(program)).unwrap();
        }
        for program in ["work/aa", "home/bin/bb"] {
            symlink(&own, world.path(program)).unwrap();
        }
        for file in FILES {
            fs::write(world.path("work").join(file), "").unwrap();
        }
        for file in ["home/h.txt", "home/a.txt", "in"] {
            fs::write(world.path(file), "").unwrap();
        }
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    pub fn home(&self) -> String {
        self.path("home").into_os_string().into_string().unwrap()
    }

    /// Whether a command word is a program here, and whether it succeeds.
    pub fn program(&self, word: &str) -> Option<bool> {
        let known = match word.rsplit_once('/') {
            None => PROGRAMS.contains(&word),
            Some(_) => fs::symlink_metadata(self.path("work").join(word)).is_ok_and(|m| m.is_symlink()),
        };
        known.then(|| !word.contains("no"))
    }

    /// The records of one shell's run, in the order of the pipelines; sorted within each, as its programs run at once.
    pub fn run(&self, shell: &str, text: &str, groups: &[Vec<String>]) -> Vec<String> {
        let log = self.path("log");
        fs::write(&log, "").unwrap();
        let open = |name: &str| File::create(self.path(name)).unwrap();
        let mut command = Command::new(shell);
        command.args(["-c", text]).env_clear().current_dir(self.path("work"));
        command.env("PATH", self.path("bin")).env("HOME", self.home()).env("LC_ALL", "C.UTF-8");
        command.env("OC_DIFFERENTIAL_LOG", &log).env("OC_DIFFERENTIAL_ROOT", self.path(""));
        command.stdin(File::open(self.path("in")).unwrap()).stdout(open("out")).stderr(open("err"));
        command.status().unwrap();
        let mut found: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
        let mut start = 0;
        for group in groups {
            let end = (start + group.len()).min(found.len());
            found[start..end].sort();
            start = end;
        }
        found
    }

    /// A path as records show it.
    pub fn name(&self, path: &Path) -> String {
        Probe::name(&path.to_string_lossy(), &self.path("").to_string_lossy())
    }
}

/// This binary as a program of the world.
pub struct Probe {
    log: PathBuf,
    root: String,
}

impl Probe {
    pub fn of_this_process() -> Option<Self> {
        let log = PathBuf::from(std::env::var_os("OC_DIFFERENTIAL_LOG")?);
        Some(Self { log, root: std::env::var("OC_DIFFERENTIAL_ROOT").unwrap() })
    }

    /// Appends the record; the exit status.
    pub fn record(&self) -> i32 {
        let argv: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
        let variables = SHOWN.map(|n| std::env::var_os(n).map(|v| v.to_string_lossy().into_owned()));
        let streams = [0, 1, 2].map(|n| {
            let target = fs::read_link(format!("/proc/self/fd/{n}")).unwrap();
            Self::name(&target.to_string_lossy(), &self.root)
        });
        let line = record(&argv, &variables, &streams) + "\n";
        OpenOptions::new().append(true).open(&self.log).unwrap().write_all(line.as_bytes()).unwrap();
        i32::from(argv[0].contains("no"))
    }

    fn name(target: &str, root: &str) -> String {
        if target.starts_with("pipe:") {
            return "pipe".to_owned();
        }
        target
            .strip_prefix(root)
            .map_or_else(|| target.to_owned(), |rest| rest.trim_start_matches('/').to_owned())
    }
}

/// One start of a program.
pub fn record(argv: &[String], variables: &[Option<String>; 5], streams: &[String; 3]) -> String {
    format!("{argv:?} {variables:?} {streams:?}")
}

/// The variables a record shows, before any assignment.
pub fn variables(assignments: &[oc_shell::Assignment]) -> [Option<String>; 5] {
    SHOWN.map(|name| {
        let last = assignments.iter().rev().find(|a| a.name == name).map(|a| a.value.clone());
        last.or_else(|| (name == "LC_ALL").then(|| "C.UTF-8".to_owned()))
    })
}
