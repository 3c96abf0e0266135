//! `cargo xtask link-order`: which functions a start and the first clients run, for the order in which the linker places them
//! (`bins/openclaw-gateway/link-order.txt`, read by the build script beside it).
//!
//! A release build with its symbols runs under valgrind's callgrind, which names every function that ran. Needs valgrind and nm. The list
//! holds names without their hash, which changes with every dependency: a generic function stands for all its instances.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bench::gateway::{TOKEN, home, load, ready};
use crate::steps::{built, root};

/// Where the list stands.
const LIST: &str = "bins/openclaw-gateway/link-order.txt";
/// The kernel maps so many bytes around a page that is touched.
const WINDOW: u64 = 64 * 1024;
/// Long enough for what a gateway still does after it began to listen.
const SETTLES: Duration = Duration::from_secs(15);

/// Arguments of `cargo xtask link-order`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Builds, runs, and writes the list.
pub fn run(_: &Args) -> Result<bool> {
    let build = Command::new("cargo")
        .args(["build", "--release", "--locked", "-p", "openclaw-gateway", "-p", "oc-gateway"])
        .args(["--bin", "openclaw-gateway", "--example", "load"])
        .env("CARGO_PROFILE_RELEASE_STRIP", "false")
        .current_dir(root())
        .status()?;
    ensure!(build.success(), "the release build failed");
    let program = built("release/openclaw-gateway");
    let sizes = sizes(&program)?;
    let ran = observe(&program)?;
    let list = ordered(&sizes, &ran);
    ensure!(list.len() > 500, "only {} functions of {} that ran are named", list.len(), ran.len());
    let head = "# Functions of openclaw-gateway that stand together in the program: measured by `cargo xtask link-order`.";
    let text = std::iter::once(head).chain(list.iter().map(String::as_str)).collect::<Vec<_>>().join("\n");
    std::fs::write(root().join(LIST), text + "\n").with_context(|| format!("cannot write {LIST}"))?;
    println!("{LIST}: {} names of {} functions that ran", list.len(), ran.len());
    Ok(true)
}

/// The functions that the program defines, with their sizes in bytes.
fn sizes(program: &Path) -> Result<HashMap<String, u64>> {
    let out = Command::new("nm").args(["-S", "--defined-only"]).arg(program).output();
    let out = out.context("nm cannot be started")?;
    ensure!(out.status.success(), "nm: {}", String::from_utf8_lossy(&out.stderr).trim());
    let text = String::from_utf8_lossy(&out.stdout);
    let function = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, size, kind, name] = words.as_slice() else { return None };
        let size = u64::from_str_radix(size, 16).ok()?;
        ["t", "T", "w", "W"].contains(kind).then(|| ((*name).to_owned(), size))
    };
    Ok(text.lines().filter_map(function).collect())
}

/// The name without what differs from build to build; a name that ends in `17h` lacks its hash.
fn lasting(name: &str) -> &str {
    let name = name.split_once(".llvm.").map_or(name, |(name, _)| name);
    let bare = name.strip_suffix('E').filter(|n| n.starts_with("_ZN"));
    let before = bare.and_then(|n| n.get(..n.len().checked_sub(16)?));
    before.filter(|n| n.ends_with("17h")).unwrap_or(name)
}

/// All instances of a name, and those that ran.
#[derive(Clone, Copy, Debug, Default)]
struct Instances {
    bytes: u64,
    ran: u64,
    ran_bytes: u64,
}

/// The names to place together: those first of which nearly everything ran, each group in the order of names, which is that of crates and
/// modules. A name with so many instances that placing them costs more than what ran of them costs elsewhere is left out.
fn ordered(sizes: &HashMap<String, u64>, ran: &BTreeSet<String>) -> Vec<String> {
    let mut all: BTreeMap<&str, Instances> = BTreeMap::new();
    for (name, size) in sizes {
        let one = all.entry(lasting(name)).or_default();
        one.bytes += size;
        if ran.contains(name) {
            one.ran += 1;
            one.ran_bytes += size;
        }
    }
    let writable = |c: char| c.is_ascii_alphanumeric() || "_.$".contains(c);
    all.retain(|name, one| one.ran > 0 && one.bytes <= one.ran * WINDOW / 2 && name.chars().all(writable));
    let mut list: Vec<_> = all.into_iter().collect();
    // Sorted by name already, which a stable sort keeps.
    list.sort_by_key(|(_, one)| Reverse((one.ran_bytes * 2 > one.bytes, one.ran_bytes * 10 > one.bytes)));
    list.into_iter().map(|(name, _)| name.to_owned()).collect()
}

