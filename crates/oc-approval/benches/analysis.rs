//! How long the analysis of a command line takes: `cargo bench -p oc-approval`.
//!
//! Prints one line a question and fails when a promise of `docs/performance.md` is broken. Files are a table in memory: what is measured is
//! the analysis, not the disk. Figures are nanoseconds of the median of many rounds.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement that reports to the terminal"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use oc_approval::allowlist::{Allowlist, Rule};
use oc_approval::analysis::{Request, Rules, analyse};
use oc_approval::host_view::{Entry, FileFacts, HostView};
use oc_approval::plan::Standing;
use oc_approval::safe_bin::usage::Terminal;

/// A host in memory.
struct Table(HashMap<String, Entry>);

impl Table {
    fn new() -> Self {
        let mut table = HashMap::new();
        let facts = |mode| FileFacts { device: 1, inode: 2, mode, size: 40_000, ..FileFacts::default() };
        for directory in ["/", "/usr", "/usr/bin", "/bin", "/home", "/home/u", "/home/u/src", "/opt"] {
            table.insert(directory.to_owned(), Entry::Directory(facts(0o755)));
        }
        for program in ["ls", "cat", "grep", "sort", "cut", "head", "tail", "wc", "uniq", "git", "tr", "jq"] {
            table.insert(format!("/usr/bin/{program}"), Entry::File(facts(0o755)));
        }
        for file in ["app.log", "notes.txt"] {
            table.insert(format!("/home/u/src/{file}"), Entry::File(facts(0o644)));
        }
        Self(table)
    }
}

impl HostView for Table {
    fn entry(&self, path: &str) -> Entry {
        self.0.get(path).cloned().unwrap_or(Entry::Missing)
    }
    fn names(&self, directory: &str, _: usize) -> Option<Vec<String>> {
        (directory == "/home/u/src").then(|| vec!["app.log".to_owned(), "notes.txt".to_owned()])
    }
    fn sha256(&self, _: &str) -> Option<String> {
        None
    }
    fn uid(&self) -> u32 {
        1000
    }
}

/// The median time of one call, in nanoseconds. Each call is measured for itself: on a busy machine few of them are interrupted.
fn median(calls: usize, mut call: impl FnMut()) -> u128 {
    let mut times: Vec<u128> = (0..calls)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// As many copies as fit into the longest line that is read.
fn filled(start: &str, more: &str, copies: usize) -> String {
    let room = (oc_shell::MAX_BYTES - start.len()) / more.len();
    format!("{start}{}", more.repeat(room.min(copies)))
}

fn main() -> ExitCode {
    let view = Table::new();
    let allowlist = [Rule { pattern: "/usr/bin/git".to_owned(), arguments: None, directory: None }];
    let rules = Rules { allowlist: Allowlist::compile(&allowlist, Some("/home/u")), ..Rules::default() };
    let mut kept = true;
    let mut measure = |what: &str, text: &str, limit: u128, standing: Option<Standing>| {
        let request = Request {
            text,
            directory: "/home/u/src",
            path: Some("/usr/bin:/bin"),
            home: Some("/home/u"),
            overrides: &[],
            terminal: Terminal::Absent,
        };
        let found = analyse(&request, &rules, &view).standing();
        assert!(standing.is_none_or(|s| s == found), "{what}: {:?}", analyse(&request, &rules, &view).miss);
        let calls = if limit < 100_000 { 5_000 } else { 201 };
        let nanos = median(calls, || {
            black_box(analyse(black_box(&request), &rules, &view));
        });
        let broken = nanos > limit;
        kept &= !broken;
        let word = if broken { "BROKEN" } else { "promise" };
        println!("{what:<58} {nanos:>9} ns  ({word}: at most {limit} ns; {} bytes, {found:?})", text.len());
    };
    const TYPICAL: u128 = 5_000;
    const WORST: u128 = 1_000_000;
    let hit = Some(Standing::Hit);
    measure("typical: one safe program", "ls -la", TYPICAL, hit);
    measure("typical: one allowed program", "git status --short", TYPICAL, hit);
    measure("typical: a safe program on a file", "grep -n ERROR app.log", TYPICAL, hit);
    measure("typical: not listed", "npm test", TYPICAL, Some(Standing::Miss));
    measure("a pipe of three", "cat app.log | cut -d' ' -f1 | sort", 3 * TYPICAL, hit);
    let word = "a".repeat(62);
    measure("worst: 256 words of 62 bytes", &filled("git", &format!(" {word}"), 255), WORST, hit);
    measure("worst: 255 files to read", &filled("cat", " app.log", 255), WORST, hit);
    measure(
        "worst: 255 long paths to read",
        &filled("cat", &format!(" {}x", "d/".repeat(30)), 255),
        WORST,
        None,
    );
    measure(
        "worst: 255 names that climb",
        &filled("cat", &format!(" {}x", "../".repeat(20)), 255),
        WORST,
        None,
    );
    measure("worst: one path of 16 KiB", &filled("cat ", "d/", 20_000), WORST, None);
    measure("worst: one word of 16 KiB", &filled("git ", "a", 20_000), WORST, hit);
    measure("worst: 16 KiB in quotes", &format!("git '{}'", "a b c d ".repeat(7)), WORST, hit);
    measure("worst: 32 commands", &filled("sort", " | sort -u", 31), WORST, hit);
    let many = format!("git {}", [word.as_str(); 7].join(" "));
    measure("worst: 32 commands of 8 words", &[many.as_str(); 32].join("; "), WORST, None);
    measure("worst: 250 wildcards", &filled("ls", " *.log", 250), WORST, hit);
    measure(
        "worst: 250 wildcards of 60 bytes",
        &filled("ls", &format!(" {}", "*a?".repeat(20)), 250),
        WORST,
        None,
    );
    measure("worst: refused at its last byte", &format!("{}>", filled("git ", "a", 16_000)), WORST, None);
    if kept { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
