//! Puts the functions that a start and the first clients run side by side in the program.
//!
//! The kernel maps sixteen pages around each one that is touched, so what is spread over the whole program costs nearly the whole program in
//! memory. The list of names is a measurement (`cargo xtask link-order`); a function that it names and that is gone, or was renamed, only
//! loses its place.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let list = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../openclaw-gateway/link-order.txt");
    println!("cargo::rerun-if-changed={}", list.display());
    // The linker that the compiler brings for this target is known to take all this; one that somebody chose may not.
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    let chosen = !variable("RUSTC_LINKER").is_empty()
        || ["linker=", "fuse-ld", "linker-features", "link-self-contained"].iter().any(|f| flags.contains(f));
    let known = variable("CARGO_CFG_TARGET_ARCH") == "x86_64"
        && variable("CARGO_CFG_TARGET_OS") == "linux"
        && variable("CARGO_CFG_TARGET_ENV") == "gnu";
    if variable("PROFILE") != "release" || !known || chosen {
        return;
    }
    let script = PathBuf::from(variable("OUT_DIR")).join("link-order.ld");
    let written = std::fs::read_to_string(&list).and_then(|names| std::fs::write(&script, sections(&names)));
    match written {
        Ok(()) => println!("cargo::rustc-link-arg-bins=-T{}", script.display()),
        Err(e) => println!("cargo::warning={} is left out: {e}", list.display()),
    }
    if variable("HOST") == variable("TARGET") && c_library().is_some_and(|version| version >= (2, 36)) {
        // Two megabytes of relocations, of which an older C library could not read the short form.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// A section of its own for the functions of the list, in its order, before all others. Names lack their hash; what runs seldom may stand
/// apart from its like.
fn sections(names: &str) -> String {
    let mut script = String::from("SECTIONS\n{\n  .text.start :\n  {\n");
    for name in names.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        for section in [".text", ".text.unlikely"] {
            let _ = if name.ends_with("17h") {
                writeln!(script, "    *({section}.{name}*)")
            } else {
                writeln!(script, "    *({section}.{name} {section}.{name}.llvm.*)")
            };
        }
    }
    script + "  }\n}\nINSERT BEFORE .text;\n"
}

/// Version of the C library of this machine.
fn c_library() -> Option<(u32, u32)> {
    let out = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