/// The gateway under callgrind, ended with this value.
struct Observed(Child);

impl Drop for Observed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The functions that ran: at the start, and with the first clients.
fn observe(program: &Path) -> Result<BTreeSet<String>> {
    let (home, port) = home(&serde_json::Value::Null)?;
    let out = tempfile::tempdir()?;
    let file = out.path().join("callgrind");
    let child = Command::new("valgrind")
        .args(["--tool=callgrind", "--demangle=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(["--port", &port.to_string()])
        .env("HOME", home.path())
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .env("OPENCLAW_SKIP_CHANNELS", "1")
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("valgrind cannot be started")?;
    let mut gateway = Observed(child);
    ready(port)?;
    std::thread::sleep(SETTLES);
    let port = port.to_string();
    let plain = |kind| [kind, port.as_str(), TOKEN, "3", "2"];
    let invoke = |status, body| ["http", &port, TOKEN, "3", "2", status, "POST", "/tools/invoke", body];
    load(&plain("handshakes"), None)?;
    load(&plain("calls"), None)?;
    load(&invoke("404", r#"{"tool":"exec","args":{}}"#), None)?;
    load(&invoke("200", r#"{"tool":"agents_list","args":{}}"#), None)?;
    let pid = gateway.0.id().to_string();
    let told = Command::new("callgrind_control").args(["-d", &pid]).stdout(Stdio::null()).status()?;
    ensure!(told.success(), "callgrind_control failed");
    let text = std::fs::read_to_string(format!("{}.1", file.display()))?;
    gateway.0.kill()?;
    gateway.0.wait()?;
    Ok(functions(&text))
}

/// The names in a file of callgrind: `fn=(id) name` at their first mention, `fn=(id)` later; `'2` marks a recursion.
fn functions(text: &str) -> BTreeSet<String> {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut out = BTreeSet::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) else { continue };
        let (id, name) = rest.split_once(' ').unwrap_or((rest, ""));
        if !name.is_empty() {
            names.insert(id, name);
        }
        let name = names.get(id).copied().unwrap_or_default();
        let name = name.rsplit_once('\'').map_or(name, |(name, _)| name);
        if !name.is_empty() {
            out.insert(name.to_owned());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_of_a_profile_is_named_once() {
        let text = "ob=(1) /bin/x\nfn=(1) main\n0 4\ncfn=(2) work'2\ncalls=1 0\n0 9\n\nfn=(2)\n0 3\n";
        assert_eq!(functions(text).into_iter().collect::<Vec<_>>(), ["main", "work"]);
    }

    #[test]
    fn a_name_loses_its_hash_and_nothing_else() {
        assert_eq!(lasting("_ZN4core3fmt5write17h0000000000000000E"), "_ZN4core3fmt5write17h");
        assert_eq!(lasting("_ZN4core3fmt5write17h0000000000000000E.llvm.12"), "_ZN4core3fmt5write17h");
        assert_eq!(lasting("_RNvCs12_3std4main"), "_RNvCs12_3std4main");
        assert_eq!(lasting("_ZN1E"), "_ZN1E");
        assert_eq!(lasting("main"), "main");
    }

    #[test]
    fn what_mostly_ran_comes_first_and_what_costs_more_than_it_saves_is_left_out() {
        let hashed = |name: &str, n: u32| format!("_ZN1{name}17h{n:016x}E");
        let mut sizes = HashMap::from([("b_whole".to_owned(), 10), ("never".to_owned(), 10)]);
        let mut ran = BTreeSet::from(["b_whole".to_owned()]);
        for n in 0..4 {
            sizes.insert(hashed("a", n), 10);
            sizes.insert(hashed("z", n), 20 * 1024);
        }
        ran.insert(hashed("a", 1));
        ran.insert(hashed("z", 1));
        assert_eq!(ordered(&sizes, &ran), ["b_whole", "_ZN1a17h"]);
    }
}
