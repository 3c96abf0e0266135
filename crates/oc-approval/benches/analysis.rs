//! How long the analysis of a command line takes: `cargo bench -p oc-approval`.
//!
//! Prints one line a question (with an argument only those whose name holds it) and fails when a promise of `docs/performance.md` is
//! broken. Files are a table in memory: what is measured is the analysis, not the disk. Figures are nanoseconds of the median of many
//! calls; what misses its promise is measured again a few times.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement that reports to the terminal"
)]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use oc_approval::allowlist::{Allowlist, Rule};
use oc_approval::analysis::{Request, Rules, analyse};
use oc_approval::host_view::{Entry, FileFacts, HostView};
use oc_approval::plan::Standing;
use oc_approval::safe_bin::usage::Terminal;

/// A host in memory.
struct Table {
    entries: HashMap<String, Entry, BuildHasherDefault<Plain>>,
    names: HashMap<String, Vec<String>>,
}

/// A cheap hash, so that the table is not what is measured.
#[derive(Default)]
struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        for word in words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]) {
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

/// The user's files.
const SRC: &str = "/home/u/src";
/// A directory of as many files as a line may find.
const FULL: usize = 1024;
/// A directory of as many names as the wildcards of a line may look at.
const CROWDED: usize = 4096;

impl Table {
    fn new() -> Self {
        let mut table = Self { entries: HashMap::default(), names: HashMap::new() };
        for directory in [
            "/",
            "/usr",
            "/usr/bin",
            "/usr/local",
            "/usr/local/bin",
            "/usr/local/sbin",
            "/usr/sbin",
            "/bin",
            "/sbin",
            "/home",
            "/home/u",
            SRC,
            "/opt",
        ] {
            table.directory(directory);
        }
        for program in [
            "ls", "cat", "grep", "sort", "cut", "head", "tail", "wc", "uniq", "git", "tr", "jq", "awk",
            "sed", "find", "tar", "env", "date",
        ] {
            table.file(&format!("/usr/bin/{program}"), 0o755);
        }
        for file in ["app.log", "notes.txt"] {
            table.file(&format!("{SRC}/{file}"), 0o644);
        }
        table.names.insert(SRC.to_owned(), vec!["app.log".to_owned(), "notes.txt".to_owned()]);
        for (place, count, length) in [("full", FULL, 40), ("crowded", CROWDED, 20)] {
            let directory = format!("{SRC}/{place}");
            table.directory(&directory);
            let names: Vec<String> =
                (0..count).map(|n| format!("{n:05}{}.log", "x".repeat(length))).collect();
            for name in &names {
                table.file(&format!("{directory}/{name}"), 0o644);
            }
            table.names.insert(directory, names);
        }
        // Directories that lie in one another, one branch a first name.
        for branch in 0..255 {
            let mut at = format!("{SRC}/{branch:x}");
            table.directory(&at);
            for _ in 0..29 {
                at.push_str("/d");
                table.directory(&at);
            }
        }
        // Links to links.
        for n in 0..39 {
            let entry = Entry::Link { facts: facts(0o777), target: format!("link{}", n + 1) };
            table.entries.insert(format!("{SRC}/link{n}"), entry);
        }
        table.file(&format!("{SRC}/link39"), 0o644);
        table
    }

    fn directory(&mut self, path: &str) {
        self.entries.insert(path.to_owned(), Entry::Directory(facts(0o755)));
    }

    fn file(&mut self, path: &str, mode: u32) {
        self.entries.insert(path.to_owned(), Entry::File(facts(mode)));
    }
}

fn facts(mode: u32) -> FileFacts {
    FileFacts { device: 1, inode: 2, mode, size: 40_000, ..FileFacts::default() }
}

impl HostView for Table {
    fn entry(&self, path: &str) -> Entry {
        self.entries.get(path).cloned().unwrap_or(Entry::Missing)
    }
    fn names(&self, directory: &str, limit: usize) -> Option<Vec<String>> {
        self.names.get(directory).filter(|names| names.len() <= limit).cloned()
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

/// What is measured, in order.
struct Bench {
    view: Table,
    /// A part of the name of what is asked about.
    only: Option<String>,
    kept: bool,
}

impl Bench {
    fn measure(&mut self, rules: &Rules, what: &str, text: &str, limit: u128, standing: Standing) {
        if !self.only.as_ref().is_none_or(|only| what.contains(only)) {
            return;
        }
        let request = Request {
            text,
            directory: SRC,
            path: Some("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            home: Some("/home/u"),
            overrides: &[],
            terminal: Terminal::Absent,
        };
        let plan = analyse(&request, rules, &self.view);
        assert_eq!(plan.standing(), standing, "{what}: {:?}", plan.miss);
        let calls = if limit < 100_000 { 5_000 } else { 201 };
        let again = || {
            median(calls, || {
                black_box(analyse(black_box(&request), rules, &self.view));
            })
        };
        let mut nanos = again();
        for _ in 0..RETRIES {
            if nanos <= limit {
                break;
            }
            std::thread::sleep(PAUSE);
            nanos = nanos.min(again());
        }
        let broken = nanos > limit;
        self.kept &= !broken;
        let word = if broken { "BROKEN" } else { "promise" };
        let end = plan.miss.map_or_else(|| "runs".to_owned(), |miss| miss.word);
        println!("{what:<58} {nanos:>9} ns  ({word}: at most {limit} ns; {} bytes, {end})", text.len());
    }
}

/// How often a line that misses its promise is measured again, and how long after: the processor of a virtual machine has slow seconds,
/// in which everything takes almost twice as long. Slow code misses every time.
const RETRIES: usize = 5;
const PAUSE: Duration = Duration::from_secs(2);

const TYPICAL: u128 = 5_000;
const WORST: u128 = 1_000_000;

fn main() -> ExitCode {
    let allowlist = [Rule { pattern: "/usr/bin/git".to_owned(), arguments: None, directory: None }];
    let rules = Rules { allowlist: Allowlist::compile(&allowlist, Some("/home/u")), ..Rules::default() };
    let mut bench = Bench {
        view: Table::new(),
        only: std::env::args().skip(1).find(|a| !a.starts_with('-')),
        kept: true,
    };
    typical(&mut bench, &rules);
    words_and_commands(&mut bench, &rules);
    paths(&mut bench, &rules);
    wildcards(&mut bench, &rules);
    programs(&mut bench, &rules);
    lists(&mut bench);
    if bench.kept { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn typical(bench: &mut Bench, rules: &Rules) {
    let mut hit = |what, text| bench.measure(rules, what, text, TYPICAL, Standing::Hit);
    hit("typical: one safe program", "ls -la");
    hit("typical: one allowed program", "git status --short");
    hit("typical: a safe program on a file", "grep -n ERROR app.log");
    hit("typical: a program text", "awk '{print $1}' app.log");
    bench.measure(rules, "typical: not listed", "npm test", TYPICAL, Standing::Miss);
    bench.measure(rules, "a pipe of three", "cat app.log | cut -d' ' -f1 | sort", 3 * TYPICAL, Standing::Hit);
}

fn words_and_commands(bench: &mut Bench, rules: &Rules) {
    let word = "a".repeat(62);
    let mut hit = |what, text: &str| bench.measure(rules, what, text, WORST, Standing::Hit);
    hit("worst: 256 words of 62 bytes", &filled("git", &format!(" {word}"), 255));
    hit("worst: one word of 16 KiB", &filled("git ", "a", 20_000));
    hit("worst: 16 KiB in quotes", &format!("{}'", filled("git '", "a b c d ", 2_047)));
    hit("worst: 16 KiB of escapes", &filled("git ", "\\;", 20_000));
    hit("worst: 32 commands", &filled("sort", " | sort -u", 31));
    let many = format!("git {}", [word.as_str(); 7].join(" "));
    hit("worst: 32 commands of 8 words", &[many.as_str(); 32].join("; "));
    hit("worst: 255 long options, shortened", &filled("sort", " --rev --field-sep=, --ignore-lead", 85));
    hit("worst: 255 options in 64 bundles", &filled("ls", &format!(" -{}", "la".repeat(4)), 64));
    bench.measure(
        rules,
        "worst: refused at its last byte",
        &format!("{}>", filled("git ", "a", 16_000)),
        WORST,
        Standing::Miss,
    );
    bench.measure(rules, "worst: a bundle of 16 KiB", &filled("ls -", "l", 20_000), WORST, Standing::Miss);
    bench.measure(
        rules,
        "worst: an old-style bundle of 16 KiB",
        &filled("tar t", "v", 20_000),
        WORST,
        Standing::Miss,
    );
}

fn paths(bench: &mut Bench, rules: &Rules) {
    let mut hit = |what, text: &str| bench.measure(rules, what, text, WORST, Standing::Hit);
    hit("worst: 255 files to read", &filled("cat", " app.log", 255));
    hit("worst: 255 long paths to read", &filled("cat", &format!(" {}x", "d/".repeat(30)), 255));
    let branches: Vec<String> = (0..90).map(|n| format!("{n:x}/{}x", "d/".repeat(29))).collect();
    hit("worst: 90 long paths that exist", &format!("cat {}", branches.join(" ")));
    hit("worst: 255 names that climb", &filled("cat", &format!(" {}x", "../".repeat(20)), 255));
    hit("worst: 70 chains of 39 links", &filled("cat", " link0", 70));
    hit("worst: 255 private names in the home", &filled("cat", " ~/.config/x/.ssh/.aws/readme", 255));
    hit("worst: one path of 16 KiB", &filled("cat ", "d/", 20_000));
    let branches: Vec<String> = (0..255).map(|n| format!("{n:x}/{}x", "d/".repeat(29))).collect();
    let long = format!("cat {}", branches.join(" "));
    bench.measure(rules, "worst: 255 long paths that exist", &long, WORST, Standing::Miss);
    bench.measure(
        rules,
        "worst: 255 chains of 39 links",
        &filled("cat", " link0", 255),
        WORST,
        Standing::Miss,
    );
}

fn wildcards(bench: &mut Bench, rules: &Rules) {
    let mut hit = |what, text: &str| bench.measure(rules, what, text, WORST, Standing::Hit);
    hit("worst: 250 wildcards", &filled("ls", " *.log", 250));
    hit("worst: 250 wildcards of 60 bytes", &filled("ls", &format!(" {}", "*a?".repeat(20)), 250));
    hit("worst: a wildcard that finds 1,024 files", "wc -l full/*");
    hit("worst: a wildcard over 4,096 names", "ls crowded/*77*.log");
    let mut miss = |what, text: &str| bench.measure(rules, what, text, WORST, Standing::Miss);
    miss("worst: 250 wildcards over 1,024 names", &filled("ls", " full/*y", 250));
    miss(
        "worst: wildcards with many ways to match",
        &filled("ls", &format!(" full/{}y", "*x".repeat(25)), 250),
    );
    miss("worst: wildcards that find too much", &filled("ls", " full/*", 250));
}

fn programs(bench: &mut Bench, rules: &Rules) {
    let listed = ["awk", "sed", "find", "jq", "date"].map(str::to_owned).to_vec();
    let rules = Rules { safe_bins: listed, ..rules.clone() };
    let mut hit = |what, text: &str| bench.measure(&rules, what, text, WORST, Standing::Hit);
    let quoted =
        |start: &str, more: &str| format!("{}'", filled(&format!("{start} '"), more, 16_370 / more.len()));
    hit("worst: an awk program of signs", &quoted("awk", "(1)"));
    hit("worst: an awk program of names", &quoted("awk", "a b "));
    hit("worst: an awk program of functions", &quoted("awk", "length x "));
    hit("worst: an awk program of expressions", &quoted("awk", "/[a]/;"));
    hit("worst: a sed script of short commands", &quoted("sed", "p;"));
    hit("worst: a sed script of substitutions", &quoted("sed", "s/[a]/b/;"));
    hit("worst: a jq filter of functions", &quoted("jq", "|not").replacen("'|", "'", 1));
    hit("worst: a jq filter of texts", &quoted("jq", ",\"\\(.)\"").replacen("',", "'", 1));
    hit("worst: 254 tests of find", &filled("find .", " -name x", 127));
    hit("worst: a date of 16 KiB", &quoted("date -d", "1"));
}

fn lists(bench: &mut Bench) {
    let literal = |n: usize| Rule { pattern: format!("/opt/{n}/bin/tool"), arguments: None, directory: None };
    let bound = |n: usize| Rule {
        pattern: "/usr/bin/git".to_owned(),
        arguments: Some(format!("sha256:argv:{n:064}")),
        directory: Some(SRC.to_owned()),
    };
    let wild = |n: usize| Rule { pattern: format!("/opt/{n}/**/bin/*"), arguments: None, directory: None };
    let rules = |entries: Vec<Rule>| Rules {
        allowlist: Allowlist::compile(&entries, Some("/home/u")),
        ..Rules::default()
    };
    for (what, entries) in [
        ("worst: 1,000 entries of the allow list", (0..1000).map(literal).collect::<Vec<_>>()),
        ("worst: 1,000 entries bound to arguments", (0..1000).map(bound).collect()),
        ("worst: 1,000 entries with wildcards", (0..1000).map(wild).collect()),
    ] {
        bench.measure(&rules(entries), what, "git status --short", WORST, Standing::Miss);
    }
}
