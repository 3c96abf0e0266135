//! Real shells against the reader: whenever it reads a text, `bash -c`, `dash -c` and the reader run the same programs with the same
//! arguments, assignments and standard streams (exec-approval 5.2 point 9, SP-130..137).
//!
//! The programs of the texts are this very binary under other names: it writes down how it was started. `OC_DIFFERENTIAL_LINES` sets
//! how many texts are generated; `OC_DIFFERENTIAL_SEED` where the sequence starts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

#[path = "shell/expected.rs"]
mod expected;
#[path = "shell/generate.rs"]
mod generate;
#[path = "shell/world.rs"]
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use generate::Random;
use world::{Probe, World};

const NAME: &str = "sp_130_real_shells_run_what_was_read";
const WORKERS: usize = 2;

fn main() {
    if let Some(probe) = Probe::of_this_process() {
        std::process::exit(probe.record());
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == "--list") {
        if !arguments.iter().any(|a| a == "--ignored") {
            println!("{NAME}: test");
        }
        return;
    }
    sp_130_real_shells_run_what_was_read();
}

/// How many of the generated texts went which way.
#[derive(Debug, Default)]
struct Count {
    generated: AtomicUsize,
    refused: AtomicUsize,
    /// Read, but a wildcard lists the root, which has other names for every process.
    root_listed: AtomicUsize,
    /// Read, but the command word is no program of this world.
    other_program: AtomicUsize,
    compared: AtomicUsize,
}

fn sp_130_real_shells_run_what_was_read() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{name} is a number")))
    };
    let lines = number("OC_DIFFERENTIAL_LINES", 2_000);
    let seed = number("OC_DIFFERENTIAL_SEED", 1);
    let shells: Vec<&str> =
        ["/bin/bash", "/bin/dash"].into_iter().filter(|s| std::path::Path::new(s).exists()).collect();
    assert!(!shells.is_empty(), "no shell to compare with");
    let (count, differences) = (Count::default(), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..WORKERS as u64 {
            let (count, differences, shells) = (&count, &differences, &shells);
            scope.spawn(move || {
                let world = World::new();
                for text in generate::FIXED.iter().filter(|_| worker == 0) {
                    differences.lock().unwrap().extend(compare(&world, shells, text, count));
                }
                for i in (worker..lines).step_by(WORKERS) {
                    let text = generate::line(&mut Random::new(seed, i));
                    differences.lock().unwrap().extend(compare(&world, shells, &text, count));
                }
            });
        }
    });
    println!("{count:?} with {shells:?}");
    let differences = differences.into_inner().unwrap();
    assert!(
        differences.is_empty(),
        "{} differences, first ones:\n{}",
        differences.len(),
        differences.iter().take(20).cloned().collect::<String>()
    );
    let compared = count.compared.into_inner();
    assert!(
        compared as u64 * 4 >= lines,
        "only {compared} texts were compared: the generator makes too few readable ones"
    );
}

/// Runs a text under each shell when it is readable; what differs.
fn compare(world: &World, shells: &[&str], text: &str, count: &Count) -> Vec<String> {
    count.generated.fetch_add(1, Ordering::Relaxed);
    let Ok(line) = oc_shell::read(text) else {
        count.refused.fetch_add(1, Ordering::Relaxed);
        return Vec::new();
    };
    if lists_the_root(&line) {
        count.root_listed.fetch_add(1, Ordering::Relaxed);
        return Vec::new();
    }
    let Some(expected) = expected::runs(world, &line) else {
        count.other_program.fetch_add(1, Ordering::Relaxed);
        return Vec::new();
    };
    count.compared.fetch_add(1, Ordering::Relaxed);
    let differs = |shell: &&str| {
        let found = world.run(shell, text, &expected);
        let wanted: Vec<String> = expected.concat();
        (found != wanted).then(|| format!("{shell} -c {text:?}\n  read: {wanted:#?}\n  ran:  {found:#?}\n"))
    };
    shells.iter().filter_map(differs).collect()
}

/// Whether a wildcard stands in the first component of an absolute path. `/*/*` lists `/proc`, where the shell that is started is a
/// directory more: no two processes find the same.
fn lists_the_root(line: &oc_shell::Line) -> bool {
    let words = line.steps.iter().flat_map(|s| &s.pipeline.commands).flat_map(|c| &c.words);
    words.filter(|w| w.is_pattern()).any(|w| {
        matches!(w.pieces.first(), Some(oc_shell::Piece::Literal(start))
            if start.strip_prefix('/').is_some_and(|rest| !rest.contains('/')))
    })
}
